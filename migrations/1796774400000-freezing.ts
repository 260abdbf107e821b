import type { MigrationInterface, QueryRunner } from 'typeorm';

const status = (isFrozen: string) => `
  CREATE OR REPLACE FUNCTION user_plan_status(user_plans) RETURNS text STABLE LANGUAGE sql AS $$
    SELECT CASE
      WHEN $1.end_reason = 'cancelled' THEN 'cancelled'
      WHEN $1.end_reason = 'used_up' THEN 'expired'
      WHEN ${isFrozen} THEN 'frozen'
      WHEN $1.expires_at <= statement_timestamp() THEN 'expired'
      WHEN $1.starts_at <= statement_timestamp() THEN 'active'
      ELSE 'scheduled'
    END
  $$;`;

const oneAtATime = (hasKnownEnd: string) => `
  ALTER TABLE user_plans ADD CONSTRAINT user_plans_one_at_a_time EXCLUDE USING gist (user_id WITH =, gym_id WITH =,
    tstzrange(starts_at, CASE WHEN ${hasKnownEnd} THEN expires_at END) WITH &&)
    WHERE (ended_at IS NULL AND starts_at IS NOT NULL);`;

/** A freeze may have an end, and a cancelled plan a note why. */
export class Freezing1796774400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE user_plans ADD COLUMN frozen_until timestamptz(3), ADD COLUMN cancel_reason text,
        ADD CONSTRAINT user_plans_freeze_check
          CHECK (frozen_until IS NULL OR (frozen_at IS NOT NULL AND frozen_until > frozen_at));
      ${status('$1.frozen_at IS NOT NULL AND ($1.frozen_until IS NULL OR $1.frozen_until > statement_timestamp())')}
      ALTER TABLE user_plans DROP CONSTRAINT user_plans_one_at_a_time;
      ${oneAtATime('frozen_at IS NULL OR frozen_until IS NOT NULL')}
    `);
  }

  /** A freeze that is over is none; one that goes on has no end any more, and what waits behind it no start. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE user_plans DROP CONSTRAINT user_plans_one_at_a_time;
      UPDATE user_plans waiting SET starts_at = NULL, expires_at = NULL
      FROM user_plans frozen
      WHERE frozen.ended_at IS NULL AND frozen.frozen_until > now() AND waiting.user_id = frozen.user_id
        AND waiting.gym_id = frozen.gym_id AND waiting.ended_at IS NULL AND waiting.starts_at > now();
      UPDATE user_plans SET frozen_at = NULL, frozen_until = NULL WHERE ended_at IS NULL AND frozen_until <= now();
      UPDATE user_plans SET expires_at = expires_at - (frozen_until - frozen_at)
      WHERE ended_at IS NULL AND frozen_until > now();
      ${status('$1.frozen_at IS NOT NULL')}
      ALTER TABLE user_plans DROP COLUMN frozen_until, DROP COLUMN cancel_reason;
      ${oneAtATime('frozen_at IS NULL')}
    `);
  }
}
