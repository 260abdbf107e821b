import { columns, computed, optional, part, pick, table } from '../database/columns.js';
import { raw, sql } from '../database/sql.js';
import type { User } from '../people/entities/user.entity.js';
import { emailIn } from '../people/people.sql.js';
import { AT_A_GLANCE, planThatCounts } from '../plans/user-plans.sql.js';
import { VisitDto } from './dto/visit.dto.js';
import type { Visit } from './entities/visit.entity.js';

const v = table<Visit>('v');
const u = table<User>('u');

/** Minutes from check-in to check-out; NULL until then. */
export const STAY_MINUTES = raw('extract(epoch FROM v.check_out_time - v.check_in_time) / 60');

/** A visit `v` as VisitDto, with what is SHOWN_WITH it. */
export const VISIT_COLUMNS = columns(VisitDto, {
  ...pick(v, 'id', 'user_id', 'gym_id'),
  member: part({
    ...pick(u, 'id', 'full_name'),
    email: emailIn(v.gym_id),
    membership: optional(AT_A_GLANCE),
  }),
  attendance_date: computed<string>(sql`(${v.check_in_time} AT TIME ZONE g.timezone)::date::text`),
  ...pick(v, 'check_in_time', 'check_out_time'),
  stay_minutes: computed<number | null>(sql`round(${STAY_MINUTES})::int`),
  ...pick(v, 'is_auto_closed', 'location', 'notes'),
  status: computed<VisitDto['status']>(
    sql`CASE WHEN ${v.check_out_time} IS NULL THEN 'checked_in' ELSE 'checked_out' END`,
  ),
  ...pick(v, 'user_plan_id', 'recorded_by_id', 'created_at', 'updated_at'),
});

export const SHOWN_WITH = sql`JOIN users u ON u.id = v.user_id JOIN gyms g ON g.id = v.gym_id
  ${planThatCounts(v.user_id, v.gym_id)}`;
/** The visits, with the zone in which they were. */
// LEFT, though each has one: where the zone is not asked for, PostgreSQL leaves it out.
export const VISITS = raw('attendance v LEFT JOIN gyms g ON g.id = v.gym_id');
