import { Injectable } from '@nestjs/common';
import type { Actor, ScopedGymId } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import type { IdempotencyKey } from '../common/http/idempotency.js';
import type { Page } from '../common/http/list.js';
import { Database, type Queryable, type Transaction, type Unit } from '../database/database.js';
import { computed, optional, part, pick, row, table } from '../database/columns.js';
import { once, onceInOne } from '../database/idempotency.js';
import { listPage } from '../database/keyset.js';
import { assignments, empty, everyGym, inGym, raw, sql } from '../database/sql.js';
import { noGym } from '../gyms/gyms.js';
import type {
  BookDto,
  CancelDto,
  BookingDto,
  MyBookingsQuery,
  SlotDto,
  SlotSettingsDto,
  SlotsQuery,
  UpdateSlotSettingsDto,
} from './dto/slot.dto.js';
import { BookingNotFound, SlotOver } from './slots.errors.js';
import { SlotsChanged } from './slots.events.js';
import {
  BOOKING,
  BOOKING_COLUMNS,
  CAN_BE_BOOKED,
  CAPACITY,
  clock,
  GYMS,
  BOOKED_BY,
  IN_HOUR,
  MAX_PER_DAY,
  SETTINGS_COLUMNS,
  TO_COME,
  TODAY,
  tooFar,
} from './slots.sql.js';
import {
  type Day,
  type Hour,
  refusalOf,
  requireMayFor,
  requireOpeningHours,
  seenBy,
  type Slot,
} from './slots.rules.js';

/** So many hours a day one may have all of them. */
const NO_LIMIT = 24;
const hour = table<Hour>('hour');
/** The hour that one wants to book, and the booking. */
const OUTCOME = row({
  is_person: computed<boolean>(raw('who.is_person')),
  wanted: optional(
    part({
      ...pick(hour, 'is_gym_active', 'is_too_far', 'max_per_day', 'is_over', 'capacity', 'booked', 'has_it'),
      ...pick(hour, 'booked_that_day'),
    }),
  ),
  booking: optional(BOOKING),
});

/** The hours of the gyms and who has them. */
@Injectable()
export class SlotsService {
  constructor(private readonly db: Database) {}

  /** The hours of a local day, by default today's, as the actor may see them. @throws OtherGym, FieldsInvalid */
  async list(actor: Actor, query: SlotsQuery): Promise<SlotDto[]> {
    const { slots } = await this.day(actor.gym(query.gym_id), query.date);
    return slots.map((slot) => seenBy(actor, slot));
  }

  /** The hour that is now. @throws OtherGym, FieldsInvalid */
  async current(actor: Actor, gymId?: number): Promise<SlotDto> {
    const { now, slots } = await this.day(actor.gym(gymId));
    const slot = slots.find(({ starts_at, ends_at }) => starts_at <= now && now < ends_at);
    return seenBy(actor, slot!);
  }

  /** All of a day, for `seenBy`. @param date the local day; default: today @throws FieldsInvalid */
  async day(gymId: ScopedGymId, date?: string): Promise<Day> {
    const rows = await this.db.query<Omit<Day, 'slots'> & (Slot | { id: null })>(sql`
      SELECT d.date::text, statement_timestamp() AS now, day_start(${TODAY}, g.timezone) AS today_began_at,
        g.is_active AS is_gym_active, ${tooFar(raw('d.date'))} AS is_too_far, ${MAX_PER_DAY} AS max_per_day,
        h.slot_id AS id, ${clock(raw('h.slot_id'))} AS start_time, ${clock(raw('h.slot_id + 1'))} AS end_time,
        h.starts_at, h.ends_at, ${CAPACITY} AS capacity, coalesce(json_array_length(b.bookings), 0) AS booked,
        coalesce(b.bookings, '[]') AS bookings
      FROM ${GYMS}
      CROSS JOIN LATERAL (SELECT coalesce(${date}::date, ${TODAY}) AS date) d
      LEFT JOIN LATERAL slot_hours(d.date, g.timezone) h ON TRUE
      CROSS JOIN LATERAL (
        SELECT json_agg(${BOOKED_BY} ORDER BY b.booked_at, b.id) AS bookings
        FROM slot_bookings b JOIN users u ON u.id = b.user_id
        WHERE ${IN_HOUR}) b
      WHERE g.id = ${gymId} ORDER BY h.slot_id`);
    if (rows.length === 0) noGym();
    const { date: known, now, today_began_at, is_gym_active, is_too_far, max_per_day } = rows[0]!;
    // A zone has skipped some days, at the date line: they have no hours.
    const slots = rows.flatMap((found) => {
      if (found.id === null) return [];
      const { id, start_time, end_time, starts_at, ends_at, capacity, booked, bookings } = found;
      return [{ id, start_time, end_time, starts_at, ends_at, capacity, booked, bookings }];
    });
    return { gym_id: gymId, date: known, now, today_began_at, is_gym_active, is_too_far, max_per_day, slots };
  }

