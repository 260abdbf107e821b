import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The members of all gyms, the newest first. */
export class NewestMembers1797465600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX users_newest_members_idx ON users (created_at, id) WHERE role = 'user' AND deleted_at IS NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX users_newest_members_idx');
  }
}
