import { type Column, computed, json, pick, table } from '../database/columns.js';
import { sql } from '../database/sql.js';
import type { GymRefDto } from './dto/gym.dto.js';
import type { Gym } from './entities/gym.entity.js';

/** The gym `g` that is joined with LEFT, as GymRefDto, or null. */
export function gymRef(alias: string): Column<GymRefDto | null> {
  const g = table<Gym>(alias);
  return computed(sql`CASE WHEN ${g.id} IS NOT NULL THEN ${json(pick(g, 'id', 'name'))} END`);
}
