import type { GymScope } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import { GymTime } from '../common/http/gym-time.js';
import type { Queryable } from '../database/database.js';
import { empty, everyGym, inGym, raw, type ScopedSql, type Sql, sql } from '../database/sql.js';

// A local day begins at its first moment, which only the SQL function day_start knows, and ends where the next one
// begins.

/**
 * The time zone that counts: of the scope's one gym, or (all gyms) of each row's own, which the query has joined as
 * `g`.
 */
function timezone(scope: GymScope): Sql {
  return scope.gym_id === null ? raw('g.timezone') : sql`gym_timezone(${scope.gym_id})`;
}

/** The local day of `column`; the zone is looked up once, not for every row. */
export const localDay = (scope: GymScope, column: string): Sql =>
  scope.gym_id === null
    ? sql`(${raw(column)} AT TIME ZONE ${timezone(scope)})::date`
    : sql`(${raw(column)} AT TIME ZONE (SELECT ${timezone(scope)}))::date`;

/** A local day that may be another one in each gym. */
export interface Day {
  /** In the scope's one gym, or in that of each row. */
  own: Sql;
  /** No gym has an earlier or a later one: for the index, where there are several. */
  earliest: Sql;
  latest: Sql;
}

/** Among so many days a moment's is looked up; for more it is quicker to ask for each. */
const MOST_DAYS = 1000;

/**
 * The local day of `column`, which is on one of these days. In one gym it is found among their beginnings: to ask the
 * zone for the day of each row takes longer than all else.
 */
export function localDayAmong(scope: GymScope, column: string, { own: first }: Day, { own: last }: Day): Sql {
  const day = localDay(scope, column);
  if (scope.gym_id === null) return day;
  const begins = sql`(SELECT array_agg(day_start(${first} + n, ${timezone(scope)}) ORDER BY n)
    FROM generate_series(0, ${last} - ${first}) n WHERE ${last} - ${first} < ${MOST_DAYS}::int)`;
  return sql`coalesce((SELECT ${first} - 1) + width_bucket(${raw(column)}, ${begins}), ${day})`;
}

/** Today in each gym. */
export function today(scope: GymScope): Day {
  const utc = raw(`(now() AT TIME ZONE 'UTC')::date`);
  return {
    own: sql`(now() AT TIME ZONE ${timezone(scope)})::date`,
    earliest: sql`${utc} - 1`,
    latest: sql`${utc} + 1`,
  };
}

/** The local day on which a time is. */
export function dayOf(scope: GymScope, time: GymTime): Day {
  if (time.hasOffset) {
    const utc = sql`(${time.text}::timestamptz AT TIME ZONE 'UTC')::date`;
    return {
      own: sql`(${time.text}::timestamptz AT TIME ZONE ${timezone(scope)})::date`,
      earliest: sql`${utc} - 1`,
      latest: sql`${utc} + 1`,
    };
  }
  const day = sql`${time.text.slice(0, 10)}::date`;
  return { own: day, earliest: day, latest: day };
}

const each = ({ own, earliest, latest }: Day, change: (day: Sql) => Sql): Day => ({
  own: change(own),
  earliest: change(earliest),
  latest: change(latest),
});

/** So many days before it. */
export const daysBefore = (day: Day, days: number): Day => each(day, (date) => sql`(${date} - ${days}::int)`);

/** The first day of its month. */
export const monthOf = (day: Day): Day => each(day, (date) => sql`date_trunc('month', ${date})::date`);

/** The day that an answer names: the first or the last of those of the gyms, if they differ. */
export const named = (scope: GymScope, day: Day, which: 'min' | 'max'): Sql =>
  scope.gym_id === null ? sql`(SELECT ${raw(which)}(${day.own}) FROM gyms g)` : day.own;

/**
 * `g`: each gym of the scope with each of some periods of its own local days, from the moment at which one `begins` to
 * that at which it `ends`. Of each gym a range of an index is read then, and no row is asked for its zone.
 * @param periods rows of a key, a first and a last local day; `t.today` is the gym's
 */
export const gymsWithPeriods = (scope: GymScope, periods: Sql): ScopedSql => sql`g AS MATERIALIZED (
  SELECT g.id, g.timezone, p.key, day_start(p.first, g.timezone) AS begins, day_start(p.last + 1, g.timezone) AS ends
  FROM gyms g
  CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE g.timezone)::date AS today) t
  CROSS JOIN LATERAL (${periods}) p (key, first, last)
  WHERE ${inGym(scope, 'g.id')})`;

const MONTH = `date_trunc('month', t.today)`;
/** Periods that end today or with the last month. */
export const PERIODS = {
  today: raw(`VALUES ('today', t.today, t.today)`),
  this_month: raw(`VALUES ('this_month', ${MONTH}::date, t.today)`),
  last_month: raw(`VALUES ('last_month', (${MONTH} - interval '1 month')::date, ${MONTH}::date - 1)`),
};

/** `column` is on this local day or later: as a range of moments, so that an index on it is used. */
export function fromDay(scope: GymScope, column: string, day: Day): Sql {
  const c = raw(column);
  if (scope.gym_id !== null) return sql`${c} >= day_start(${day.own}, ${timezone(scope)})`;
  // The zones of all gyms lie within 14 hours of UTC: this bound is for the index.
  return sql`${localDay(scope, column)} >= ${day.own}
    AND ${c} >= (${day.earliest})::timestamp AT TIME ZONE 'UTC' - interval '14 hours'`;
}

