import { Injectable } from '@nestjs/common';
import type { Actor } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import { Database } from '../database/database.js';
import { inGym, join, type Sql, sql } from '../database/sql.js';
import type { SearchQuery, UserDto } from './dto/user.dto.js';
import { USER_COLUMNS } from './members.sql.js';

/** So many matches are ranked; who has more in mind types another letter. */
const CANDIDATES = 200;
const MOST_WORDS = 6;
/** What stands between words: blanks, punctuation, signs. LIKE's wildcards are among them. */
const BETWEEN_WORDS = /[\s\p{P}\p{S}\p{Z}]+/u;

/** Finding a person at the desk: instant at a million, through the trigram indexes. */
@Injectable()
export class SearchService {
  constructor(private readonly db: Database) {}

  /** All whose phone contains these digits, by name. @throws OtherGym, FieldsInvalid */
  byPhone(actor: Actor, typed: string, gymId?: number): Promise<UserDto[]> {
    const digits = typed.replace(/\D/g, '');
    // A trigram index knows nothing shorter.
    if (digits.length < 3) throw FieldsInvalid.of('phone_number', 'must have at least 3 digits');
    return this.db.query(sql`
      WITH u AS MATERIALIZED (
        SELECT * FROM users u
        WHERE ${inGym(actor.scope(gymId), 'u.gym_id')} AND deleted_at IS NULL AND phone_digits LIKE ${`%${digits}%`}
        LIMIT ${CANDIDATES})
      SELECT ${USER_COLUMNS} FROM u LEFT JOIN gyms g ON g.id = u.gym_id
      ORDER BY u.full_name, u.id LIMIT 50`);
  }

  /**
   * All in whose name, email, username, document or phone each typed word occurs; the best match first.
   * @throws OtherGym, FieldsInvalid
   */
  async byText(actor: Actor, { q, limit, gym_id }: SearchQuery): Promise<UserDto[]> {
    const typed = q.trim();
    if (typed === '') throw FieldsInvalid.of('q', 'must not be empty');
    const scope = inGym(actor.scope(gym_id), 'u.gym_id');
    const words = typed.split(BETWEEN_WORDS).filter(Boolean).slice(0, MOST_WORDS);
    if (words.length === 0) return [];
    const digits = typed.replace(/\D/g, '');
    const looksLikePhone = digits.length >= 3 && /^[-+().\d\s/]+$/.test(typed);
    const everyWord = join(
      words.map((word) => sql`u.search_text LIKE ${occurs(word)}`),
      ' AND ',
    );
    const match = looksLikePhone ? sql`(${everyWord} OR u.search_text LIKE ${`%${digits}%`})` : everyWord;
    const inOrder = sql`search_form(${words.join(' ')})`;
    return this.db.query(sql`
      WITH found AS (
        SELECT u.id FROM users u WHERE ${scope} AND u.deleted_at IS NULL
          AND fold(${typed}) IN (fold(u.document_id), fold(u.email), fold(u.username))
        UNION
        (SELECT u.id FROM users u WHERE ${scope} AND u.deleted_at IS NULL AND ${match} LIMIT ${CANDIDATES}))
      SELECT ${USER_COLUMNS} FROM found JOIN users u USING (id) LEFT JOIN gyms g ON g.id = u.gym_id
      ORDER BY
        CASE
          WHEN fold(${typed}) IN (fold(u.document_id), fold(u.email), fold(u.username)) THEN 0
          WHEN u.phone_digits = ${digits} THEN 1
          WHEN u.search_text LIKE ' ' || ${inOrder} || '%' THEN 2
          WHEN u.search_text LIKE '% ' || ${inOrder} || '%' THEN 3
          ELSE 4
        END, u.full_name, u.id
      LIMIT ${limit}`);
  }
}

/**
 * The pattern of a word: a long one may stand anywhere; one that is too short for a trigram, or whose signs are words
 * of their own (search_form() sets them apart), at the beginning of a word.
 */
function occurs(word: string): Sql {
  const form = sql`search_form(${word})`;
  return sql`CASE WHEN length(${form}) < 3 OR ${form} LIKE '% %' THEN '% ' ELSE '%' END || ${form} || '%'`;
}
