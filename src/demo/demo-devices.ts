import { createHash, randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { Demo } from './demo-people.js';

const DEVICES = [
  ['Reader at the entrance', 'fingerprint'],
  ['Lab board', 'board'],
  ['Turnstile', 'qr'],
];

/** Devices whose keys are not known: `POST /devices/{device_id}/rotate-key` gives one its first. */
export async function addDevices(client: pg.Client, { gym }: Demo): Promise<void> {
  for (const [index, [name, kind]] of DEVICES.entries()) {
    await client.query(
      'INSERT INTO devices (gym_id, name, kind, device_number, key_hash) VALUES ($1, $2, $3, $4, $5)',
      [gym.id, name, kind, index, createHash('sha256').update(randomBytes(32)).digest()],
    );
  }
}
