import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A value for each key that only this key opens. */
export class KeyChecks1798070400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE key_checks (
        ring text NOT NULL,
        key_id text NOT NULL,
        sealed text NOT NULL,
        CONSTRAINT key_checks_pkey PRIMARY KEY (ring, key_id)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE key_checks');
  }
}
