import { raw, type Sql } from '../database/sql.js';
import type { UserPlanStatus } from './dto/user-plan.dto.js';

const PLAN = `json_build_object('id', p.id, 'name', p.name, 'price', p.price, 'kind', p.kind, 'duration_days', p.duration_days,
  'session_count', p.session_count, 'gym_id', p.gym_id, 'is_active', p.is_active)`;

/** A user plan as UserPlanDto, of USER_PLANS. */
export const USER_PLAN_COLUMNS =
  raw(`up.id, up.user_id, json_build_object('id', m.id, 'full_name', m.full_name) AS "user",
  up.gym_id, up.plan_id, ${PLAN} AS plan, up.purchased_price, user_plan_status(up) AS status, up.remaining_sessions,
  up.starts_at, up.expires_at, up.frozen_at, up.sold_by_id, up.created_at, up.updated_at`);

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

const membership = (gym: string, condition: string) => `(
  SELECT json_build_object('id', up.id, 'plan_id', up.plan_id, 'plan', ${PLAN}, 'purchased_price', up.purchased_price,
    'status', user_plan_status(up), 'remaining_sessions', up.remaining_sessions, 'starts_at', iso(up.starts_at),
    'expires_at', iso(up.expires_at))
  FROM user_plans up JOIN plans p ON p.id = up.plan_id
  WHERE up.user_id = u.id AND up.gym_id = ${gym} AND ${condition})`;

/** The active plan of the person `u` with its plan, as JSON, or null. */
export const ACTIVE_PLAN = raw(
  membership('u.gym_id', `up.ended_at IS NULL AND user_plan_status(up) = 'active' LIMIT 1`),
);

/** What the desk sees of the person `u` who visits `v`: the plan that counts now or else the last one that did, as JSON, or null. */
export const MEMBERSHIP = membership(
  'v.gym_id',
  `user_plan_status(up) <> 'scheduled' ORDER BY user_plan_status(up) IN ('active', 'frozen') DESC, up.id DESC LIMIT 1`,
);
