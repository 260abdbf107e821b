import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Of which days the managers of a gym were told. */
export class DayMails1797292800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE day_mails (
        gym_id integer CONSTRAINT day_mails_gym_id_fkey REFERENCES gyms (id) ON DELETE CASCADE,
        date date,
        CONSTRAINT day_mails_pkey PRIMARY KEY (gym_id, date)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE day_mails');
  }
}
