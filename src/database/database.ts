import { createHmac, hkdfSync } from 'node:crypto';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import pg from 'pg';
import { Unavailable } from '../common/errors/common.errors.js';
import type { DomainEvent } from '../common/events/domain-event.js';
import { Config } from '../config/config.js';
import { isStalePlan, isWorthRetrying, postgresError } from './postgres-errors.js';
import { everyGym, raw, type ScopedSql, type Sql } from './sql.js';

/** What runs SQL: the database itself (each query on its own) or a transaction. */
export interface Queryable {
  /** The rows, as they are. Errors of PostgreSQL arrive as DomainErrors where a client can do something about them. */
  query<Row extends object>(query: ScopedSql): Promise<Row[]>;
}

/** One transaction. Passed on explicitly, so that a reader sees what belongs together. */
export interface Transaction extends Queryable {
  /** Publishes the event after the commit; never, if the transaction is rolled back. */
  emit(event: DomainEvent): void;
  /**
   * Publishes an event that may not be lost: it is stored with the transaction (in the job queue, our outbox) and delivered
   * at least once, by some server, again until its listeners succeed.
   */
  emitDurably(event: DomainEvent): Promise<void>;
}

/** The job that delivers an event from the outbox. */
export const DELIVER_EVENT = 'deliver_event';

export interface StoredEvent {
  name: string;
  event: object;
}

/** Reads of int8 and numeric are numbers: ids, counts and money (numeric(12,2)) are exact in a double. */
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, Number);
types.setTypeParser(pg.types.builtins.NUMERIC, Number);
types.setTypeParser(pg.types.builtins.DATE, String);

/** The pool and the unit of work. */
@Injectable()
export class Database implements Queryable, OnApplicationShutdown {
  readonly pool: pg.Pool;
  private readonly hashKey: Buffer;

  constructor(
    config: Config,
    private readonly events: EventEmitter2,
  ) {
    this.hashKey = Buffer.from(hkdfSync('sha256', config.JWT_SECRET, '', 'hashes of what is stored', 32));
    this.pool = new pg.Pool({
      connectionString: config.DATABASE_URL,
      max: config.DATABASE_POOL_SIZE,
      connectionTimeoutMillis: 5_000,
      application_name: 'spotter',
      keepAlive: true,
      types,
      // Nothing a person waits for may take longer; a forgotten transaction may not hold its locks.
      // A summary of a year sorts in memory; compiling a query would take longer than most queries do.
      options:
        '-c statement_timeout=15s -c idle_in_transaction_session_timeout=30s -c timezone=UTC -c work_mem=16MB -c jit=off',
    });
    // The pool replaces a connection that breaks, and its query fails; unheard, the event would end the process.
    this.pool.on('error', () => undefined);
    this.pool.on('connect', (client) => client.on('error', () => undefined));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }

  /** A hash to compare by, from which nobody who reads the database can guess what was hashed: it takes our secret to make it. */
  keyedHash(text: string): Buffer {
    return createHmac('sha256', this.hashKey).update(text).digest();
  }

  query<Row extends object>(query: ScopedSql): Promise<Row[]> {
    return again(async () => {
      const client = await this.connect();
      let broken = false;
      try {
        return await run<Row>(client, query);
      } catch (error) {
        broken = error instanceof Unavailable;
        throw error;
      } finally {
        client.release(broken);
      }
    });
  }

  /**
   * Runs `work` in one transaction, again if PostgreSQL ended it in favour of another (deadlock, serialization). What it
   * emits leaves after the commit.
   */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    return again(() => this.attempt(work));
  }

  /** Whatever keeps us from a connection (refused, too many, shutting down) is over at some time. */
  private async connect(): Promise<pg.PoolClient> {
    try {
      return await this.pool.connect();
    } catch (error) {
      throw Object.assign(new Unavailable(), { cause: error });
    }
  }

  private async attempt<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    const events: DomainEvent[] = [];
    const client = await this.connect();
    let broken = false;
    try {
      await run(client, BEGIN);
      const result = await work({
        query: <Row extends object>(query: ScopedSql) => run<Row>(client, query),
        emit: (event) => void events.push(event),
        emitDurably: async (event) => {
          const stored: StoredEvent = { name: event.constructor.name, event };
          await run(
            client,
            everyGym`SELECT graphile_worker.add_job(${DELIVER_EVENT}, ${JSON.stringify(stored)}::json)`,
          );
        },
      });
      await run(client, COMMIT);
      for (const event of events) this.events.emit(event.constructor.name, event);
      return result;
    } catch (error) {
      // A connection that cannot even roll back is thrown away, and one whose statements are to be prepared anew.
      broken = error instanceof Unavailable;
      await client.query('ROLLBACK').catch(() => (broken = true));
      throw error;
    } finally {
      client.release(broken);
    }
  }
}

async function again<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      // The connection was thrown away, and there are not so many of them.
      if (isStalePlan(error)) attempt--;
      else if (attempt === 3 || !isWorthRetrying(error)) throw error;
    }
  }
}

const BEGIN = raw('BEGIN');
const COMMIT = raw('COMMIT');

/** Through pg's callback: its promises keep the rows across garbage collections, which cost a list a fifth of its time. */
function run<Row extends object>(client: pg.PoolClient, query: Sql): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    client.query<Row>({ name: nameOf(query.text), text: query.text, values: query.values }, (error, result) => {
      if (error) reject(postgresError(error));
      else resolve(result.rows);
    });
  });
}

/** Statements that are prepared under a name, each connection once: PostgreSQL parses and plans them once. */
const names = new Map<string, string>();
const MOST_NAMES = 1000;

/**
 * The name of a statement. Texts without end (a list of values of any length) go without; so do pages of lists, because a
 * plan for a LIMIT that is not known sorts everything.
 */
function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= MOST_NAMES || text.includes('LIMIT $')) return known;
  const name = `s${names.size}`;
  names.set(text, name);
  return name;
}
