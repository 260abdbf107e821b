import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A link to a new password is good while the person has the address that it was sent to. */
export class ResetAddresses1798588800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Of links that are out it is not known where they went.
    await runner.query('DELETE FROM password_resets; ALTER TABLE password_resets ADD COLUMN email text NOT NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE password_resets DROP COLUMN email');
  }
}
