import { Injectable } from '@nestjs/common';
import type { Actor } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import type { IdempotencyKey } from '../common/http/idempotency.js';
import type { GymListQuery, ListQuery, Page } from '../common/http/list.js';
import { Database, type Queryable, type Transaction } from '../database/database.js';
import { once } from '../database/idempotency.js';
import { listPage } from '../database/keyset.js';
import { assignments, empty, join, raw, type ScopedSql, sql } from '../database/sql.js';
import { between, dayOf, localDay, pastMomentOf } from '../gyms/local-time.js';
import { pageOfMember } from '../people/of-member.js';
import { requirePerson } from '../people/people.js';
import { visiblePerson, visibleTo } from '../people/people.sql.js';
import {
  type ChartQuery,
  type CreateMeasurementDto,
  type MeasurementDto,
  type MeasurementListQuery,
  type ProgressDto,
  type RangeQuery,
  type Size,
  SIZE_NAMES,
  type UpdateMeasurementDto,
} from './dto/measurement.dto.js';
import type { Measurement } from './entities/measurement.entity.js';
import { MeasurementNotFound } from './measurements.errors.js';
import { progressOf } from './measurements.rules.js';
import { MEASUREMENT_COLUMNS, SIZE_COLUMNS } from './measurements.sql.js';
import type { ProgressChart } from './progress-chart.js';

/** The bodies of the members. */
@Injectable()
export class MeasurementsService {
  constructor(private readonly db: Database) {}

  /** The newest first; a member sees their own. @throws OtherGym */
  list(actor: Actor, query: MeasurementListQuery): Promise<Page<MeasurementDto>> {
    const from = sql`FROM measurements b WHERE ${visibleTo(actor, 'b', query.gym_id)}
      ${query.user_id ? sql`AND b.user_id = ${query.user_id}` : empty}`;
    return this.page(query, from);
  }

  /** @throws UserNotFound */
  listOf(actor: Actor, userId: number, query: GymListQuery): Promise<Page<MeasurementDto>> {
    return pageOfMember(
      this.db,
      actor,
      userId,
      this.page(query, sql`FROM measurements b WHERE b.user_id = ${userId} AND ${visibleTo(actor, 'b', query.gym_id)}`),
    );
  }

  /** @throws MeasurementNotFound */
  get(actor: Actor, measurementId: number): Promise<MeasurementDto> {
    return this.find(this.db, sql`b.id = ${measurementId} AND ${visibleTo(actor, 'b')}`);
  }

  /** @throws MeasurementNotFound */
  getLatest(actor: Actor, userId: number): Promise<MeasurementDto> {
    return this.find(
      this.db,
      sql`b.user_id = ${userId} AND ${visibleTo(actor, 'b')} ORDER BY b.measurement_date DESC, b.id DESC LIMIT 1`,
    );
  }

  /** @throws FieldsInvalid, NothingMeasured */
  create(actor: Actor, input: CreateMeasurementDto, key: IdempotencyKey | null): Promise<MeasurementDto> {
    const columns = join(SIZE_NAMES.map((size) => raw(size)));
    const values = join(SIZE_NAMES.map((size) => sql`${input[size]}::numeric`));
    return once(this.db, actor, key, async (tx) => {
      const time = input.measurement_date;
      let date: Date | null = null;
      if (time) {
        const { gym_id } = await this.personOf(tx, actor, input.user_id);
        date = await pastMomentOf(tx, gym_id, 'measurement_date', time);
      }
      const [measurement] = await tx.query(sql`
        INSERT INTO measurements AS b (user_id, gym_id, measurement_date, notes, recorded_by_id, ${columns})
        SELECT u.id, u.gym_id, coalesce(${date}::timestamptz, moment()), ${input.notes}, ${actor.user_id}::int,
          ${values}
        FROM users u WHERE u.id = ${input.user_id} AND u.gym_id IS NOT NULL AND ${visiblePerson(actor)}
        FOR SHARE OF u -- a person who is deleted at this moment leaves no size
        RETURNING ${MEASUREMENT_COLUMNS}`);
      if (!measurement) throw notOfTheGym();
      return measurement;
    });
  }

  /** @throws MeasurementNotFound, NothingMeasured, FieldsInvalid */
  update(actor: Actor, measurementId: number, input: UpdateMeasurementDto): Promise<MeasurementDto> {
    return this.db.transaction(async (tx) => {
      const which = sql`b.id = ${measurementId} AND ${visibleTo(actor, 'b')}`;
      const { gym_id } = await this.find(tx, which);
      const time = input.measurement_date;
      const date = time && (await pastMomentOf(tx, gym_id, 'measurement_date', time));
      const changes = assignments({ ...input, measurement_date: date }, ['measurement_date', 'notes', ...SIZE_NAMES]);
      const [measurement] = await tx.query(sql`
        UPDATE measurements b SET ${changes} updated_at = now() WHERE ${which} RETURNING ${MEASUREMENT_COLUMNS}`);
      if (!measurement) throw new MeasurementNotFound();
      return measurement;
    });
  }