/** `column` is on this local day or before. */
export function toDay(scope: GymScope, column: string, day: Day): Sql {
  const c = raw(column);
  if (scope.gym_id !== null) return sql`${c} < day_start(${day.own} + 1, ${timezone(scope)})`;
  return sql`${localDay(scope, column)} <= ${day.own}
    AND ${c} < (${day.latest} + 1)::timestamp AT TIME ZONE 'UTC' + interval '14 hours'`;
}

/** `column` is on this local day. */
export const onDay = (scope: GymScope, column: string, day: Day): Sql =>
  sql`${fromDay(scope, column, day)} AND ${toDay(scope, column, day)}`;

/** The moment of a time: of a day its first. @param zone SQL */
function instant(time: GymTime, zone: Sql): Sql {
  if (time.hasOffset) return sql`${time.text}::timestamptz`;
  return time.isDay ? sql`day_start(${time.text}::date, ${zone})` : sql`(${time.text}::timestamp AT TIME ZONE ${zone})`;
}

/**
 * Of a time without an offset it counts what the clock of the gym showed. So ranges that follow each other hold each
 * moment once, also when clocks change: an hour that is shown twice is in one range, one that is skipped is empty.
 */
function compare(scope: GymScope, column: string, operator: '>=' | '<=' | '<', time: GymTime): Sql {
  const c = raw(column);
  const is = raw(operator);
  // Of two moments, or of a skipped one, PostgreSQL takes the last that it can be.
  const last = instant(time, timezone(scope));
  if (time.hasOffset) return sql`${c} ${is} ${last}`;
  const isFrom = operator === '>=';
  const text = sql`${time.text}::timestamp`;
  if (scope.gym_id === null) {
    const widest = raw(isFrom ? `- interval '14 hours'` : `+ interval '14 hours'`);
    return sql`${c} AT TIME ZONE g.timezone ${is} ${text} AND ${c} ${is} ${text} AT TIME ZONE 'UTC' ${widest}`;
  }
  // To ask for the clock of each row takes longer than all else: only those of the three hours before are asked. Clocks
  // go back and skip by less.
  const isSure = isFrom ? sql`${c} >= (SELECT ${last})` : sql`${c} < (SELECT ${last} - interval '3 hours')`;
  return sql`${c} ${is} ${last} ${raw(isFrom ? `- interval '3 hours'` : '')}
    AND (${isSure} OR ${c} AT TIME ZONE (SELECT ${timezone(scope)}) ${is} ${text})`;
}

/** `column` is at this time or later. */
export const since = (scope: GymScope, column: string, time: GymTime): Sql =>
  time.isDay ? fromDay(scope, column, dayOf(scope, time)) : compare(scope, column, '>=', time);

/** `column` is at this time or before; if it is a day, on it or before. */
export const until = (scope: GymScope, column: string, time: GymTime): Sql =>
  time.isDay ? toDay(scope, column, dayOf(scope, time)) : compare(scope, column, '<=', time);

/** `column` is before this time; if it is a day, before its first moment. */
export const earlierThan = (scope: GymScope, column: string, time: GymTime): Sql =>
  time.isDay ? toDay(scope, column, daysBefore(dayOf(scope, time), 1)) : compare(scope, column, '<', time);

interface Period {
  start_date?: GymTime;
  end_date?: GymTime;
}

/** To be compared with others of its form. */
const onClock = (time: GymTime) => Date.parse(time.hasOffset || time.isDay ? time.text : `${time.text}Z`);

/** A time of a gym's clock and a moment are not compared: which is first, only the zone says. @throws FieldsInvalid */
export function requireOrder({ start_date: start, end_date: end }: Period): void {
  if (!start || !end || start.hasOffset !== end.hasOffset) return;
  // A day begins with its first moment and ends with its last.
  const isOfDays = start.isDay || end.isDay;
  const isAfter = isOfDays ? start.text.slice(0, 10) > end.text.slice(0, 10) : onClock(start) > onClock(end);
  if (isAfter) throw FieldsInvalid.of('start_date', 'must not be after end_date');
}

/** AND `column` lies within the times of a query, which may leave either end open. @throws FieldsInvalid */
export function between(scope: GymScope, column: string, query: Period): Sql {
  requireOrder(query);
  const first = query.start_date ? sql`AND ${since(scope, column, query.start_date)}` : empty;
  return query.end_date ? sql`${first} AND ${until(scope, column, query.end_date)}` : first;
}

/** The moment that a time is in a gym. */
export async function momentOf(db: Queryable, gymId: number, time: GymTime): Promise<Date> {
  const [row] = await db.query<{ moment: Date }>(everyGym`
    SELECT ${instant(time, sql`gym_timezone(${gymId})`)}::timestamptz(3) AS moment`);
  return row!.moment;
}

/** So much may the clock of a client differ from ours. */
export const CLOCKS_DIFFER = raw(`interval '5 minutes'`);

/**
 * The same for what has happened. Clocks differ: a little ahead of ours is now.
 * @throws FieldsInvalid if it is still to come
 */
export async function pastMomentOf(db: Queryable, gymId: number, field: string, time: GymTime): Promise<Date> {
  const [row] = await db.query<{ moment: Date; is_to_come: boolean }>(everyGym`
    SELECT least(t.at, moment()) AS moment, t.at > clock_timestamp() + ${CLOCKS_DIFFER} AS is_to_come
    FROM (SELECT ${instant(time, sql`gym_timezone(${gymId})`)}::timestamptz(3) AS at) t`);
  if (row!.is_to_come) throw FieldsInvalid.of(field, 'must not be in the future');
  return row!.moment;
}
