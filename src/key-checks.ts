import { createHmac } from 'node:crypto';
import type pg from 'pg';
import { CannotDecrypt, KeyRing } from './common/crypto/key-ring.js';
import type { Config } from './config/config.js';
import { ConfigError } from './config/config-error.js';
import { keyOfHashes } from './database/database.js';
import { type Ring, RINGS, type RunningServer, runningServers } from './database/running-servers.js';

/** What each ring has encrypted: the column, and what is lost without the key. */
const ENCRYPTED = {
  ENCRYPTION_KEYS: { table: 'users', column: 'temporary_password', what: 'temporary passwords' },
  FINGERPRINT_KEYS: { table: 'fingerprints', column: 'template', what: 'fingerprints' },
} satisfies Record<Ring, object>;

/**
 * Compares the secrets with those of before: each key has left a value that it alone opens. Called while no other
 * server can do the same.
 * @returns what the operator should know
 * @throws ConfigError if a key is another one under the same id, or one is missing that something stored needs; or if a
 *   server that runs has another JWT_SECRET, or lacks the key that encrypts from now on
 */
export async function checkKeys(client: pg.Client, config: Config): Promise<string[]> {
  const servers = await runningServers(client);
  // A start that is refused leaves no key behind.
  await client.query('BEGIN');
  const faults: string[] = [];
  const hints: string[] = [];
  if (await isOtherSecret(client, config.JWT_SECRET)) {
    if (servers.length === 0) hints.push('JWT_SECRET is another one than before: everyone has to sign in again.');
    else {
      faults.push(
        'JWT_SECRET is another one than that of servers which run on this database. Use theirs, or stop them first.',
      );
    }
  }
  for (const ring of RINGS) {
    const keys = new KeyRing(config[ring]);
    const { ids, newest } = keys;
    if (!servers.every((server) => server.has(ring, newest))) {
      faults.push(
        `${ring}: servers that run on this database lack the key with the id ${newest}, and could not read what it ` +
          'encrypts. Restart them with it first: one server with it in front; several with it behind the old key, ' +
          'and when all have it, in front.',
      );
    }
    const { rows } = await client.query<{ key_id: string; sealed: string }>(
      'SELECT key_id, sealed FROM key_checks WHERE ring = $1',
      [ring],
    );
    for (const { key_id, sealed } of rows) {
      const isThere = ids.includes(key_id);
      if (isThere && !opens(keys, sealed, placeOf(ring, key_id))) {
        faults.push(
          `${ring}: the key with the id ${key_id} is not the one that was used before. ` +
            'Put the old one back; a new key gets an id of its own and goes in front.',
        );
      }
      if (!isThere) faults.push(...(await faultOfMissing(client, servers, ring, key_id)));
    }
    for (const id of ids.filter((one) => !rows.some(({ key_id }) => key_id === one))) {
      const sealed = new KeyRing(ownPair(config[ring], id)).encrypt(CHECK, placeOf(ring, id));
      await client.query('INSERT INTO key_checks (ring, key_id, sealed) VALUES ($1, $2, $3)', [ring, id, sealed]);
    }
  }
  if (faults.length > 0) {
    await client.query('ROLLBACK');
    throw new ConfigError(faults.join('\n'));
  }
  await client.query(
    `INSERT INTO key_checks (ring, key_id, sealed) VALUES ('JWT_SECRET', 'hash', $1)
      ON CONFLICT (ring, key_id) DO UPDATE SET sealed = excluded.sealed`,
    [hashOf(config.JWT_SECRET)],
  );
  await client.query('COMMIT');
  return hints;
}

const hashOf = (secret: string): string => createHmac('sha256', keyOfHashes(secret)).update(CHECK).digest('base64');

async function isOtherSecret(client: pg.Client, secret: string): Promise<boolean> {
  const { rows } = await client.query<{ sealed: string }>(`SELECT sealed FROM key_checks WHERE ring = 'JWT_SECRET'`);
  return rows.some(({ sealed }) => sealed !== hashOf(secret));
}

/** A key that is gone may go, once nothing needs it. */
async function faultOfMissing(
  client: pg.Client,
  servers: RunningServer[],
  ring: Ring,
  keyId: string,
): Promise<string[]> {
  const { table, column, what } = ENCRYPTED[ring];
  const { rows } = await client.query<{ needed: string }>(
    `SELECT count(*) AS needed FROM ${table} WHERE starts_with(${column}, $1)`,
    [`${keyId}.`],
  );
  const needed = Number(rows[0]!.needed);
  if (needed > 0) {
    return [`${ring}: the key with the id ${keyId} is missing, and ${needed} ${what} are encrypted with it.`];
  }
  // Who still has it may encrypt with it.
  if (!servers.some((server) => server.has(ring, keyId))) {
    await client.query('DELETE FROM key_checks WHERE ring = $1 AND key_id = $2', [ring, keyId]);
  }
  return [];
}

const CHECK = 'spotter';
const placeOf = (ring: Ring, keyId: string): string => `key_checks ${ring} ${keyId}`;
const ownPair = (pairs: string, id: string): string => pairs.split(',').find((pair) => pair.startsWith(`${id}:`))!;

function opens(keys: KeyRing, sealed: string, place: string): boolean {
  try {
    return keys.decrypt(sealed, place).toString() === CHECK;
  } catch (error) {
    if (error instanceof CannotDecrypt) return false;
    throw error;
  }
}
