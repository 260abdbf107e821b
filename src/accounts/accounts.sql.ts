import type { Actor } from '../common/actor/actor.js';
import { type Column, columns, computed, pick, table } from '../database/columns.js';
import { hasWords, isFound } from '../database/search.js';
import { raw, type Sql, sql } from '../database/sql.js';
import { ProfileDto, type ProfileType } from '../people/dto/profile.dto.js';
import type { Profile } from '../people/entities/profile.entity.js';
import type { User } from '../people/entities/user.entity.js';
import { isNamedTo } from '../people/people.sql.js';
import { AccountViewDto } from './dto/accounts.dto.js';

const u = table<User>('u');
/** What only one's own gym is shown. */
const contact = <Value>(column: Column<Value>) =>
  computed<Value | null>(sql`CASE WHEN seen.contact THEN ${column} END`);

/** A person `u` as AccountViewDto, SHOWN_TO an actor. */
export const ACCOUNT_COLUMNS = columns(AccountViewDto, {
  ...pick(u, 'id', 'username'),
  full_name: computed<string | null>(raw('CASE WHEN seen.name THEN u.full_name END')),
  profile_types: computed<ProfileType[]>(raw('held.profile_types')),
  current_profile_id: computed<number | null>(raw('held.current_profile_id')),
  email: contact(u.email),
  phone_number: contact(u.phone_number),
  role: contact(u.role),
  language: contact(u.language),
  gym_id: contact(u.gym_id),
  created_at: contact(u.created_at),
  updated_at: contact(u.updated_at),
});

/** Joins what the actor is shown of a person `u`, and the profiles that the person has. */
export const shownTo = (actor: Actor) => sql`
  CROSS JOIN LATERAL (SELECT ${seesContact(actor)} AS contact, ${seesName(actor)} AS name) seen
  CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(p.profile_type ORDER BY p.id), '{}') AS profile_types,
      (array_agg(p.id ORDER BY p.is_current DESC, p.id))[1] AS current_profile_id
    FROM profiles p WHERE p.account_id = u.id) held`;

/** Staff of one gym work for its people; each person sees all of themselves. */
function seesContact(actor: Actor): Sql {
  if (actor.role === 'admin') return raw('TRUE');
  const own = sql`u.id = ${actor.user_id}`;
  return actor.role === 'user' ? own : sql`(${own} OR u.gym_id = ${actor.gym_id})`;
}

const seesName = (actor: Actor): Sql =>
  actor.role === 'user' ? sql`(u.id = ${actor.user_id} OR ${isNamedTo('u', raw('TRUE'))})` : raw('TRUE');

/**
 * The people `u` who have these words in what the actor is shown of them: nothing that is hidden can be guessed by
 * searching for it. The index finds them by all their words.
 */
export const foundBy = (actor: Actor, words: string[]) => {
  const name = sql`CASE WHEN ${seesName(actor)} THEN u.full_name END`;
  const shown = sql`SELECT searchable(concat_ws(' ', u.username, ${name})) AS text`;
  return sql`${isFound('u', 'users', words)}
    AND (${seesContact(actor)} OR EXISTS (SELECT FROM (${shown}) shown WHERE ${hasWords('shown.text', words)}))`;
};

/** Of `profiles p`. */
export const PROFILE_COLUMNS = columns(
  ProfileDto,
  pick(table<Profile>('p'), 'id', 'account_id', 'profile_type', 'created_at'),
);
