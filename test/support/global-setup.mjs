// One PostgreSQL for the whole run, with a migrated template that every worker copies its own database from.
import { existsSync } from 'node:fs';
import pg from 'pg';

if (!existsSync('dist/.built')) throw new Error('The tests run migrations from the build: `npm run build` first.');
const { startEmbeddedPostgres } = await import('../../dist/src/database/embedded/embedded-postgres.js');
const { migrate } = await import('../../dist/src/database/migrate.js');

// What is tested is not whether a disk syncs; the tests that kill the server start it on a database with these on.
const FAST = ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off'];

export default async function setup() {
  const postgres = await startEmbeddedPostgres('.data/test-postgres', 'postgres', FAST);
  const admin = new pg.Client({ connectionString: postgres.url });
  await admin.connect();
  // Held until the run ends: another one in this folder would drop the databases of this one.
  const { rows: locks } = await admin.query('SELECT pg_try_advisory_lock(1) AS is_ours');
  if (!locks[0].is_ours) throw new Error('Another run of the tests is under way in this folder: wait for it to end.');
  const { rows } = await admin.query(`SELECT datname FROM pg_database WHERE datname LIKE 'test\\_%'`);
  for (const { datname } of rows) await admin.query(`DROP DATABASE "${datname}" WITH (FORCE)`);
  await admin.query('CREATE DATABASE test_template');
  await migrate(postgres.url.replace(/[^/]+$/, 'test_template'));
  process.env.TEST_POSTGRES_URL = postgres.url;
  globalThis.testPostgres = postgres;
  globalThis.testRun = admin;
}
