import type { Actor } from '../common/actor/actor.js';
import { availableTo, type Day, isStaff, type Slot, type Viewer } from './slots.rules.js';

// A day of the gym that may be seen without an account. Who has an hour is named to themselves and to staff, and
// hinted at to all others.

/** An hour of it. */
export interface OpenHour {
  /** 0 to 23. */
  id: number;
  /** On the gym's clock: "09:00". */
  start_time: string;
  end_time: string;
  /** The viewer cannot book it: it is full, theirs, over, closed, or skipped by the clock. */
  is_booked: boolean;
  /** The email of who has it; null if that is no one, or someone without an email. */
  booked_by: string | null;
  booked_at: string | null;
}

/** Who looks at it, of whichever gym. */
export type Passer = Viewer & Pick<Actor, 'gym_id'>;

/** Staff of another gym see what everyone does. */
function viewerIn(gymId: number, passer: Passer | null): Viewer {
  if (!passer) return { user_id: null, role: 'user' };
  const belongs = passer.role === 'admin' || passer.gym_id === gymId;
  return belongs ? passer : { user_id: passer.user_id, role: 'user' };
}

/** Who looks at it together with whom: those of one audience are shown the same. A number: that person alone. */
export function audienceOf(passer: Passer | null, day: Day): 'staff' | 'others' | number {
  const who = viewerIn(day.gym_id, passer);
  const holds = day.slots.some((slot) => bookingOf(who.user_id, slot));
  return holds ? who.user_id! : isStaff(who) ? 'staff' : 'others';
}

/**
 * The 24 hours of a day, also those that clocks skip.
 * @param passer null: it is not known who looks
 * @param showsAddresses to all, as the whole email (RERO_OPEN_ADDRESSES)
 */
export function openDay(passer: Passer | null, day: Day, showsAddresses = false): OpenHour[] {
  const who = viewerIn(day.gym_id, passer);
  const available = new Set(availableTo(who, day));
  const isNamed = showsAddresses || isStaff(who);
  return Array.from({ length: 24 }, (_, id) => {
    const slot = day.slots.find((each) => each.id === id);
    const own = slot && bookingOf(who.user_id, slot);
    const isFull = slot && slot.capacity > 0 && slot.booked >= slot.capacity;
    const shown = own ?? (isFull ? slot.bookings[0] : undefined);
    const email = shown?.user.email ?? null;
    return {
      ...{ id, start_time: clock(id), end_time: clock(id + 1) },
      is_booked: own !== undefined || !available.has(id),
      booked_by: own || isNamed ? email : email && masked(email),
      booked_at: shown?.booked_at ?? null,
    };
  });
}

/** The hours of a day that a person has. */
export const hoursOf = (userId: number, day: Day): OpenHour[] =>
  openDay({ user_id: userId, role: 'user', gym_id: null }, day).filter(({ id }) =>
    day.slots.some((slot) => slot.id === id && bookingOf(userId, slot)),
  );

/** The hour that is now, if the person has it; else the next one that they have on this day; else null. */
export const nextHourOf = (userId: number, day: Day): OpenHour | null =>
  hoursOf(userId, day).find(({ id }) => day.slots.some((slot) => slot.id === id && slot.ends_at > day.now)) ?? null;

const bookingOf = (userId: number | null, { bookings }: Slot) =>
  userId === null ? undefined : bookings.find(({ user }) => user.id === userId);

const clock = (hour: number): string => `${String(hour % 24).padStart(2, '0')}:00`;

/** `u***@example.com` */
const masked = (email: string): string => email.replace(/^(.)[^@]*/u, '$1***');
