import { Injectable } from '@nestjs/common';
import { ProfilesService } from '../accounts/profiles.service.js';
import type { Actor } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import type { IdempotencyKey } from '../common/http/idempotency.js';
import { Page } from '../common/http/list.js';
import { type Numbered, NumberedPage } from '../common/http/numbered.js';
import { Database, type Queryable, type Transaction } from '../database/database.js';
import { once } from '../database/idempotency.js';
import { listPage, type ListSource } from '../database/keyset.js';
import { numberedPage } from '../database/numbered.js';
import { isFound, wordsOf } from '../database/search.js';
import { assignments, empty, everyGym, inGym, type ScopedSql, sql } from '../database/sql.js';
import { CourseHasEnrolments, CourseNotFound, NoTrainerProfile } from './courses.errors.js';
import { requireMayEnrol, requireMayManage, type Trainer } from './courses.rules.js';
import { COURSE_COLUMNS, enrolmentOf, givenBy, takenBy, TRAINER, visibleCourse } from './courses.sql.js';
import type {
  CourseDto,
  CourseListQuery,
  CreateCourseDto,
  MyCoursesQuery,
  UpdateCourseDto,
} from './dto/courses.dto.js';

/** What trainers offer, in all gyms. */
@Injectable()
export class CoursesService {
  constructor(
    private readonly db: Database,
    private readonly profiles: ProfilesService,
  ) {}

  /** Those that one can take, the newest first. @throws OtherGym */
  async list(actor: Actor, query: CourseListQuery): Promise<Page<CourseDto>> {
    const open = openCourse(actor, query);
    return open ? listPage(this.db, query, sourceFor(actor, open)) : Page.EMPTY;
  }

  /** The same by page numbers. @throws OtherGym */
  async listNumbered(actor: Actor, query: Numbered<CourseListQuery>): Promise<NumberedPage<CourseDto>> {
    const open = openCourse(actor, query);
    return open ? numberedPage(this.db, query, sourceFor(actor, open)) : NumberedPage.empty(query);
  }

  /** Those that one gives or takes, archived ones too, the newest first. @throws OtherGym */
  listMine(actor: Actor, query: MyCoursesQuery): Promise<Page<CourseDto>> {
    const mine = {
      trainer: givenBy(actor),
      trainee: takenBy(actor),
      both: sql`(${givenBy(actor)} OR ${takenBy(actor)})`,
    }[query.as ?? 'both'];
    const condition = sql`${visibleCourse(actor)} AND ${mine} ${ofGym(actor, query.gym_id)}`;
    return listPage(this.db, query, sourceFor(actor, condition));
  }

  /** @throws CourseNotFound */
  async get(actor: Actor, courseId: number, db: Queryable = this.db): Promise<CourseDto> {
    const [course] = await db.query(sql`
      SELECT ${COURSE_COLUMNS} FROM courses c ${TRAINER} ${enrolmentOf(actor)}
      WHERE c.id = ${courseId} AND ${visibleCourse(actor)}`);
    if (!course) throw new CourseNotFound();
    return course;
  }

  /** @throws NoTrainerProfile, NotYourCourse, FieldsInvalid, UserNotFound (who was deleted at this moment) */
  create(actor: Actor, input: CreateCourseDto, key: IdempotencyKey | null): Promise<CourseDto> {
    return once(this.db, actor, key, async (tx) => {
      const profileId = await this.profileFor(tx, actor, input.trainer_profile_id);
      const [course] = await tx.query<{ id: number }>(everyGym`
        INSERT INTO courses (trainer_profile_id, title, description, price)
        VALUES (${profileId}, ${input.title}, ${input.description}, ${input.price}) RETURNING id`);
      return this.get(actor, course!.id, tx);
    });
  }

  /** @throws CourseNotFound, NotYourCourse */
  update(actor: Actor, courseId: number, input: UpdateCourseDto): Promise<CourseDto> {
    return this.db.transaction(async (tx) => {
      await this.lockOwn(tx, actor, courseId);
      await tx.query(everyGym`
        UPDATE courses SET ${assignments(input, ['title', 'description', 'price', 'is_archived'])} updated_at = now()
        WHERE id = ${courseId}`);
      return this.get(actor, courseId, tx);
    });
  }

  /** An archived one goes with its enrolments. @throws CourseNotFound, NotYourCourse, CourseHasEnrolments */
  remove(actor: Actor, courseId: number): Promise<void> {
    return this.db.transaction(async (tx) => {
      await this.lockOwn(tx, actor, courseId);
      const [gone] = await tx.query(everyGym`
        DELETE FROM courses WHERE id = ${courseId}
          AND (is_archived OR NOT EXISTS (SELECT 1 FROM course_enrolments WHERE course_id = ${courseId})) RETURNING 1`);
      if (!gone) throw new CourseHasEnrolments();
    });
  }

