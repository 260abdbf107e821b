import type { Actor } from '../common/actor/actor.js';
import { columns, computed, part, pick, table } from '../database/columns.js';
import { everyGym, raw, type ScopedSql, sql } from '../database/sql.js';
import type { User } from '../people/entities/user.entity.js';
import { CourseDto } from './dto/courses.dto.js';
import type { Course } from './entities/course.entity.js';

const c = table<Course>('c');

/** Joins the profile `p` and the person `t` who give a course `c`. */
export const TRAINER = raw('JOIN profiles p ON p.id = c.trainer_profile_id JOIN users t ON t.id = p.account_id');

/** Of `courses c`, with its TRAINER and `enrolmentOf` the actor. */
export const COURSE_COLUMNS = columns(CourseDto, {
  ...pick(c, 'id', 'title', 'description', 'price', 'trainer_profile_id'),
  trainer: part(pick(table<User>('t'), 'id', 'full_name', 'username')),
  enrolment_count: computed<number>(raw('(SELECT count(*) FROM course_enrolments e WHERE e.course_id = c.id)')),
  is_archived: c.is_archived,
  is_enrolled: computed<boolean>(raw('own.id IS NOT NULL')),
  ...pick(c, 'created_at', 'updated_at'),
});

/** Joins what makes the actor one of those who take the course `c`. */
export const enrolmentOf = (actor: Actor) =>
  sql`LEFT JOIN course_enrolments own ON own.course_id = c.id AND own.user_id = ${actor.user_id}`;

/** Courses `c` of trainers `t` of all gyms. One who is inactive gives none now: then only a manager knows of them. */
export function visibleCourse(actor: Actor): ScopedSql {
  if (actor.role === 'admin') return everyGym`TRUE`;
  return actor.role === 'manager' ? everyGym`(t.is_active OR t.gym_id = ${actor.gym_id})` : everyGym`t.is_active`;
}

/** Courses `c` that the actor gives, or takes. */
export const givenBy = (actor: Actor) =>
  sql`c.trainer_profile_id = ANY(ARRAY(SELECT id FROM profiles WHERE account_id = ${actor.user_id}))`;
export const takenBy = (actor: Actor) =>
  sql`c.id = ANY(ARRAY(SELECT course_id FROM course_enrolments WHERE user_id = ${actor.user_id}))`;
