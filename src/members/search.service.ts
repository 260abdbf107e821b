import { Injectable } from '@nestjs/common';
import type { Actor } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import { Database } from '../database/database.js';
import { inGym, join, raw, type Sql, sql } from '../database/sql.js';
import type { SearchQuery, UserDto } from './dto/user.dto.js';
import { USER_COLUMNS } from './members.service.js';

/** So many matches are ranked; whoever has more in mind types another letter. */
const CANDIDATES = 200;
const MOST_WORDS = 6;

/** Finding a person at the desk: instant at a million, through the trigram indexes. */
@Injectable()
export class SearchService {
  constructor(private readonly db: Database) {}

  /** Everyone whose phone contains these digits, by name. */
  byPhone(actor: Actor, typed: string): Promise<UserDto[]> {
    const digits = typed.replace(/\D/g, '');
    // A trigram index knows nothing shorter.
    if (digits.length < 3) throw FieldsInvalid.of('phone_number', 'must have at least 3 digits');
    return this.db.query<UserDto>(sql`
      WITH u AS MATERIALIZED (
        SELECT * FROM users u
        WHERE ${inGym(actor.scope(), 'u.gym_id')} AND deleted_at IS NULL AND phone_digits LIKE ${`%${digits}%`}
        LIMIT ${CANDIDATES})
      SELECT ${USER_COLUMNS} FROM u LEFT JOIN gyms g ON g.id = u.gym_id
      ORDER BY u.full_name, u.id LIMIT 50`);
  }

  /** Everyone in whose name, email, username, document or phone each typed word occurs; the best match first. */
  byText(actor: Actor, { q, limit, gym_id }: SearchQuery): Promise<UserDto[]> {
    const words = q.trim().split(/\s+/).filter(Boolean).slice(0, MOST_WORDS);
    if (words.length === 0) throw FieldsInvalid.of('q', 'must not be empty');
    const scope = inGym(actor.scope(gym_id), 'u.gym_id');
    const digits = q.replace(/\D/g, '');
    const looksLikePhone = digits.length >= 3 && /^[-+().\d\s/]+$/.test(q);
    const everyWord = join(
      words.map((word) => sql`u.search_text LIKE ${pattern(word)}`),
      ' AND ',
    );
    const match = looksLikePhone ? sql`(${everyWord} OR u.search_text LIKE ${`%${digits}%`})` : everyWord;
    const typed = q.trim();
    return this.db.query<UserDto>(sql`
      WITH found AS (
        SELECT u.id FROM users u WHERE ${scope} AND u.deleted_at IS NULL
          AND (u.document_id = ${typed} OR u.email = ${typed.toLowerCase()} OR u.username = ${typed.toLowerCase()})
        UNION
        (SELECT u.id FROM users u WHERE ${scope} AND u.deleted_at IS NULL AND ${match} LIMIT ${CANDIDATES}))
      SELECT ${USER_COLUMNS} FROM found JOIN users u USING (id) LEFT JOIN gyms g ON g.id = u.gym_id
      ORDER BY
        CASE
          WHEN ${typed.toLowerCase()} IN (lower(u.document_id), u.email, u.username) THEN 0
          WHEN u.phone_digits = ${digits} THEN 1
          WHEN u.search_text LIKE ${folded(typed, ' ', '%')} THEN 2
          WHEN u.search_text LIKE ${folded(typed, '% ', '%')} THEN 3
          ELSE 4
        END, u.full_name, u.id
      LIMIT ${limit}`);
  }
}

/** A long word may stand anywhere, a short one (too short for a trigram) at the beginning of a word. */
const pattern = (word: string): Sql => folded(word, word.length < 3 ? '% ' : '%', '%');

/** The pattern, written as search_text is: lower case, without accents; what LIKE would read as a wildcard is a letter. */
const folded = (text: string, before: string, after: string): Sql =>
  sql`${raw(`'${before}'`)} || lower(unaccent(${text.replace(/[\\%_]/g, '\\$&')})) || ${raw(`'${after}'`)}`;
