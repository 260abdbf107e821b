import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Links to a new password, and which reminders were sent. */
export class Mail1797206400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE password_resets (
        token_hash bytea CONSTRAINT password_resets_pkey PRIMARY KEY,
        user_id integer NOT NULL CONSTRAINT password_resets_user_id_fkey REFERENCES users (id),
        password_version integer NOT NULL,
        expires_at timestamptz(3) NOT NULL
      );
      CREATE INDEX password_resets_user_id_idx ON password_resets (user_id);
      CREATE INDEX password_resets_expires_at_idx ON password_resets (expires_at);
      CREATE TABLE plan_reminders (
        user_plan_id integer CONSTRAINT plan_reminders_user_plan_id_fkey REFERENCES user_plans (id) ON DELETE CASCADE,
        days integer,
        expires_at timestamptz(3),
        CONSTRAINT plan_reminders_pkey PRIMARY KEY (user_plan_id, days, expires_at)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE plan_reminders, password_resets');
  }
}
