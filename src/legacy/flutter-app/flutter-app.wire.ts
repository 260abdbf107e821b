import type { StreamableFile } from '@nestjs/common';
import { changeOf } from '../../common/change.js';
import { FieldsInvalid } from '../../common/errors/common.errors.js';
import { type NumberedPage, type NumberedQuery, streamJson } from '../../common/http/numbered.js';
import type { VisitDto } from '../../attendance/dto/visit.dto.js';
import type { BranchFigures } from '../../dashboard/dashboard.service.js';
import type { DashboardDto } from '../../dashboard/dto/dashboard.dto.js';
import type { BranchDto, GymDto } from '../../gyms/dto/gym.dto.js';
import type { UserDto } from '../../members/dto/user.dto.js';
import type { MemberRecord } from '../../members/records.service.js';
import type { PlanDto } from '../../plans/dto/plan.dto.js';
import type { UserPlanDto, UserPlanStatus } from '../../plans/dto/user-plan.dto.js';
import { Refusal } from '../wire/refusal.js';
import {
  SUBSCRIPTION_STATUSES,
  type AccountantWire,
  type ActivateBody,
  type BranchFiguresWire,
  type BranchWire,
  type ClientEntryWire,
  type ClientSubscriptionWire,
  type ClientWire,
  type CustomerWire,
  type FiguresAnswer,
  type FiguresWire,
  type ManagerWire,
  type OwnerWire,
  type PageQuery,
  type PersonWire,
  type ServiceWire,
  type SubscriptionStatus,
  type SubscriptionWire,
} from './flutter-app.dto.js';

/** The gyms by their id: their names and clocks. */
export type Gyms = ReadonlyMap<number, Pick<GymDto, 'name' | 'timezone'>>;

export const done = <Data>(data: Data, message = 'Success') => ({ success: true, message, data });

/** The size is `per_page`, else `limit`, else everything. */
export const numbersIn = ({ page, per_page, limit }: PageQuery): NumberedQuery => ({ page, size: per_page ?? limit });

/** A page of a list as these apps read it. */
export const listed = <Item>(page: NumberedPage<Item>, make: (item: Item) => unknown): Promise<StreamableFile> =>
  streamJson(page, make, (items) =>
    done({
      items,
      pagination: { total: page.total, pages: page.pages, current_page: page.page, per_page: page.size },
    }),
  );

/** The same, where the app wants nothing but the items. */
export const listedBare = <Item>(page: NumberedPage<Item>, make: (item: Item) => unknown): Promise<StreamableFile> =>
  streamJson(page, make, (items) => done(items));

/**
 * For what a service calls a wrong field, because it is not there for the actor: here it is 404.
 * @param texts by the field
 */
export const notThere =
  (texts: Record<string, string>) =>
  (thrown: unknown): never => {
    const text = thrown instanceof FieldsInvalid ? texts[thrown.data.errors[0].field] : undefined;
    throw text === undefined ? thrown : new Refusal(404, text);
  };

const clocks = new Map<string, Intl.DateTimeFormat>();

/** A moment on the clock of a gym: `2026-01-31`, `18:30:00`. */
function onClock(moment: Date, timeZone: string): { date: string; time: string } {
  const known = clocks.get(timeZone);
  // Sweden writes as ISO 8601 does.
  const clock = known ?? new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone });
  if (!known) clocks.set(timeZone, clock);
  const [date, time] = clock.format(moment).split(' ');
  return { date: date!, time: time! };
}

const dayOf = (moment: Date | null, gymId: number, gyms: Gyms): string | null =>
  moment && onClock(moment, gyms.get(gymId)?.timezone ?? 'UTC').date;

export const customerOf = (member: MemberRecord): CustomerWire => ({
  id: member.id,
  full_name: member.full_name,
  phone: member.phone_number,
  email: member.email,
  temp_password: member.temporary_password,
  password_changed: member.password_changed,
  qr_code: member.qr_code,
  branch_id: member.gym_id,
  has_active_subscription: member.membership?.status === 'active',
  created_at: member.created_at,
});

export const statusOf = (status: UserPlanStatus): SubscriptionStatus => (status === 'cancelled' ? 'stopped' : status);

