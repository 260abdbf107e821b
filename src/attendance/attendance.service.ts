import { Injectable } from '@nestjs/common';
import type { Actor, Principal } from '../common/actor/actor.js';
import { PassGuesses } from '../auth/pass-guesses.js';
import { GymTime } from '../common/http/gym-time.js';
import type { IdempotencyKey } from '../common/http/idempotency.js';
import type { GymListQuery, ListQuery, Page } from '../common/http/list.js';
import { type Numbered, NumberedPage } from '../common/http/numbered.js';
import { Database, type Queryable, type Transaction, type Unit } from '../database/database.js';
import { once, onceInOne } from '../database/idempotency.js';
import { listPage } from '../database/keyset.js';
import { numberedPage } from '../database/numbered.js';
import { wordsOf } from '../database/search.js';
import { assignments, empty, everyGym, inGym, raw, type ScopedSql, type Sql, sql } from '../database/sql.js';
import { between, CLOCKS_DIFFER, daysBefore, fromDay, pastMomentOf, toDay, today } from '../gyms/local-time.js';
import { pageOfMember } from '../people/of-member.js';
import { visibleTo } from '../people/people.sql.js';
import { membersCalled } from '../people/search.sql.js';
import { NoSessionsLeft, PlanNotActive } from '../plans/plans.errors.js';
import { chargeVisit, requireUsed } from '../plans/plan-sessions.js';
import { AlreadyCheckedIn, AlreadyCheckedOut, MemberInactive, VisitNotFound } from './attendance.errors.js';
import {
  DAYS_ON_PAPER,
  isOnlyVisit,
  isUnknownPass,
  newsOfCorrection,
  newsOfVisit,
  refusalOfCheckIn,
  requireMayCorrect,
  requireRecentPaper,
  takesSession,
  type Visitor,
} from './attendance.rules.js';
import type { User } from '../people/entities/user.entity.js';
import { MemberCheckedOut, VisitRemoved } from './attendance.events.js';
import { SHOWN_WITH, VISIT_COLUMNS, VISITS } from './attendance.sql.js';
import type { CheckInDto, CheckOutDto, UpdateVisitDto, VisitDto, VisitListQuery } from './dto/visit.dto.js';

/** A night job takes so many visits at a time. */
const BATCH = 500;

/** The newest first. */
const LISTED = {
  columns: VISIT_COLUMNS,
  shown: { alias: 'v', joins: SHOWN_WITH },
  keys: { check_in_time: 'v.check_in_time', id: 'v.id' },
  direction: 'DESC',
} as const;

const WITH_STATUS = {
  checked_in: raw('AND v.check_out_time IS NULL'),
  checked_out: raw('AND v.check_out_time IS NOT NULL'),
};

export interface VisitsQuery extends Numbered<VisitListQuery> {
  /** Words of the member's name, phone, email or document; their id; or their pass code. */
  search?: string;
  status?: VisitDto['status'];
  /** Local days, as days before today: { first: 6, last: 0 } is today and the six days before it. */
  days_ago?: { first: number; last: number };
}

type CheckInInGym = CheckInDto & { gym_id?: number | undefined };

interface VisitDetails {
  location?: string | null;
  notes?: string | null;
  /** The plan that has lost a session for it. */
  user_plan_id: number | null;
  /** If it was noted on paper; now by default. */
  check_in_time?: Date;
  check_out_time?: Date;
}

/** Who is in the gym, and who was. */
@Injectable()
export class AttendanceService {
  constructor(
    private readonly db: Database,
    private readonly guesses: PassGuesses,
  ) {}

  /** The newest first. @throws OtherGym */
  list(actor: Actor, query: VisitListQuery): Promise<Page<VisitDto>> {
    return this.page(query, this.found(actor, query));
  }

  /** The same by page numbers, and found by more. @throws OtherGym */
  async listNumbered(actor: Actor, query: VisitsQuery): Promise<NumberedPage<VisitDto>> {
    const { status, days_ago: days } = query;
    const scope = actor.scope(query.gym_id);
    const typed = query.search?.trim();
    const words = wordsOf(typed ?? '');
    if (typed && words.length === 0) return NumberedPage.empty(query);
    const called = typed && membersCalled(actor, scope, typed, words, { byId: true });
    const from = sql`${this.found(actor, query)} ${status ? WITH_STATUS[status] : empty}
      ${called ? sql`AND v.user_id = ANY(${called})` : empty}
      ${days ? sql`AND ${fromDay(scope, 'v.check_in_time', daysBefore(today(scope), days.first))}` : empty}
      ${days ? sql`AND ${toDay(scope, 'v.check_in_time', daysBefore(today(scope), days.last))}` : empty}`;
    return numberedPage(this.db, query, { ...LISTED, from });
  }

