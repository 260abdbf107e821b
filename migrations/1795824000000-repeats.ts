import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Stored answers belong to an account or a device, as it was, and say whom they are about. They are promised for a day only. */
export class Repeats1795824000000 implements MigrationInterface {
  name = 'Repeats1795824000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE idempotency_keys;
      CREATE TABLE idempotency_keys (
        owner text NOT NULL,
        route text NOT NULL,
        key text NOT NULL,
        fingerprint bytea NOT NULL,
        role text NOT NULL,
        gym_id integer,
        answer json,
        people integer[] NOT NULL DEFAULT '{}',
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT idempotency_keys_pkey PRIMARY KEY (owner, route, key)
      );
      CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);
      CREATE INDEX idempotency_keys_people_idx ON idempotency_keys USING gin (people);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE idempotency_keys;
      CREATE TABLE idempotency_keys (
        user_id integer NOT NULL,
        route text NOT NULL,
        key text NOT NULL,
        fingerprint bytea NOT NULL,
        answer json,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, route, key)
      );
      CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);
    `);
  }
}
