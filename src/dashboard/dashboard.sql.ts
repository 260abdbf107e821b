import type { GymScope } from '../common/actor/actor.js';
import { join, raw, type ScopedSql, type Sql, sql } from '../database/sql.js';
import { gymsWithPeriods, PERIODS } from '../gyms/local-time.js';
import type { Period } from './dashboard.rules.js';

/** What the numbers are made of: rows `x` of a gym; when, for how much, and by which of the staff. */
const FACTS = {
  sales: {
    rows: 'sales x WHERE',
    at: 'x.sale_date',
    amount: 'x.total_amount',
    by: 'x.sold_by_id',
  },
  plans: {
    rows: 'user_plans x WHERE',
    at: 'x.purchased_at',
    amount: 'x.purchased_price',
    by: 'x.created_by_id',
  },
  visits: {
    rows: 'attendance x WHERE',
    at: 'x.check_in_time',
    amount: '0',
    by: 'x.recorded_by_id',
  },
  // Also those who were deleted since. Who has moved or changed role is counted as they are now (decision 33).
  new_members: {
    rows: `users x WHERE x.role = 'user' AND`,
    at: 'x.created_at',
    amount: '0',
    by: 'NULL::int',
  },
};
export type Fact = keyof typeof FACTS;

/** `g` with these periods: see local-time.ts. */
export const during = (scope: GymScope, ...periods: (keyof typeof PERIODS)[]): ScopedSql =>
  gymsWithPeriods(
    scope,
    join(
      periods.map((period) => PERIODS[period]),
      ' UNION ALL ',
    ),
  );

/** `g` with a period in intervals, each of which has its first day as a key. */
export const duringEach = (scope: GymScope, { from, to }: Period, dates: string[]): ScopedSql =>
  gymsWithPeriods(
    scope,
    sql`SELECT date, greatest(date, ${from}::date), lead(date - 1, 1, ${to}::date) OVER (ORDER BY date)
      FROM unnest(${dates}::date[]) date`,
  );

/**
 * How many there are of some facts in the periods of `g`, and how much they come to: `fact, key, count, amount`.
 * @param keyOf of each fact; that of its period, if it is left out
 */
export function counted(facts: readonly Fact[], keyOf?: (fact: (typeof FACTS)[Fact]) => string): Sql {
  const each = facts.map((name) => {
    const { rows, at, amount } = FACTS[name];
    // Of each gym and period by itself: PostgreSQL does not know how few rows that is, and would read all.
    return raw(`
      SELECT '${name}' AS fact, c.* FROM g CROSS JOIN LATERAL (
        SELECT ${keyOf?.(FACTS[name]) ?? 'g.key'} AS key, count(*) AS count, sum(${amount}) AS amount
        FROM ${rows} x.gym_id = g.id AND ${at} >= g.begins AND ${at} < g.ends ${keyOf ? 'GROUP BY 1' : ''}) c`);
  });
  return join(each, ' UNION ALL ');
}

const only = (sum: string, condition: string) => raw(`coalesce(sum(${sum}) FILTER (WHERE ${condition}), 0)`);
/** Of what was `counted`: how many, or how much. @param condition of its fact and key */
export const countWhere = (condition: string): Sql => only('count', condition);
export const amountWhere = (condition: string): Sql => only('amount', condition);
export const countOf = (fact: Fact): Sql => countWhere(`fact = '${fact}'`);
export const amountOf = (fact: Fact): Sql => amountWhere(`fact = '${fact}'`);

/** When plans expire soon. */
export const SOON = raw(`soon AS MATERIALIZED (
  SELECT now() + interval '3 days' AS in_3_days, now() + interval '7 days' AS in_7_days,
    now() + interval '30 days' AS in_30_days)`);

/** How many plans of the gym `g` are active and expire SOON: of a range of an index, and of those without an end. */
export const activePlans = (active: Sql): Sql => sql`
  SELECT count(*) AS active, count(*) FILTER (WHERE expires_at <= in_3_days) AS expiring_3_days,
    count(*) FILTER (WHERE expires_at <= in_7_days) AS expiring_7_days,
    count(*) FILTER (WHERE expires_at <= in_30_days) AS expiring_30_days
  FROM soon CROSS JOIN (
    SELECT up.expires_at FROM user_plans up WHERE up.gym_id = g.id ${active} AND up.expires_at > moment()
    UNION ALL
    SELECT NULL FROM user_plans up WHERE up.gym_id = g.id ${active} AND up.expires_at IS NULL) a`;
