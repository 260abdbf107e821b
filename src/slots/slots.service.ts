import { Injectable } from '@nestjs/common';
import type { Actor, ScopedGymId } from '../common/actor/actor.js';
import { DESK } from '../common/actor/roles.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import type { IdempotencyKey } from '../common/http/idempotency.js';
import type { Page } from '../common/http/list.js';
import { Database, type Queryable, type Transaction } from '../database/database.js';
import { once } from '../database/idempotency.js';
import { listPage } from '../database/keyset.js';
import { assignments, empty, everyGym, inGym, raw, sql } from '../database/sql.js';
import { GymInactive } from '../gyms/gyms.errors.js';
import type {
  BookDto,
  CancelDto,
  BookingDto,
  MyBookingsQuery,
  SlotBookingRefDto,
  SlotDto,
  SlotSettingsDto,
  SlotsQuery,
  UpdateSlotSettingsDto,
} from './dto/slot.dto.js';
import {
  AlreadyBooked,
  BookingNotFound,
  OnlyForYourself,
  SlotClosed,
  SlotNotFound,
  SlotOver,
  SlotTaken,
  TooFarAhead,
  TooManyBookings,
} from './slots.errors.js';
import { SlotsChanged } from './slots.events.js';

/** The hours of a day with everybody who has them: to be shown to somebody by `seenBy`. */
export interface Day {
  gym_id: number;
  date: string;
  /** When it was read. */
  now: Date;
  slots: Slot[];
}
type Slot = Omit<SlotDto, 'is_booked' | 'booked_by' | 'booked_at'>;

/** Whom an hour is shown to. */
export interface Viewer {
  user_id: number | null;
  role: string;
}

interface Seat {
  is_gym_active: boolean;
  starts_at: Date | null;
  ends_at: Date;
  is_over: boolean;
  is_too_far: boolean;
  capacity: number;
  /** The lowest that is free. */
  seat: number | null;
  booked: number;
  has_it: boolean;
  booked_that_day: number;
  max_per_day: number;
}

const clock = (hour: string) => `to_char(make_time((${hour})::int % 24, 0, 0), 'HH24:MI')`;
const CAPACITY = raw(`CASE WHEN h.slot_id BETWEEN coalesce(s.opening_slot, 0) AND coalesce(s.closing_slot, 23)
  THEN coalesce((s.capacities ->> h.slot_id::text)::int, s.default_capacity, 1) ELSE 0 END`);
const SETTINGS =
  raw(`g.id AS gym_id, coalesce(s.opening_slot, 0) AS opening_slot, coalesce(s.closing_slot, 23) AS closing_slot,
  coalesce(s.default_capacity, 1) AS default_capacity, coalesce(s.capacities, '{}') AS capacities,
  coalesce(s.days_ahead, 14) AS days_ahead, coalesce(s.max_per_day, 24) AS max_per_day`);
const GYM = raw('gyms g LEFT JOIN slot_settings s ON s.gym_id = g.id');
const BOOKING = raw(`b.id, b.slot_id, b.date::text, b.gym_id, b.user_id, ${clock('b.slot_id')} AS start_time,
  ${clock('b.slot_id + 1')} AS end_time, b.starts_at, b.ends_at, b.booked_at, b.cancelled_at`);
