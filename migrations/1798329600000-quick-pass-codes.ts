import type { MigrationInterface, QueryRunner } from 'typeorm';
import { PassCodes1797552000000 } from './1797552000000-pass-codes.js';

/** Codes of the same form. A function in SQL is planned again by each statement that calls it, which took most of it. */
export class QuickPassCodes1798329600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Of the places that are left as many are for digits as there are digits left, so that each choice of places is as
    // likely as the others. Four bytes for each sign; a hash, because some bits of a UUID are not random.
    await runner.query(`
      CREATE OR REPLACE FUNCTION new_pass_code(user_id integer, for_old_scanner boolean) RETURNS text
      LANGUAGE plpgsql AS $$
        DECLARE
          random bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
          digits text := CASE WHEN user_id < 100000 THEN user_id::text ELSE '' END;
          code text := 'GYM-' || user_id || '-';
        BEGIN
          IF NOT for_old_scanner THEN RETURN new_qr_code(user_id); END IF;
          FOR n IN 0..7 LOOP
            IF (get_byte(random, 4 * n) * 256 + get_byte(random, 4 * n + 1)) % (8 - n) < length(digits) THEN
              code := code || left(digits, 1);
              digits := substr(digits, 2);
            ELSE
              code := code || substr('ABCDEF', 1 + (get_byte(random, 4 * n + 2) * 256 + get_byte(random, 4 * n + 3)) % 6, 1);
            END IF;
          END LOOP;
          RETURN code;
        END
      $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION new_pass_code');
    await new PassCodes1797552000000().up(runner);
  }
}
