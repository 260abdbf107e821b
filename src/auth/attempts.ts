import { Injectable } from '@nestjs/common';
import { TooManyRequests } from '../common/errors/common.errors.js';
import { Database, type Transaction } from '../database/database.js';
import { everyGym, join, sql } from '../database/sql.js';

/** A leaky bucket: `burst` attempts at once, and as many in every quarter of an hour. */
export interface Budget {
  key: string;
  burst: number;
}

const QUARTER_HOUR = 900;
/** Seconds by which one attempt fills the bucket. */
const secondsOf = ({ burst }: Budget): number => QUARTER_HOUR / burst;

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
    const rows = budgets
      .toSorted((a, b) => (a.key < b.key ? -1 : 1))
      .map((budget) => sql`(${budget.key}, now() + make_interval(secs => ${secondsOf(budget)}))`);
    return this.db.transaction(async (tx) => {
      const taken = await tx.query<{ key: string }>(everyGym`
        INSERT INTO attempt_budgets AS budget (key, drained_at) VALUES ${join(rows)}
        ON CONFLICT (key) DO UPDATE
          SET drained_at = greatest(budget.drained_at, now()) + (excluded.drained_at - now())
          WHERE greatest(budget.drained_at, now()) + (excluded.drained_at - now())
            < now() + make_interval(secs => ${QUARTER_HOUR + 0.5})
        RETURNING key`);
      const refused = budgets.filter(({ key }) => !taken.some((one) => one.key === key));
      // The error takes back what was counted in the others.
      if (refused.length > 0) throw await this.refusal(tx, refused);
    });
  }

  /** The attempt was none to be counted: the first budget begins again, the others get it back. */
  async giveBack([first, ...others]: Budget[]): Promise<void> {
    await this.db.query(everyGym`
      WITH begun_again AS (DELETE FROM attempt_budgets WHERE key = ${first!.key})
      UPDATE attempt_budgets budget SET drained_at = drained_at - make_interval(secs => other.seconds)
      FROM unnest(${others.map(({ key }) => key)}::text[], ${others.map(secondsOf)}::float8[]) AS other (key, seconds)
      WHERE budget.key = other.key`);
  }

  private async refusal(tx: Transaction, budgets: Budget[]): Promise<TooManyRequests> {
    const rows = await tx.query<{ key: string; ahead: number }>(everyGym`
      SELECT key, extract(epoch FROM drained_at - now())::float8 AS ahead
      FROM attempt_budgets WHERE key = ANY(${budgets.map(({ key }) => key)})`);
    const waits = budgets.map((budget) => {
      const ahead = rows.find(({ key }) => key === budget.key)?.ahead ?? 0;
      return ahead + secondsOf(budget) - QUARTER_HOUR;
    });
    const wait = Math.max(1, Math.ceil(Math.max(...waits)));
    return new TooManyRequests(wait, `Too many attempts. Try again in ${wait} s.`);
  }

  async purge(): Promise<void> {
    await this.db.query(everyGym`DELETE FROM attempt_budgets WHERE drained_at < now()`);
  }
}
