import { createHmac, hkdfSync } from 'node:crypto';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import pg from 'pg';
import type { DomainEvent } from '../common/events/domain-event.js';
import { Outage } from '../common/outage.js';
import { Config } from '../config/config.js';
import { connecting, pool } from './connection.js';
import { Lanes } from './lanes.js';
import type { Rows } from './rows.js';
import { isAway, isLocked, isStalePlan, isUnwritable, isWorthRetrying } from './postgres-errors.js';
import { everyGym, type Returning, type ScopedSql } from './sql.js';
import { run } from './statement.js';
import { attempt, type Queryable, runBoth, type Transaction, type Unit } from './units.js';

export { DELIVER_EVENT } from './units.js';
export type { Queryable, StoredEvent, Transaction, Unit } from './units.js';

/** Of all connections, one in so many is shared by reads, and four at most; as many by writes. */
const LANES = { oneIn: 4, most: 4 };
const TELL_EVERY_MS = 60_000;
const MOST_TRIES = 3;

/** The key of `keyedHash`. @param secret the JWT_SECRET */
export const keyOfHashes = (secret: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, '', 'hashes of what is stored', 32));

/** The connections and the unit of work. */
@Injectable()
export class Database implements Queryable, OnApplicationShutdown {
  /** For transactions, and for what is slow. */
  readonly pool: pg.Pool;
  private readonly readers: Lanes;
  private readonly writers: Lanes;
  private readonly hashKey: Buffer;
  private readonly logger = new Logger('Database');
  private readonly outage = new Outage(this.logger, 'The database');
  /** When it was told last that the database takes no changes. */
  private toldAt = -Infinity;
  /** Counts, so that a failure can tell whether the database has answered others meanwhile. */
  private answers = 0;

  constructor(
    config: Config,
    private readonly events: EventEmitter2,
  ) {
    this.hashKey = keyOfHashes(config.JWT_SECRET);
    const most = Math.min(LANES.most, Math.floor(config.DATABASE_POOL_SIZE / LANES.oneIn));
    this.readers = new Lanes(config.DATABASE_URL!, most, 'read');
    this.writers = new Lanes(config.DATABASE_URL!, most, 'write');
    const max = config.DATABASE_POOL_SIZE - 2 * most;
    this.pool = pool(config.DATABASE_URL!, 'spotter', { max, pipeline: true });
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.pool.end(), this.readers.close(), this.writers.close()]);
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
    return this.onLane(this.readers, (client) => run<Row>(client, query));
  }

  /** One statement that changes something. It may take as long as it takes. */
  change<Row extends object>(query: ScopedSql & Returning<Row>): Promise<Row[]> {
    return this.again(async () => {
      try {
        return await this.onConnection(async (client) => (await run<Row>(client, query)).toArray());
      } catch (error) {
        this.tellUnwritable(error);
        throw error;
      }
    });
  }

  /**
   * Work that changes something with one quick statement, which needs no BEGIN and COMMIT. What it reads before or
   * after is not of the same moment.
   */
  statement<Result>(work: (unit: Unit) => Promise<Result>): Promise<Result> {
    return this.emitting((emit) => {
      const rows: Unit['rows'] = (query) => this.onLane(this.writers, (client) => run(client, query));
      const together: Unit['together'] = (...both) => this.onLane(this.writers, (client) => runBoth(client, ...both));
      return work({ query: async (query) => (await rows(query)).toArray(), rows, together, emit });
    });
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
    let result: Result;
    try {
      result = await work((event) => void events.push(event));
    } catch (error) {
      this.tellUnwritable(error);
      throw error;
    }
    for (const event of events) this.events.emit(event.constructor.name, event);
    return result;
  }

  /** That the database takes no changes (a full disk) is told once a minute, and not with each that is refused. */
  private tellUnwritable(error: unknown): void {
    if (!isUnwritable(error)) return;
    error.isReported = true;
    if (performance.now() - this.toldAt < TELL_EVERY_MS) return;
    this.toldAt = performance.now();
    this.logger.error(`The database takes no changes: ${(error.cause as Error).message}`);
  }

  /**
   * Sends on a connection that others use, too; if all are busy, or it has to wait for a lock, on one of its own. Each
   * request comes through here: it is one function, because each promise more costs.
   */
  private async onLane<Result>(lanes: Lanes, send: (client: pg.ClientBase) => Promise<Result>): Promise<Result> {
    for (let tries: Tries | undefined; ;) {
      const lane = lanes.pick();
      if (!lane) break;
      const { answers } = this;
      try {
        const result = await lanes.send(lane, send);
        this.answered();
        return result;
      } catch (error) {
        this.failed(error, answers);
        if (isAway(error) || isStalePlan(error)) lanes.drop(lane, isAway(error));
        if (isLocked(error)) break;
        tries ??= new Tries(this.pool.options.max);
        if (!tries.again(error)) throw error;
      }
    }
    return this.again(() => this.onConnection(send));
  }

  /** Lends a connection, and throws it away if it broke or its statements must be prepared again. */
  private async onConnection<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    let client: pg.PoolClient | undefined;
    let isBroken = false;
    const { answers } = this;
    try {
      client = await connecting(this.pool.connect());
      const result = await work(client);
      this.answered();
      return result;
    } catch (error) {
      this.failed(error, answers);
      isBroken = isAway(error) || isStalePlan(error);
      throw error;
    } finally {
      client?.release(isBroken);
    }
  }

  private answered(): void {
    this.answers++;
    this.outage.back();
  }

  /** @param answers how many there had been when it was asked */
  private failed(error: unknown, answers: number): void {
    if (!isAway(error)) this.answered();
    // Where others were answered meanwhile, it is this connection that broke, or there are too few.
    else if (this.answers === answers) {
      this.outage.lost(error.cause);
      error.isReported = true;
    }
  }

  private async again<Result>(work: () => Promise<Result>): Promise<Result> {
    for (const tries = new Tries(this.pool.options.max); ;) {
      try {
        return await work();
      } catch (error) {
        if (!tries.again(error)) throw error;
      }
    }
  }
}

/** How often something was tried. */
class Tries {
  private retries = 0;
  private stale = 0;

  /** @param connections how many there can be */
  constructor(private readonly connections: number) {}

  /** Whether to try again. Each stale connection was thrown away: after all of them, it is something else. */
  again(error: unknown): boolean {
    if (isStalePlan(error)) return ++this.stale <= this.connections;
    return isWorthRetrying(error) && ++this.retries < MOST_TRIES;
  }
}
