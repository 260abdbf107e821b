import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People who were deleted before are forgotten as those who are deleted now: notes of visits, sessions, language. */
export class Forgetting1796515200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      UPDATE attendance v SET location = NULL, notes = NULL
      FROM users u WHERE u.id = v.user_id AND u.deleted_at IS NOT NULL;
      DELETE FROM sessions s USING users u WHERE u.id = s.user_id AND u.deleted_at IS NOT NULL;
      UPDATE users SET language = DEFAULT WHERE deleted_at IS NOT NULL;
    `);
  }

  /** What is erased does not come back. */
  async down(): Promise<void> {}
}
