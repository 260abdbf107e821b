import { createHmac, hkdfSync } from 'node:crypto';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import pg from 'pg';
import { Unavailable } from '../common/errors/common.errors.js';
import type { DomainEvent } from '../common/events/domain-event.js';
import { Outage } from '../common/outage.js';
import { Config } from '../config/config.js';
import { pool } from './connection.js';
import { isAway, isStalePlan, isWorthRetrying, postgresError } from './postgres-errors.js';
import { everyGym, raw, type Returning, type ScopedSql, type Sql } from './sql.js';

/** What runs SQL: the database itself (each query on its own) or a transaction. */
export interface Queryable {
  /** The rows, as they are. Errors of PostgreSQL arrive as DomainErrors where a client can do something about them. */
  query<Row extends object>(query: ScopedSql & Returning<Row>): Promise<Row[]>;
}

/** One transaction. Passed on explicitly, so that a reader sees what belongs together. */
export interface Transaction extends Queryable {
  /** Publishes the event after the commit; never, if the transaction is rolled back. */
  emit(event: DomainEvent): void;
  /**
   * Publishes an event that may not be lost: it is stored with the transaction (in the job queue, our outbox) and
   * delivered at least once, by some server, again until its listeners succeed.
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
  private readonly outage = new Outage(new Logger('Database'), 'The database');
  /** Counts, so that a failure can tell whether the database has answered others meanwhile. */
  private answers = 0;

  constructor(
    config: Config,
    private readonly events: EventEmitter2,
  ) {
    this.hashKey = Buffer.from(hkdfSync('sha256', config.JWT_SECRET, '', 'hashes of what is stored', 32));
    this.pool = pool(config.DATABASE_URL!, 'spotter', { max: config.DATABASE_POOL_SIZE, types });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }

  /**
   * A hash to compare by. It takes our secret to make it: from the database alone what was hashed cannot be guessed.
   */
  keyedHash(text: string): Buffer {
    return createHmac('sha256', this.hashKey).update(text).digest();
  }

  query<Row extends object>(query: ScopedSql & Returning<Row>): Promise<Row[]> {
    return this.again(() => this.onConnection((client) => run<Row>(client, query)));
  }

  /**
   * Runs `work` in one transaction, again if PostgreSQL ended it in favour of another (deadlock, serialization). What
   * it emits leaves after the commit.
   */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    return this.again(async () => {
      const events: DomainEvent[] = [];
      const result = await this.onConnection((client) => attempt(client, work, events));
      for (const event of events) this.events.emit(event.constructor.name, event);
      return result;
    });
  }

  /** Whether it has been lost and has not answered since. */
  get isAway(): boolean {
    return this.outage.isOn;
  }

  /** Whether the database answers within `ms`. */
  async isUp(ms = 2_000): Promise<boolean> {
    const late = new Promise<boolean>((resolve) => setTimeout(resolve, ms, false).unref());
    const answer = this.query(everyGym`SELECT 1`).then(
      () => true,
      () => false,
    );
    return Promise.race([answer, late]);
  }

  /** Lends a connection, and throws it away if it broke or its statements must be prepared again. */
  private async onConnection<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    const { answers } = this;
    let client: pg.PoolClient | undefined;
    let isBroken = false;
    try {
      client = await this.connect();
      const result = await work(client);
      this.answered();
      return result;
    } catch (error) {
      isBroken = isAway(error) || isStalePlan(error);
      if (!isAway(error)) this.answered();
      // Where others were answered meanwhile, it is this connection that broke, or there are too few.
      else if (this.answers === answers) {
        this.outage.lost(error.cause);
        error.isReported = true;
      }
      throw error;
    } finally {
      client?.release(isBroken);
    }
  }

  private answered(): void {
    this.answers++;
    this.outage.back();
  }

  /** Whatever keeps us from a connection (refused, too many, shutting down) is over at some time. */
  private async connect(): Promise<pg.PoolClient> {
    try {
      return await this.pool.connect();
    } catch (error) {
      throw Object.assign(new Unavailable(), { cause: error });
    }
  }

  private async again<Result>(work: () => Promise<Result>): Promise<Result> {
    let [retries, stale] = [0, 0];
    for (;;) {
      try {
        return await work();
      } catch (error) {
        // Each stale connection was thrown away: after as many as there can be, it is something else.
        if (isStalePlan(error) ? ++stale > this.pool.options.max : !isWorthRetrying(error) || ++retries === 3)
          throw error;
      }
    }
  }
}

/** One try of a transaction on a connection. */
async function attempt<Result>(
  client: pg.PoolClient,
  work: (tx: Transaction) => Promise<Result>,
  events: DomainEvent[],
): Promise<Result> {
  try {
    await run(client, BEGIN);
    const result = await work({
      query: <Row extends object>(query: ScopedSql) => run<Row>(client, query),
      emit: (event) => void events.push(event),
      emitDurably: async (event) => {
        const stored: StoredEvent = { name: event.constructor.name, event };
        await run(client, everyGym`SELECT graphile_worker.add_job(${DELIVER_EVENT}, ${JSON.stringify(stored)}::json)`);
      },
    });
    await run(client, COMMIT);
    return result;
  } catch (error) {
    // A connection that broke has no transaction any more; one that cannot even roll back is broken.
    if (!isAway(error)) await run(client, ROLLBACK);
    throw error;
  }
}

const BEGIN = raw('BEGIN');
const COMMIT = raw('COMMIT');
const ROLLBACK = raw('ROLLBACK');

/**
 * Through pg's callback: its promises keep the rows across garbage collections, which cost a list a fifth of its time.
 */
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
 * The name of a statement. Texts without end (a list of values of any length) go without; so do pages of lists, because
 * a plan for a LIMIT that is not known sorts everything.
 */
function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= MOST_NAMES || text.includes('LIMIT $')) return known;
  const name = `s${names.size}`;
  names.set(text, name);
  return name;
}
