import type { Role } from '../common/actor/roles.js';
import type { Actor, ScopedGymId } from '../common/actor/actor.js';
import type { Queryable } from '../database/database.js';
import { raw, sql } from '../database/sql.js';
import { UserNotFound } from './people.errors.js';
import { visiblePerson, visibleTo } from './people.sql.js';

export interface PersonOfGym {
  full_name: string;
  role: Role;
  gym_id: ScopedGymId;
  timezone: string;
}

/**
 * A person who belongs to a gym, if the actor may know of them. The gym is the one whose days count: that of the actor,
 * for an admin that of the person.
 * @param orWithRowsIn also one who has left, of whom the actor may see rows of this table
 * @throws UserNotFound
 */
export async function requirePerson(
  db: Queryable,
  actor: Actor,
  userId: number,
  orWithRowsIn?: 'attendance' | 'measurements',
): Promise<PersonOfGym> {
  const hasRows = orWithRowsIn
    ? sql`EXISTS (SELECT FROM ${raw(orWithRowsIn)} x WHERE x.user_id = u.id AND ${visibleTo(actor, 'x')})`
    : raw('FALSE');
  const [person] = await db.query<PersonOfGym>(sql`
    SELECT u.full_name, u.role, g.id AS gym_id, g.timezone
    FROM users u JOIN gyms g ON g.id = coalesce(${actor.scope().gym_id}::int, u.gym_id)
    WHERE u.id = ${userId} AND (${visiblePerson(actor)} OR ${hasRows})`);
  if (!person) throw new UserNotFound();
  return person;
}
