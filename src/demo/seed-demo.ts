import type pg from 'pg';
import { KeyRing } from '../common/crypto/key-ring.js';
import type { Config } from '../config/config.js';
import { addDevices } from './demo-devices.js';
import { addMeasurements } from './demo-measurements.js';
import { addGym, addMembers, DEMO_GYM, DEMO_PASSWORD } from './demo-people.js';
import { addPlans } from './demo-plans.js';
import { addShop } from './demo-shop.js';
import { addSlots } from './demo-slots.js';
import { addVisits } from './demo-visits.js';

/**
 * Adds a believable gym, once, the same everywhere but for the day it is.
 * @returns what was added, or that it was there
 */
export async function seedDemo(client: pg.Client, config: Config): Promise<string> {
  const { rowCount } = await client.query('SELECT 1 FROM gyms WHERE name = $1', [DEMO_GYM]);
  if (rowCount) return `${DEMO_GYM} is there already.`;
  await client.query('BEGIN');
  const demo = await addGym(client);
  const members = await addMembers(client, demo, new KeyRing(config.ENCRYPTION_KEYS));
  const visits = await addVisits(client, demo, members, await addPlans(client, demo));
  const sales = await addShop(client, demo, visits);
  await addMeasurements(client, demo, members);
  await addDevices(client, demo);
  await addSlots(client, demo, members);
  await client.query('COMMIT');
  return (
    `Added ${DEMO_GYM} (manager@demo.gym / ${DEMO_PASSWORD}): ${members.length} members, ${visits.length} visits, ` +
    `${sales} sales.`
  );
}