  /** Twice is once. @throws CourseNotFound, OwnCourse, CourseArchived */
  enrol(actor: Actor, courseId: number): Promise<CourseDto> {
    return this.db.transaction(async (tx) => {
      // It is not archived at this moment, and a person who is deleted at this moment takes no course.
      await tx.query(everyGym`
        SELECT 1 FROM courses c JOIN users u ON u.id = ${actor.user_id} WHERE c.id = ${courseId} FOR SHARE`);
      const course = await this.get(actor, courseId, tx);
      if (course.is_enrolled) return course;
      requireMayEnrol(actor, course);
      await tx.query(everyGym`
        INSERT INTO course_enrolments (course_id, user_id)
        SELECT ${courseId}, id FROM users WHERE id = ${actor.user_id} AND deleted_at IS NULL
        ON CONFLICT (course_id, user_id) DO NOTHING`);
      return this.get(actor, courseId, tx);
    });
  }

  /** @throws CourseNotFound */
  async leave(actor: Actor, courseId: number): Promise<void> {
    const left = await this.db.change(everyGym`
      DELETE FROM course_enrolments WHERE course_id = ${courseId} AND user_id = ${actor.user_id} RETURNING 1`);
    // One may leave what is hidden.
    if (left.length === 0) await this.get(actor, courseId);
  }

  /** The course, locked until the transaction ends, if the actor may change it. */
  private async lockOwn(tx: Transaction, actor: Actor, courseId: number): Promise<void> {
    const [trainer] = await tx.query<Trainer>(sql`
      SELECT p.account_id, t.gym_id FROM courses c ${TRAINER}
      WHERE c.id = ${courseId} AND ${visibleCourse(actor)} FOR UPDATE OF c`);
    if (!trainer) throw new CourseNotFound();
    requireMayManage(actor, trainer);
  }

  /** The profile that publishes: the one that is named, or one's own. Who is hired as a trainer has one when needed. */
  private async profileFor(tx: Transaction, actor: Actor, named?: number): Promise<number> {
    const [profile] = await tx.query<Trainer & { id: number; is_active: boolean }>(everyGym`
      SELECT p.id, p.account_id, t.gym_id, t.is_active FROM profiles p JOIN users t ON t.id = p.account_id
      WHERE p.profile_type = 'trainer' AND t.deleted_at IS NULL
        AND ${named === undefined ? sql`p.account_id = ${actor.user_id}` : sql`p.id = ${named}`}
      FOR SHARE OF t -- a trainer who is deleted at this moment leaves no course`);
    if (profile) {
      requireMayManage(actor, profile);
      if (!profile.is_active) throw FieldsInvalid.of('trainer_profile_id', 'is the profile of an inactive trainer');
      return profile.id;
    }
    if (named !== undefined) throw FieldsInvalid.of('trainer_profile_id', 'is not the profile of a trainer');
    if (actor.role !== 'trainer') throw new NoTrainerProfile('POST /accounts/{account_id}/profiles adds one.');
    return (await this.profiles.chooseIn(tx, actor, actor.user_id, 'trainer')).profile.id;
  }
}

/** The courses `c` of which this is true, the newest first. */
const sourceFor = (actor: Actor, condition: ScopedSql): ListSource<CourseDto> => ({
  columns: COURSE_COLUMNS,
  from: sql`FROM courses c ${TRAINER} WHERE ${condition}`,
  shown: { alias: 'c', joins: sql`${TRAINER} ${enrolmentOf(actor)}` },
  keys: { id: 'c.id' },
  direction: 'DESC',
});

/** Those that one can take; undefined: nothing can be found by what was typed. @throws OtherGym */
function openCourse(actor: Actor, query: Numbered<CourseListQuery>): ScopedSql | undefined {
  const typed = query.search?.trim();
  const words = wordsOf(typed ?? '');
  if (typed && words.length === 0) return undefined;
  return everyGym`NOT c.is_archived AND t.is_active ${ofGym(actor, query.gym_id)}
    ${typed ? sql`AND ${isFound('c', 'courses', words)}` : empty}`;
}

/** Only those whose trainer is of this gym, if one is named. @throws OtherGym */
const ofGym = (actor: Actor, gymId?: number) =>
  gymId === undefined ? empty : sql`AND ${inGym(actor.scope(gymId), 't.gym_id')}`;
