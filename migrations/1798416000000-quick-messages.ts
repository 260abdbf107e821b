import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Each message for sockets had its place in an index that only the purge used: it may as well read the whole table. */
export class QuickMessages1798416000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX socket_messages_created_at_idx');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX socket_messages_created_at_idx ON socket_messages (created_at)');
  }
}