  /** One's own that are not cancelled, the latest first. @throws OtherGym */
  listOwn(actor: Actor, { gym_id, ...query }: MyBookingsQuery): Promise<Page<BookingDto>> {
    const from = everyGym`FROM slot_bookings b WHERE b.user_id = ${actor.user_id} AND b.cancelled_at IS NULL
      ${gym_id === undefined ? empty : sql`AND ${inGym(actor.scope(gym_id), 'b.gym_id')}`}`;
    const keys = { starts_at: 'b.starts_at', id: 'b.id' };
    return listPage(this.db, query, { columns: BOOKING_COLUMNS, from, keys, direction: 'DESC' });
  }

  /**
   * @throws OnlyForYourself, OtherGym, GymInactive, FieldsInvalid, SlotNotFound, SlotOver, SlotClosed, TooFarAhead,
   *   AlreadyBooked, TooManyBookings, SlotTaken
   */
  book(actor: Actor, slotId: number, input: BookDto, key: IdempotencyKey | null): Promise<BookingDto> {
    const gymId = actor.gym(input.gym_id);
    const userId = requireMayFor(actor, input.user_id);
    const wanted = { gymId, date: input.date, slotId, userId };
    return onceInOne(this.db, actor, key, async (unit) => {
      for (let hasLimit = false; ;) {
        const { is_person, wanted: found, booking } = await this.takeSeat(unit, actor, wanted, hasLimit);
        if (!is_person) throw FieldsInvalid.of('user_id', 'is not an active person of the gym');
        if (booking) {
          unit.emit(new SlotsChanged(gymId, booking.date, slotId));
          return booking;
        }
        if (!found) await this.today(unit, gymId);
        const Refusal = refusalOf(found);
        if (Refusal) throw new Refusal();
        // Another was quicker, or this person with the same. The next look says so, or tries the next seat.
        hasLimit = found!.max_per_day < NO_LIMIT;
      }
    });
  }

  /** @throws OnlyForYourself, OtherGym, FieldsInvalid, BookingNotFound, SlotOver */
  cancel(actor: Actor, slotId: number, input: CancelDto, key: IdempotencyKey | null): Promise<BookingDto> {
    const gymId = actor.gym(input.gym_id);
    const userId = requireMayFor(actor, input.user_id);
    return once(this.db, actor, key, async (tx) => {
      const date = input.date ?? (await this.today(tx, gymId));
      const hours = sql`gyms g CROSS JOIN LATERAL slot_hours(${date}::date, g.timezone, ${slotId}) h`;
      const which = sql`g.id = ${gymId} AND b.user_id = ${userId} AND ${IN_HOUR}`;
      for (;;) {
        const [booking] = await tx.query(sql`
          UPDATE slot_bookings b SET cancelled_at = moment(), cancelled_by_id = ${actor.user_id}
          FROM ${hours} WHERE ${which} AND b.ends_at > moment() RETURNING ${BOOKING_COLUMNS}`);
        if (booking) {
          tx.emit(new SlotsChanged(gymId, date, slotId));
          return booking;
        }
        const [left] = await tx.query<{ is_over: boolean }>(sql`
          SELECT b.ends_at <= moment() AS is_over FROM slot_bookings b, ${hours} WHERE ${which}`);
        if (!left) throw new BookingNotFound();
        if (left.is_over) throw new SlotOver();
        // Meanwhile the gym got another clock, by which the hour is at another moment.
      }
    });
  }

  /** The hours to come of a person are free again; those that have begun stay theirs. */
  async cancelBookingsOf(tx: Transaction, userId: number): Promise<void> {
    const freed = await tx.query<{ gym_id: number; date: string; slot_id: number }>(everyGym`
      UPDATE slot_bookings SET cancelled_at = moment(), cancelled_by_id = user_id
      WHERE user_id = ${userId} AND cancelled_at IS NULL AND ${TO_COME}
      RETURNING gym_id, date::text, slot_id`);
    for (const { gym_id, date, slot_id } of freed) tx.emit(new SlotsChanged(gym_id, date, slot_id));
  }

