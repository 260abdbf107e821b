import type { Role } from '../common/actor/roles.js';
import type { Actor, ScopedGymId } from '../common/actor/actor.js';
import type { Queryable } from '../database/database.js';
import { sql } from '../database/sql.js';
import { UserNotFound } from './people.errors.js';
import { visiblePerson } from './people.sql.js';

export interface PersonOfGym {
  full_name: string;
  role: Role;
  gym_id: ScopedGymId;
  timezone: string;
}

/** A person who belongs to a gym, if the actor may know of them. @throws UserNotFound */
export async function requirePerson(db: Queryable, actor: Actor, userId: number): Promise<PersonOfGym> {
  const [person] = await db.query<PersonOfGym>(sql`
    SELECT u.full_name, u.role, u.gym_id, g.timezone FROM users u JOIN gyms g ON g.id = u.gym_id
    WHERE u.id = ${userId} AND ${visiblePerson(actor)}`);
  if (!person) throw new UserNotFound();
  return person;
}
