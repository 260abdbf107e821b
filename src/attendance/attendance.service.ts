import { Injectable } from '@nestjs/common';
import type { Actor, GymScope, Principal } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import type { DomainError } from '../common/errors/domain-error.js';
import { GymTime } from '../common/http/gym-time.js';
import type { IdempotencyKey } from '../common/http/idempotency.js';
import type { GymListQuery, ListQuery, Page } from '../common/http/list.js';
import { Database, type Queryable, type Transaction } from '../database/database.js';
import { once } from '../database/idempotency.js';
import { listPage } from '../database/keyset.js';
import { assignments, empty, everyGym, inGym, raw, type ScopedSql, type Sql, sql } from '../database/sql.js';
import { GymInactive } from '../gyms/gyms.errors.js';
import { between, localDay, onDay, pastMomentOf, today } from '../gyms/local-time.js';
import { requirePerson } from '../people/people.js';
import { visibleTo } from '../people/people.sql.js';
import { UserPlansService } from '../plans/user-plans.service.js';
import { AlreadyCheckedOut, MemberInactive, VisitNotFound } from './attendance.errors.js';
import { MemberCheckedIn, MemberCheckedOut, VisitCorrected, VisitRemoved } from './attendance.events.js';
import { OF_WHOM, STAY_MINUTES, VISIT_COLUMNS, VISITS } from './attendance.sql.js';
import type { CheckInStatsDto } from './dto/checkin-messages.dto.js';
import type {
  CheckInDto,
  CheckOutDto,
  UpdateVisitDto,
  VisitDto,
  VisitListQuery,
  VisitSummaryDto,
} from './dto/visit.dto.js';

/** A visit that was noted on paper is written down within this time. */
const DAYS_ON_PAPER = 30;

