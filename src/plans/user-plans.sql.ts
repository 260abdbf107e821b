import type { Principal } from '../common/actor/actor.js';
import { columns, computed, part, pick, table } from '../database/columns.js';
import { raw, type Sql, sql } from '../database/sql.js';
import { personRef } from '../people/people.sql.js';
import { UserPlanDto, type UserPlanStatus } from './dto/user-plan.dto.js';
import type { Plan } from './entities/plan.entity.js';
import type { UserPlan } from './entities/user-plan.entity.js';
import { PLAN } from './plans.sql.js';

const up = table<UserPlan>('up');
const p = table<Plan>('p');

/** The status of a plan of `user_plans up`: it is not stored, but follows from its times and the clock. */
export const STATUS = raw('user_plan_status(up)');
/** All plans with it, as `up`. */
export const PLANS_WITH_STATUS = sql`(SELECT up.*, ${STATUS} AS status FROM user_plans up) up`;
const status = computed<UserPlanStatus>(raw('up.status'));

/** Of a plan that is frozen now: what was noted of a freeze that is over is for nobody. */
const whileFrozen = (column: Sql) => computed<Date | null>(sql`CASE WHEN ${status} = 'frozen' THEN ${column} END`);

const ITSELF = {
  ...pick(up, 'id', 'user_id', 'gym_id', 'plan_id'),
  plan: PLAN,
  ...pick(up, 'purchased_price', 'purchased_at'),
  status,
  is_active: computed<boolean>(sql`${status} = 'active'`),
  ...pick(up, 'remaining_sessions', 'starts_at', 'expires_at'),
  frozen_at: whileFrozen(up.frozen_at),
  frozen_until: whileFrozen(up.frozen_until),
  ...pick(up, 'replaced_by_id', 'created_by_id', 'created_at', 'updated_at'),
};
/** A plan `up` with its plan `p` as ActivePlanDto. */
export const SHOWN = part(ITSELF);

/** A user plan as UserPlanDto, of PLANS_WITH_STATUS and what is SHOWN_WITH it. */
const USER_PLAN = { ...ITSELF, user: personRef('m'), cancel_reason: up.cancel_reason };
const FOR_STAFF = columns(UserPlanDto, USER_PLAN);
const FOR_MEMBERS = columns(UserPlanDto, { ...USER_PLAN, cancel_reason: computed<null>(raw('NULL::text')) });
/** What the staff noted is nothing for the member. */
export const userPlanColumns = ({ role }: Principal) => (role === 'user' ? FOR_MEMBERS : FOR_STAFF);
export const SHOWN_WITH = raw('JOIN plans p ON p.id = up.plan_id JOIN users m ON m.id = up.user_id');

/** To compare with, like moment(): what is stored has whole milliseconds, and cutting the clock's off costs, too. */
const NOW = 'statement_timestamp()';
/** A freeze with an end is over by itself. */
const NOT_FROZEN = `(up.frozen_at IS NULL OR up.frozen_until <= ${NOW})`;
const RUNNING = `AND up.ended_at IS NULL AND ${NOT_FROZEN}`;
/** Among the plans that have not ended, those whose time does not stand still. */
export const RUNNING_PLANS = raw(RUNNING);

/** What the function user_plan_status says, as conditions: for these there are indexes and statistics. */
export const WITH_STATUS: Record<UserPlanStatus, Sql> = {
  active: raw(`${RUNNING} AND up.starts_at <= ${NOW} AND (up.expires_at IS NULL OR up.expires_at > ${NOW})`),
  scheduled: raw(`${RUNNING} AND (up.starts_at IS NULL OR up.starts_at > ${NOW})`),
  frozen: raw(`AND up.ended_at IS NULL AND up.frozen_at IS NOT NULL
    AND (up.frozen_until IS NULL OR up.frozen_until > ${NOW})`),
  expired: raw(`AND (up.end_reason = 'used_up' OR (up.expires_at <= ${NOW} ${RUNNING}))`),
  cancelled: raw(`AND up.end_reason = 'cancelled'`),
};

/** The plan `up` of the person, which counts now: there is one at most. */
export const CURRENT = sql`up.ended_at IS NULL AND ${STATUS} IN ('active', 'frozen')`;

/** A plan `up` with its plan `p` at a glance: as MembershipDto. */
export const AT_A_GLANCE = part({
  user_plan_id: up.id,
  plan_id: up.plan_id,
  plan_name: p.name,
  status,
  ...pick(up, 'expires_at', 'remaining_sessions'),
});

/** What decides whether it lets its member in. */
export const ENTITLEMENT = part({ ...pick(up, 'id', 'remaining_sessions'), status });

/** Joins the active plan `up` of the person `alias` in their gym, if there is one, and its plan `p`. */
export const activePlan = (alias: string) =>
  sql`LEFT JOIN LATERAL (
      SELECT up.*, 'active' AS status FROM user_plans up
      WHERE up.user_id = ${raw(alias)}.id AND up.gym_id = ${raw(alias)}.gym_id ${FOUND_BY_PERSON}
    ) up ON TRUE
    LEFT JOIN plans p ON p.id = up.plan_id`;

/**
 * WITH_STATUS.active, in words that keep PostgreSQL from using the index of the exclusion constraint, which finds a
 * person's plans four times as slowly as the plain one.
 */
const FOUND_BY_PERSON = raw(`${RUNNING} AND coalesce(up.starts_at, 'infinity') <= ${NOW}
  AND (up.expires_at IS NULL OR up.expires_at > ${NOW})`);

/**
 * Joins the plan of a person in a gym which counts, and its plan `p`: the current one, or else the one that counted
 * last. The only place that says so. Where there is none, `up` is NULL.
 */
export const planThatCounts = (userId: Sql, gymId: Sql) =>
  sql`LEFT JOIN LATERAL (
      SELECT * FROM ${PLANS_WITH_STATUS}
      WHERE up.user_id = ${userId} AND up.gym_id = ${gymId} AND up.starts_at <= coalesce(up.ended_at, ${raw(NOW)})
      -- Sessions that are corrected to 0 after its time do not make it count for longer.
      ORDER BY up.status IN ('active', 'frozen') DESC, least(up.ended_at, up.expires_at) DESC, up.id DESC LIMIT 1
    ) up ON TRUE
    -- Joined for each row by itself: PostgreSQL would make a hash table of all plans for each, thinking it were one.
    LEFT JOIN LATERAL (SELECT * FROM plans p WHERE p.id = up.plan_id OFFSET 0) p ON TRUE`;
