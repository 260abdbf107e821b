import type { Actor } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import type { Interval, PeriodQuery } from './dto/dashboard.dto.js';

// Who sees which numbers, and which days they are of.

/** Reception sees the gym without its money. */
export const seesMoney = (actor: Actor): boolean => actor.is('admin', 'manager', 'accountant');
/** A trainer sees what they did themselves. */
export const seesGym = (actor: Actor): boolean => !actor.is('trainer');

/** Local days, YYYY-MM-DD; both are counted. */
export interface Period {
  from: string;
  to: string;
}

const DAYS_BACK = 30;
/** One more would be a longer answer than anyone reads. */
export const MOST_DATES = 1_000;

/** @throws FieldsInvalid if it ends before it begins */
export function periodOf({ from, to }: PeriodQuery, today: string): Period {
  const end = to ?? today;
  const begin = from ?? daysLater(end, -DAYS_BACK);
  if (begin > end) throw FieldsInvalid.of('from', `must not be after ${to ? 'the last day' : 'today'}`);
  return { from: begin, to: end };
}

/**
 * The first days of the intervals in which a period lies: of a week its Monday, which may be before the period.
 * @throws FieldsInvalid if there are too many
 */
export function datesOf({ from, to }: Period, interval: Interval): string[] {
  const dates: string[] = [];
  for (let date = beginOf(from, interval); date <= to; date = nextOf(date, interval)) {
    if (dates.length === MOST_DATES) {
      throw FieldsInvalid.of('from', `must leave at most ${MOST_DATES} ${interval}s; ask for parts of the time`);
    }
    dates.push(date);
  }
  return dates;
}

function beginOf(date: string, interval: Interval): string {
  if (interval === 'month') return `${date.slice(0, 7)}-01`;
  const daysSinceMonday = (new Date(date).getUTCDay() + 6) % 7;
  return interval === 'week' ? daysLater(date, -daysSinceMonday) : date;
}

function nextOf(date: string, interval: Interval): string {
  if (interval === 'month') return beginOf(daysLater(date, 31), 'month');
  return daysLater(date, interval === 'week' ? 7 : 1);
}

/** Days of a calendar, which have no zone: UTC, where each has 24 hours. */
function daysLater(date: string, days: number): string {
  const moved = new Date(date);
  moved.setUTCDate(moved.getUTCDate() + days);
  return moved.toISOString().slice(0, 10);
}
