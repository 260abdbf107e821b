import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When each job ran last, for those who watch the server. */
export class JobRuns1797120000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE job_runs (
        name text CONSTRAINT job_runs_pkey PRIMARY KEY,
        started_at timestamptz(3) NOT NULL,
        finished_at timestamptz(3) NOT NULL,
        is_ok boolean NOT NULL,
        succeeded_at timestamptz(3)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE job_runs');
  }
}
