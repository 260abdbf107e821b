import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who takes jobs, so that the others see when a server was killed. */
export class JobWorkers1796256000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE job_workers (
        id text CONSTRAINT job_workers_pkey PRIMARY KEY,
        seen_at timestamptz(3) NOT NULL
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE job_workers');
  }
}