/** What a filter means, in whatever letters. @throws Refusal */
export function statusIn(text: string | undefined): UserPlanStatus | undefined {
  if (text === undefined) return undefined;
  const status = SUBSCRIPTION_STATUSES.find((one) => one === text.trim().toLowerCase());
  if (!status) throw new Refusal(400, `status must be one of ${SUBSCRIPTION_STATUSES.join(', ')}`);
  return status === 'stopped' ? 'cancelled' : status;
}

const typeOf = ({ kind }: Pick<PlanDto, 'kind'>) => (kind === 'time' ? 'monthly' : kind);

export const subscriptionOf = (plan: UserPlanDto, gyms: Gyms): SubscriptionWire => ({
  id: plan.id,
  customer_id: plan.user_id,
  customer_name: plan.user.full_name,
  service_id: plan.plan_id,
  service_name: plan.plan.name,
  branch_id: plan.gym_id,
  status: statusOf(plan.status),
  amount: plan.purchased_price,
  remaining_sessions: plan.remaining_sessions,
  subscription_type: typeOf(plan.plan),
  type: plan.plan.kind,
  start_date: dayOf(plan.starts_at, plan.gym_id, gyms),
  end_date: dayOf(plan.expires_at, plan.gym_id, gyms),
});

export const branchOf = (gym: BranchDto): BranchWire => ({
  id: gym.id,
  name: gym.name,
  location: gym.address,
  address: gym.address,
  phone: gym.phone_number,
  is_active: gym.is_active,
  staff_count: gym.staff_count,
  customer_count: gym.member_count,
});

export const comparedOf = (gym: BranchDto, figures: BranchFigures): BranchFiguresWire => ({
  ...branchOf(gym),
  branch_id: gym.id,
  branch_name: gym.name,
  customers: figures.members,
  active_subscriptions: figures.active_plans,
  revenue: figures.revenue,
});

export const personOf = (person: UserDto): PersonWire => ({
  id: person.id,
  username: person.username ?? person.email,
  full_name: person.full_name,
  name: person.full_name,
  role: person.role,
  branch_id: person.gym_id,
  is_active: person.is_active,
});

/** Exact, as cents are whole. null: the role does not see money. */
const sumOf = (amounts: (number | null)[]): number | null =>
  amounts.some((amount) => amount === null)
    ? null
    : amounts.reduce<number>((cents, amount) => cents + Math.round(amount! * 100), 0) / 100;
const countOf = (counts: number[]): number => counts.reduce((sum, count) => sum + count, 0);

export const figuresOf = (branches: BranchFigures[]): FiguresWire => ({
  total_revenue: sumOf(branches.map(({ revenue }) => revenue)),
  active_subscriptions: countOf(branches.map(({ active_plans }) => active_plans)),
  total_customers: countOf(branches.map(({ members }) => members)),
  check_ins_count: countOf(branches.map(({ visits }) => visits)),
});

/** At the top and in `data`: the older app does not unwrap them. */
export const atTheTop = (figures: FiguresWire): FiguresAnswer => ({ ...done(figures), ...figures });

export const ownerOf = ({ subscriptions }: DashboardDto): OwnerWire => ({
  alerts: {
    expiring_subscriptions: subscriptions!.expiring_7_days,
    expiring_soon: subscriptions!.expiring_3_days,
    open_complaints: 0,
    pending_expenses: 0,
  },
});

export const managerOf = (
  { members, subscriptions }: DashboardDto,
  week: BranchFigures[],
  branches: BranchDto[],
): ManagerWire => ({
  customers: { active: members!.active, total: members!.total },
  revenue: { last_7_days: figuresOf(week).total_revenue },
  staff: { count: countOf(branches.map(({ staff_count }) => staff_count)) },
  alerts: { expiring_subscriptions: subscriptions!.expiring_7_days, open_complaints: 0 },
});

export function accountantOf({ revenue }: DashboardDto, today: BranchFigures[]): AccountantWire {
  const { this_month: now, last_month: before } = revenue!;
  const { change, percent } = changeOf(before, now, 1);
  return {
    today: {
      total: revenue!.today,
      count: countOf(today.map(({ sale_count, plans_sold }) => sale_count + plans_sold)),
    },
    current_month: { revenue: now, expenses: 0, net: now, pending_expenses: 0 },
    last_month: { revenue: before },
    comparison: { change, percentage: before === 0 ? 0 : percent },
  };
}