  /** The hours to come of a gym that closes are cancelled; those that have begun stay. */
  async cancelBookingsIn(tx: Transaction, actor: Actor, gymId: number): Promise<void> {
    await tx.query(everyGym`
      UPDATE slot_bookings SET cancelled_at = moment(), cancelled_by_id = ${actor.user_id}
      WHERE gym_id = ${gymId} AND cancelled_at IS NULL AND ${TO_COME}`);
  }

  /**
   * The hours to come of a gym with another clock are at the same time of that one; or cancelled, where it skips them
   * or the seat was had then.
   */
  async moveBookingsIn(tx: Transaction, actor: Actor, gymId: number): Promise<void> {
    await tx.query(everyGym`
      WITH coming AS (
        SELECT id, date, slot_id, seat, user_id FROM slot_bookings
        WHERE gym_id = ${gymId} AND cancelled_at IS NULL AND ${TO_COME}
      ), moved AS (
        SELECT c.id, h.starts_at, h.ends_at FROM coming c
        LEFT JOIN (
          SELECT d.date, h.* FROM (SELECT DISTINCT date FROM coming) d
          CROSS JOIN LATERAL slot_hours(d.date, gym_timezone(${gymId})) h
        ) h ON h.date = c.date AND h.slot_id = c.slot_id AND NOT EXISTS (
          SELECT FROM slot_bookings had
          WHERE had.gym_id = ${gymId} AND had.starts_at = h.starts_at AND had.date = c.date AND had.slot_id = c.slot_id
            AND (had.seat = c.seat OR had.user_id = c.user_id) AND had.id <> c.id AND had.cancelled_at IS NULL)
      )
      UPDATE slot_bookings b
      SET starts_at = coalesce(m.starts_at, b.starts_at), ends_at = coalesce(m.ends_at, b.ends_at), moved_at = moment(),
        cancelled_at = CASE WHEN m.starts_at IS NULL THEN moment() END,
        cancelled_by_id = CASE WHEN m.starts_at IS NULL THEN ${actor.user_id}::int END
      FROM moved m WHERE b.id = m.id AND b.cancelled_at IS NULL`);
  }

  /** @throws OtherGym, FieldsInvalid */
  async getSettings(actor: Actor, gymId?: number, db: Queryable = this.db): Promise<SlotSettingsDto> {
    const [settings] = await db.query(sql`SELECT ${SETTINGS_COLUMNS} FROM ${GYMS} WHERE g.id = ${actor.gym(gymId)}`);
    if (!settings) noGym();
    return settings;
  }

  /** @throws OtherGym, FieldsInvalid */
  async updateSettings(actor: Actor, { gym_id, ...input }: UpdateSlotSettingsDto): Promise<SlotSettingsDto> {
    const gymId = actor.gym(gym_id);
    return this.db.transaction(async (tx) => {
      // Two changes take turns, so that the hours of one are not judged by what the other replaces.
      await tx.query(sql`SELECT 1 FROM gyms WHERE id = ${gymId} FOR NO KEY UPDATE`);
      const before = await this.getSettings(actor, gym_id, tx);
      requireOpeningHours({ ...before, ...input });
      await tx.query(sql`INSERT INTO slot_settings (gym_id) VALUES (${gymId}) ON CONFLICT DO NOTHING`);
      const columns = [
        ...(['opening_slot', 'closing_slot', 'default_capacity', 'capacities', 'days_ahead', 'max_per_day'] as const),
      ];
      await tx.query(sql`
        UPDATE slot_settings SET ${assignments(input, columns)} gym_id = gym_id WHERE gym_id = ${gymId}`);
      tx.emit(new SlotsChanged(gymId, null, null));
      return this.getSettings(actor, gym_id, tx);
    });
  }

  /** Who has the hour that is now, and which that is: "09:00-10:00". */
  async holdersNow(gymId: ScopedGymId): Promise<{ hour: string; user_ids: number[] }> {
    const [now] = await this.db.query<{ hour: string; user_ids: number[] }>(sql`
      SELECT ${clock(raw('h.slot_id'))} || '-' || ${clock(raw('h.slot_id + 1'))} AS hour,
        -- By its own times: it may have begun by another clock. No hour lasts a day; that is for the index.
        ARRAY(SELECT b.user_id FROM slot_bookings b
          WHERE b.gym_id = g.id AND b.starts_at > statement_timestamp() - interval '1 day'
            AND b.starts_at <= statement_timestamp() AND b.ends_at > statement_timestamp()
            AND b.cancelled_at IS NULL) AS user_ids
      FROM gyms g JOIN LATERAL slot_hours(${TODAY}, g.timezone) h
        ON h.starts_at <= statement_timestamp() AND h.ends_at > statement_timestamp()
      WHERE g.id = ${gymId}`);
    return now!;
  }

