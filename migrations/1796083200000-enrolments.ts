import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The newest connection of each reader, which console has it, and whose finger comes next. */
export class Enrolments1796083200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE enrolments (
        reader text CONSTRAINT enrolments_pkey PRIMARY KEY,
        reader_socket text NOT NULL,
        console_socket text,
        user_id integer CONSTRAINT enrolments_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        is_started boolean NOT NULL DEFAULT false,
        held_until timestamptz(3) NOT NULL
      );
      CREATE INDEX enrolments_console_socket_idx ON enrolments (console_socket);
      CREATE INDEX enrolments_user_id_idx ON enrolments (user_id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE enrolments');
  }
}
