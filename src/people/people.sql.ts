import type { Actor, Principal } from '../common/actor/actor.js';
import type { Config } from '../config/config.js';
import { computed, part, pick, table } from '../database/columns.js';
import { empty, everyGym, inGym, raw, type ScopedSql, type Sql, sql } from '../database/sql.js';
import type { User } from './entities/user.entity.js';

/** The people `u` an actor may know of: those of their gym; to a member, only themselves. @throws OtherGym */
export const visiblePerson = (actor: Actor, gymId?: number): ScopedSql =>
  sql`u.deleted_at IS NULL AND ${inGym(actor.scope(gymId), 'u.gym_id')}
    ${actor.role === 'user' ? sql`AND u.id = ${actor.user_id}` : empty}`;

/**
 * The rows of a member (visits, plans, sizes) in `alias` that the actor may see: staff those of their gym, a member
 * their own, wherever they were made.
 * @param gymId only those of this gym
 * @throws OtherGym
 */
export function visibleTo(actor: Principal, alias: string, gymId?: number): ScopedSql {
  const scope = actor.scope(gymId);
  if (actor.role !== 'user') return inGym(scope, `${alias}.gym_id`);
  const own = everyGym`${raw(alias)}.user_id = ${actor.user_id}`;
  return gymId === undefined ? own : sql`${own} AND ${inGym(scope, `${alias}.gym_id`)}`;
}

const TRAINERS = raw(`ARRAY(SELECT account_id FROM profiles WHERE profile_type = 'trainer')`);

/** The person `alias` is a trainer to all: by their role, or by a profile. */
export const isTrainer = (alias: string): Sql =>
  sql`(${raw(alias)}.role = 'trainer' OR ${raw(alias)}.id = ANY(${TRAINERS}))`;

/**
 * The person `alias` is one whom the actor may know as an account, and talk to: themselves, those of their gym, and the
 * trainers of all gyms. What is shown of each is less than what `visiblePerson` opens.
 */
export const reachablePerson = (actor: Actor, alias: string): ScopedSql =>
  sql`${raw(alias)}.deleted_at IS NULL AND ${raw(alias)}.is_active
    AND (${inGym(actor.scope(), `${alias}.gym_id`)} OR ${isTrainer(alias)})`;

/**
 * All of them, or those of one gym, to be listed by id: each part is found by an index in that order, however many
 * others there are between them.
 * @throws OtherGym
 */
export function reachablePeople(actor: Actor, gymId?: number): ScopedSql {
  const scope = actor.scope(gymId);
  const people = sql`SELECT * FROM users WHERE deleted_at IS NULL AND is_active`;
  const ofGym = sql`${people} AND ${inGym(scope, 'gym_id')}`;
  if (gymId !== undefined || scope.gym_id === null) return ofGym;
  const elsewhere = sql`${people} AND gym_id IS DISTINCT FROM ${scope.gym_id}`;
  return sql`${ofGym} UNION ALL ${elsewhere} AND role = 'trainer'
    UNION ALL ${elsewhere} AND role <> 'trainer' AND id = ANY(${TRAINERS})`;
}

/**
 * The person `alias` has a name to another, who is a member or not: members do not learn who else is a member; those
 * whom they may meet as staff or trainer have a name. Of one who was deleted it says no more than that.
 */
export const isNamedTo = (alias: string, isMember: Sql): Sql =>
  sql`(NOT ${isMember} OR ${raw(alias)}.role <> 'user' OR ${isTrainer(alias)} OR ${raw(alias)}.deleted_at IS NOT NULL)`;

/** `n`: the id that a person who is added gets, where the statement that adds them needs it. */
export const NEW_PERSON = raw(`(SELECT nextval('users_id_seq')::int AS id) n`);

/** A pass code for the person of this id: one that the scanner of flutter-app reads, while that family works. */
export const newPassCode = (config: Config, userId: Sql): Sql =>
  sql`new_pass_code(${userId}, ${config.hasLegacy('flutter-app')})`;

/**
 * The email of the person `u` whom a row of this gym names. One who has moved to another gym keeps the name in it, and
 * no contact; admins are of all gyms.
 */
export const emailIn = (gymId: Sql) =>
  computed<string | null>(sql`CASE WHEN u.gym_id = ${gymId} OR u.role = 'admin' THEN u.email END`);

/** The person `alias` by their name. */
export const personRef = (alias: string) => part(pick(table<User>(alias), 'id', 'full_name'));
