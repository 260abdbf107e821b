import type { Actor, Principal, ScopedGymId } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import type { Transaction } from '../database/database.js';
import { inGym, raw, type ScopedSql, type Sql, sql } from '../database/sql.js';
import { visibleTo } from '../people/people.sql.js';
import { UserPlanNotFound } from './plans.errors.js';
import type { Offer } from './plans.rules.js';
import { CURRENT } from './user-plans.sql.js';

// The calendar of one member's plans: which counts now, and which waits for it to end.

/** A member whose plans are being changed: the lock on them makes all changes take turns. */
export interface LockedMember {
  id: number;
  gym_id: ScopedGymId;
  timezone: string;
}

/** The same, of whom it is known whether they are to be active from their first plan on. */
export interface Buyer extends LockedMember {
  awaits_first_plan: boolean;
}

/** The same, who may have left the gym of the plan since. */
export interface Holder extends LockedMember {
  is_member: boolean;
}

/** A plan of the member. */
export interface SoldPlan extends Offer {
  id: number;
}

/** Locks the member, so that of two changes of their plans one waits for the other. @throws FieldsInvalid */
export async function lockMember(tx: Transaction, actor: Actor, userId: number): Promise<Buyer> {
  const [member] = await tx.query<Buyer>(sql`
    SELECT u.id, u.gym_id, u.awaits_first_plan, g.timezone FROM users u JOIN gyms g ON g.id = u.gym_id
    WHERE u.id = ${userId} AND u.role = 'user' AND u.deleted_at IS NULL AND ${inGym(actor.scope(), 'u.gym_id')}
    FOR NO KEY UPDATE OF u`);
  if (!member) throw FieldsInvalid.of('user_id', 'is not a member of the gym');
  return member;
}

/** The same for the member whose plan this is. @throws UserPlanNotFound */
export async function lockMemberOf(tx: Transaction, actor: Principal, userPlanId: number): Promise<Holder> {
  const [member] = await tx.query<Holder>(sql`
    SELECT u.id, up.gym_id, g.timezone, u.deleted_at IS NULL AND u.role = 'user' AND u.gym_id = up.gym_id AS is_member
    FROM user_plans up JOIN users u ON u.id = up.user_id JOIN gyms g ON g.id = up.gym_id
    WHERE up.id = ${userPlanId} AND ${visibleTo(actor, 'up')} FOR NO KEY UPDATE OF u`);
  if (!member) throw new UserPlanNotFound();
  return member;
}

/** Makes a member active who was waiting for the first plan. */
export async function endWaiting(tx: Transaction, member: Buyer): Promise<void> {
  if (!member.awaits_first_plan) return;
  await tx.query(sql`
    UPDATE users SET is_active = TRUE, awaits_first_plan = FALSE, updated_at = now()
    WHERE id = ${member.id} AND gym_id = ${member.gym_id}`);
}

const SOLD = raw('SELECT up.id, p.price, up.duration_days FROM user_plans up JOIN plans p ON p.id = up.plan_id');

/** The plan that counts now, active or frozen. */
export async function currentPlan(tx: Transaction, member: LockedMember): Promise<SoldPlan | undefined> {
  const [current] = await tx.query<SoldPlan>(sql`${SOLD} WHERE ${plansOf(member)} AND ${CURRENT}`);
  return current;
}

export async function soldPlan(tx: Transaction, member: LockedMember, userPlanId: number): Promise<SoldPlan> {
  const [sold] = await tx.query<SoldPlan>(sql`${SOLD} WHERE ${plansOf(member)} AND up.id = ${userPlanId}`);
  return sold!;
}

/** Lets plans name what was sold instead of them. */
export async function nameReplacement(
  tx: Transaction,
  member: LockedMember,
  userPlanIds: number[],
  byId: number,
): Promise<void> {
  await tx.query(sql`
    UPDATE user_plans up SET replaced_by_id = ${byId}, updated_at = now()
    WHERE ${plansOf(member)} AND id = ANY(${userPlanIds})`);
}

