import type { Actor } from '../common/actor/actor.js';
import { type IdempotencyKey, IdempotencyKeyReused } from '../common/http/idempotency.js';
import type { Database, Transaction } from './database.js';
import { everyGym, sql } from './sql.js';

/**
 * Runs `work` in a transaction and, if the client gave a key, stores its answer in that transaction: the same key again
 * gets the stored answer. Requests that arrive together wait for the first. A refusal rolls back, key and all: nothing
 * was done, so the next try is judged afresh.
 * @throws IdempotencyKeyReused if the key came with another body
 */
export function once<Answer extends object>(
  db: Database,
  actor: Actor,
  request: IdempotencyKey | null,
  work: (tx: Transaction) => Promise<Answer>,
): Promise<Answer> {
  if (request === null) return db.transaction(work);
  const mine = sql`user_id = ${actor.user_id} AND route = ${request.route} AND key = ${request.key}`;
  return db.transaction(async (tx) => {
    // The primary key makes a second request wait here until the first has committed or rolled back.
    const [claimed] = await tx.query(everyGym`
      INSERT INTO idempotency_keys AS known (user_id, route, key, fingerprint)
      VALUES (${actor.user_id}, ${request.route}, ${request.key}, ${request.fingerprint})
      ON CONFLICT (user_id, route, key) DO UPDATE
        SET fingerprint = excluded.fingerprint, answer = NULL, created_at = now()
        WHERE known.created_at < now() - interval '24 hours'
      RETURNING 1`);
    if (claimed) {
      const answer = await work(tx);
      await tx.query(everyGym`UPDATE idempotency_keys SET answer = ${JSON.stringify(answer)} WHERE ${mine}`);
      return answer;
    }
    const [first] = await tx.query<{ fingerprint: Buffer; answer: Answer }>(
      everyGym`SELECT fingerprint, answer FROM idempotency_keys WHERE ${mine}`,
    );
    if (!first?.fingerprint.equals(request.fingerprint)) throw new IdempotencyKeyReused();
    return first.answer;
  });
}

/** Forgets answers that are no longer promised. */
export async function purgeIdempotencyKeys(db: Database): Promise<void> {
  await db.query(everyGym`DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'`);
}
