import { Injectable } from '@nestjs/common';
import { TooManyRequests } from '../common/errors/common.errors.js';
import { Database, type Transaction } from '../database/database.js';
import { everyGym, type Sql, sql } from '../database/sql.js';

/** A leaky bucket: `burst` attempts at once, and as many in every period. */
export interface Budget {
  key: string;
  burst: number;
  /** Of the period; a quarter of an hour by default. */
  seconds?: number;
}

const QUARTER_HOUR = 900;
const periodOf = ({ seconds = QUARTER_HOUR }: Budget): number => seconds;
/** Seconds by which one attempt fills the bucket. */
const secondsOf = (budget: Budget): number => periodOf(budget) / budget.burst;
/** So far ahead the bucket may be: what takes a moment to arrive is forgiven. */
const mostOf = (budget: Budget): number => periodOf(budget) + 0.5;

/** SQL: the seconds until the budget has an attempt again; NULL: it has one. For what must not write to ask. */
export function secondsUntilFree(budget: Budget): Sql {
  const ahead = sql`extract(epoch FROM drained_at - now())::float8 + ${secondsOf(budget)}::float8`;
  return sql`(SELECT greatest(1, ceil(${ahead} - ${periodOf(budget)}))::int FROM attempt_budgets
    WHERE key = ${budget.key} AND ${ahead} >= ${mostOf(budget)})`;
}

/** Counts attempts in the database, so that every server and every restart knows of them. */
@Injectable()
export class Attempts {
  constructor(private readonly db: Database) {}

  /**
   * Takes an attempt from each budget, or from none: one statement judges and counts, so that many at once get as many
   * as there are.
   * @throws TooManyRequests with the seconds until the next attempt, if one of the budgets is used up
   */
  take(budgets: Budget[]): Promise<void> {
    return this.db.transaction((tx) => this.takeIn(tx, budgets));
  }

  /** The same as a part of a larger transaction: its refusal takes back what was done. */
  async takeIn(tx: Transaction, budgets: Budget[]): Promise<void> {
    const sorted = budgets.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const [keys, most] = [sorted.map(({ key }) => key), sorted.map(mostOf)];
    const taken = await tx.query<{ key: string }>(everyGym`
      INSERT INTO attempt_budgets AS budget (key, drained_at)
      SELECT key, now() + make_interval(secs => seconds)
      FROM unnest(${keys}::text[], ${sorted.map(secondsOf)}::float8[]) AS asked (key, seconds)
      ON CONFLICT (key) DO UPDATE
        SET drained_at = greatest(budget.drained_at, now()) + (excluded.drained_at - now())
        WHERE greatest(budget.drained_at, now()) + (excluded.drained_at - now()) < now() + make_interval(secs => (
          SELECT most FROM unnest(${keys}::text[], ${most}::float8[]) AS asked (key, most)
          WHERE asked.key = budget.key))
      RETURNING key`);
    const refused = budgets.filter(({ key }) => !taken.some((one) => one.key === key));
    // The error takes back what was counted in the others.
    if (refused.length > 0) throw await this.refusal(tx, refused);
  }

  /** The attempt was none to be counted. @param isOver the first budget begins again */
  async giveBack(budgets: Budget[], isOver: boolean): Promise<void> {
    const keys = budgets.map(({ key }) => key);
    // Locked in the order in which they are taken: two that cross would wait for each other.
    const held = sql`(SELECT count(*) FROM held) > 0`;
    const given = isOver ? budgets.slice(1) : budgets;
    await this.db.change(everyGym`
      WITH held AS MATERIALIZED (
        SELECT FROM attempt_budgets WHERE key = ANY(${keys}) ORDER BY key COLLATE "C" FOR UPDATE),
      begun_again AS (DELETE FROM attempt_budgets WHERE ${isOver} AND key = ${budgets[0]!.key} AND ${held})
      UPDATE attempt_budgets budget SET drained_at = drained_at - make_interval(secs => given.seconds)
      FROM unnest(${given.map(({ key }) => key)}::text[], ${given.map(secondsOf)}::float8[]) AS given (key, seconds)
      WHERE budget.key = given.key AND ${held}`);
  }

  private async refusal(tx: Transaction, budgets: Budget[]): Promise<TooManyRequests> {
    const rows = await tx.query<{ key: string; ahead: number }>(everyGym`
      SELECT key, extract(epoch FROM drained_at - now())::float8 AS ahead
      FROM attempt_budgets WHERE key = ANY(${budgets.map(({ key }) => key)})`);
    const waits = budgets.map((budget) => {
      const ahead = rows.find(({ key }) => key === budget.key)?.ahead ?? 0;
      return ahead + secondsOf(budget) - periodOf(budget);
    });
    const wait = Math.max(1, Math.ceil(Math.max(...waits)));
    return new TooManyRequests(wait, `Too many attempts. Try again in ${wait} s.`);
  }

  async purge(): Promise<void> {
    await this.db.change(everyGym`DELETE FROM attempt_budgets WHERE drained_at < now()`);
  }
}