const TODAY = raw('(statement_timestamp() AT TIME ZONE g.timezone)::date');

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
    const rows = await this.db.query<Slot & Pick<Day, 'date' | 'now'>>(sql`
      SELECT d.date::text, statement_timestamp() AS now, h.slot_id AS id, ${raw(clock('h.slot_id'))} AS start_time, ${raw(clock('h.slot_id + 1'))} AS end_time,
        h.starts_at, h.ends_at, ${CAPACITY} AS capacity, coalesce(json_array_length(b.bookings), 0) AS booked,
        coalesce(b.bookings, '[]') AS bookings
      FROM ${GYM}
      CROSS JOIN LATERAL (SELECT coalesce(${date}::date, ${TODAY}) AS date) d
      CROSS JOIN LATERAL slot_hours(d.date, g.timezone) h
      CROSS JOIN LATERAL (
        SELECT json_agg(json_build_object('user', json_build_object('id', u.id, 'full_name', u.full_name, 'email', u.email),
          'booked_at', iso(b.booked_at)) ORDER BY b.booked_at, b.id) AS bookings
        FROM slot_bookings b JOIN users u ON u.id = b.user_id
        WHERE b.gym_id = g.id AND b.date = d.date AND b.slot_id = h.slot_id AND b.cancelled_at IS NULL) b
      WHERE g.id = ${gymId} ORDER BY h.slot_id`);
    if (rows.length === 0) throw FieldsInvalid.of('gym_id', 'is not a gym');
    const { date: known, now } = rows[0]!;
    return { gym_id: gymId, date: known, now, slots: rows.map(({ date: _date, now: _now, ...slot }) => slot) };
  }

  /** One's own that are not cancelled, the latest first. @throws OtherGym */
  mine(actor: Actor, { gym_id, ...query }: MyBookingsQuery): Promise<Page<BookingDto>> {
    const from = everyGym`FROM slot_bookings b WHERE b.user_id = ${actor.user_id} AND b.cancelled_at IS NULL
      ${gym_id === undefined ? empty : sql`AND ${inGym(actor.scope(gym_id), 'b.gym_id')}`}`;
    const keys = { starts_at: 'b.starts_at', id: 'b.id' };
    return listPage<BookingDto>(this.db, query, { columns: BOOKING, from, keys, direction: 'DESC' });
  }

  /**
   * @throws OnlyForYourself, OtherGym, GymInactive, FieldsInvalid, SlotNotFound, SlotOver, SlotClosed, TooFarAhead,
   *   AlreadyBooked, TooManyBookings, SlotTaken
   */
  book(actor: Actor, slotId: number, input: BookDto, key: IdempotencyKey | null): Promise<BookingDto> {
    const gymId = actor.gym(input.gym_id);
    const userId = requireMayFor(actor, input.user_id);
    return once(this.db, actor, key, async (tx) => {
      await this.lockPerson(tx, actor, gymId, userId);
      const date = input.date ?? (await this.today(tx, gymId));
      // Those who want the same hour take turns, so that a loser is told why; without it the seat's uniqueness would hold, too.
      await tx.query(sql`SELECT pg_advisory_xact_lock(${gymId}, hashtext(${`${date} ${slotId}`}))`);
      const seat = await this.seat(tx, gymId, date, slotId, userId);
      requireFree(seat);
      const [booking] = await tx.query<BookingDto>(sql`
        INSERT INTO slot_bookings AS b
          (gym_id, date, slot_id, seat, user_id, starts_at, ends_at, booked_at, booked_by_id)
        VALUES (${gymId}, ${date}, ${slotId}, ${seat!.seat}, ${userId}, ${seat!.starts_at}, ${seat!.ends_at}, moment(),
          ${actor.user_id})
        RETURNING ${BOOKING}`);
      tx.emit(new SlotsChanged(gymId, date, slotId));
      return booking!;
    });
  }

  /** @throws OnlyForYourself, OtherGym, FieldsInvalid, BookingNotFound, SlotOver */
  cancel(actor: Actor, slotId: number, input: CancelDto, key: IdempotencyKey | null): Promise<BookingDto> {
    const gymId = actor.gym(input.gym_id);
    const userId = requireMayFor(actor, input.user_id);
    return once(this.db, actor, key, async (tx) => {
      const date = input.date ?? (await this.today(tx, gymId));
      const which = sql`b.gym_id = ${gymId} AND b.date = ${date}::date AND b.slot_id = ${slotId} AND b.user_id = ${userId}
        AND b.cancelled_at IS NULL`;
      const [booking] = await tx.query<BookingDto>(sql`
        UPDATE slot_bookings b SET cancelled_at = moment(), cancelled_by_id = ${actor.user_id}
        WHERE ${which} AND b.ends_at > moment() RETURNING ${BOOKING}`);
      if (!booking) {
        const [over] = await tx.query(sql`SELECT 1 FROM slot_bookings b WHERE ${which}`);
        throw over ? new SlotOver() : new BookingNotFound();
      }
      tx.emit(new SlotsChanged(gymId, date, slotId));
      return booking;
    });
  }

  /** The hours to come of a person are free again; those that have begun stay theirs. */
  async cancelBookingsOf(tx: Transaction, userId: number): Promise<void> {
    const freed = await tx.query<{ gym_id: number; date: string; slot_id: number }>(everyGym`
      UPDATE slot_bookings SET cancelled_at = moment(), cancelled_by_id = user_id
      WHERE user_id = ${userId} AND cancelled_at IS NULL AND starts_at > moment()
      RETURNING gym_id, date::text, slot_id`);
    for (const { gym_id, date, slot_id } of freed) tx.emit(new SlotsChanged(gym_id, date, slot_id));
  }

  /** @throws OtherGym, FieldsInvalid */
  async getSettings(actor: Actor, gymId?: number, db: Queryable = this.db): Promise<SlotSettingsDto> {
    const [settings] = await db.query<SlotSettingsDto>(
      sql`SELECT ${SETTINGS} FROM ${GYM} WHERE g.id = ${actor.gym(gymId)}`,
    );
    if (!settings) throw FieldsInvalid.of('gym_id', 'is not a gym');
    return settings;
  }

  /** @throws OtherGym, FieldsInvalid */
  async updateSettings(actor: Actor, { gym_id, ...input }: UpdateSlotSettingsDto): Promise<SlotSettingsDto> {
    const gymId = actor.gym(gym_id);
    return this.db.transaction(async (tx) => {
      // Two changes take turns, so that the hours of one are not judged by what the other replaces.
      await tx.query(sql`SELECT 1 FROM gyms WHERE id = ${gymId} FOR NO KEY UPDATE`);
      const before = await this.getSettings(actor, gym_id, tx);
      const given = { ...before, ...input };
      if (given.opening_slot > given.closing_slot) {
        throw FieldsInvalid.of('closing_slot', 'must not be before opening_slot');
      }
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
      SELECT ${raw(clock('extract(hour FROM n.local)'))} || '-' || ${raw(clock('extract(hour FROM n.local) + 1'))} AS hour,
        ARRAY(SELECT b.user_id FROM slot_bookings b WHERE b.gym_id = g.id AND b.date = n.local::date
          AND b.cancelled_at IS NULL AND b.starts_at <= now() AND b.ends_at > now()) AS user_ids
      FROM gyms g CROSS JOIN LATERAL (SELECT now() AT TIME ZONE g.timezone AS local) n WHERE g.id = ${gymId}`);
    return now!;
  }

  private async today(tx: Transaction, gymId: ScopedGymId): Promise<string> {
    const [gym] = await tx.query<{ today: string }>(
      sql`SELECT ${TODAY}::text AS today FROM gyms g WHERE g.id = ${gymId}`,
    );
    if (!gym) throw FieldsInvalid.of('gym_id', 'is not a gym');
    return gym.today;
  }

  /** Two bookings of one person take turns, so that they count each other. @throws FieldsInvalid */
  private async lockPerson(tx: Transaction, actor: Actor, gymId: ScopedGymId, userId: number): Promise<void> {
    // An admin books for themselves in any gym.
    const [person] = await tx.query(sql`
      SELECT 1 FROM users u WHERE u.id = ${userId} AND (u.gym_id = ${gymId} OR u.id = ${actor.user_id}) AND u.is_active
        AND u.deleted_at IS NULL FOR NO KEY UPDATE`);
    if (!person) throw FieldsInvalid.of('user_id', 'is not an active person of the gym');
  }

  private async seat(
    tx: Transaction,
    gymId: ScopedGymId,
    date: string,
    slotId: number,
    userId: number,
  ): Promise<Seat | undefined> {
    const [seat] = await tx.query<Seat>(sql`
      SELECT g.is_active AS is_gym_active, h.starts_at, h.ends_at, h.ends_at <= statement_timestamp() AS is_over,
        ${date}::date > ${TODAY} + coalesce(s.days_ahead, 14) AS is_too_far, ${CAPACITY} AS capacity,
        (SELECT min(n) FROM generate_series(1, ${CAPACITY}) n WHERE NOT EXISTS (SELECT 1 FROM slot_bookings b
          WHERE b.gym_id = g.id AND b.date = ${date}::date AND b.slot_id = h.slot_id AND b.seat = n AND b.cancelled_at IS NULL)) AS seat,
        (SELECT count(*) FROM slot_bookings b
          WHERE b.gym_id = g.id AND b.date = ${date}::date AND b.slot_id = h.slot_id AND b.cancelled_at IS NULL) AS booked,
        coalesce(m.has_it, FALSE) AS has_it, m.booked_that_day, coalesce(s.max_per_day, 24) AS max_per_day
      FROM ${GYM} LEFT JOIN slot_hours(${date}::date, (SELECT timezone FROM gyms WHERE id = ${gymId})) h ON h.slot_id = ${slotId}
      CROSS JOIN LATERAL (SELECT bool_or(b.slot_id = ${slotId}) AS has_it, count(*) AS booked_that_day FROM slot_bookings b
        WHERE b.user_id = ${userId} AND b.gym_id = g.id AND b.date = ${date}::date AND b.cancelled_at IS NULL) m
      WHERE g.id = ${gymId}`);
    return seat;
  }
}

/** What this viewer may know of an hour: staff who has it, everyone else only whether they have it themselves. */
export function seenBy(viewer: Viewer, slot: Slot): SlotDto {
  const isStaff = (DESK as readonly string[]).includes(viewer.role);
  const bookings: SlotBookingRefDto[] = isStaff
    ? slot.bookings
    : slot.bookings.filter(({ user }) => user.id === viewer.user_id);
  const [first] = bookings;
  return {
    ...slot,
    is_booked: slot.capacity > 0 && slot.booked >= slot.capacity,
    booked_by: first?.user ?? null,
    booked_at: first?.booked_at ?? null,
    bookings,
  };
}

/** @returns for whom @throws OnlyForYourself */
function requireMayFor(actor: Actor, userId = actor.user_id): number {
  if (userId !== actor.user_id && !actor.is(...DESK)) throw new OnlyForYourself();
  return userId;
}

function requireFree(seat: Seat | undefined): void {
  if (!seat?.starts_at) throw new SlotNotFound();
  if (!seat.is_gym_active) throw new GymInactive();
  if (seat.is_over) throw new SlotOver();
  if (seat.is_too_far) throw new TooFarAhead();
  if (seat.capacity === 0) throw new SlotClosed();
  if (seat.has_it) throw new AlreadyBooked();
  // Seats above the capacity may be taken since it was lowered: then a lower one that is left stays empty.
  if (seat.booked >= seat.capacity) throw new SlotTaken();
  if (seat.booked_that_day >= seat.max_per_day) throw new TooManyBookings();
}
