import type { Actor } from '../common/actor/actor.js';
import { columns, part, pick, table } from '../database/columns.js';
import { inGym, type ScopedSql, sql } from '../database/sql.js';
import { PlanDto } from './dto/plan.dto.js';
import type { Plan } from './entities/plan.entity.js';

const p = table<Plan>('p');
const FIELDS = pick(
  p,
  ...(['id', 'name', 'price', 'kind', 'duration_days', 'session_count', 'gym_id', 'is_active'] as const),
  ...(['created_at', 'updated_at'] as const),
);

/** Of `plans p`. */
export const PLAN_COLUMNS = columns(PlanDto, FIELDS);

/** The same inside another row. */
export const PLAN = part(FIELDS);

/** The plan `p` of this id, if it is of the actor's gyms. */
export const visiblePlan = (actor: Actor, planId: number): ScopedSql =>
  sql`p.id = ${planId} AND ${inGym(actor.scope(), 'p.gym_id')}`;
