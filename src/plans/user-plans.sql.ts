import { raw, type Sql } from '../database/sql.js';
import type { UserPlanStatus } from './dto/user-plan.dto.js';

const PLAN = `json_build_object('id', p.id, 'name', p.name, 'price', p.price, 'kind', p.kind, 'duration_days', p.duration_days,
  'session_count', p.session_count, 'gym_id', p.gym_id, 'is_active', p.is_active, 'created_at', iso(p.created_at), 'updated_at',
  iso(p.updated_at))`;

/** A user plan as UserPlanDto, of USER_PLANS. */
export const USER_PLAN_COLUMNS =
  raw(`up.id, up.user_id, json_build_object('id', m.id, 'full_name', m.full_name) AS "user",
  up.gym_id, up.plan_id, ${PLAN} AS plan, up.purchased_price, up.purchased_at, user_plan_status(up) AS status,
  user_plan_status(up) = 'active' AS is_active, up.remaining_sessions,
  up.starts_at, up.expires_at, up.frozen_at, up.replaced_by_id, up.created_by_id, up.created_at, up.updated_at`);

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

const ACTIVE = `json_build_object('id', up.id, 'plan_id', up.plan_id, 'plan', ${PLAN}, 'purchased_price', up.purchased_price,
  'status', user_plan_status(up), 'remaining_sessions', up.remaining_sessions, 'starts_at', iso(up.starts_at),
  'expires_at', iso(up.expires_at))`;
const SLIM = `json_build_object('user_plan_id', up.id, 'plan_id', up.plan_id, 'plan_name', p.name,
  'status', user_plan_status(up), 'expires_at', iso(up.expires_at), 'remaining_sessions', up.remaining_sessions)`;
const planOf = (shown: string, gym: string, condition: string) => `(
  SELECT ${shown} FROM user_plans up JOIN plans p ON p.id = up.plan_id
  WHERE up.user_id = u.id AND up.gym_id = ${gym} AND ${condition})`;
const COUNTS = `user_plan_status(up) <> 'scheduled' ORDER BY user_plan_status(up) IN ('active', 'frozen') DESC, up.id DESC LIMIT 1`;

/** The active plan of the person `u` with its plan, as JSON, or null. */
export const ACTIVE_PLAN = raw(
  planOf(ACTIVE, 'u.gym_id', `up.ended_at IS NULL AND user_plan_status(up) = 'active' LIMIT 1`),
);

/** The plan of the person `u` in the gym of `v` that counts now or else the last one that did: as ActivePlanDto, or null. */
export const LAST_PLAN = planOf(ACTIVE, 'v.gym_id', COUNTS);

/** The same, as what the desk sees of a visit: MembershipDto, or null. */
export const MEMBERSHIP = planOf(SLIM, 'v.gym_id', COUNTS);
