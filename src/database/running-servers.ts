import { createHash } from 'node:crypto';
import type pg from 'pg';
import { KeyRing } from '../common/crypto/key-ring.js';
import type { Config } from '../config/config.js';

/** How PostgreSQL knows the connection of a server that runs; each has one. */
export const LISTENER = 'spotter listener';

/** The settings that are key rings. */
export const RINGS = ['ENCRYPTION_KEYS', 'FINGERPRINT_KEYS'] as const;
export type Ring = (typeof RINGS)[number];

/** The class of the locks by which servers show each other their keys. They share them: no one waits for one. */
const HAS_KEY = 0x5909;
/** The lock's number, of 31 bits. */
const numberOf = (ring: Ring, keyId: string): number =>
  createHash('sha256').update(`${ring} ${keyId}`).digest().readUInt32BE() >>> 1;

/** Until this connection ends, others see that a server runs, and which keys it has. */
export async function showAsRunning(client: pg.Client, config: Config): Promise<void> {
  for (const ring of RINGS) {
    for (const id of new KeyRing(config[ring]).ids) {
      await client.query('SELECT pg_advisory_lock_shared($1, $2)', [HAS_KEY, numberOf(ring, id)]);
    }
  }
  // Last, so that none is seen without its keys.
  await client.query(`SET application_name = '${LISTENER}'`);
}

export interface RunningServer {
  has(ring: Ring, keyId: string): boolean;
}

/** All of this database. One that has just started, or has lost its connection for a moment, is not seen. */
export async function runningServers(client: pg.Client): Promise<RunningServer[]> {
  const { rows } = await client.query<{ keys: number[] }>(
    `SELECT array(SELECT objid::integer FROM pg_locks
      WHERE pid = server.pid AND locktype = 'advisory' AND classid = $2) AS keys
    FROM pg_stat_activity AS server WHERE datname = current_database() AND application_name = $1`,
    [LISTENER, HAS_KEY],
  );
  return rows.map(({ keys }) => ({ has: (ring, keyId) => keys.includes(numberOf(ring, keyId)) }));
}
