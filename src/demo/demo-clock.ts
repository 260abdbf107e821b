import type { Random } from './random.js';

// A time in the demo is a number of milliseconds that shows the gym's clock (as if it were in UTC). It is written
// without a zone, and the transaction's time zone makes it a moment.
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

interface OpeningHours {
  opens: number;
  closes: number;
  /** The hours when people come; one that stands there more often is a busier one. */
  arrivals: number[];
  /** How many come, compared with other days. */
  share: number;
}

const times = (count: number, hour: number): number[] => Array<number>(count).fill(hour);
const EARLY = [...times(4, 6), ...times(10, 7), ...times(8, 8), ...times(5, 9), ...times(4, 10), ...times(3, 11)];
const NOON = [...times(5, 12), ...times(4, 13), ...times(2, 14), ...times(3, 15), ...times(5, 16)];
const LATE = [...times(11, 17), ...times(14, 18), ...times(11, 19), ...times(6, 20)];
const WEEKDAY = { opens: 6, closes: 22, arrivals: [...EARLY, ...NOON, ...LATE], share: 1.15 };
const SATURDAY = {
  opens: 8,
  closes: 20,
  arrivals: [8, 9, 9, 10, 10, 10, 11, 11, 12, 14, 15, 16, 16, 17, 18],
  share: 0.8,
};
const SUNDAY = { opens: 9, closes: 14, arrivals: [9, 10, 10, 11, 11, 12], share: 0.4 };

export function openingHours(time: number): OpeningHours {
  const weekday = new Date(time).getUTCDay();
  return weekday === 0 ? SUNDAY : weekday === 6 ? SATURDAY : WEEKDAY;
}

/** How many come at that time of the year, compared with others: most in January, fewest in July and August. */
export const season = (time: number): number => 1 + 0.25 * Math.cos((2 * Math.PI * (dayOfYear(time) - 25)) / 365);
const dayOfYear = (time: number): number => (time - Date.UTC(new Date(time).getUTCFullYear(), 0)) / DAY;

/** Midnight before. */
export const dayOf = (time: number): number => Math.floor(time / DAY) * DAY;

/** When a member comes on that day. */
export const arrival = (random: Random, day: number): number =>
  dayOf(day) + random.pick(openingHours(day).arrivals) * HOUR + random.int(0, 3599) * 1000;

export const closing = (time: number): number => dayOf(time) + openingHours(time).closes * HOUR;

/** As PostgreSQL reads it. */
export const clock = (time: number): string => new Date(time).toISOString().slice(0, 19);
