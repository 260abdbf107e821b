import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Moment } from '../../database/entities/rows.js';

/** The last run of a job, on whichever server it was. */
@Entity('job_runs')
export class JobRun {
  @PrimaryColumn('text')
  name: string;

  @Moment()
  started_at: Date;

  @Moment()
  finished_at: Date;

  @Column('boolean')
  is_ok: boolean;

  /** When the last run began that did not fail: what was due until then is done. */
  @Moment({ nullable: true })
  succeeded_at: Date | null;
}
