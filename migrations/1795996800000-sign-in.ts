import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The network that a person signs in from; a password that has changed is told to all servers. */
export class SignIn1795996800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Of IPv6 addresses the network is not known until the next sign-in.
      ALTER TABLE sessions ADD COLUMN network text;
      UPDATE sessions SET network = regexp_replace(ip_address, '^::ffff:', '', 'i') WHERE ip_address LIKE '%.%';
      DROP INDEX sessions_address_idx;
      CREATE INDEX sessions_network_idx ON sessions (user_id, network);

      -- Rises with each new password: what was allowed by the old one ends.
      ALTER TABLE users ADD COLUMN password_version integer NOT NULL DEFAULT 0;
      CREATE FUNCTION users_raise_password_version() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        NEW.password_version := OLD.password_version + 1;
        RETURN NEW;
      END $$;
      CREATE TRIGGER users_password_version BEFORE UPDATE OF password_hash ON users FOR EACH ROW
        WHEN (OLD.password_hash IS DISTINCT FROM NEW.password_hash) EXECUTE FUNCTION users_raise_password_version();
      DROP TRIGGER users_access_changed ON users;
      CREATE TRIGGER users_access_changed AFTER UPDATE ON users FOR EACH ROW
        WHEN ((OLD.role, OLD.gym_id, OLD.is_active, OLD.must_change_password, OLD.deleted_at, OLD.password_version)
          IS DISTINCT FROM (NEW.role, NEW.gym_id, NEW.is_active, NEW.must_change_password, NEW.deleted_at, NEW.password_version))
        EXECUTE FUNCTION notify_access_changed('id');
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TRIGGER users_access_changed ON users;
      CREATE TRIGGER users_access_changed AFTER UPDATE ON users FOR EACH ROW
        WHEN ((OLD.role, OLD.gym_id, OLD.is_active, OLD.must_change_password, OLD.deleted_at)
          IS DISTINCT FROM (NEW.role, NEW.gym_id, NEW.is_active, NEW.must_change_password, NEW.deleted_at))
        EXECUTE FUNCTION notify_access_changed('id');
      DROP TRIGGER users_password_version ON users;
      DROP FUNCTION users_raise_password_version;
      ALTER TABLE users DROP COLUMN password_version;
      DROP INDEX sessions_network_idx;
      ALTER TABLE sessions DROP COLUMN network;
      CREATE INDEX sessions_address_idx ON sessions (user_id, ip_address);
    `);
  }
}
