import pg from 'pg';
import { connection } from '../../src/database/connection.js';

const server = process.env.TEST_POSTGRES_URL!;

async function onServer<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const urlOf = (database: string) => server.replace(/[^/]+$/, database);

/** The migrated database of this Jest worker; its test files run one after the other and share it. */
export async function workerDatabase(): Promise<string> {
  const name = `test_worker_${process.env.JEST_WORKER_ID}`;
  await onServer(async (client) => {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (!rowCount) await client.query(`CREATE DATABASE ${name} TEMPLATE test_template`);
  });
  return urlOf(name);
}

/** A database of one's own: migrated, or a copy of another of one's own, or (empty) with nothing in it. */
export async function ownDatabase(purpose: string, from: { empty?: boolean; template?: string } = {}): Promise<string> {
  const own = (name: string) => `test_${name}_${process.env.JEST_WORKER_ID}`;
  const template = from.empty ? 'template1' : from.template ? own(from.template) : 'test_template';
  await onServer(async (client) => {
    await client.query(`DROP DATABASE IF EXISTS ${own(purpose)} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${own(purpose)} TEMPLATE ${template}`);
  });
  return urlOf(own(purpose));
}

/** A connection for what takes longer than a request may, where the machine is slow. */
export async function patientClient(url: string): Promise<pg.Client> {
  const client = new pg.Client(connection(url, 'test', 'long'));
  await client.connect();
  return client;
}
