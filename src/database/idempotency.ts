import { Actor, type Principal } from '../common/actor/actor.js';
import { AnswerGone, type IdempotencyKey, IdempotencyKeyReused } from '../common/http/idempotency.js';
import type { Database, Transaction, Unit } from './database.js';
import { everyGym, raw, sql } from './sql.js';

/** How fields are called that are moments. */
const MOMENT = /(_at|_time|_until|_date|timestamp)$/;
/** As toJSON() of a Date writes it. */
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

interface Known {
  fingerprint: Buffer;
  /** JSON; null: forgotten, because a person in it was deleted. */
  answer: string | null;
  is_readable: boolean;
}

/**
 * Runs `work` in a transaction and, if the client gave a key, stores its answer in that transaction: the same key again
 * gets the stored answer. Requests that arrive together wait for the first. A refusal rolls back, key and all: nothing
 * was done, so the next try is judged afresh.
 * @throws IdempotencyKeyReused if the key came with another request
 * @throws AnswerGone if it was done, but the account, or a person in the answer, is not what they were
 */
export function once<Answer extends object>(
  db: Database,
  actor: Principal,
  request: IdempotencyKey | null,
  work: (tx: Transaction) => Promise<Answer>,
): Promise<Answer> {
  if (request === null) return db.transaction(work);
  const owner = ownerOf(actor);
  const fingerprint = db.keyedHash(request.meaning);
  const thisKey = sql`owner = ${owner} AND route = ${request.route} AND key = ${request.key}`;
  return db.transaction(async (tx) => {
    // The primary key makes a second request wait here until the first has committed or rolled back.
    const [claimed] = await tx.query(everyGym`
      INSERT INTO idempotency_keys AS known (owner, route, key, fingerprint, role, gym_id)
      VALUES (${owner}, ${request.route}, ${request.key}, ${fingerprint}, ${actor.role}, ${actor.gym_id})
      ON CONFLICT (owner, route, key) DO UPDATE
        SET fingerprint = excluded.fingerprint, role = excluded.role, gym_id = excluded.gym_id, answer = NULL,
          people = '{}', created_at = now()
        WHERE known.created_at < now() - interval '24 hours'
      RETURNING 1`);
    if (claimed) {
      const answer = await work(tx);
      const stored = JSON.stringify(answer);
      const people = peopleIn(JSON.parse(stored));
      await tx.query(everyGym`UPDATE idempotency_keys SET answer = ${stored}, people = ${people} WHERE ${thisKey}`);
      return answer;
    }
    const [known] = await tx.query<Known>(everyGym`
      SELECT fingerprint, answer::text, role = ${actor.role} AND gym_id IS NOT DISTINCT FROM ${actor.gym_id}
        AND NOT EXISTS (SELECT FROM users u WHERE u.id = ANY(people) AND NOT (${mayRead(actor)})) AS is_readable
      FROM idempotency_keys WHERE ${thisKey}`);
    if (!known?.fingerprint.equals(fingerprint)) throw new IdempotencyKeyReused();
    if (!known.is_readable || known.answer === null) throw new AnswerGone();
    return JSON.parse(known.answer, toMoment) as Answer;
  });
}

/** Moments are Dates again, as `work` made them: those who translate the answer rely on it. */
const toMoment = (name: string, value: unknown) =>
  MOMENT.test(name) && typeof value === 'string' && ISO.test(value) ? new Date(value) : value;

/** The same for work that changes something with one statement: without a key that is a transaction by itself. */
export const onceInOne = <Answer extends object>(
  db: Database,
  actor: Principal,
  request: IdempotencyKey | null,
  work: (unit: Unit) => Promise<Answer>,
): Promise<Answer> => (request === null ? db.statement(work) : once(db, actor, request, work));

/** Answers about a deleted person go, and what was theirs. The keys of others stay: nothing is done twice. */
export async function forgetAnswersAbout(tx: Transaction, userId: number): Promise<void> {
  await tx.query(everyGym`DELETE FROM idempotency_keys WHERE owner = ${`user:${userId}`}`);
  await tx.query(everyGym`UPDATE idempotency_keys SET answer = NULL, people = '{}' WHERE people @> ${[userId]}::int[]`);
}

/** Forgets answers that are no longer promised. */
export async function purgeIdempotencyKeys(db: Database): Promise<void> {
  await db.change(everyGym`DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'`);
}

/** The ids of the people that an answer tells something about. */
export function peopleIn(answer: unknown): number[] {
  const found = new Set<number>();
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { id, user_id, full_name } = value as Record<string, unknown>;
    if (typeof user_id === 'number') found.add(user_id);
    if (typeof id === 'number' && full_name !== undefined) found.add(id);
    Object.values(value).forEach(look);
  };
  look(answer);
  return [...found];
}

/** A device with a key has keys of its own; one that staff signed in has theirs. */
const ownerOf = (actor: Principal): string =>
  actor instanceof Actor || actor.user_id !== null ? `user:${actor.user_id}` : `device:${actor.device_id}`;

/** Whether a person `u` of an answer is still there for the actor. */
const mayRead = (actor: Principal) =>
  sql`u.deleted_at IS NULL
    AND (${raw(actor.role === 'admin' ? 'TRUE' : 'FALSE')}
      OR u.gym_id = ${actor.gym_id} OR u.id = ${actor.user_id}::int)`;
