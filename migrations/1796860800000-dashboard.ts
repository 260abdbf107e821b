import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is counted over months is read from indexes alone: new members, plans sold, visits by who recorded them, plans that run. */
export class Dashboard1796860800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX users_members_idx ON users (gym_id, created_at, id) INCLUDE (is_active, deleted_at)
        WHERE role = 'user';
      CREATE INDEX user_plans_gym_id_purchased_at_idx ON user_plans (gym_id, purchased_at)
        INCLUDE (purchased_price, created_by_id);
      DROP INDEX user_plans_gym_id_expires_at_idx;
      CREATE INDEX user_plans_gym_id_expires_at_idx ON user_plans (gym_id, expires_at, id)
        INCLUDE (starts_at, frozen_at, frozen_until) WHERE ended_at IS NULL;
      DROP INDEX attendance_gym_id_idx;
      CREATE INDEX attendance_gym_id_idx ON attendance (gym_id, check_in_time, id) INCLUDE (recorded_by_id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX users_members_idx;
      DROP INDEX user_plans_gym_id_purchased_at_idx;
      DROP INDEX user_plans_gym_id_expires_at_idx;
      CREATE INDEX user_plans_gym_id_expires_at_idx ON user_plans (gym_id, expires_at, id) WHERE ended_at IS NULL;
      DROP INDEX attendance_gym_id_idx;
      CREATE INDEX attendance_gym_id_idx ON attendance (gym_id, check_in_time, id);
    `);
  }
}
