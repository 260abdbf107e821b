import { PublicScope } from '../common/actor/actor.js';
import type { Config } from '../config/config.js';
import type { Queryable } from '../database/database.js';
import { everyGym, raw, sql } from '../database/sql.js';
import { GymNotFound } from './gyms.errors.js';

/**
 * The gym that rero-slots shows without a token: RERO_GYM_ID, by default the first that is not closed.
 * @throws GymNotFound if there is none, or this family does not work
 */
export async function publicGym(db: Queryable, config: Config): Promise<PublicScope> {
  if (!config.hasLegacy('rero-slots')) throw new GymNotFound();
  const { RERO_GYM_ID: chosen } = config;
  const [gym] = await db.query<{ id: number }>(everyGym`
    SELECT id FROM gyms WHERE ${chosen ? sql`id = ${chosen}` : raw('is_active')} ORDER BY id LIMIT 1`);
  if (!gym) throw new GymNotFound();
  return new PublicScope(gym.id);
}
