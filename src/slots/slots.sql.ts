import { columns, computed, iso, json, part, pick, table } from '../database/columns.js';
import { raw, type Sql, sql } from '../database/sql.js';
import type { User } from '../people/entities/user.entity.js';
import { emailIn } from '../people/people.sql.js';
import { BookingDto, SlotSettingsDto } from './dto/slot.dto.js';
import type { SlotBooking } from './entities/slot-booking.entity.js';
import type { SlotSettings } from './entities/slot-settings.entity.js';

const b = table<SlotBooking>('b');
const s = table<SlotSettings>('s');

/** The clock's time at the beginning of an hour: "09:00". */
export const clock = (hour: Sql) => computed<string>(sql`to_char(make_time((${hour})::int % 24, 0, 0), 'HH24:MI')`);

/** The gyms `g` with their settings `s`, which may be NULL: then these are the defaults. */
export const GYMS = raw('gyms g LEFT JOIN slot_settings s ON s.gym_id = g.id');
const opening = computed<number>(sql`coalesce(${s.opening_slot}, 0)`);
const closing = computed<number>(sql`coalesce(${s.closing_slot}, 23)`);
const usualCapacity = computed<number>(sql`coalesce(${s.default_capacity}, 1)`);
const daysAhead = computed<number>(sql`coalesce(${s.days_ahead}, 14)`);
export const MAX_PER_DAY = computed<number>(sql`coalesce(${s.max_per_day}, 24)`);

/** How many may book the hour `h`. */
export const CAPACITY = sql`CASE WHEN h.slot_id BETWEEN ${opening} AND ${closing}
  THEN coalesce((${s.capacities} ->> h.slot_id::text)::int, ${usualCapacity}) ELSE 0 END`;

export const TODAY = raw('(statement_timestamp() AT TIME ZONE g.timezone)::date');

/** Whether a day cannot be booked yet. */
export const tooFar = (date: Sql) => sql`${date} > ${TODAY} + ${daysAhead}`;

/** Of an `hour`: that `refusalOf` (slots.rules.ts) has nothing against it; then one of its seats is free. */
export const CAN_BE_BOOKED = raw(`hour.is_gym_active AND NOT hour.is_over AND NOT hour.is_too_far
  AND hour.booked < hour.capacity AND NOT hour.has_it AND hour.booked_that_day < hour.max_per_day`);

/**
 * The bookings `b` of the hour `h` of the gym `g`: those that begin in it, whatever another clock of the gym called
 * their hour.
 */
export const IN_HOUR = raw(`b.gym_id = g.id AND b.starts_at >= h.starts_at AND b.starts_at < h.ends_at
  AND b.cancelled_at IS NULL`);

/** A booking has not begun; or it has only because the gym got another clock, which may be put back. */
export const TO_COME = raw('(starts_at > moment() OR starts_at <= moved_at)');

/** Of GYMS. */
export const SETTINGS_COLUMNS = columns(SlotSettingsDto, {
  gym_id: computed<number>(raw('g.id')),
  opening_slot: opening,
  closing_slot: closing,
  default_capacity: usualCapacity,
  capacities: computed<Record<string, number>>(sql`coalesce(${s.capacities}, '{}')`),
  days_ahead: daysAhead,
  max_per_day: MAX_PER_DAY,
});

const FIELDS = {
  ...pick(b, 'id', 'slot_id'),
  date: computed<string>(sql`${b.date}::text`),
  ...pick(b, 'gym_id', 'user_id'),
  start_time: clock(b.slot_id),
  end_time: clock(sql`${b.slot_id} + 1`),
  ...pick(b, 'starts_at', 'ends_at', 'booked_at', 'cancelled_at'),
};

/** Of `slot_bookings b`. */
export const BOOKING_COLUMNS = columns(BookingDto, FIELDS);

/** The same inside another row. */
export const BOOKING = part(FIELDS);

/** Who has the booking `b`: the person `u`. */
export const BOOKED_BY = json({
  user: json({ ...pick(table<User>('u'), 'id', 'full_name'), email: emailIn(b.gym_id) }),
  booked_at: iso(b.booked_at),
});
