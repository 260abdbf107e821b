import { Injectable } from '@nestjs/common';
import { TooManyRequests } from '../common/errors/common.errors.js';
import { Database } from '../database/database.js';
import { everyGym, join, sql } from '../database/sql.js';

/** A leaky bucket: `burst` attempts at once, then one every `seconds`. */
export interface Budget {
  key: string;
  burst: number;
  seconds: number;
}

/** Counts attempts in the database, so that every server and every restart knows of them. */
@Injectable()
export class Attempts {
  constructor(private readonly db: Database) {}

  /** @throws TooManyRequests with the seconds until the next attempt, if one of the budgets is used up */
  async check(budgets: Budget[]): Promise<void> {
    const rows = await this.db.query<{ key: string; ahead: number }>(everyGym`
      SELECT key, extract(epoch FROM drained_at - now())::float8 AS ahead
      FROM attempt_budgets WHERE key = ANY(${budgets.map(({ key }) => key)})`);
    const waits = budgets.map(({ key, burst, seconds }) => {
      const ahead = rows.find((row) => row.key === key)?.ahead ?? 0;
      return ahead - (burst - 1) * seconds;
    });
    const wait = Math.ceil(Math.max(...waits));
    if (wait > 0) throw new TooManyRequests(wait, `Too many attempts. Try again in ${wait} s.`);
  }

  async count(budgets: Budget[]): Promise<void> {
    const rows = budgets.map(({ key, seconds }) => sql`(${key}, now() + make_interval(secs => ${seconds}))`);
    await this.db.query(everyGym`
      INSERT INTO attempt_budgets AS budget (key, drained_at) VALUES ${join(rows)}
      ON CONFLICT (key) DO UPDATE
        SET drained_at = greatest(budget.drained_at, now()) + (excluded.drained_at - now())`);
  }

  async forget(key: string): Promise<void> {
    await this.db.query(everyGym`DELETE FROM attempt_budgets WHERE key = ${key}`);
  }

  async purge(): Promise<void> {
    await this.db.query(everyGym`DELETE FROM attempt_budgets WHERE drained_at < now()`);
  }
}
