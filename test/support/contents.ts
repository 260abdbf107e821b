import type { Database } from '../../src/database/database.js';
import { everyGym, raw } from '../../src/database/sql.js';

/** What does not say what a person did, only that a person was there. */
const BOOKKEEPING = {
  tables: ['attempt_budgets', 'job_runs', 'job_workers', 'socket_messages', 'socket_sessions', 'stats_broadcasts'],
  columns: ['updated_at', 'last_used_at', 'last_seen_at', 'online_until', 'held_until', 'told_up_to_id'],
};

/** A digest of each table's rows: what has changed between two of them differs. */
export async function contents(db: Database): Promise<Record<string, string>> {
  const tables = await db.query<{ name: string }>(everyGym`
    SELECT c.relname AS name FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.relname <> ALL(${BOOKKEEPING.tables}) ORDER BY 1`);
  const digests = tables.map(async ({ name }) => {
    const [table] = await db.query<{ digest: string }>(everyGym`
      SELECT count(*) || ' ' || md5(coalesce(string_agg(row, '' ORDER BY row), '')) AS digest
      FROM (SELECT md5((to_jsonb(t) - ${BOOKKEEPING.columns}::text[])::text) AS row FROM ${raw(`"${name}"`)} t) rows`);
    return [name, table!.digest] as const;
  });
  return Object.fromEntries(await Promise.all(digests));
}
