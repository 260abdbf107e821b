import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A pass code that an old scanner reads: it takes the digits behind the last dash for the id of the member. */
export class PassCodes1797552000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Eight signs: the digits of the id in their order, at random places among letters. An id of more than five digits
    // would leave too little to guess, so that its code has letters only. gen_random_uuid() is PostgreSQL's strong
    // source of random numbers that needs no extension.
    await runner.query(`
      CREATE FUNCTION new_pass_code(user_id integer, for_old_scanner boolean) RETURNS text LANGUAGE sql
      SET search_path FROM CURRENT AS $$
        SELECT CASE WHEN NOT for_old_scanner THEN new_qr_code(user_id) ELSE 'GYM-' || user_id || '-' || (
          SELECT string_agg(
            CASE WHEN is_digit THEN substr(digits, nth::int, 1)
              ELSE substr('ABCDEF', 1 + (('x' || left(gen_random_uuid()::text, 8))::bit(32)::bigint % 6)::int, 1) END,
            '' ORDER BY n)
          FROM (SELECT CASE WHEN user_id < 100000 THEN user_id::text ELSE '' END AS digits) d
          CROSS JOIN LATERAL (
            SELECT n, is_digit, count(*) FILTER (WHERE is_digit) OVER (ORDER BY n) AS nth
            FROM (
              SELECT n, row_number() OVER (ORDER BY gen_random_uuid()) <= length(digits) AS is_digit
              FROM generate_series(1, 8) n) places) signs
        ) END
      $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION new_pass_code');
  }
}
