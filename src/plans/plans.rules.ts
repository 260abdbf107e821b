import type { UpdateUserPlanDto, UserPlanDto } from './dto/user-plan.dto.js';

// Who may sell what instead of what, whom a plan lets in, and what a PUT asks for.

/** What decides whether a plan lets its member in. */
export type Entitlement = Pick<UserPlanDto, 'id' | 'status' | 'remaining_sessions'>;

/** Why the plan that counts does not let its member in; null: it does. */
export function refusalOfPlan(plan: Entitlement | null): 'no_plan' | 'no_sessions' | 'frozen' | 'expired' | null {
  if (!plan || plan.status === 'cancelled' || plan.status === 'scheduled') return 'no_plan';
  if (plan.remaining_sessions === 0) return 'no_sessions';
  return plan.status === 'active' ? null : plan.status;
}

/** A plan as it was sold, or is being sold: not as today's price list has it. */
export interface Offer {
  price: number;
  /** null: without an end by time. */
  duration_days: number | null;
}

/** A plan that is longer or costs more. */
export function isUpgrade(sold: Offer, next: Offer): boolean {
  const isLonger =
    next.duration_days !== null && sold.duration_days !== null && next.duration_days > sold.duration_days;
  return isLonger || next.price > sold.price;
}

/** Beside a current plan an admin or manager may sell any, the rest of the desk an upgrade. */
export const mayReplace = (actor: { is(...roles: string[]): boolean }, sold: Offer, next: Offer): boolean =>
  actor.is('admin', 'manager') || isUpgrade(sold, next);

type Before = Pick<UserPlanDto, 'plan_id' | 'status'>;
type Asked = Pick<UpdateUserPlanDto, 'plan_id' | 'purchased_price' | 'status' | 'expires_at'>;

/**
 * Whether a PUT sells: another plan, or the same one again when it is over. A client that sends the whole object back, with
 * status or expires_at, buys nothing.
 */
export function isSale({ plan_id, status, expires_at }: Asked, before: Before): boolean {
  if (!plan_id) return false;
  const isOver = before.status === 'expired' || before.status === 'cancelled';
  return plan_id !== before.plan_id || (isOver && !status && !expires_at);
}

/**
 * Whether a PUT that makes a frozen plan active was carried out before. The end in it may be the one from before, which must not
 * take the added time back.
 */
export const isActiveAgain = (
  asked: Pick<UpdateUserPlanDto, 'status' | 'frozen_at'>,
  { status, frozen_at }: Pick<UserPlanDto, 'status' | 'frozen_at'>,
): boolean => asked.status === 'active' && Boolean(asked.frozen_at) && status === 'active' && frozen_at === null;

/** Whether a PUT that sells was carried out before: what it asks for is what was sold instead. */
export const isRepetition = (asked: Asked, sold: Pick<UserPlanDto, 'plan_id' | 'purchased_price'>): boolean =>
  asked.plan_id === sold.plan_id && (asked.purchased_price ?? sold.purchased_price) === sold.purchased_price;
