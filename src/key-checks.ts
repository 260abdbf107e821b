import type pg from 'pg';
import { CannotDecrypt, KeyRing } from './common/crypto/key-ring.js';
import type { Config } from './config/config.js';
import { ConfigError } from './config/config-error.js';

/** What each ring has encrypted: the column, and what is lost without the key. */
const RINGS = {
  ENCRYPTION_KEYS: { table: 'users', column: 'temporary_password', what: 'temporary passwords' },
  FINGERPRINT_KEYS: { table: 'fingerprints', column: 'template', what: 'fingerprints' },
} as const;
type Ring = keyof typeof RINGS;

/**
 * Compares the keys with those that have encrypted what is stored: each key has left a value that it alone opens.
 * Called while no other server can do the same.
 * @throws ConfigError if a key is another one under the same id, or one is missing that something stored needs
 */
export async function checkKeys(client: pg.Client, config: Config): Promise<void> {
  const faults: string[] = [];
  for (const ring of Object.keys(RINGS) as Ring[]) {
    const ids = config[ring].split(',').map((pair) => pair.split(':')[0]!);
    const { rows } = await client.query<{ key_id: string; sealed: string }>(
      'SELECT key_id, sealed FROM key_checks WHERE ring = $1',
      [ring],
    );
    const keys = new KeyRing(config[ring]);
    for (const { key_id, sealed } of rows) {
      const isThere = ids.includes(key_id);
      if (isThere && !opens(keys, sealed, placeOf(ring, key_id))) {
        faults.push(
          `${ring}: the key with the id ${key_id} is not the one that was used before. ` +
            'Put the old one back; a new key gets an id of its own and goes in front.',
        );
      }
      if (!isThere) faults.push(...(await faultOfMissing(client, ring, key_id)));
    }
    for (const id of ids.filter((one) => !rows.some(({ key_id }) => key_id === one))) {
      const sealed = new KeyRing(ownPair(config[ring], id)).encrypt(CHECK, placeOf(ring, id));
      await client.query('INSERT INTO key_checks (ring, key_id, sealed) VALUES ($1, $2, $3)', [ring, id, sealed]);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults.join('\n'));
}

/** A key that is gone may go, once nothing needs it. */
async function faultOfMissing(client: pg.Client, ring: Ring, keyId: string): Promise<string[]> {
  const { table, column, what } = RINGS[ring];
  const { rows } = await client.query<{ needed: string }>(
    `SELECT count(*) AS needed FROM ${table} WHERE starts_with(${column}, $1)`,
    [`${keyId}.`],
  );
  const needed = Number(rows[0]!.needed);
  if (needed > 0) {
    return [`${ring}: the key with the id ${keyId} is missing, and ${needed} ${what} are encrypted with it.`];
  }
  await client.query('DELETE FROM key_checks WHERE ring = $1 AND key_id = $2', [ring, keyId]);
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
