import type { Actor } from '../common/actor/actor.js';
import { ChangedSinceRead, FieldsInvalid } from '../common/errors/common.errors.js';
import { isStale } from '../common/http/as-read.dto.js';
import type { Transaction } from '../database/database.js';
import { assignments, empty, raw, sql } from '../database/sql.js';
import { momentOf } from '../gyms/local-time.js';
import type { UpdateUserPlanDto, UserPlanDto, UserPlanStatus } from './dto/user-plan.dto.js';
import {
  daysLater,
  endPlan,
  type Holder,
  type LockedMember,
  parkWaiting,
  placeWaiting,
  plansOf,
} from './plan-calendar.js';
import { MemberLeft } from '../people/people.errors.js';
import { STATUS } from './user-plans.sql.js';
import { AlreadyFrozen, AlreadyScheduled } from './plans.errors.js';
import { isActiveAgain, namesFreeze, requireCanBecome, requireMayCorrect } from './plans.rules.js';

/**
 * The corrections of PUT: what an admin or a manager may change of a plan that was sold.
 * @returns whether that changes anything
 * @throws CorrectionNotAllowed, MemberLeft, FieldsInvalid, PlanNotActive, SessionsNotCounted, PlansOverlap,
 *   PlanTimesWrong, ChangedSinceRead
 */
export async function correctPlan(
  tx: Transaction,
  actor: Actor,
  member: Holder,
  before: UserPlanDto,
  input: UpdateUserPlanDto,
): Promise<boolean> {
  const isOver = await isFreezeThatIsOver(tx, member, before, input);
  const status = isOver ? undefined : changed(input.status, before.status);
  const sessions = changed(input.remaining_sessions, before.remaining_sessions);
  const asked =
    !isActiveAgain(input, before) && input.expires_at && (await momentOf(tx, member.gym_id, input.expires_at));
  const expiry = changed(asked ? asked.toISOString() : undefined, before.expires_at?.toISOString() ?? null);
  if (changed(input.purchased_price, before.purchased_price) !== undefined) {
    throw FieldsInvalid.of('purchased_price', 'is what was paid; it never changes');
  }
  if (status !== 'cancelled' && changed(input.cancel_reason || undefined, before.cancel_reason) !== undefined) {
    throw FieldsInvalid.of('cancel_reason', 'is noted when a plan is cancelled');
  }
  const correction = { status, remaining_sessions: sessions, expires_at: expiry };
  if (Object.values(correction).every((value) => value === undefined)) return false;
  // It may be what others have changed since: a session was used, the plan was frozen, its end was moved.
  if (isStale(input, before.updated_at)) throw new ChangedSinceRead();
  requireMayCorrect(actor, before, correction);
  if (!member.is_member) throw new MemberLeft();
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
    if (isReopened) await requireOneWaiting(tx, member);
    statusNow = await statusOf(tx, member, before.id);
  }
  // A correction of the numbers may have made it what is asked for.
  if (status !== undefined && status !== statusNow) {
    const details = { hasItsEnd: expiry !== undefined, reason: input.cancel_reason };
    await setStatus(tx, member, { ...before, status: statusNow }, status, details);
  }
  await placeWaiting(tx, member);
  return true;
}

/** A status that a plan gets by hand, and what goes with it. */
export type StatusByHand = 'active' | 'frozen' | 'cancelled';
interface Details {
  /** Of a freeze; undefined: until it is unfrozen. */
  days?: number | undefined;
  /** Of a cancellation. */
  reason?: string | undefined;
  /** Its end was said with it. */
  hasItsEnd?: boolean;
}

/**
 * Freezes a plan, lets it run again or cancels it, and moves the one that waits for it.
 * @returns whether that changes anything
 * @throws PlanNotActive, AlreadyFrozen
 */
export async function changeStatus(
  tx: Transaction,
  member: LockedMember,
  before: UserPlanDto,
  status: StatusByHand,
  details: Details,
): Promise<boolean> {
  if (before.status === status) {
    if (status === 'frozen') await requireFrozenFor(tx, member, before, details.days);
    return false;
  }
  await parkWaiting(tx, member);
  await setStatus(tx, member, before, status, details);
  await placeWaiting(tx, member);
  return true;
}

async function setStatus(
  tx: Transaction,
  member: LockedMember,
  { id, status: before }: Pick<UserPlanDto, 'id' | 'status'>,
  status: UserPlanStatus,
  { days, reason, hasItsEnd }: Details,
): Promise<void> {
  requireCanBecome(before, status);
  if (status === 'cancelled') return endPlan(tx, member, id, reason || null);
  // The time it stands still is added to its end: with an end of the freeze at once, otherwise when it runs again.
  if (status === 'frozen') {
    const until = daysLater(raw('moment()'), sql`${days}::int`, member);
    await tx.query(sql`
      UPDATE user_plans up
      SET frozen_at = moment(), frozen_until = ${until},
        expires_at = coalesce(${daysLater(raw('expires_at'), sql`${days}::int`, member)}, expires_at), updated_at = now()
      WHERE id = ${id} AND ${plansOf(member)}`);
  } else {
    const clock = (moment: string) => sql`(${raw(moment)} AT TIME ZONE ${member.timezone})`;
    const added = sql`${clock('least(moment(), frozen_until)')} - ${clock('coalesce(frozen_until, frozen_at)')}`;
    await tx.query(sql`
      UPDATE user_plans up
      SET frozen_at = NULL, frozen_until = NULL, updated_at = now(),
        expires_at = ${hasItsEnd ? raw('expires_at') : sql`(${clock('expires_at')} + (${added})) AT TIME ZONE ${member.timezone}`}
      WHERE id = ${id} AND ${plansOf(member)}`);
  }
}

/** That a plan which is frozen was frozen for so many days. @throws AlreadyFrozen */
async function requireFrozenFor(
  tx: Transaction,
  member: LockedMember,
  { id, frozen_until }: UserPlanDto,
  days: number | undefined,
): Promise<void> {
  const until = daysLater(raw('up.frozen_at'), sql`${days}::int`, member);
  const [same] = await tx.query(sql`
    SELECT 1 FROM user_plans up
    WHERE id = ${id} AND ${plansOf(member)} AND up.frozen_until IS NOT DISTINCT FROM ${until}`);
  if (!same) throw new AlreadyFrozen(frozen_until);
}

/**
 * Whether a PUT sends a freeze back that has ended by itself since it was read.
 * @throws ChangedSinceRead, FieldsInvalid
 */
async function isFreezeThatIsOver(
  tx: Transaction,
  member: LockedMember,
  before: UserPlanDto,
  input: UpdateUserPlanDto,
): Promise<boolean> {
  if (!namesFreeze(input, before)) return false;
  const until = await momentOf(tx, member.gym_id, input.frozen_until!);
  const [same] = await tx.query(sql`
    SELECT 1 FROM user_plans up WHERE id = ${before.id} AND ${plansOf(member)} AND frozen_until = ${until}`);
  if (!same && isStale(input, before.updated_at)) throw new ChangedSinceRead();
  if (!same) throw FieldsInvalid.of('frozen_until', 'is as it was read; POST to freeze with days freezes until then');
  return true;
}

/** That one plan waits at most. @throws AlreadyScheduled */
async function requireOneWaiting(tx: Transaction, member: LockedMember): Promise<void> {
  const waiting = await tx.query(
    sql`SELECT 1 FROM user_plans up WHERE ${plansOf(member)} AND ended_at IS NULL AND starts_at IS NULL`,
  );
  if (waiting.length > 1) throw new AlreadyScheduled();
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