export const serviceOf = (plan: PlanDto): ServiceWire => ({
  id: plan.id,
  name: plan.name,
  description: '',
  price: plan.price,
  duration_days: plan.duration_days,
  service_type: plan.kind === 'sessions' ? 'personal_training' : 'gym',
  is_active: plan.is_active,
});

/** By time first; else as they come. */
export const servicesOf = (plans: PlanDto[]): ServiceWire[] =>
  plans.toSorted((a, b) => Number(b.kind === 'time') - Number(a.kind === 'time')).map(serviceOf);

/** A month of these apps has 30 days; of a year there are five more. */
const DAYS_OF_MONTH = 30;
const TOLERANCE = 5;

/** What is sold is the plan as it is. @throws Refusal if the app counts with another size */
export function requireTrueSize(
  { kind, duration_days, session_count }: Pick<PlanDto, 'kind' | 'duration_days' | 'session_count'>,
  { coins, sessions, duration_months }: Pick<ActivateBody, 'coins' | 'sessions' | 'duration_months'>,
): void {
  const counts = (sent: number | undefined, its: 'coins' | 'sessions') =>
    !sent || (kind === its && sent === session_count);
  const lasts =
    !duration_months ||
    (duration_days !== null && Math.abs(duration_months * DAYS_OF_MONTH - duration_days) <= TOLERANCE);
  if (counts(coins, 'coins') && counts(sessions, 'sessions') && lasts) return;
  const size = [kind !== 'time' && `${session_count} ${kind}`, duration_days !== null && `${duration_days} days`];
  throw new Refusal(400, `This service has ${size.filter(Boolean).join(' and ')}`);
}

// The member's app.

export const memberOf = (member: MemberRecord, gyms: Gyms): ClientWire => ({
  id: member.id,
  full_name: member.full_name,
  phone: member.phone_number,
  email: member.email,
  qr_code: member.qr_code,
  branch_id: member.gym_id,
  branch_name: (member.gym_id !== null && gyms.get(member.gym_id)?.name) || null,
  has_active_subscription: member.membership?.status === 'active',
  preferred_language: member.language,
});

const LABELS = { time: 'Days remaining', coins: 'Coins remaining', sessions: 'Sessions remaining' };

/** The plan that the member has now, or null. */
export function activeOf(
  { membership, gym_id }: MemberRecord,
  gyms: Gyms,
  now = new Date(),
): ClientSubscriptionWire | null {
  if (membership?.status !== 'active') return null;
  const { id, plan, status, starts_at, expires_at, remaining_sessions } = membership;
  const left = remaining_sessions ?? 0;
  const days = expires_at ? Math.max(0, Math.ceil((expires_at.getTime() - now.getTime()) / 86_400_000)) : 0;
  return {
    id,
    subscription_type: typeOf(plan),
    service_name: plan.name,
    start_date: dayOf(starts_at, gym_id!, gyms),
    end_date: dayOf(expires_at, gym_id!, gyms),
    status: statusOf(status),
    ...(plan.kind === 'coins' && { remaining_coins: left }),
    ...(plan.kind === 'sessions' && { remaining_sessions: left }),
    display_metric: plan.kind,
    display_value: plan.kind === 'time' ? days : left,
    display_label: LABELS[plan.kind],
  };
}

type Bought = Pick<UserPlanDto, 'id' | 'plan' | 'starts_at' | 'expires_at'>;

/** @param plans all that the member bought: one of them was for this visit */
export function entryOf(visit: VisitDto, plans: Bought[], gyms: Gyms): ClientEntryWire {
  const at = visit.check_in_time;
  const charged = plans.find(({ id }) => id === visit.user_plan_id);
  const then = plans.find(
    ({ starts_at, expires_at }) => starts_at !== null && starts_at <= at && (expires_at === null || expires_at > at),
  );
  const gym = gyms.get(visit.gym_id);
  return {
    id: visit.id,
    ...onClock(at, gym?.timezone ?? 'UTC'),
    branch: gym?.name ?? '',
    service: (charged ?? then)?.plan.name ?? '',
    coins_used: visit.user_plan_id === null ? 0 : 1,
  };
}
