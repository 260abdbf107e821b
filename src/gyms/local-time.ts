import type { GymScope } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import { empty, raw, type Sql, sql } from '../database/sql.js';

/** The time zone that counts: of the scope's one gym, or (all gyms) of each row's own, which the query has joined as `g`. */
function timezone(scope: GymScope): Sql {
  return scope.gym_id === null ? raw('g.timezone') : sql`gym_timezone(${scope.gym_id})`;
}

/** The local day of `column`; the zone is looked up once, not for every row. */
export const localDay = (scope: GymScope, column: string): Sql =>
  sql`(${raw(column)} AT TIME ZONE ${scope.gym_id === null ? timezone(scope) : sql`(SELECT ${timezone(scope)})`})::date`;

/** Today in the gym; for all gyms together, UTC's. */
export const today = (scope: GymScope): Sql =>
  scope.gym_id === null ? raw(`(now() AT TIME ZONE 'UTC')::date`) : sql`(now() AT TIME ZONE ${timezone(scope)})::date`;

/** When a local day begins. */
export const beginOf = (scope: GymScope, day: Sql): Sql =>
  sql`((${day})::date::timestamp AT TIME ZONE ${timezone(scope)})`;

/**
 * `column` lies on the local days from `first` to `last`, both included. A local day is turned into the moments it begins
 * and ends, so that an index on the column is used; on the days when clocks change it has 23 or 25 hours.
 */
export function onLocalDays(scope: GymScope, column: string, first: Sql, last: Sql): Sql {
  const c = raw(column);
  const exact = sql`${c} >= ${beginOf(scope, first)} AND ${c} < ${beginOf(scope, sql`(${last})::date + 1`)}`;
  if (scope.gym_id !== null) return exact;
  // The zones of all gyms lie within 14 hours of UTC: these bounds are for the index.
  return sql`${exact} AND ${c} >= (${first})::date::timestamp AT TIME ZONE 'UTC' - interval '14 hours'
    AND ${c} < ((${last})::date + 1)::timestamp AT TIME ZONE 'UTC' + interval '14 hours'`;
}

/** AND `column` lies on the local days of a query, which may leave either end open. */
export function betweenDays(scope: GymScope, column: string, query: { start_date?: string; end_date?: string }): Sql {
  if (!query.start_date && !query.end_date) return empty;
  const [first, last] = [query.start_date ?? '1900-01-01', query.end_date ?? '2199-12-31'];
  return sql`AND ${onLocalDays(scope, column, sql`${first}::date`, sql`${last}::date`)}`;
}

/** A client's clock may be so far ahead of ours, in milliseconds. */
const CLOCKS_DIFFER_MS = 300_000;

/** Refuses a moment that is still to come. @throws FieldsInvalid */
export function requirePast(field: string, moment: string | null | undefined): void {
  if (moment && Date.parse(moment) > Date.now() + CLOCKS_DIFFER_MS) {
    throw FieldsInvalid.of(field, 'must not be in the future');
  }
}