  private async today(db: Queryable, gymId: ScopedGymId): Promise<string> {
    const [gym] = await db.query<{ today: string }>(
      sql`SELECT ${TODAY}::text AS today FROM gyms g WHERE g.id = ${gymId}`,
    );
    if (!gym) noGym();
    return gym.today;
  }

  /**
   * What came of trying to book.
   * @param hasLimit a person may have so many hours a day. Two bookings of one person count each other then, and take
   *   turns: what the second statement reads is as it is once the first has its lock.
   */
  private async takeSeat(unit: Unit, actor: Actor, wanted: Wanted, hasLimit: boolean) {
    const taking = this.takingSeat(actor, wanted, hasLimit);
    const lock = everyGym`SELECT 1 FROM users WHERE id = ${wanted.userId} FOR NO KEY UPDATE`;
    const [outcome] = hasLimit ? (await unit.together(lock, taking))[1] : await unit.query(taking);
    return outcome!;
  }

  /**
   * Books the lowest free seat, if nothing is against it, and tells the hour as it was. Another who takes it now is
   * waited for. So is a person who leaves, and a gym that closes or changes its clock, as they wait for the booking:
   * what they have changed by then is looked at. A refusal locks no one.
   * Only an admin books in another gym, for themselves.
   * @param isLocked the person is, so that no other booking of theirs can be made at the same time
   */
  private takingSeat(actor: Actor, { gymId, date, slotId, userId }: Wanted, isLocked: boolean) {
    const person = sql`u.id = ${userId} AND u.is_active AND u.deleted_at IS NULL
      AND (u.gym_id = ${gymId} OR (u.id = ${actor.user_id} AND u.role = 'admin'))`;
    return sql`
      WITH hour AS (
        SELECT g.id AS gym_id, g.timezone, g.is_active AS is_gym_active, d.date, h.starts_at, h.ends_at,
          h.ends_at <= statement_timestamp() AS is_over, ${tooFar(raw('d.date'))} AS is_too_far,
          ${CAPACITY} AS capacity, ${MAX_PER_DAY} AS max_per_day,
          seats.booked, seats.first_free AS seat, coalesce(m.has_it, FALSE) AS has_it, m.booked_that_day
        FROM ${GYMS}
        CROSS JOIN LATERAL (SELECT coalesce(${date}::date, ${TODAY}) AS date) d
        CROSS JOIN LATERAL slot_hours(d.date, g.timezone, ${slotId}) h
        CROSS JOIN LATERAL (
          -- Bookings of two clocks may have one seat.
          SELECT count(*) AS booked, 1 + count(DISTINCT seat) FILTER (WHERE seat = place) AS first_free
          FROM (SELECT b.seat, dense_rank() OVER (ORDER BY b.seat) AS place
            FROM slot_bookings b WHERE ${IN_HOUR}) b) seats
        CROSS JOIN LATERAL (
          SELECT bool_or(${IN_HOUR}) AS has_it, count(*) AS booked_that_day
          FROM slot_bookings b WHERE b.user_id = ${userId} AND b.gym_id = g.id AND b.cancelled_at IS NULL
            AND b.starts_at >= day_start(d.date, g.timezone) AND b.starts_at < day_start(d.date + 1, g.timezone)) m
        WHERE g.id = ${gymId}
      ), b AS (
        INSERT INTO slot_bookings (gym_id, date, slot_id, seat, user_id, starts_at, ends_at, booked_at, booked_by_id)
        SELECT hour.gym_id, date, ${slotId}, seat, u.id, starts_at, ends_at, moment(), ${actor.user_id}
        FROM hour JOIN users u ON ${person}
        JOIN gyms g ON g.id = hour.gym_id AND g.is_active AND g.timezone = hour.timezone
        WHERE ${CAN_BE_BOOKED} ${isLocked ? empty : sql`AND hour.max_per_day >= ${NO_LIMIT}::int`}
        FOR SHARE OF u FOR KEY SHARE OF g
        ON CONFLICT DO NOTHING RETURNING *
      )
      SELECT ${OUTCOME}
      FROM (SELECT EXISTS (SELECT FROM users u WHERE ${person}) AS is_person) who
      LEFT JOIN hour ON TRUE LEFT JOIN b ON TRUE`;
  }
}

/** Who gets which hour. */
interface Wanted {
  gymId: ScopedGymId;
  date?: string;
  slotId: number;
  userId: number;
}
