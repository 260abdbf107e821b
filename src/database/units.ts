import type pg from 'pg';
import type { DomainEvent } from '../common/events/domain-event.js';
import { isAway } from './postgres-errors.js';
import type { Rows } from './rows.js';
import { everyGym, raw, type Returning, type ScopedSql } from './sql.js';
import { run, runAll } from './statement.js';

/** What reads: the database itself (each query on its own) or a transaction. */
export interface Queryable {
  /** The rows. Errors of PostgreSQL arrive as DomainErrors where a client can do something about them. */
  query<Row extends object>(query: ScopedSql & Returning<Row>): Promise<Row[]>;
  /** The same, for what is only passed on: of these rows no objects need to be made. */
  rows<Row extends object>(query: ScopedSql & Returning<Row>): Promise<Rows<Row>>;
}

/** What writes: a transaction, or work of a single statement. Passed on, so that one sees what belongs together. */
export interface Unit extends Queryable {
  /**
   * Two queries as one transaction, of which the second does not need the answer of the first, nor the caller a chance
   * to take back what they do: all is sent at once.
   */
  together<First extends object, Second extends object>(
    first: ScopedSql & Returning<First>,
    second: ScopedSql & Returning<Second>,
  ): Promise<[First[], Second[]]>;
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

/** Queries that are done both or neither. */
export const runBoth = <First extends object, Second extends object>(
  client: pg.ClientBase,
  first: ScopedSql & Returning<First>,
  second: ScopedSql & Returning<Second>,
): Promise<[First[], Second[]]> =>
  runAll(client, [first, second], (answers) => answers.map((rows) => rows.toArray()) as [First[], Second[]]);

function unitOf(client: pg.PoolClient, emit: Unit['emit']): Unit {
  const query: Unit['query'] = async (asked) => (await run<never>(client, asked)).toArray();
  return {
    query,
    rows: (asked) => run(client, asked),
    together: (first, second) => runBoth(client, first, second),
    emit,
  };
}

/** One try of a transaction on a connection. */
export async function attempt<Result>(
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