/** Ends a plan before its time. @param reason what the staff notes of it */
export async function endPlan(
  tx: Transaction,
  member: LockedMember,
  userPlanId: number,
  reason: string | null = null,
): Promise<void> {
  await tx.query(sql`
    UPDATE user_plans up
    SET ended_at = moment(), end_reason = 'cancelled', cancel_reason = ${reason}, updated_at = now()
    WHERE id = ${userPlanId} AND ${plansOf(member)}`);
}

/**
 * Deletes a plan, as if it had never been sold. The one that ended for it counts or waits again, if no other has its
 * place; or it ends for the one that was sold instead of the deleted one. Its end is as it was: it may be past.
 */
export async function takeBack(tx: Transaction, member: Holder, userPlanId: number): Promise<void> {
  // What was over before it was renewed had ended before the sale; what was replaced ended with it, but for rounding.
  await tx.query(sql`
    WITH sold AS (
      DELETE FROM user_plans up WHERE id = ${userPlanId} AND ${plansOf(member)}
      RETURNING *, end_reason = 'cancelled' AND replaced_by_id IS NOT NULL AS is_replaced
    )
    UPDATE user_plans up
    SET ended_at = CASE WHEN sold.is_replaced THEN sold.ended_at END,
      end_reason = CASE WHEN sold.is_replaced THEN sold.end_reason END,
      replaced_by_id = CASE WHEN sold.is_replaced THEN sold.replaced_by_id END, updated_at = now()
    FROM sold
    WHERE ${member.is_member} AND ${plansOf(member)} AND up.replaced_by_id = sold.id AND up.end_reason = 'cancelled'
      AND up.ended_at > sold.purchased_at - interval '2 ms' AND (sold.is_replaced OR NOT EXISTS (
        SELECT FROM user_plans other
        WHERE other.user_id = up.user_id AND other.gym_id = up.gym_id AND other.id <> sold.id
          AND other.ended_at IS NULL AND (other.starts_at IS NULL) = (up.starts_at IS NULL)
          AND ${timesOf('other')} && ${timesOf('up')}))`);
}

/** When a plan counts, as the exclusion constraint has it. */
const timesOf = (alias: string) => {
  const hasKnownEnd = `${alias}.frozen_at IS NULL OR ${alias}.frozen_until IS NOT NULL`;
  return raw(`tstzrange(${alias}.starts_at, CASE WHEN ${hasKnownEnd} THEN ${alias}.expires_at END)`);
};

/** Takes the waiting plan out of the calendar, so that the one before it can be changed. */
export async function parkWaiting(tx: Transaction, member: LockedMember): Promise<void> {
  await tx.query(sql`
    UPDATE user_plans up SET starts_at = NULL, expires_at = NULL
    WHERE ${plansOf(member)} AND ended_at IS NULL AND starts_at > moment()`);
}

/** Puts the waiting plan behind the current one; it begins now if there is none. */
export async function placeWaiting(tx: Transaction, member: LockedMember): Promise<void> {
  await tx.query(sql`
    WITH current AS (
      SELECT CASE WHEN frozen_at IS NULL OR frozen_until IS NOT NULL THEN expires_at END AS ends_at FROM user_plans up
      WHERE ${plansOf(member)} AND ${CURRENT}
    ), start AS (
      SELECT CASE WHEN EXISTS (SELECT FROM current) THEN (SELECT ends_at FROM current) ELSE moment() END AS moment
    )
    UPDATE user_plans up
    SET starts_at = start.moment, expires_at = ${daysLater(raw('start.moment'), raw('up.duration_days'), member)}
    FROM start WHERE ${plansOf(member)} AND up.ended_at IS NULL AND up.starts_at IS NULL`);
}

/** The plans `up` of the member. */
export const plansOf = (member: LockedMember): ScopedSql =>
  sql`up.user_id = ${member.id} AND up.gym_id = ${member.gym_id}`;

/** So many days after a moment, at the same hour of the gym's clock. */
export const daysLater = (moment: Sql, days: Sql, { timezone }: LockedMember): Sql =>
  sql`((${moment} AT TIME ZONE ${timezone}) + make_interval(days => ${days})) AT TIME ZONE ${timezone}`;
