import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which server has a device: one that it has left before does not say that it is gone. */
export class OnlineOn1798243200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE devices ADD COLUMN online_on uuid');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE devices DROP COLUMN online_on');
  }
}
