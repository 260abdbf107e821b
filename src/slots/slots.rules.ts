import type { Actor } from '../common/actor/actor.js';
import { DESK, STAFF } from '../common/actor/roles.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import type { DomainError } from '../common/errors/domain-error.js';
import { GymInactive } from '../gyms/gyms.errors.js';
import type { SlotDto, SlotSettingsDto } from './dto/slot.dto.js';
import {
  AlreadyBooked,
  OnlyForYourself,
  SlotClosed,
  SlotNotFound,
  SlotOver,
  SlotTaken,
  TooFarAhead,
  TooManyBookings,
} from './slots.errors.js';

/** The hours of a day with all people who have them: for `seenBy`, which shows each viewer their part. */
export interface Day {
  gym_id: number;
  date: string;
  /** When it was read. */
  now: Date;
  /** When today began in the gym. */
  today_began_at: Date;
  is_gym_active: boolean;
  is_too_far: boolean;
  max_per_day: number;
  slots: Slot[];
}
export type Slot = Omit<SlotDto, 'is_booked' | 'booked_by' | 'booked_at'>;

/** The person who looks at an hour. */
export interface Viewer {
  user_id: number | null;
  role: string;
}

/** What decides whether an hour can be booked now: its gym and its day, itself, and who wants it. */
export interface Hour {
  is_gym_active: boolean;
  is_too_far: boolean;
  max_per_day: number;
  is_over: boolean;
  capacity: number;
  booked: number;
  has_it: boolean;
  booked_that_day: number;
}

/** Why an hour cannot be booked, or null. It is null where clocks skip it. */
export function refusalOf(hour: Hour | null): (new () => DomainError) | null {
  if (!hour) return SlotNotFound;
  if (!hour.is_gym_active) return GymInactive;
  if (hour.is_over) return SlotOver;
  if (hour.is_too_far) return TooFarAhead;
  if (hour.capacity === 0) return SlotClosed;
  if (hour.has_it) return AlreadyBooked;
  // Seats above the capacity may be taken since it was lowered: then a lower one that is left stays empty.
  if (hour.booked >= hour.capacity) return SlotTaken;
  if (hour.booked_that_day >= hour.max_per_day) return TooManyBookings;
  return null;
}

export const isStaff = ({ role }: Viewer) => (STAFF as readonly string[]).includes(role);

/** The hours that can be booked now: by a member for themselves, by staff for someone who has none of them. */
export function availableTo(viewer: Viewer, day: Day): number[] {
  const has = ({ bookings }: Slot) => !isStaff(viewer) && bookings.some(({ user }) => user.id === viewer.user_id);
  const { is_gym_active, is_too_far, max_per_day, now } = day;
  const ofDay = { is_gym_active, is_too_far, max_per_day, booked_that_day: day.slots.filter(has).length };
  const isFree = (slot: Slot) => {
    const { capacity, booked, ends_at } = slot;
    return refusalOf({ ...ofDay, capacity, booked, is_over: ends_at <= now, has_it: has(slot) }) === null;
  };
  return day.slots.filter(isFree).map(({ id }) => id);
}

/**
 * When, by the passing of time alone, what can be booked on this day was last another: as an hour ended, or a day
 * began.
 */
export function turnedAt({ now, today_began_at, slots }: Day): Date {
  const ended = slots.map(({ ends_at }) => ends_at).filter((end) => end <= now);
  return [today_began_at, ...ended].reduce((last, moment) => (moment > last ? moment : last));
}

/** What this viewer may know of an hour: staff who has it, everyone else only whether they have it themselves. */
export function seenBy(viewer: Viewer, slot: Slot): SlotDto {
  const bookings = isStaff(viewer) ? slot.bookings : slot.bookings.filter(({ user }) => user.id === viewer.user_id);
  const [first] = bookings;
  return {
    ...slot,
    is_booked: slot.capacity > 0 && slot.booked >= slot.capacity,
    booked_by: first?.user ?? null,
    booked_at: first?.booked_at ?? null,
    bookings,
  };
}

/** A gym opens before it closes. @throws FieldsInvalid */
export function requireOpeningHours({ opening_slot, closing_slot }: SlotSettingsDto): void {
  if (opening_slot > closing_slot) throw FieldsInvalid.of('closing_slot', 'must not be before opening_slot');
}

/** @returns the person who gets the hour @throws OnlyForYourself */
export function requireMayFor(actor: Actor, userId = actor.user_id): number {
  if (userId !== actor.user_id && !actor.is(...DESK)) throw new OnlyForYourself();
  return userId;
}
