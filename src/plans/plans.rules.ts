import type { Actor } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import type { UpdateUserPlanDto, UserPlanDto, UserPlanStatus } from './dto/user-plan.dto.js';
import {
  CorrectionNotAllowed,
  NoSessionsLeft,
  NotAnUpgrade,
  PlanNotActive,
  SessionsNotCounted,
} from './plans.errors.js';

// Who may sell a plan and correct it, when a plan lets its member in, and what a PUT asks for.

/** A plan that was sold, or is being sold. */
export interface Offer {
  /** Of the price list: what is paid is what the seller types. */
  price: number;
  /** As it was sold. null: without an end by time. */
  duration_days: number | null;
}

/** A plan that is longer or costs more. */
export function isUpgrade(sold: Offer, next: Offer): boolean {
  const isLonger =
    next.duration_days !== null && sold.duration_days !== null && next.duration_days > sold.duration_days;
  return isLonger || next.price > sold.price;
}

/**
 * Once the plan of a member has expired, the desk may sell any. Instead of one that counts still, an admin or a manager
 * may sell any, the rest of the desk only an upgrade.
 * @param sold the plan that counts, active or frozen, or waits; undefined if there is none, or the last one has expired
 * @throws NotAnUpgrade
 */
export function requireMaySell(actor: Pick<Actor, 'is'>, sold: Offer | undefined, next: Offer): void {
  const mayReplaceAny = actor.is('admin', 'manager');
  if (sold && !mayReplaceAny && !isUpgrade(sold, next)) throw new NotAnUpgrade();
}

/** What decides whether a plan lets its member in. */
export type Entitlement = Pick<UserPlanDto, 'id' | 'status' | 'remaining_sessions'>;

/** Why the plan that counts does not let its member in; null: it does. */
export function refusalOfPlan(plan: Entitlement | null): 'no_plan' | 'no_sessions' | 'frozen' | 'expired' | null {
  if (!plan || plan.status === 'cancelled' || plan.status === 'scheduled') return 'no_plan';
  if (plan.remaining_sessions === 0) return 'no_sessions';
  return plan.status === 'active' ? null : plan.status;
}

/** Whether it is the plan that counts: of a member there is one at most. */
export const isCurrent = ({ status }: Pick<UserPlanDto, 'status'>): boolean =>
  status === 'active' || status === 'frozen';

/** Why a session cannot be taken from a plan, which the database has refused. */
export function refusalOfDeduction({ remaining_sessions, status }: Omit<Entitlement, 'id'>) {
  if (remaining_sessions === null) return new SessionsNotCounted();
  return remaining_sessions === 0 ? new NoSessionsLeft() : new PlanNotActive(`This plan is ${status}.`);
}

type Asked = Pick<UpdateUserPlanDto, 'plan_id' | 'purchased_price' | 'status' | 'expires_at'>;

/**
 * Whether a PUT sells: another plan, or the same one again when it is over. A client that sends the whole object back,
 * with status or expires_at, buys nothing.
 */
export function isSale(
  { plan_id, status, expires_at }: Asked,
  before: Pick<UserPlanDto, 'plan_id' | 'status'>,
): boolean {
  if (!plan_id) return false;
  const isOver = before.status === 'expired' || before.status === 'cancelled';
  return plan_id !== before.plan_id || (isOver && !status && !expires_at);
}

/** Whether a PUT that sells was carried out before: what it asks for is what was sold instead. */
export const isRepetition = (asked: Asked, sold: Pick<UserPlanDto, 'plan_id' | 'purchased_price'>): boolean =>
  asked.plan_id === sold.plan_id && (asked.purchased_price ?? sold.purchased_price) === sold.purchased_price;

/**
 * Whether a PUT that makes a frozen plan active was carried out before. The end in it may be the one from before, which
 * must not take the added time back.
 */
export const isActiveAgain = (
  asked: Pick<UpdateUserPlanDto, 'status' | 'frozen_at'>,
  { status, frozen_at }: Pick<UserPlanDto, 'status' | 'frozen_at'>,
): boolean => asked.status === 'active' && Boolean(asked.frozen_at) && status === 'active' && frozen_at === null;

/** Whether a PUT asks to freeze a plan, but with the end of a freeze in it: that may be one that is over. */
export const namesFreeze = (
  asked: Pick<UpdateUserPlanDto, 'status' | 'frozen_until'>,
  { status }: Pick<UserPlanDto, 'status'>,
): boolean => asked.status === 'frozen' && Boolean(asked.frozen_until) && (status === 'active' || status === 'expired');

/** What a PUT corrects; undefined: as it was. */
export interface Correction {
  status: UserPlanStatus | undefined;
  remaining_sessions: number | undefined;
  expires_at: string | undefined;
}

/**
 * What was paid never changes; the rest an admin or a manager may correct, until the plan is cancelled.
 * @throws FieldsInvalid, CorrectionNotAllowed, PlanNotActive, SessionsNotCounted
 */
export function requireMayCorrect(
  actor: Pick<Actor, 'is'>,
  before: Pick<UserPlanDto, 'status' | 'remaining_sessions' | 'frozen_until'>,
  { status, remaining_sessions, expires_at }: Correction,
): void {
  if (!actor.is('admin', 'manager')) throw new CorrectionNotAllowed();
  if (before.status === 'cancelled') throw new PlanNotActive('This plan is cancelled.');
  if (before.status === 'scheduled' && expires_at !== undefined) {
    throw FieldsInvalid.of('expires_at', 'follows from the end of the plan before it, while this one is scheduled');
  }
  // Unfrozen before its freeze ends, it gets the rest back: there must be one.
  const { frozen_until } = before;
  if (expires_at !== undefined && status === undefined && frozen_until && expires_at <= frozen_until.toISOString()) {
    throw FieldsInvalid.of('expires_at', `must be after ${frozen_until.toISOString()}, when its freeze ends`);
  }
  if (remaining_sessions !== undefined && before.remaining_sessions === null) throw new SessionsNotCounted();
}

/** What a plan can be made by hand; that it starts or is over follows from its times. */
const CAN_BECOME: Record<UserPlanStatus, readonly UserPlanStatus[]> = {
  active: ['frozen', 'cancelled'],
  frozen: ['active', 'cancelled'],
  scheduled: ['cancelled'],
  expired: [],
  cancelled: [],
};

/** @throws PlanNotActive */
export function requireCanBecome(before: UserPlanStatus, status: UserPlanStatus): void {
  if (!CAN_BECOME[before].includes(status)) {
    throw new PlanNotActive(`A plan that is ${before} cannot become ${status}.`);
  }
}
