import type { Actor, Principal } from '../common/actor/actor.js';
import { json, pick, table } from '../database/columns.js';
import { empty, everyGym, inGym, raw, type ScopedSql, sql } from '../database/sql.js';
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

/** The person `alias` by their name. */
export const personRef = (alias: string) => json(pick(table<User>(alias), 'id', 'full_name'));
