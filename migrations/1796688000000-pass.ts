import type { MigrationInterface, QueryRunner } from 'typeorm';

const giveQrCode = (code: string) => `
  CREATE OR REPLACE FUNCTION users_give_qr_code() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  BEGIN
    NEW.qr_code := ${code};
    RETURN NEW;
  END $$;`;

/** Name and phone are enough for a member, who is active from the first plan on; demo data says its own codes. */
export class Pass1796688000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE users
        ADD COLUMN awaits_first_plan boolean NOT NULL DEFAULT false,
        DROP CONSTRAINT users_email_check,
        ADD CONSTRAINT users_email_check CHECK (email IS NOT NULL OR role = 'user' OR deleted_at IS NOT NULL);
      ${giveQrCode('coalesce(NEW.qr_code, new_qr_code(NEW.id))')}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ${giveQrCode('new_qr_code(NEW.id)')}
      -- Before, every member had an email; .invalid is reserved, so that nothing is ever sent there.
      UPDATE users SET email = 'member.' || id || '@none.invalid' WHERE email IS NULL AND deleted_at IS NULL;
      ALTER TABLE users
        DROP COLUMN awaits_first_plan,
        DROP CONSTRAINT users_email_check,
        ADD CONSTRAINT users_email_check CHECK (email IS NOT NULL OR deleted_at IS NOT NULL);
    `);
  }
}
