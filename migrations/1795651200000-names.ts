import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Of things that have one name the first keeps it, the others are written as `renamed`: until each has its own. */
const separate = (table: string, column: string, renamed: string, within = 'TRUE'): string => `
  DO $$ BEGIN
    LOOP
      UPDATE ${table} t SET ${column} = ${renamed}
      WHERE EXISTS (SELECT FROM ${table} o WHERE fold(o.${column}) = fold(t.${column}) AND o.id < t.id AND ${within});
      EXIT WHEN NOT FOUND;
    END LOOP;
  END $$;`;

const numbered = (column: string): string => `${column} || ' (' || id || ')'`;

/** What is unique whatever the case, and found however it is typed; an admin may have a home gym. */
export class Names1795651200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- How names, emails and documents are compared, everywhere: trimmed, in one Unicode form, without regard to case (ß is
      -- ss, and Σ at the end of a word is σ as anywhere else). ICU's rules: those of the database's locale may know ASCII only.
      CREATE FUNCTION fold(text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
        SELECT normalize(replace(replace(lower(upper(btrim($1) COLLATE "und-x-icu") COLLATE "und-x-icu"), 'ς', 'σ'), 'ß', 'ss'), NFC)
      $$;

      DROP INDEX gyms_name_key;
      ALTER TABLE users DROP CONSTRAINT users_email_key, DROP CONSTRAINT users_username_key,
        DROP CONSTRAINT users_document_id_key, DROP CONSTRAINT users_email_check, DROP CONSTRAINT users_username_check,
        DROP CONSTRAINT users_gym_check,
        ADD CONSTRAINT users_email_check CHECK (email IS NOT NULL OR deleted_at IS NOT NULL),
        ADD CONSTRAINT users_gym_check CHECK (gym_id IS NOT NULL OR role = 'admin');
      ${separate('gyms', 'name', numbered('name'))}
      ${separate('plans', 'name', numbered('name'), 'o.gym_id = t.gym_id')}
      ${separate('products', 'name', numbered('name'), 'o.gym_id = t.gym_id')}
      ${separate('users', 'document_id', numbered('document_id'))}
      ${separate('users', 'username', numbered('username'))}
      -- Mail to me+5@example.com reaches me@example.com at most providers.
      ${separate('users', 'email', `replace(email, '@', '+' || id || '@')`)}
      CREATE UNIQUE INDEX gyms_name_key ON gyms (fold(name));
      CREATE UNIQUE INDEX plans_name_key ON plans (gym_id, fold(name));
      CREATE UNIQUE INDEX products_name_key ON products (gym_id, fold(name));
      CREATE UNIQUE INDEX users_email_key ON users (fold(email));
      CREATE UNIQUE INDEX users_username_key ON users (fold(username));
      CREATE UNIQUE INDEX users_document_id_key ON users (fold(document_id));
      -- The first admin's home is the first gym.
      UPDATE users SET gym_id = (SELECT min(id) FROM gyms)
      WHERE id = (SELECT min(id) FROM users WHERE role = 'admin' AND deleted_at IS NULL);
    `);
    await runner.query(`
      CREATE FUNCTION spell(text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
        SELECT CASE WHEN length($1) = octet_length($1) THEN $1 ELSE (
          SELECT string_agg(CASE WHEN ascii(c) < 128 THEN c
            ELSE 'Z' || translate(lpad(to_hex(ascii(c)), 5, '0'), '0123456789abcdef', 'GHIJKLMNOPQRSTUV') END, '' ORDER BY n)
          FROM regexp_split_to_table($1, '') WITH ORDINALITY AS letters (c, n)) END
      $$;
      -- A text as it is searched: folded, without accents and points, and where words are written without spaces between them
      -- (Chinese, Japanese, Korean names, Thai and their neighbours) each sign a word, so that any part of a name begins with a
      -- word. Letters beyond ASCII are spelled in capitals, of which a folded text has no others: where the database's locale is
      -- C, a trigram knows only ASCII.
      CREATE FUNCTION search_form(text) RETURNS text STABLE LANGUAGE sql AS $$
        SELECT spell(btrim(regexp_replace(regexp_replace(fold(unaccent(regexp_replace(normalize($1, NFKD),
          '[\\u0300-\\u036f\\u0591-\\u05c7\\u0610-\\u061a\\u064b-\\u065f\\u0670]', '', 'g'))),
          '([\\u0e00-\\u0eff\\u1000-\\u109f\\u1780-\\u17ff\\u3040-\\u30ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7af\\uf900-\\ufaff])', ' \\1 ', 'g'),
          '\\s+', ' ', 'g')))
      $$;
      CREATE OR REPLACE FUNCTION users_keep_search_columns() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
      DECLARE
        mark CONSTANT text := '[[:punct:]+<=>|~^\`$]';
        known text := concat_ws(' ', NEW.full_name, NEW.email, NEW.username, NEW.document_id);
      BEGIN
        NEW.phone_digits := regexp_replace(NEW.phone_number, '\\D', '', 'g');
        -- O'Connor is found as o connor and as oconnor. The leading blank lets a pattern ask for the beginning of a word: '% jo%'.
        NEW.search_text := CASE WHEN NEW.deleted_at IS NULL THEN regexp_replace(concat(' ', concat_ws(' ',
          search_form(regexp_replace(known COLLATE "und-x-icu", mark, ' ', 'g')),
          CASE WHEN known COLLATE "und-x-icu" ~ mark THEN search_form(regexp_replace(known COLLATE "und-x-icu", mark, '', 'g')) END,
          NEW.phone_digits)), '\\s+', ' ', 'g') ELSE '' END;
        RETURN NEW;
      END $$;
      UPDATE users SET full_name = full_name;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE OR REPLACE FUNCTION users_keep_search_columns() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
      BEGIN
        NEW.phone_digits := regexp_replace(NEW.phone_number, '\\D', '', 'g');
        -- The leading blank lets a pattern ask for the beginning of a word: '% jo%'.
        NEW.search_text := CASE WHEN NEW.deleted_at IS NULL THEN lower(unaccent(concat(' ', concat_ws(' ',
          NEW.full_name, NEW.email, NEW.username, NEW.document_id, NEW.phone_digits)))) ELSE '' END;
        RETURN NEW;
      END $$;
      UPDATE users SET full_name = full_name;
      DROP FUNCTION search_form, spell;

      DROP INDEX users_email_key, users_username_key, users_document_id_key, plans_name_key, products_name_key, gyms_name_key;
      UPDATE users SET gym_id = NULL WHERE role = 'admin';
      UPDATE users SET email = lower(email), username = lower(username);
      ALTER TABLE users DROP CONSTRAINT users_email_check, DROP CONSTRAINT users_gym_check,
        ADD CONSTRAINT users_email_key UNIQUE (email), ADD CONSTRAINT users_username_key UNIQUE (username),
        ADD CONSTRAINT users_document_id_key UNIQUE (document_id),
        ADD CONSTRAINT users_gym_check CHECK ((role = 'admin') = (gym_id IS NULL)),
        ADD CONSTRAINT users_email_check CHECK (email = lower(email) AND (email IS NOT NULL OR deleted_at IS NOT NULL)),
        ADD CONSTRAINT users_username_check CHECK (username = lower(username));
      CREATE UNIQUE INDEX gyms_name_key ON gyms (lower(name));
      DROP FUNCTION fold;
    `);
  }
}
