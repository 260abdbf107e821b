import type pg from 'pg';
import { KeyRing } from '../common/crypto/key-ring.js';
import type { Config } from '../config/config.js';
import { addCourses } from './demo-courses.js';
import { openStorage } from '../chat/storage/open-storage.js';
import { addChat } from './demo-chat.js';
import { addDevices } from './demo-devices.js';
import { addMeasurements } from './demo-measurements.js';
import { ConfigError } from '../config/config-error.js';
import { addGym, addMembers, DEMO_GYM, DEMO_SIGN_IN, PLACES } from './demo-people.js';
import { addPlans } from './demo-plans.js';
import { addShop } from './demo-shop.js';
import { addSignIns } from './demo-sign-ins.js';
import { addSlots } from './demo-slots.js';
import { addVisits } from './demo-visits.js';

/**
 * Fills the first gym and adds a second one: believable, once, and the same everywhere but for the day it is.
 * @returns what was added, or that it was there
 * @throws ConfigError if the database holds anything else: made-up people must not get among real ones
 */
export async function seedDemo(client: pg.Client, config: Config): Promise<string> {
  const { rows } = await client.query<{ is_there: boolean; is_empty: boolean }>(
    `SELECT
       EXISTS (SELECT 1 FROM users WHERE email LIKE '%@demo.gym' OR document_id LIKE 'DEMO-%') AS is_there,
       (SELECT count(*) FROM gyms) = 1 AND NOT EXISTS (SELECT 1 FROM users WHERE role = 'user')
         AND NOT EXISTS (SELECT 1 FROM plans) AND NOT EXISTS (SELECT 1 FROM products) AS is_empty`,
  );
  const { is_there: isThere, is_empty: isEmpty } = rows[0]!;
  if (isThere) return 'The demo is there already.';
  if (!isEmpty) {
    throw new ConfigError(
      'This database holds other data, and the demo is made-up people: use an empty one (another DATA_DIR or DATABASE_URL).',
    );
  }
  const keys = new KeyRing(config.ENCRYPTION_KEYS);
  const added = { members: 0, visits: 0, sales: 0 };
  const storage = await openStorage(config);
  await client.query('BEGIN');
  for (const [index, place] of PLACES.entries()) {
    const demo = await addGym(client, place, index);
    const members = await addMembers(client, demo, place, keys);
    const visits = await addVisits(client, demo, members, await addPlans(client, demo));
    added.sales += await addShop(client, demo, visits);
    added.members += members.length;
    added.visits += visits.length;
    await addMeasurements(client, demo, members);
    await addDevices(client, demo);
    await addSlots(client, demo, members);
    await addCourses(client, demo, members);
    await addChat(client, demo, members, storage);
  }
  await addSignIns(client, config.JWT_SECRET);
  // The one that the docs delete: nothing has happened in it yet.
  await client.query(
    `INSERT INTO gyms (name, address, timezone, is_active)
     VALUES ('Harbour Fitness', 'Rua da Cintura 5, Lisboa', 'Europe/Lisbon', FALSE)`,
  );
  await client.query('COMMIT');
  return (
    `Added ${added.members} members, ${added.visits} visits and ${added.sales} sales in two gyms. ` +
    `Sign in to ${DEMO_GYM} as ${DEMO_SIGN_IN}.`
  );
}
