import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A session whose end comes sooner than it did is looked at again by all servers, as one that has ended is. */
export class SessionTimes1798675200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE OR REPLACE TRIGGER sessions_ended AFTER UPDATE ON sessions FOR EACH ROW
        WHEN (OLD.ended_at IS DISTINCT FROM NEW.ended_at
          OR coalesce(NEW.expires_at, 'infinity') < coalesce(OLD.expires_at, 'infinity'))
        EXECUTE FUNCTION notify_access_changed('user_id');
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE OR REPLACE TRIGGER sessions_ended AFTER UPDATE ON sessions FOR EACH ROW
        WHEN (OLD.ended_at IS DISTINCT FROM NEW.ended_at) EXECUTE FUNCTION notify_access_changed('user_id');
    `);
  }
}