  /** @throws MeasurementNotFound */
  async remove(actor: Actor, measurementId: number): Promise<void> {
    const [gone] = await this.db.change(sql`
      DELETE FROM measurements b WHERE b.id = ${measurementId} AND ${visibleTo(actor, 'b')} RETURNING 1`);
    if (!gone) throw new MeasurementNotFound();
  }

  /** From the first to the last value of each size in the range. @throws UserNotFound */
  async progress(actor: Actor, userId: number, range: RangeQuery): Promise<ProgressDto> {
    const scope = await requirePerson(this.db, actor, userId, 'measurements');
    const firstAndLast = SIZE_NAMES.map((size) => {
      const values = (order: string) =>
        `(array_agg(b.${size} ORDER BY b.measurement_date ${order},
          b.id ${order}) FILTER (WHERE b.${size} IS NOT NULL))[1]`;
      return raw(`${values('ASC')} AS ${size}_start, ${values('DESC')} AS ${size}_current`);
    });
    const { start_date: start, end_date: end } = range;
    const day = localDay(scope, 'b.measurement_date');
    const first = start ? dayOf(scope, start).own : sql`min(${day})`;
    const last = end ? dayOf(scope, end).own : sql`max(${day})`;
    const [row] = await this.db.query<Record<string, number | string | null>>(sql`
      SELECT count(*) AS measurement_count, (${first})::text AS first_day, (${last})::text AS last_day,
        ${join(firstAndLast)}
      FROM measurements b WHERE b.user_id = ${userId}
        AND ${visibleTo(actor, 'b')} ${between(scope, 'b.measurement_date', range)}`);
    const measured = SIZE_NAMES.filter((size) => row![`${size}_start`] !== null);
    return {
      user_id: userId,
      start_date: row!.first_day as string | null,
      end_date: row!.last_day as string | null,
      measurement_count: row!.measurement_count as number,
      fields: Object.fromEntries(
        measured.map((size) => [size, progressOf(row![`${size}_start`] as number, row![`${size}_current`] as number)]),
      ),
    };
  }

  /** Each size of a member over time. @throws UserNotFound */
  async history(actor: Actor, userId: number, query: ChartQuery): Promise<ProgressChart> {
    const person = await requirePerson(this.db, actor, userId, 'measurements');
    // Enough for twenty years of measuring every week.
    const rows = await this.db.query<Pick<Measurement, Size | 'measurement_date'>>(sql`
      SELECT b.measurement_date, ${join(Object.values(SIZE_COLUMNS))} FROM measurements b
      WHERE b.user_id = ${userId} AND ${visibleTo(actor, 'b')} ${between(person, 'b.measurement_date', query)}
      ORDER BY b.measurement_date DESC, b.id DESC LIMIT 1000`);
    const points = (size: Size) =>
      rows
        .flatMap((row) => (row[size] === null ? [] : [{ measurement_date: row.measurement_date, value: row[size] }]))
        .toReversed();
    const wanted = SIZE_NAMES.filter((size) => !query.fields || query.fields.includes(size));
    const measured = wanted.map((size) => [size, points(size)] as const).filter(([, of]) => of.length > 0);
    return { ...person, sizes: new Map(measured) };
  }

  private page(query: ListQuery, from: ScopedSql): Promise<Page<MeasurementDto>> {
    const keys = { measurement_date: 'b.measurement_date', id: 'b.id' };
    return listPage(this.db, query, { columns: MEASUREMENT_COLUMNS, from, keys, direction: 'DESC' });
  }

  /** @throws FieldsInvalid */
  private async personOf(tx: Transaction, actor: Actor, userId: number): Promise<{ gym_id: number }> {
    const [person] = await tx.query<{ gym_id: number }>(
      sql`SELECT u.gym_id FROM users u WHERE u.id = ${userId} AND u.gym_id IS NOT NULL AND ${visiblePerson(actor)}`,
    );
    if (!person) throw notOfTheGym();
    return person;
  }

  private async find(db: Queryable, condition: ScopedSql): Promise<MeasurementDto> {
    const [measurement] = await db.query(sql`SELECT ${MEASUREMENT_COLUMNS} FROM measurements b WHERE ${condition}`);
    if (!measurement) throw new MeasurementNotFound();
    return measurement;
  }
}

const notOfTheGym = () => FieldsInvalid.of('user_id', 'is not a person of the gym');
