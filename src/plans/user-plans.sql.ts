import { type Column, columns, computed, iso, json, pick, table } from '../database/columns.js';
import { raw, type Sql, sql } from '../database/sql.js';
import { personRef } from '../people/people.sql.js';
import { UserPlanDto, type UserPlanStatus } from './dto/user-plan.dto.js';
import type { Plan } from './entities/plan.entity.js';
import type { UserPlan } from './entities/user-plan.entity.js';
import { PLAN } from './plans.sql.js';

const up = table<UserPlan>('up');
const p = table<Plan>('p');

/** Of `user_plans up`: it is not stored, but follows from its times and the clock. */
export const STATUS = computed<UserPlanStatus>(raw('user_plan_status(up)'));

/** A user plan as UserPlanDto, of USER_PLANS. */
export const USER_PLAN_COLUMNS = columns(UserPlanDto, {
  ...pick(up, 'id', 'user_id'),
  user: personRef('m'),
  ...pick(up, 'gym_id', 'plan_id'),
  plan: PLAN,
  ...pick(up, 'purchased_price', 'purchased_at'),
  status: STATUS,
  is_active: computed<boolean>(sql`${STATUS} = 'active'`),
  ...pick(up, 'remaining_sessions', 'starts_at', 'expires_at', 'frozen_at', 'replaced_by_id', 'created_by_id'),
  ...pick(up, 'created_at', 'updated_at'),
});

// LEFT, though each is there: what only answers show, PostgreSQL leaves out where rows are only counted.
export const USER_PLANS =
  raw(`user_plans up LEFT JOIN plans p ON p.id = up.plan_id LEFT JOIN users m ON m.id = up.user_id
  LEFT JOIN gyms g ON g.id = up.gym_id`);

const RUNNING = 'AND up.ended_at IS NULL AND up.frozen_at IS NULL';

/** What the function user_plan_status says, as conditions: for these there are indexes and statistics. */
export const WITH_STATUS: Record<UserPlanStatus, Sql> = {
  active: raw(`${RUNNING} AND up.starts_at <= moment() AND (up.expires_at IS NULL OR up.expires_at > moment())`),
  scheduled: raw(`${RUNNING} AND (up.starts_at IS NULL OR up.starts_at > moment())`),
  frozen: raw('AND up.ended_at IS NULL AND up.frozen_at IS NOT NULL'),
  expired: raw(
    `AND (up.end_reason = 'used_up' OR (up.ended_at IS NULL AND up.frozen_at IS NULL AND up.expires_at <= moment()))`,
  ),
  cancelled: raw(`AND up.end_reason = 'cancelled'`),
};

/** The plan `up` of the person, which counts now: there is one at most. */
export const CURRENT = sql`up.ended_at IS NULL AND ${STATUS} IN ('active', 'frozen')`;

/** A plan `up` with its plan `p` as ActivePlanDto. */
export const SHOWN = json({
  ...pick(up, 'id', 'plan_id'),
  plan: PLAN,
  ...pick(up, 'purchased_price'),
  status: STATUS,
  ...pick(up, 'remaining_sessions'),
  starts_at: iso(up.starts_at),
  expires_at: iso(up.expires_at),
});

/** The same at a glance: as MembershipDto. */
export const AT_A_GLANCE = json({
  user_plan_id: up.id,
  plan_id: up.plan_id,
  plan_name: p.name,
  status: STATUS,
  expires_at: iso(up.expires_at),
  remaining_sessions: up.remaining_sessions,
});

/** What decides whether it lets its member in. */
export const ENTITLEMENT = json({ ...pick(up, 'id', 'remaining_sessions'), status: STATUS });

/** The active plan of the person `alias` in their gym, or null. */
export const activePlan = (alias: string) =>
  planOf(SHOWN, raw(`${alias}.id`), raw(`${alias}.gym_id`), sql`up.ended_at IS NULL AND ${STATUS} = 'active' LIMIT 1`);

/**
 * Which plan of a person in a gym counts: the current one, or else the last one that did. The only place that says so.
 * @param shown what of it
 * @returns null if there is none
 */
export const planThatCounts = <Value>(shown: Column<Value>, userId: Sql, gymId: Sql): Column<Value | null> =>
  planOf(
    shown,
    userId,
    gymId,
    sql`${STATUS} <> 'scheduled' ORDER BY ${STATUS} IN ('active', 'frozen') DESC, up.id DESC LIMIT 1`,
  );

function planOf<Value>(shown: Column<Value>, userId: Sql, gymId: Sql, condition: Sql): Column<Value | null> {
  return computed(sql`(
    SELECT ${shown} FROM user_plans up LEFT JOIN plans p ON p.id = up.plan_id
    WHERE up.user_id = ${userId} AND up.gym_id = ${gymId} AND ${condition})`);
}