  /** @throws VisitNotFound */
  get(actor: Actor, visitId: number): Promise<VisitDto> {
    return this.find(this.db, actor, visitId);
  }

  /** Those that began on a local day, the newest first. @throws OtherGym */
  listDaily(actor: Actor, date: string, query: GymListQuery): Promise<Page<VisitDto>> {
    const day = new GymTime(date);
    return this.list(actor, { ...query, start_date: day, end_date: day });
  }

  /** Who is inside, the last to come first. @throws OtherGym */
  listCurrent(actor: Actor, query: GymListQuery): Promise<Page<VisitDto>> {
    return this.page(
      query,
      sql`FROM ${VISITS} WHERE ${visibleTo(actor, 'v', query.gym_id)} AND v.check_out_time IS NULL`,
    );
  }

  /** The newest first. @throws UserNotFound */
  listOf(actor: Actor, userId: number, query: GymListQuery): Promise<Page<VisitDto>> {
    return pageOfMember(
      this.db,
      actor,
      userId,
      this.page(query, sql`FROM ${VISITS} WHERE v.user_id = ${userId} AND ${visibleTo(actor, 'v', query.gym_id)}`),
    );
  }

  /**
   * @param input with the gym whose member it must be, if that is said
   * @throws OtherGym, FieldsInvalid, MemberInactive, GymInactive, AlreadyCheckedIn (with the open visit),
   *   PlanNotActive, NoSessionsLeft, VisitTimesWrong, TooManyRequests (passes are tried)
   */
  checkIn(actor: Actor, input: CheckInInGym, key: IdempotencyKey | null): Promise<VisitDto> {
    const checkedIn = () => this.checkInNow(actor, input, key);
    return input.qr_code ? this.guesses.limit(actor, checkedIn, isUnknownPass) : checkedIn();
  }

  private async checkInNow(actor: Actor, input: CheckInInGym, key: IdempotencyKey | null): Promise<VisitDto> {
    const { user_id, qr_code, location, notes } = input;
    const byCode = qr_code ? sql`AND u.qr_code = ${qr_code}` : empty;
    const byId = user_id || !qr_code ? sql`AND u.id = ${user_id}` : empty;
    const member = sql`u.role = 'user' AND u.deleted_at IS NULL AND ${inGym(actor.scope(input.gym_id), 'u.gym_id')}
      ${byCode} ${byId}`;
    const begin = async (unit: Unit, details: VisitDetails) => {
      const visit = await this.beginVisit(unit, actor, member, { location, notes, ...details });
      if (visit) return visit;
      const [found] = await unit.query<Pick<User, 'is_active'>>(sql`SELECT u.is_active FROM users u WHERE ${member}`);
      throw refusalOfCheckIn(found, input);
    };
    try {
      if (isOnlyVisit(input))
        return await onceInOne(this.db, actor, key, (unit) => begin(unit, { user_plan_id: null }));
      return await once(this.db, actor, key, async (tx) => {
        const times = await this.timesOnPaper(tx, member, input);
        const planId = await this.planOfVisit(tx, actor, member, input, times.check_in_time);
        return begin(tx, { ...times, user_plan_id: planId });
      });
    } catch (error) {
      // Also if the plan has nothing left because of it: it may be the same check-in again.
      const isOverPlan = error instanceof NoSessionsLeft || error instanceof PlanNotActive;
      const isInside = error instanceof AlreadyCheckedIn;
      const visit = isInside || (isOverPlan && !input.check_out_time) ? await this.openVisitOf(member) : null;
      throw isInside || visit ? new AlreadyCheckedIn(visit) : error;
    }
  }

  /** The visit of a member who was found fit to enter. @throws MemberInactive, AlreadyCheckedIn */
  async enter(tx: Transaction, actor: Principal, memberId: number, details: VisitDetails): Promise<VisitDto> {
    const member = sql`u.id = ${memberId} AND u.role = 'user' AND ${inGym(actor.scope(), 'u.gym_id')}`;
    const visit = await this.beginVisit(tx, actor, member, details);
    if (!visit) throw new MemberInactive();
    return visit;
  }

