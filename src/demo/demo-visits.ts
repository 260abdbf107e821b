import type pg from 'pg';
import { arrival, closing, DAY, dayOf, MINUTE, openingHours, season } from './demo-clock.js';
import type { Demo, Member } from './demo-people.js';
import { type PlanName, type Plans, sold, type UserPlan } from './demo-plans.js';
import { Random } from './random.js';
import { insert, type Row } from './rows.js';

/** Of earlier visits there is no record. */
const RECORDED = 183 * DAY;
const HABITS: PlanName[] = [
  ...(['monthly', 'monthly', 'monthly', 'monthly', 'monthly', 'quarterly', 'quarterly', 'annual'] as const),
  ...(['ten', 'coins'] as const),
];

export interface Visit extends Row {
  check_in_time: number;
  /** null while they are inside. */
  check_out_time: number | null;
  is_auto_closed: boolean;
}

interface History {
  plans: UserPlan[];
  visits: (Visit & { user_id: Member; check_out_time: number })[];
}

/** What the members bought and when they came: plans run out, are used up or cancelled because of how they lived. */
export async function addVisits(client: pg.Client, demo: Demo, members: Member[], plans: Plans): Promise<Visit[]> {
  const histories = members.map((member, position) => live(demo, member, position, plans));
  const userPlans = histories.flatMap((history) => history.plans).toSorted((a, b) => a.created_at - b.created_at);
  await insert(client, 'user_plans', userPlans);
  const visits = histories
    .flatMap((history) => history.visits)
    .filter(({ check_in_time }) => check_in_time > demo.now - RECORDED)
    .toSorted((a, b) => a.check_in_time - b.check_in_time);
  const [inside, gone] = split(visits, demo.now);
  // Visit 1 is open and 2 is not, as the examples of the docs have it.
  await insert(client, 'attendance', [...inside.slice(0, 1), ...gone, ...inside.slice(1)]);
  return visits;
}

/** A member's time in the gym, day by day, until today or until they stay away. */
function live(demo: Demo, member: Member, position: number, plans: Plans): History {
  const random = new Random(1000 * (1 + demo.place) + position);
  const history: History = { plans: [], visits: [] };
  const { now, desk, gym } = demo;
  const { is_steady: isSteady } = member;
  const habit = isSteady ? 'hundred' : random.pick(HABITS);
  const visitsAWeek = isSteady ? 1.2 : 0.8 + 3.4 * random.next();
  const buy = (name: PlanName, at: number, starts = at) =>
    history.plans.push(sold(plans[name], member, random.pick(desk), demo, at, starts));
  if (position % 50 === 49) return history; // never bought a plan

  for (let day = dayOf(member.created_at); day <= now; day += DAY) {
    const isFirst = history.plans.length === 0;
    const time = isFirst ? member.created_at + 10 * MINUTE : arrival(random, day);
    if (time > (isSteady ? now - 2 * DAY : now)) break;
    if (!isFirst && random.next() > (openingHours(day).share * season(day) * visitsAWeek) / 7) continue;

    let plan = history.plans.findLast(({ starts_at, ended_at }) => starts_at <= time && ended_at === null);
    if (!plan || (plan.expires_at ?? Infinity) <= time) {
      if (!isFirst && random.next() < 0.06) break; // stays away
      const isSummer = isFirst && habit === 'monthly' && time < now - 200 * DAY && random.next() < 0.3;
      buy(isSummer ? 'summer' : habit, Math.max(time - 3 * MINUTE, plan?.expires_at ?? 0));
      plan = history.plans.at(-1)!;
    }
    const isLast = plan === history.plans.at(-1);
    if (isLast && plan.remaining_sessions === null) {
      if (position % 20 === 10 && time > now - 21 * DAY) {
        plan.frozen_at = time;
        break;
      }
      if (random.next() < 0.003) {
        Object.assign(plan, { ended_at: time, end_reason: 'cancelled' });
        if (random.next() < 0.4) break;
        buy('annual', time);
        plan = history.plans.at(-1)!;
      } else if (plan.expires_at! < time + 7 * DAY && random.next() < 0.5) buy(habit, time, plan.expires_at!);
    }
    if (plan.remaining_sessions !== null && --plan.remaining_sessions === 0) {
      Object.assign(plan, { ended_at: time, end_reason: 'used_up' });
    }
    const isForgotten = time < now - DAY && random.next() < 0.01;
    history.visits.push({
      ...{ user_id: member, gym_id: gym, check_in_time: time, is_auto_closed: isForgotten },
      check_out_time: isForgotten ? dayOf(time) + DAY : Math.min(time + random.int(35, 110) * MINUTE, closing(time)),
      user_plan_id: plan.remaining_sessions === null ? null : plan,
      ...{ location: 'Main entrance', recorded_by_id: random.pick(desk), created_at: time, updated_at: time },
    });
  }
  return history;
}

/**
 * Those who are inside and those who went. There is always one: when the gym is closed, the last three have not checked
 * out.
 */
function split(visits: History['visits'], now: number): [inside: Visit[], gone: Visit[]] {
  const latest = new Map(visits.map((visit) => [visit.user_id, visit]));
  const last = new Set(visits.filter((visit) => latest.get(visit.user_id) === visit).slice(-3));
  const isInside = (visit: History['visits'][number]) => visit.check_out_time > now || last.has(visit);
  return [
    visits.filter(isInside).map((visit) => ({ ...visit, check_out_time: null })),
    visits.filter((visit) => !isInside(visit)),
  ];
}
