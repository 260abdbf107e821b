import pg from 'pg';
import type { TestApp } from './app.js';

export interface Plan {
  sql: string;
  /** What EXPLAIN says of it, with the values it ran with. */
  plan: string;
}

/** What servers tell each other's sockets and hand to the job queue, behind every request: few rows, soon gone. */
const BEHIND = /socket_message|pg_notify|stats_broadcasts|currently_in|graphile_worker|job_workers/;
const CONTROL = /^\s*(BEGIN|COMMIT|ROLLBACK|SELECT 1 FROM pg_|LISTEN|EXPLAIN)/;

/** The plans of all queries that run while `work` does. Nothing else may run on the server meanwhile. */
export async function plansOf(t: TestApp, work: () => Promise<unknown>): Promise<Plan[]> {
  const queries: [string, unknown[]][] = [];
  const original = pg.Client.prototype.query as (...parameters: unknown[]) => unknown;
  pg.Client.prototype.query = function record(this: pg.Client, ...parameters: unknown[]) {
    const asked = (parameters[0] ?? {}) as pg.QueryConfig & { steps?: pg.QueryConfig[] };
    for (const { text, values } of asked.steps ?? [asked]) {
      if (text && !CONTROL.test(text) && !BEHIND.test(text)) queries.push([text, values ?? []]);
    }
    return original.apply(this, parameters);
  } as typeof pg.Client.prototype.query;
  try {
    await work();
  } finally {
    pg.Client.prototype.query = original as typeof pg.Client.prototype.query;
  }
  const plans: Plan[] = [];
  for (const [sql, values] of queries) {
    const { rows } = await t.db.pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql}`, values);
    plans.push({ sql, plan: rows.map((row) => row['QUERY PLAN']).join('\n') });
  }
  return plans;
}

/** Tables that stay small however large a gym grows. */
const SMALL = new Set(['gyms', 'slot_settings']);

/** The sequential scans of the plans on tables that grow. */
export function sequentialScans(plans: Plan[]): string[] {
  return plans.flatMap(({ sql, plan }) =>
    [...plan.matchAll(/Seq Scan on (\w+)/g)]
      .filter(([, table]) => !SMALL.has(table!))
      .map(([scan]) => `${scan} in ${sql}\n${plan}`),
  );
}