  /** @throws VisitNotFound, AlreadyCheckedOut */
  checkOut(actor: Actor, visitId: number, input: CheckOutDto, key: IdempotencyKey | null): Promise<VisitDto> {
    return onceInOne(this.db, actor, key, async (unit) => {
      const [visit] = await unit.query(sql`
        WITH v AS (
          UPDATE attendance v SET check_out_time = moment(), updated_at = now(),
            notes = nullif(concat_ws(E'\n', nullif(v.notes, ''), nullif(${input.notes}, '')), '')
          WHERE v.id = ${visitId} AND ${visibleTo(actor, 'v')} AND v.check_out_time IS NULL RETURNING *)
        SELECT ${VISIT_COLUMNS} FROM v ${SHOWN_WITH}`);
      if (!visit) {
        await this.find(unit, actor, visitId);
        throw new AlreadyCheckedOut();
      }
      unit.emit(new MemberCheckedOut(visit));
      return visit;
    });
  }

  /** Ends the visit of a person who leaves the gym, or comes into another: they are inside once, or not at all. */
  async endVisitsOf(tx: Transaction, userId: number): Promise<void> {
    const visits = await tx.query(everyGym`
      WITH v AS (
        UPDATE attendance SET check_out_time = greatest(moment(), check_in_time), updated_at = now()
        WHERE user_id = ${userId} AND check_out_time IS NULL RETURNING *)
      SELECT ${VISIT_COLUMNS} FROM v ${SHOWN_WITH}`);
    for (const visit of visits) tx.emit(new MemberCheckedOut(visit));
  }

  /**
   * @throws VisitNotFound, VisitTimesWrong, AlreadyCheckedIn, MemberLeft, MemberInactive, GymInactive, FieldsInvalid,
   *   ChangedSinceRead
   */
  update(actor: Actor, visitId: number, input: UpdateVisitDto): Promise<VisitDto> {
    const columns = ['check_in_time', 'check_out_time', 'location', 'notes'] as const;
    return this.db.transaction(async (tx) => {
      const visitor = await this.lockVisitor(tx, await this.find(tx, actor, visitId));
      const before = await this.find(tx, actor, visitId, raw('FOR NO KEY UPDATE OF v'));
      requireMayCorrect(visitor, before, input);
      const past = async (field: 'check_in_time' | 'check_out_time') =>
        input[field] ? pastMomentOf(tx, before.gym_id, field, input[field]) : input[field];
      const times = { check_in_time: await past('check_in_time'), check_out_time: await past('check_out_time') };
      await tx.query(sql`
        UPDATE attendance v SET ${assignments({ ...input, ...times }, columns)} updated_at = now(),
          is_auto_closed = is_auto_closed AND (${times.check_out_time === undefined}
            OR check_out_time IS NOT DISTINCT FROM ${times.check_out_time}::timestamptz(3))
        WHERE v.id = ${visitId} AND ${visibleTo(actor, 'v')}`);
      const after = await this.find(tx, actor, visitId);
      tx.emit(newsOfCorrection(before, after));
      return after;
    });
  }

  /** A session that was deducted for it is not given back. @throws VisitNotFound */
  remove(actor: Actor, visitId: number): Promise<void> {
    return this.db.transaction(async (tx) => {
      const [gone] = await tx.query<{ gym_id: number }>(sql`
        DELETE FROM attendance v WHERE v.id = ${visitId} AND ${visibleTo(actor, 'v')} RETURNING v.gym_id`);
      if (!gone) throw new VisitNotFound();
      tx.emit(new VisitRemoved(gone.gym_id, visitId));
    });
  }

  /** The night job: ends visits that were left open, at the end of their local day. Late visits get six hours. */
  async closeForgotten(): Promise<void> {
    let closed = BATCH;
    while (closed === BATCH) {
      closed = await this.db.transaction(async (tx) => {
        const visits = await tx.query(everyGym`
          WITH v AS (
            UPDATE attendance v SET check_out_time = f.end_of_day, is_auto_closed = TRUE, updated_at = now()
            FROM (
              SELECT v.id, d.end_of_day FROM attendance v JOIN gyms g ON g.id = v.gym_id
              CROSS JOIN LATERAL (SELECT day_start((v.check_in_time AT TIME ZONE g.timezone)::date + 1, g.timezone)
                AS end_of_day) d
              WHERE v.check_out_time IS NULL AND d.end_of_day <= now() AND v.check_in_time < now() - interval '6 hours'
              LIMIT ${BATCH} FOR NO KEY UPDATE OF v SKIP LOCKED
            ) f WHERE v.id = f.id RETURNING v.*)
          SELECT ${VISIT_COLUMNS} FROM v ${SHOWN_WITH}`);
        for (const visit of visits) tx.emit(new MemberCheckedOut(visit));
        return visits.length;
      });
    }
  }