/** A night job takes so many visits at a time. */
const BATCH = 500;

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
    private readonly userPlans: UserPlansService,
  ) {}

  /** The newest first. @throws OtherGym */
  list(actor: Actor, query: VisitListQuery): Promise<Page<VisitDto>> {
    const scope = actor.scope(query.gym_id);
    const from = sql`FROM ${VISITS} WHERE ${visibleTo(actor, 'v', query.gym_id)} ${between(scope, 'v.check_in_time', query)}
      ${query.user_id ? sql`AND v.user_id = ${query.user_id}` : empty}`;
    return this.page(query, from);
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
  async listOf(actor: Actor, userId: number, query: GymListQuery): Promise<Page<VisitDto>> {
    const page = await this.page(
      query,
      sql`FROM ${VISITS} WHERE v.user_id = ${userId} AND ${visibleTo(actor, 'v', query.gym_id)}`,
    );
    if (page.items.length === 0) await requirePerson(this.db, actor, userId);
    return page;
  }

  /** @throws UserNotFound */
  async summarize(actor: Actor, userId: number): Promise<VisitSummaryDto> {
    const scope = await requirePerson(this.db, actor, userId);
    // Days in a row, counted backwards, all have the same day + position.
    const [summary] = await this.db.query<VisitSummaryDto>(sql`
      WITH visits AS (
        SELECT v.check_in_time, v.check_out_time, v.is_auto_closed, ${STAY_MINUTES} AS minutes, ${localDay(scope, 'v.check_in_time')} AS day,
          ${today(scope).own} AS today
        FROM attendance v WHERE v.user_id = ${userId} AND ${visibleTo(actor, 'v')}
      ), runs AS (
        SELECT day, day + row_number() OVER (ORDER BY day DESC)::int AS run FROM visits GROUP BY day
      ), streak AS (
        SELECT count(*) AS days, max(day) AS last_day FROM runs WHERE run = (SELECT max(run) FROM runs)
      )
      SELECT ${userId}::int AS user_id, count(*) AS total_visits,
        count(*) FILTER (WHERE day >= date_trunc('month', today)) AS visits_this_month,
        round(avg(minutes) FILTER (WHERE NOT is_auto_closed)) AS average_stay_minutes,
        (SELECT CASE WHEN last_day >= ${today(scope).own} - 1 THEN days ELSE 0 END FROM streak) AS current_streak_days,
        max(check_in_time) AS last_visit_at, count(*) FILTER (WHERE check_out_time IS NULL) > 0 AS is_inside
      FROM visits`);
    return summary!;
  }

  /** Who is inside, and today in numbers: two ranges of two indexes. */
  async stats(scope: GymScope): Promise<CheckInStatsDto> {
    const [stats] = await this.db.query<Omit<CheckInStatsDto, 'timestamp'>>(sql`
      SELECT ${scope.gym_id}::int AS gym_id,
        (SELECT count(*) FROM attendance v WHERE ${inGym(scope, 'v.gym_id')} AND v.check_out_time IS NULL) AS currently_in,
        count(*) AS today_total,
        coalesce(round(avg(${STAY_MINUTES}) FILTER (WHERE NOT v.is_auto_closed)), 0) AS average_stay_minutes
      FROM attendance v JOIN gyms g ON g.id = v.gym_id
      WHERE ${inGym(scope, 'v.gym_id')} AND ${onDay(scope, 'v.check_in_time', today(scope))}`);
    return { ...stats!, timestamp: new Date().toISOString() };
  }

  /** The gyms whose day began within this quarter of an hour, and where somebody came in the one before. */
  async gymsInNewDay(): Promise<number[]> {
    const gyms = await this.db.query<{ id: number }>(everyGym`
      SELECT g.id FROM gyms g
      CROSS JOIN LATERAL (SELECT day_start((now() AT TIME ZONE g.timezone)::date, g.timezone) AS began_at) d
      WHERE d.began_at >= date_bin('15 minutes', now(), timestamptz '2000-01-01Z') AND EXISTS (
        SELECT 1 FROM attendance v WHERE v.gym_id = g.id AND v.check_in_time >= d.began_at - interval '26 hours')`);
    return gyms.map(({ id }) => id);
  }

  /** @throws FieldsInvalid, MemberInactive, GymInactive, AlreadyCheckedIn, PlanNotActive, NoSessionsLeft, VisitTimesWrong */
  checkIn(actor: Actor, input: CheckInDto, key: IdempotencyKey | null): Promise<VisitDto> {
    return once(this.db, actor, key, async (tx) => {
      const who = input.qr_code ? sql`u.qr_code = ${input.qr_code}` : sql`u.id = ${input.user_id}`;
      const member = sql`${who} AND u.role = 'user' AND u.deleted_at IS NULL AND ${inGym(actor.scope(), 'u.gym_id')}`;
      const { location, notes } = input;
      const times = await this.timesOnPaper(tx, member, input);
      const userPlanId = await this.planOfVisit(tx, actor, member, input);
      const visit = await this.open(tx, actor, member, { location, notes, ...times, user_plan_id: userPlanId });
      if (!visit) throw await this.whyNot(tx, member, input);
      return visit;
    });
  }

  /** The visit of a member who was found fit to enter. @throws MemberInactive, AlreadyCheckedIn */
  async enter(tx: Transaction, actor: Principal, memberId: number, details: VisitDetails): Promise<VisitDto> {
    const member = sql`u.id = ${memberId} AND u.role = 'user' AND ${inGym(actor.scope(), 'u.gym_id')}`;
    const visit = await this.open(tx, actor, member, details);
    if (!visit) throw new MemberInactive();
    return visit;
  }

  /** @throws VisitNotFound, AlreadyCheckedOut */
  checkOut(actor: Actor, visitId: number, input: CheckOutDto, key: IdempotencyKey | null): Promise<VisitDto> {
    return once(this.db, actor, key, async (tx) => {
      const [visit] = await tx.query(sql`
        WITH v AS (
          UPDATE attendance v SET check_out_time = moment(), updated_at = now(),
            notes = nullif(concat_ws(E'\n', nullif(v.notes, ''), nullif(${input.notes}, '')), '')
          WHERE v.id = ${visitId} AND ${visibleTo(actor, 'v')} AND v.check_out_time IS NULL RETURNING *)
        SELECT ${VISIT_COLUMNS} FROM v ${OF_WHOM}`);
      if (!visit) {
        await this.find(tx, actor, visitId);
        throw new AlreadyCheckedOut();
      }
      tx.emit(new MemberCheckedOut(visit));
      return visit;
    });
  }

  /** Ends the visit of a person who leaves the gym, or comes into another: they are inside once, or not at all. */
  async endVisitsOf(tx: Transaction, userId: number): Promise<void> {
    const visits = await tx.query(everyGym`
      WITH v AS (
        UPDATE attendance SET check_out_time = greatest(moment(), check_in_time), updated_at = now()
        WHERE user_id = ${userId} AND check_out_time IS NULL RETURNING *)
      SELECT ${VISIT_COLUMNS} FROM v ${OF_WHOM}`);
    for (const visit of visits) tx.emit(new MemberCheckedOut(visit));
  }

  /** @throws VisitNotFound, VisitTimesWrong, AlreadyCheckedIn, FieldsInvalid */
  update(actor: Actor, visitId: number, input: UpdateVisitDto): Promise<VisitDto> {
    const columns = ['check_in_time', 'check_out_time', 'location', 'notes'] as const;
    return this.db.transaction(async (tx) => {
      const before = await this.find(tx, actor, visitId, raw('FOR NO KEY UPDATE OF v'));
      const past = async (field: 'check_in_time' | 'check_out_time') =>
        input[field] ? pastMomentOf(tx, before.gym_id, field, input[field]) : input[field];
      const times = { check_in_time: await past('check_in_time'), check_out_time: await past('check_out_time') };
      await tx.query(sql`
        UPDATE attendance v SET ${assignments({ ...input, ...times }, columns)} updated_at = now(),
          is_auto_closed = is_auto_closed AND (${times.check_out_time === undefined}
            OR check_out_time IS NOT DISTINCT FROM ${times.check_out_time}::timestamptz(3))
        WHERE v.id = ${visitId} AND ${visibleTo(actor, 'v')}`);
      const after = await this.find(tx, actor, visitId);
      if (before.status === 'checked_in' && after.status === 'checked_out') tx.emit(new MemberCheckedOut(after));
      else if (before.status === 'checked_out' && after.status === 'checked_in') tx.emit(new MemberCheckedIn(after));
      else tx.emit(new VisitCorrected(after.gym_id));
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

  /** The night job: ends visits that were left open, at the end of their local day. Whoever came late may stay a while. */
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
          SELECT ${VISIT_COLUMNS} FROM v ${OF_WHOM}`);
        for (const visit of visits) tx.emit(new MemberCheckedOut(visit));
        return visits.length;
      });
    }
  }

  private async timesOnPaper(
    tx: Transaction,
    member: ScopedSql,
    input: CheckInDto,
  ): Promise<Pick<VisitDetails, 'check_in_time' | 'check_out_time'>> {
    if (!input.check_in_time && !input.check_out_time) return {};
    const [found] = await tx.query<{ gym_id: number }>(sql`SELECT u.gym_id FROM users u WHERE ${member}`);
    if (!found) throw await this.whyNot(tx, member, input);
    const past = async (field: 'check_in_time' | 'check_out_time') =>
      input[field] && (await pastMomentOf(tx, found.gym_id, field, input[field]));
    const times = { check_in_time: await past('check_in_time'), check_out_time: await past('check_out_time') };
    if (times.check_in_time && times.check_in_time.getTime() < Date.now() - DAYS_ON_PAPER * 86_400_000) {
      throw FieldsInvalid.of('check_in_time', `is more than ${DAYS_ON_PAPER} days ago`);
    }
    return times;
  }

  private async planOfVisit(
    tx: Transaction,
    actor: Actor,
    member: ScopedSql,
    { action, user_plan_id }: CheckInDto,
  ): Promise<number | null> {
    const isDeducted = action === 'check_in_with_deduction';
    if (user_plan_id === undefined) return isDeducted ? this.userPlans.chargeVisit(tx, actor, member) : null;
    if (isDeducted) {
      throw FieldsInvalid.of('user_plan_id', 'has lost a session already: send it without check_in_with_deduction');
    }
    await this.userPlans.requireUsed(tx, member, user_plan_id);
    return user_plan_id;
  }

  private async open(
    tx: Transaction,
    actor: Principal,
    member: ScopedSql,
    { location, notes, user_plan_id, check_in_time, check_out_time }: VisitDetails,
  ): Promise<VisitDto | undefined> {
    const [visit] = await tx.query(sql`
      WITH v AS (
        INSERT INTO attendance (user_id, gym_id, check_in_time, check_out_time, location, notes, user_plan_id, recorded_by_id)
        SELECT u.id, u.gym_id, coalesce(${check_in_time}::timestamptz, moment()), ${check_out_time}::timestamptz, ${location}, ${notes},
          ${user_plan_id}::int, ${actor.user_id}::int
        FROM users u JOIN gyms g ON g.id = u.gym_id WHERE ${member} AND u.is_active AND g.is_active
        FOR SHARE OF u -- a person who leaves at this moment has no visit that nobody ends
        RETURNING *)
      SELECT ${VISIT_COLUMNS} FROM v ${OF_WHOM}`);
    // One that is over brings nobody in.
    if (visit) tx.emit(visit.check_out_time ? new VisitCorrected(visit.gym_id) : new MemberCheckedIn(visit));
    return visit;
  }

  private async whyNot(tx: Transaction, member: ScopedSql, input: CheckInDto): Promise<DomainError> {
    const [found] = await tx.query<{ is_active: boolean }>(sql`SELECT u.is_active FROM users u WHERE ${member}`);
    if (found) return found.is_active ? new GymInactive() : new MemberInactive();
    return input.qr_code
      ? FieldsInvalid.of('qr_code', "is no member's of the gym; a pass that was renewed does not count any more")
      : FieldsInvalid.of('user_id', 'is not a member of the gym');
  }

  private page(query: ListQuery, from: ScopedSql): Promise<Page<VisitDto>> {
    const keys = { check_in_time: 'v.check_in_time', id: 'v.id' };
    return listPage(this.db, query, { columns: VISIT_COLUMNS, from, keys, direction: 'DESC' });
  }

  private async find(db: Queryable, actor: Actor, visitId: number, lock: Sql = empty): Promise<VisitDto> {
    const [visit] = await db.query(
      sql`SELECT ${VISIT_COLUMNS} FROM ${VISITS} WHERE v.id = ${visitId} AND ${visibleTo(actor, 'v')} ${lock}`,
    );
    if (!visit) throw new VisitNotFound();
    return visit;
  }
}
