import { createHmac, hkdfSync } from 'node:crypto';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import pg from 'pg';
import { Unavailable } from '../common/errors/common.errors.js';
import type { DomainEvent } from '../common/events/domain-event.js';
import { Outage } from '../common/outage.js';
import { Config } from '../config/config.js';
import { pool } from './connection.js';
import { type Reader, Readers } from './readers.js';
import type { Rows } from './rows.js';
import { isAway, isStalePlan, isWorthRetrying } from './postgres-errors.js';
import { everyGym, raw, type Returning, type ScopedSql, type Sql } from './sql.js';
import { run } from './statement.js';

/** What reads: the database itself (each query on its own) or a transaction. */
export interface Queryable {
  /** The rows. Errors of PostgreSQL arrive as DomainErrors where a client can do something about them. */
  query<Row extends object>(query: ScopedSql & Returning<Row>): Promise<Row[]>;
  /** The same, for what is only passed on: of these rows no objects need to be made. */
  rows<Row extends object>(query: ScopedSql & Returning<Row>): Promise<Rows<Row>>;
}

/** What writes: a transaction, or work of a single statement. Passed on, so that one sees what belongs together. */
export interface Unit extends Queryable {
  /** Publishes the event after the commit; never, if there is none. */
  emit(event: DomainEvent): void;
}

/** One transaction. */
export interface Transaction extends Unit {
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

/** Of all connections, one in so many is for reads, and four at most. */
const READERS = { oneIn: 4, most: 4 };

/** The key of `keyedHash`. @param secret the JWT_SECRET */
export const keyOfHashes = (secret: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, '', 'hashes of what is stored', 32));

/** The connections and the unit of work. */
@Injectable()
export class Database implements Queryable, OnApplicationShutdown {
  /** For transactions, and for what is slow. */
  readonly pool: pg.Pool;
  private readonly readers: Readers;
  private readonly hashKey: Buffer;
  private readonly outage = new Outage(new Logger('Database'), 'The database');
  /** Counts, so that a failure can tell whether the database has answered others meanwhile. */
  private answers = 0;

  constructor(
    config: Config,
    private readonly events: EventEmitter2,
  ) {
    this.hashKey = keyOfHashes(config.JWT_SECRET);
    const most = Math.min(READERS.most, Math.floor(config.DATABASE_POOL_SIZE / READERS.oneIn));
    this.readers = new Readers(config.DATABASE_URL!, most);
    const max = config.DATABASE_POOL_SIZE - most;
    this.pool = pool(config.DATABASE_URL!, 'spotter', { max, pipeline: true });
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.pool.end(), this.readers.close()]);
  }

  /**
   * A hash to compare by. It takes our secret to make it: from the database alone what was hashed cannot be guessed.
   */
  keyedHash(text: string): Buffer {
    return createHmac('sha256', this.hashKey).update(text).digest();
  }

  /** Reads. What changes something is refused here: see `change` and `transaction`. */
  async query<Row extends object>(query: ScopedSql & Returning<Row>): Promise<Row[]> {
    return (await this.rows(query)).toArray();
  }

  rows<Row extends object>(query: ScopedSql & Returning<Row>): Promise<Rows<Row>> {
    return this.again(() => {
      const reader = this.readers.pick();
      return reader ? this.ask<Row>(reader, query) : this.onConnection((client) => run<Row>(client, query));
    });
  }

  /** One statement that changes something. */
  change<Row extends object>(query: ScopedSql & Returning<Row>): Promise<Row[]> {
    return this.statement((unit) => unit.query(query));
  }

  /**
   * Work that changes something with one statement, which needs no BEGIN and COMMIT. What it reads before or after is
   * not of the same moment.
   */
  statement<Result>(work: (unit: Unit) => Promise<Result>): Promise<Result> {
    return this.again(() => this.emitting((emit) => this.onConnection((client) => work(unitOf(client, emit)))));
  }

  /**
   * Runs `work` in one transaction, again if PostgreSQL ended it in favour of another (deadlock, serialization). What
   * it emits leaves after the commit.
   */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    return this.again(() => this.emitting((emit) => this.onConnection((client) => attempt(client, work, emit))));
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

  /** Does `work`, and publishes what it emits when it is done. */
  private async emitting<Result>(work: (emit: Unit['emit']) => Promise<Result>): Promise<Result> {
    const events: DomainEvent[] = [];
    const result = await work((event) => void events.push(event));
    for (const event of events) this.events.emit(event.constructor.name, event);
    return result;
  }

  /** Sends a query on a connection that others use, too. */
  private async ask<Row extends object>(reader: Reader, query: Sql): Promise<Rows<Row>> {
    reader.sent.push(performance.now());
    try {
      return await this.watched(async () => {
        await connecting(reader.connected);
        return this.readers.send(reader, (client) => run<Row>(client, query));
      });
    } catch (error) {
      if (isAway(error) || isStalePlan(error)) this.readers.drop(reader, isAway(error));
      throw error;
    } finally {
      reader.sent.shift();
    }
  }

  /** Lends a connection, and throws it away if it broke or its statements must be prepared again. */
  private async onConnection<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    let client: pg.PoolClient | undefined;
    let isBroken = false;
    try {
      return await this.watched(async () => {
        client = await connecting(this.pool.connect());
        return work(client);
      });
    } catch (error) {
      isBroken = isAway(error) || isStalePlan(error);
      throw error;
    } finally {
      client?.release(isBroken);
    }
  }

  /** Notes whether the database answers. */
  private async watched<Result>(work: () => Promise<Result>): Promise<Result> {
    const { answers } = this;
    try {
      const result = await work();
      this.answered();
      return result;
    } catch (error) {
      if (!isAway(error)) this.answered();
      // Where others were answered meanwhile, it is this connection that broke, or there are too few.
      else if (this.answers === answers) {
        this.outage.lost(error.cause);
        error.isReported = true;
      }
      throw error;
    }
  }

  private answered(): void {
    this.answers++;
    this.outage.back();
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

/** Whatever keeps us from a connection (refused, too many, shutting down) is over at some time. */
async function connecting<Connection>(connection: Promise<Connection>): Promise<Connection> {
  try {
    return await connection;
  } catch (error) {
    throw Object.assign(new Unavailable(), { cause: error });
  }
}

const unitOf = (client: pg.PoolClient, emit: Unit['emit']): Unit => ({
  query: async <Row extends object>(query: ScopedSql) => (await run<Row>(client, query)).toArray(),
  rows: <Row extends object>(query: ScopedSql) => run<Row>(client, query),
  emit,
});

/** One try of a transaction on a connection. */
async function attempt<Result>(
  client: pg.PoolClient,
  work: (tx: Transaction) => Promise<Result>,
  emit: Unit['emit'],
): Promise<Result> {
  const unit = unitOf(client, emit);
  // Sent together with the first statement of the work; whether it was taken is asked at the end.
  const begun = run(client, BEGIN);
  begun.catch(() => undefined);
  try {
    const result = await work({
      ...unit,
      emitDurably: async (event) => {
        const stored: StoredEvent = { name: event.constructor.name, event };
        await unit.query(everyGym`SELECT graphile_worker.add_job(${DELIVER_EVENT}, ${JSON.stringify(stored)}::json)`);
      },
    });
    await begun;
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
