import { runMigrations as migrateJobQueue } from 'graphile-worker';
import pg from 'pg';
import { ConfigError } from '../config/config-error.js';
import { connection } from './connection.js';
import { dataSource } from './data-source.js';

/** Held while the schema changes, so that servers that start together take turns. */
const MIGRATING = 0x5908;

/**
 * Brings the schema up to date and then runs `afterwards` (the first start's data) before any other server goes on.
 * @throws ConfigError if the database cannot be reached
 */
export async function migrate(url: string, afterwards?: (client: pg.Client) => Promise<void>): Promise<void> {
  const settings = connection(url, 'spotter', 'long');
  const client = new pg.Client(settings);
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw new ConfigError(`The database in DATABASE_URL cannot be used: ${reason(error)}.`);
  }
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATING]);
    const source = await dataSource(settings.connectionString!).initialize();
    try {
      await source.runMigrations();
    } finally {
      await source.destroy();
    }
    await migrateJobQueue({ connectionString: settings.connectionString, logger: undefined });
    await afterwards?.(client);
  } finally {
    await client.end();
  }
}

function reason(error: unknown): string {
  const [first = error] = error instanceof AggregateError ? error.errors : [];
  return (first as Error).message;
}
