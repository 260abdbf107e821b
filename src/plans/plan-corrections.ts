import type { Actor } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import type { Transaction } from '../database/database.js';
import { assignments, empty, raw, sql } from '../database/sql.js';
import { momentOf } from '../gyms/local-time.js';
import type { UpdateUserPlanDto, UserPlanDto, UserPlanStatus } from './dto/user-plan.dto.js';
import { endPlan, type LockedMember, parkWaiting, placeWaiting, plansOf } from './plan-calendar.js';
import { STATUS } from './user-plans.sql.js';
import { isActiveAgain, requireCanBecome, requireMayCorrect } from './plans.rules.js';

/**
 * The corrections of PUT: what an admin or a manager may change of a plan that was sold.
 * @throws CorrectionNotAllowed, FieldsInvalid, PlanNotActive, SessionsNotCounted, PlansOverlap, PlanTimesWrong
 */
export async function correctPlan(
  tx: Transaction,
  actor: Actor,
  member: LockedMember,
  before: UserPlanDto,
  input: UpdateUserPlanDto,
): Promise<void> {
  const status = changed(input.status, before.status);
  const sessions = changed(input.remaining_sessions, before.remaining_sessions);
  const asked =
    !isActiveAgain(input, before) && input.expires_at && (await momentOf(tx, member.gym_id, input.expires_at));
  const expiry = changed(asked ? asked.toISOString() : undefined, before.expires_at?.toISOString() ?? null);
  if (changed(input.purchased_price, before.purchased_price) !== undefined) {
    throw FieldsInvalid.of('purchased_price', 'is what was paid; it never changes');
  }
  const correction = { status, remaining_sessions: sessions, expires_at: expiry };
  if (Object.values(correction).every((value) => value === undefined)) return;
  requireMayCorrect(actor, before, correction);
  await parkWaiting(tx, member);
  let statusNow: UserPlanStatus = before.status;
  if (sessions !== undefined || expiry !== undefined) {
    const isReopened = before.remaining_sessions === 0 && (sessions ?? 0) > 0;
    await tx.query(sql`
      UPDATE user_plans up
      SET ${assignments({ remaining_sessions: sessions, expires_at: expiry }, ['remaining_sessions', 'expires_at'])}
          ${sessions === 0 ? raw(`ended_at = moment(), end_reason = 'used_up',`) : empty}
          ${isReopened ? raw('ended_at = NULL, end_reason = NULL,') : empty} updated_at = now()
      WHERE id = ${before.id} AND ${plansOf(member)}`);
    statusNow = await statusOf(tx, member, before.id);
  }
  // A correction of the numbers may have made it what is asked for.
  if (status !== undefined && status !== statusNow) {
    await setStatus(tx, member, { ...before, status: statusNow, hasItsEnd: expiry !== undefined }, status);
  }
  await placeWaiting(tx, member);
}

async function setStatus(
  tx: Transaction,
  member: LockedMember,
  { id, status: before, hasItsEnd }: { id: number; status: UserPlanStatus; hasItsEnd: boolean },
  status: UserPlanStatus,
): Promise<void> {
  requireCanBecome(before, status);
  if (status === 'cancelled') return endPlan(tx, member, id);
  if (status === 'frozen') {
    await tx.query(sql`
      UPDATE user_plans up SET frozen_at = moment(), updated_at = now() WHERE id = ${id} AND ${plansOf(member)}`);
  } else {
    // The time it stood still is added to its end, unless that was said with it.
    const end = raw(hasItsEnd ? 'expires_at' : 'expires_at + (moment() - frozen_at)');
    await tx.query(sql`
      UPDATE user_plans up SET frozen_at = NULL, expires_at = ${end}, updated_at = now()
      WHERE id = ${id} AND ${plansOf(member)}`);
  }
}

async function statusOf(tx: Transaction, member: LockedMember, userPlanId: number): Promise<UserPlanStatus> {
  const [plan] = await tx.query<{ status: UserPlanStatus }>(
    sql`SELECT ${STATUS} AS status FROM user_plans up WHERE id = ${userPlanId} AND ${plansOf(member)}`,
  );
  return plan!.status;
}

/** Clients send back the whole object: what is as it was is no change. */
const changed = <Value>(now: Value | null | undefined, was: Value | null): Value | undefined =>
  now === was ? undefined : (now ?? undefined);
