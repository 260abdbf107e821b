import { columns, optional, table } from '../database/columns.js';
import type { Database, Queryable, Unit } from '../database/database.js';
import { everyGym, raw, sql } from '../database/sql.js';
import type { User } from '../people/entities/user.entity.js';
import { MembershipChangedDto } from './dto/user-plan.dto.js';
import type { LockedMember } from './plan-calendar.js';
import { MembershipChanged } from './plans.events.js';
import { AT_A_GLANCE, planThatCounts } from './user-plans.sql.js';

const u = table<User>('u');
const MEMBERSHIP = columns(MembershipChangedDto, {
  user_id: u.id,
  full_name: u.full_name,
  membership: optional(AT_A_GLANCE),
});

type MemberOfGym = Pick<LockedMember, 'id' | 'gym_id'>;

/** What the member has now; undefined: there is no such person any more. */
export async function membershipOf(
  db: Queryable,
  { id, gym_id: gymId }: MemberOfGym,
): Promise<MembershipChangedDto | undefined> {
  const [member] = await db.query(everyGym`
    SELECT ${MEMBERSHIP} FROM users u ${planThatCounts(raw('u.id'), sql`${gymId}`)} WHERE u.id = ${id}`);
  return member;
}

/** Tells it to the gym's screens. */
export async function tellMembership(unit: Unit, member: MemberOfGym): Promise<void> {
  unit.emit(new MembershipChanged(member.gym_id, (await membershipOf(unit, member))!));
}

/**
 * Tells the gyms' screens of the plans that have ended since then, or run again after a freeze, only because time has
 * passed: nothing else happens at that moment.
 */
export async function tellOfTime(db: Database, since: Date): Promise<void> {
  const members = sql`SELECT up.user_id AS id, up.gym_id FROM user_plans up JOIN users u ON u.id = up.user_id
    WHERE up.ended_at IS NULL AND u.deleted_at IS NULL`;
  const due = await db.query<MemberOfGym>(everyGym`
    ${members} AND up.expires_at > ${since} AND up.expires_at <= moment()
    UNION
    ${members} AND up.frozen_at IS NOT NULL AND up.frozen_until > ${since} AND up.frozen_until <= moment()`);
  for (const member of due) await db.statement((unit) => tellMembership(unit, member));
}
