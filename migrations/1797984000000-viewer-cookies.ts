import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Cookies that show a session's person, and let them do nothing. */
export class ViewerCookies1797984000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE viewer_cookies (
        token_hash bytea CONSTRAINT viewer_cookies_pkey PRIMARY KEY,
        session_id integer NOT NULL
          CONSTRAINT viewer_cookies_session_id_fkey REFERENCES sessions (id) ON DELETE CASCADE,
        expires_at timestamptz(3) NOT NULL
      );
      CREATE INDEX viewer_cookies_session_id_idx ON viewer_cookies (session_id);
      CREATE INDEX viewer_cookies_expires_at_idx ON viewer_cookies (expires_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE viewer_cookies');
  }
}
