import type { Actor, Principal } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import { optional, row } from '../database/columns.js';
import type { Transaction } from '../database/database.js';
import { raw, type ScopedSql, sql } from '../database/sql.js';
import type { UserPlanStatus } from './dto/user-plan.dto.js';
import { lockMemberOf, type LockedMember, parkWaiting, placeWaiting, plansOf } from './plan-calendar.js';
import { NoSessionsLeft, PlanNotActive, UserPlanNotFound } from './plans.errors.js';
import { refusalOfDeduction, refusalOfPlan } from './plans.rules.js';
import { ENTITLEMENT, planThatCounts, STATUS } from './user-plans.sql.js';

// The sessions of plans that count them, each of them taken once.

const CHARGED = row({ plan: optional(ENTITLEMENT) });

/**
 * Takes a session. At 0 the plan is over and the one that waits for it begins. The caller tells the gym's screens.
 * @returns whose plan it is
 * @throws UserPlanNotFound, NoSessionsLeft, SessionsNotCounted, PlanNotActive
 */
export async function deductSession(tx: Transaction, actor: Principal, userPlanId: number): Promise<LockedMember> {
  const member = await lockMemberOf(tx, actor, userPlanId);
  const isPlan = sql`up.id = ${userPlanId} AND ${plansOf(member)}`;
  const [left] = await tx.query<{ remaining_sessions: number }>(sql`
    UPDATE user_plans up
    SET remaining_sessions = remaining_sessions - 1, updated_at = now(),
        ended_at = CASE WHEN remaining_sessions = 1 THEN moment() END,
        end_reason = CASE WHEN remaining_sessions = 1 THEN 'used_up' END
    WHERE ${isPlan} AND remaining_sessions > 0 AND ${STATUS} = 'active'
    RETURNING remaining_sessions`);
  if (!left) {
    const [plan] = await tx.query<{ remaining_sessions: number | null; status: UserPlanStatus }>(sql`
      SELECT remaining_sessions, ${STATUS} AS status FROM user_plans up WHERE ${isPlan}`);
    throw plan ? refusalOfDeduction(plan) : new UserPlanNotFound();
  }
  if (left.remaining_sessions > 0) return member;
  await parkWaiting(tx, member);
  await placeWaiting(tx, member);
  return member;
}

/**
 * For a visit that is charged to the plan that counts: takes a session, if it counts them.
 * @param member the condition of the person `u`
 * @returns the plan that lost a session, or null; also if there is no such member
 * @throws PlanNotActive, NoSessionsLeft
 */
export async function chargeVisit(tx: Transaction, actor: Actor, member: ScopedSql): Promise<number | null> {
  // Two queries, as at the door: the plan that counts must be the one that does once this has the lock.
  const [locked] = await tx.query(sql`SELECT 1 FROM users u WHERE ${member} FOR NO KEY UPDATE OF u`);
  if (!locked) return null;
  const [found] = await tx.query(
    sql`SELECT ${CHARGED} FROM users u ${planThatCounts(raw('u.id'), raw('u.gym_id'))} WHERE ${member}`,
  );
  const plan = found?.plan ?? null;
  const refusal = refusalOfPlan(plan);
  if (refusal === 'no_plan') throw new PlanNotActive('The member has no plan.');
  if (refusal === 'no_sessions') throw new NoSessionsLeft();
  if (refusal) throw new PlanNotActive(`The plan is ${refusal}.`);
  if (plan!.remaining_sessions === null) return null;
  await deductSession(tx, actor, plan!.id);
  return plan!.id;
}

/**
 * That a session may have been taken from this plan for a visit: it is the member's in their gym, and is active, or was
 * when the visit began; or it was used up within a day before now, or before that.
 * @param member the condition of the person `u` @param at when it began; now by default
 * @throws FieldsInvalid
 */
export async function requireUsed(
  tx: Transaction,
  member: ScopedSql,
  userPlanId: number,
  at: Date | null = null,
): Promise<void> {
  const [plan] = await tx.query(sql`
    SELECT 1 FROM users u JOIN user_plans up ON up.user_id = u.id AND up.gym_id = u.gym_id
    CROSS JOIN (SELECT coalesce(${at}::timestamptz, moment()) AS begun) visit
    WHERE ${member} AND up.id = ${userPlanId} AND (user_plan_status(up) = 'active'
      OR up.end_reason = 'used_up' AND up.ended_at > moment() - interval '1 day'
      OR up.starts_at <= visit.begun AND coalesce(up.expires_at > visit.begun, TRUE)
        AND (coalesce(up.frozen_at > visit.begun, TRUE) OR up.frozen_until <= visit.begun)
        AND coalesce(up.ended_at > visit.begun - make_interval(days => (up.end_reason = 'used_up')::int), TRUE))`);
  if (!plan) throw FieldsInvalid.of('user_plan_id', 'is not an active plan of this member in this gym');
}
