import { RECEPTION } from '../common/actor/roles.js';
import type { Actor, GymScope } from '../common/actor/actor.js';
import { MAX_ID } from '../common/http/whole.js';
import { hasWords } from '../database/search.js';
import { empty, inGym, type ScopedSql, type Sql, sql } from '../database/sql.js';

const PHONE = /^[-+().\d\s/]+$/;

/** The digits of what was typed. */
export const digitsOf = (typed: string): string => typed.replace(/\D/g, '');

/** The person `u` is called like this: each word occurs in their name, email, username, document or phone. */
export function isCalled(typed: string, words: string[]): Sql {
  const everyWord = hasWords('u.search_text', words);
  const digits = digitsOf(typed);
  const looksLikePhone = digits.length >= 3 && PHONE.test(typed);
  return looksLikePhone ? sql`(${everyWord} OR u.search_text LIKE ${`%${digits}%`})` : everyWord;
}

/** The person `u` has exactly this pass code, and the actor is one who may see it: to others it could be guessed. */
export const hasPass = (actor: Actor, code: string): Sql =>
  sql`${actor.is(...RECEPTION)}::boolean AND u.qr_code = ${code} AND u.role = 'user'`;

/**
 * The ids of the members of these gyms who are called like this, have this pass code or, if that is asked for, this id.
 * As a subquery of its own, so that PostgreSQL asks the trigram index in whatever order the rows are listed.
 */
export function membersCalled(
  actor: Actor,
  scope: GymScope,
  typed: string,
  words: string[],
  { byId = false } = {},
): ScopedSql {
  const members = sql`SELECT id FROM users u
    WHERE ${inGym(scope, 'u.gym_id')} AND u.role = 'user' AND u.deleted_at IS NULL`;
  const id = byId && /^\d{1,10}$/.test(typed) && Number(typed) <= MAX_ID ? Number(typed) : null;
  return sql`ARRAY(${members} AND ${isCalled(typed, words)} UNION ALL ${members} AND ${hasPass(actor, typed)}
    ${id === null ? empty : sql`UNION ALL ${members} AND u.id = ${id}`})`;
}
