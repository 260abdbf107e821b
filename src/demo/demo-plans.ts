import type pg from 'pg';
import { DAY } from './demo-clock.js';
import type { Demo, Member } from './demo-people.js';
import { insert, type Row } from './rows.js';

interface Plan extends Row {
  price: number;
  duration_days: number | null;
  session_count: number | null;
}

/** A plan that a member bought. */
export interface UserPlan extends Row {
  remaining_sessions: number | null;
  starts_at: number;
  expires_at: number | null;
  frozen_at: number | null;
  ended_at: number | null;
  end_reason: 'used_up' | 'cancelled' | null;
  created_at: number;
}

const PLANS = {
  monthly: { name: 'Monthly', price: 39.9, kind: 'time', duration_days: 30, session_count: null, is_active: true },
  quarterly: { name: 'Quarterly', price: 99, kind: 'time', duration_days: 90, session_count: null, is_active: true },
  annual: { name: 'Annual', price: 349, kind: 'time', duration_days: 365, session_count: null, is_active: true },
  ten: { name: '10 visits', price: 59, kind: 'sessions', duration_days: 180, session_count: 10, is_active: true },
  hundred: {
    name: '100 visits',
    price: 420,
    kind: 'sessions',
    duration_days: null,
    session_count: 100,
    is_active: true,
  },
  coins: { name: '20 class coins', price: 89, kind: 'coins', duration_days: 120, session_count: 20, is_active: true },
  summer: { name: 'Summer special', price: 69, kind: 'time', duration_days: 60, session_count: null, is_active: false },
};
export type PlanName = keyof typeof PLANS;
export type Plans = Record<PlanName, Plan>;

export async function addPlans(client: pg.Client, { gym }: Demo): Promise<Plans> {
  const plans = Object.entries(PLANS).map(([key, plan]) => [key, { ...plan, gym_id: gym }] as const);
  await insert(
    client,
    'plans',
    plans.map(([, plan]) => plan),
  );
  return Object.fromEntries(plans) as unknown as Plans;
}

/** `plan` as it was sold, to start at once or later. */
export function sold(plan: Plan, to: Member, by: Row, { gym }: Demo, at: number, starts = at): UserPlan {
  return {
    ...{ user_id: to, gym_id: gym, plan_id: plan, purchased_price: plan.price, duration_days: plan.duration_days },
    ...{ remaining_sessions: plan.session_count, starts_at: starts },
    expires_at: plan.duration_days === null ? null : starts + plan.duration_days * DAY,
    ...{
      frozen_at: null,
      ended_at: null,
      end_reason: null,
      created_by_id: by,
      purchased_at: at,
      created_at: at,
      updated_at: at,
    },
  };
}
