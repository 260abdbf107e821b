import { Entity, PrimaryColumn } from 'typeorm';
import { Moment } from '../../database/entities/rows.js';

/** One that takes jobs, and when its server last said that it is there. */
@Entity('job_workers')
export class JobWorker {
  /** As graphile-worker calls it. */
  @PrimaryColumn('text')
  id: string;

  @Moment()
  seen_at: Date;
}
