import { FieldsInvalid } from '../common/errors/common.errors.js';
import type { Queryable } from '../database/database.js';
import { everyGym } from '../database/sql.js';
import { GymInactive } from './gyms.errors.js';

/** @throws FieldsInvalid if there is no such gym, GymInactive if it takes nothing new */
export async function requireActiveGym(db: Queryable, gymId: number): Promise<void> {
  const [gym] = await db.query<{ is_active: boolean }>(everyGym`SELECT is_active FROM gyms WHERE id = ${gymId}`);
  if (!gym) noGym();
  if (!gym.is_active) throw new GymInactive();
}

/** @throws FieldsInvalid */
export function noGym(): never {
  throw FieldsInvalid.of('gym_id', 'is not a gym');
}
