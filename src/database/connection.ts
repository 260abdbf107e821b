import type { Socket } from 'node:net';
import pg from 'pg';
import { Unavailable } from '../common/errors/common.errors.js';
import { ConfigError } from '../config/config-error.js';
import { Client } from './client.js';

/** Nothing a person waits for may take longer; a forgotten transaction may not hold its locks. */
const LIMITS = '-c statement_timeout=15s -c idle_in_transaction_session_timeout=30s';
/**
 * A summary of a year sorts in memory; compiling a query would take longer than most queries do; and where an index is
 * in memory or on a solid disk, looking 50 rows up in it is quicker than reading a table.
 */
const TUNING = '-c work_mem=16MB -c jit=off -c random_page_cost=1.1';
/**
 * On a connection that others use, too (Lanes), PostgreSQL itself refuses to write, or to wait long for a lock: all
 * behind it would wait.
 */
const SHARED = { read: '-c default_transaction_read_only=on', write: '-c lock_timeout=100ms' };
/** What our SQL relies on: it comes last, so that no address can set it otherwise. */
const NEEDED = '-c timezone=UTC';
/** When we give a query up by ourselves: later than a database that answers would. */
export const QUERY_MS = 17_000;
const CONNECT_MS = 5_000;

/**
 * How we connect to PostgreSQL, whatever for. The `options` of DATABASE_URL come on top of ours (pg alone would take
 * one or the other).
 * @param work 'short': nothing may take longer than a person waits; 'read', 'write': the same, shared with others.
 *   'long': commands, migrations
 */
export function connection(
  url: string,
  name: string,
  work: 'short' | keyof typeof SHARED | 'long' = 'short',
): pg.ClientConfig {
  const isLong = work === 'long';
  const [address, query] = url.split('?', 2);
  const parameters = new URLSearchParams(query);
  const options = [
    !isLong && LIMITS,
    TUNING,
    parameters.get('options'),
    work in SHARED && SHARED[work as keyof typeof SHARED],
    NEEDED,
  ]
    .filter(Boolean)
    .join(' ');
  parameters.set('options', options);
  return {
    connectionString: `${address}?${parameters.toString()}`,
    application_name: name,
    connectionTimeoutMillis: isLong ? 2 * CONNECT_MS : CONNECT_MS,
    ...(!isLong && { query_timeout: QUERY_MS }),
    keepAlive: true,
  };
}

/** The connection of a command. @throws ConfigError that says why there is none */
export async function connect(url: string, name: string): Promise<pg.Client> {
  try {
    // It reads the certificates that the address names, too.
    const client = new pg.Client(connection(url, name, 'long'));
    client.on('error', () => undefined);
    await client.connect();
    return client;
  } catch (error) {
    throw new ConfigError(`The database in DATABASE_URL cannot be used: ${reason(error)}.`);
  }
}

function reason(error: unknown): string {
  const [first = error] = error instanceof AggregateError ? error.errors : [];
  const { message } = first as Error;
  return message.includes('unsupported startup parameter')
    ? `${message}. PgBouncer does not pass it on: connect to PostgreSQL itself`
    : message;
}

/** Connections of their own for one kind of work. */
export function pool(url: string, name: string, options: pg.PoolConfig): pg.Pool {
  const made = new pg.Pool({ Client: Client as never, ...connection(url, name), ...options });
  // The pool replaces a connection that breaks, and its query fails; unheard, the event would end the process.
  made.on('error', () => undefined);
  made.on('connect', (client) => client.on('error', () => undefined));
  return made;
}

/** Says goodbye and hangs up, also on a database that is frozen, and after a connection that was never made. */
export function hangUp(client: pg.Client): void {
  client.end().catch(() => undefined);
  streamOf(client).destroySoon();
}

/** What is sent until what runs now has ended goes out together: each writing costs as much as a query. */
export function sendTogether(client: pg.ClientBase): void {
  const stream = streamOf(client);
  if (stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

/** Whatever keeps us from a connection (refused, too many, shutting down) is over at some time. @throws Unavailable */
export async function connecting<Connection>(promised: Promise<Connection>): Promise<Connection> {
  try {
    return await promised;
  } catch (error) {
    throw Object.assign(new Unavailable(), { cause: error });
  }
}

export const streamOf = (client: pg.ClientBase) =>
  (client as unknown as { connection: { stream: Socket } }).connection.stream;