  /** Whose visit it is, as they are now. Who leaves at this moment waits for what is done, or is found to have left. */
  private async lockVisitor(tx: Transaction, { user_id, gym_id }: VisitDto): Promise<Visitor> {
    const [visitor] = await tx.query<Visitor>(everyGym`
      SELECT u.deleted_at IS NOT NULL AS is_deleted, u.is_active, g.is_active AS is_gym_active,
        u.deleted_at IS NULL AND u.role = 'user' AND u.gym_id = g.id AS is_member
      FROM users u JOIN gyms g ON g.id = ${gym_id} WHERE u.id = ${user_id} FOR SHARE OF u`);
    return visitor!;
  }

  private async timesOnPaper(
    tx: Transaction,
    member: ScopedSql,
    input: CheckInDto,
  ): Promise<Pick<VisitDetails, 'check_in_time' | 'check_out_time'>> {
    if (!input.check_in_time && !input.check_out_time) return {};
    const [found] = await tx.query<{ gym_id: number; earliest: Date; just_now: Date }>(sql`
      SELECT u.gym_id, day_start((now() AT TIME ZONE g.timezone)::date - ${DAYS_ON_PAPER}::int, g.timezone) AS earliest,
        moment() - ${CLOCKS_DIFFER} AS just_now
      FROM users u JOIN gyms g ON g.id = u.gym_id WHERE ${member}`);
    if (!found) throw refusalOfCheckIn(undefined, input);
    const past = async (field: 'check_in_time' | 'check_out_time') =>
      input[field] && (await pastMomentOf(tx, found.gym_id, field, input[field]));
    const [begun, ended] = [await past('check_in_time'), await past('check_out_time')];
    requireRecentPaper(begun, found.earliest);
    // A visit without a beginning begins now. If it ends now, too, both are the same moment.
    const endsNow = ended && ended > found.just_now;
    return { check_in_time: begun ?? (endsNow ? ended : undefined), check_out_time: ended };
  }

  private async planOfVisit(
    tx: Transaction,
    actor: Actor,
    member: ScopedSql,
    input: CheckInDto,
    begun: Date | undefined,
  ): Promise<number | null> {
    if (takesSession(input)) return chargeVisit(tx, actor, member);
    if (input.user_plan_id === undefined) return null;
    await requireUsed(tx, member, input.user_plan_id, begun);
    return input.user_plan_id;
  }

  private async openVisitOf(member: ScopedSql): Promise<VisitDto | null> {
    const [visit] = await this.db.query(sql`
      SELECT ${VISIT_COLUMNS} FROM attendance v ${SHOWN_WITH} WHERE ${member} AND v.check_out_time IS NULL`);
    return visit ?? null;
  }

  private async beginVisit(
    unit: Unit,
    actor: Principal,
    member: ScopedSql,
    { location, notes, user_plan_id, check_in_time, check_out_time }: VisitDetails,
  ): Promise<VisitDto | undefined> {
    const [visit] = await unit.query(sql`
      WITH v AS (
        INSERT INTO attendance
          (user_id, gym_id, check_in_time, check_out_time, location, notes, user_plan_id, recorded_by_id)
        SELECT u.id, u.gym_id, coalesce(${check_in_time}::timestamptz, moment()), ${check_out_time}::timestamptz,
          ${location}, ${notes}, ${user_plan_id}::int, ${actor.user_id}::int
        FROM users u JOIN gyms g ON g.id = u.gym_id WHERE ${member} AND u.is_active AND g.is_active
        FOR SHARE OF u -- a person who leaves at this moment has no visit that stays open
        RETURNING *)
      SELECT ${VISIT_COLUMNS} FROM v ${SHOWN_WITH}`);
    if (visit) unit.emit(newsOfVisit(visit));
    return visit;
  }

  private found(actor: Actor, query: Numbered<VisitListQuery>): ScopedSql {
    return sql`FROM ${VISITS}
      WHERE ${visibleTo(actor, 'v', query.gym_id)} ${between(actor.scope(query.gym_id), 'v.check_in_time', query)}
      ${query.user_id ? sql`AND v.user_id = ${query.user_id}` : empty}`;
  }

  private page(query: ListQuery, from: ScopedSql): Promise<Page<VisitDto>> {
    return listPage(this.db, query, { ...LISTED, from });
  }

  private async find(db: Queryable, actor: Actor, visitId: number, lock: Sql = empty): Promise<VisitDto> {
    const [visit] = await db.query(
      sql`SELECT ${VISIT_COLUMNS} FROM attendance v ${SHOWN_WITH} WHERE v.id = ${visitId} AND ${visibleTo(actor, 'v')} ${lock}`,
    );
    if (!visit) throw new VisitNotFound();
    return visit;
  }
}
