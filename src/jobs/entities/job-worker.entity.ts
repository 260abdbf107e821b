import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One that takes jobs, and when its server last said that it is there. */
@Entity('job_workers')
export class JobWorker {
  /** As graphile-worker calls it. */
  @PrimaryColumn('text')
  id: string;

  @Column({ type: 'timestamptz', precision: 3 })
  seen_at: Date;
}
