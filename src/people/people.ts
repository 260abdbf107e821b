import type { Actor, Principal, ScopedGymId } from '../common/actor/actor.js';
import type { Queryable } from '../database/database.js';
import { empty, everyGym, inGym, raw, type ScopedSql, sql } from '../database/sql.js';
import { UserNotFound } from './people.errors.js';

/** The people `u` an actor may know of: those of their gym; to a member, only themselves. @throws OtherGym */
export const visiblePerson = (actor: Actor, gymId?: number): ScopedSql =>
  sql`u.deleted_at IS NULL AND ${inGym(actor.scope(gymId), 'u.gym_id')}
    ${actor.role === 'user' ? sql`AND u.id = ${actor.user_id}` : empty}`;

/**
 * The rows of a member (visits, plans, sizes) in `alias` that the actor may see: staff those of their gym, a member their own,
 * wherever they were made.
 * @param gymId only those of this gym
 * @throws OtherGym
 */
export function visibleTo(actor: Principal, alias: string, gymId?: number): ScopedSql {
  const scope = actor.scope(gymId);
  if (actor.role !== 'user') return inGym(scope, `${alias}.gym_id`);
  const own = everyGym`${raw(alias)}.user_id = ${actor.user_id}`;
  return gymId === undefined ? own : sql`${own} AND ${inGym(scope, `${alias}.gym_id`)}`;
}

export interface PersonOfGym {
  full_name: string;
  gym_id: ScopedGymId;
  timezone: string;
}

/** Somebody who belongs to a gym, as far as the actor may know of them. @throws UserNotFound */
export async function requirePerson(db: Queryable, actor: Actor, userId: number): Promise<PersonOfGym> {
  const [person] = await db.query<PersonOfGym>(sql`
    SELECT u.full_name, u.gym_id, g.timezone FROM users u JOIN gyms g ON g.id = u.gym_id
    WHERE u.id = ${userId} AND ${visiblePerson(actor)}`);
  if (!person) throw new UserNotFound();
  return person;
}
