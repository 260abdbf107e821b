import { Injectable } from '@nestjs/common';
import type { Actor } from '../common/actor/actor.js';
import type { IdempotencyKey } from '../common/http/idempotency.js';
import type { Page } from '../common/http/list.js';
import { Database } from '../database/database.js';
import { once } from '../database/idempotency.js';
import { listPage } from '../database/keyset.js';
import { assignments, empty, inGym, raw, sql } from '../database/sql.js';
import { requireActiveGym } from '../gyms/gyms.js';
import type { CreatePlanDto, PlanDto, PlanListQuery, UpdatePlanDto } from './dto/plan.dto.js';
import { PlanIncomplete, PlanNotFound } from './plans.errors.js';
import { PLAN_COLUMNS, visiblePlan } from './plans.sql.js';

const CHANGEABLE = ['name', 'price', 'kind', 'duration_days', 'is_active'] as const;

/** What the gyms sell. */
@Injectable()
export class PlansService {
  constructor(private readonly db: Database) {}

  /** By name; a member sees what is sold. @throws OtherGym */
  list(actor: Actor, query: PlanListQuery, onlyActive: boolean): Promise<Page<PlanDto>> {
    const from = sql`FROM plans p WHERE ${inGym(actor.scope(query.gym_id), 'p.gym_id')}
      ${onlyActive || actor.role === 'user' ? raw('AND p.is_active') : empty}
      ${query.kind ? sql`AND p.kind = ${query.kind}` : empty}`;
    return listPage(this.db, query, { columns: PLAN_COLUMNS, from, keys: { name: 'p.name', id: 'p.id' } });
  }

  /** @throws PlanNotFound */
  async get(actor: Actor, planId: number): Promise<PlanDto> {
    const [plan] = await this.db.query(sql`
      SELECT ${PLAN_COLUMNS} FROM plans p WHERE ${visiblePlan(actor, planId)}
        ${actor.role === 'user' ? raw('AND p.is_active') : empty}`);
    if (!plan) throw new PlanNotFound();
    return plan;
  }

  /** @throws OtherGym, GymInactive, PlanIncomplete */
  create(actor: Actor, input: CreatePlanDto, key: IdempotencyKey | null): Promise<PlanDto> {
    const gymId = actor.gym(input.gym_id ?? undefined);
    const kind = input.kind ?? (input.session_count ? 'sessions' : 'time');
    if (!(kind === 'time' ? input.duration_days : input.session_count)) throw new PlanIncomplete(kind);
    return once(this.db, actor, key, async (tx) => {
      await requireActiveGym(tx, gymId);
      const [plan] = await tx.query(sql`
        INSERT INTO plans AS p (gym_id, name, price, kind, duration_days, session_count, is_active)
        VALUES (${gymId}, ${input.name}, ${input.price}, ${kind}, ${input.duration_days},
          ${kind === 'time' ? null : input.session_count}, ${input.is_active ?? true})
        RETURNING ${PLAN_COLUMNS}`);
      return plan!;
    });
  }

  /** @throws PlanNotFound, PlanIncomplete */
  async update(actor: Actor, planId: number, input: UpdatePlanDto): Promise<PlanDto> {
    const change = sql`
      UPDATE plans p SET ${assignments(input, CHANGEABLE)}
        session_count = CASE WHEN coalesce(${input.kind}, kind) <> 'time'
          THEN ${input.session_count === undefined ? raw('session_count') : sql`${input.session_count}::int`} END,
        updated_at = now()
      WHERE ${visiblePlan(actor, planId)} RETURNING ${PLAN_COLUMNS}`;
    const [plan] = await this.db.change(change).catch(async (error: unknown) => {
      if (!(error instanceof PlanIncomplete)) throw error;
      throw new PlanIncomplete(input.kind ?? (await this.get(actor, planId)).kind);
    });
    if (!plan) throw new PlanNotFound();
    return plan;
  }

  /**
   * Deletes a plan that was never bought; one that was is not sold any more.
   * @returns the plan that stays, or null if it is gone
   * @throws PlanNotFound
   */
  remove(actor: Actor, planId: number): Promise<PlanDto | null> {
    return this.db.transaction(async (tx) => {
      // Waits for a sale of it that is under way.
      const [found] = await tx.query(sql`SELECT 1 FROM plans p WHERE ${visiblePlan(actor, planId)} FOR UPDATE`);
      if (!found) throw new PlanNotFound();
      const [gone] = await tx.query(sql`
        DELETE FROM plans p WHERE ${visiblePlan(actor, planId)}
          AND NOT EXISTS (SELECT 1 FROM user_plans WHERE plan_id = p.id) RETURNING 1`);
      if (gone) return null;
      const [kept] = await tx.query(sql`
        UPDATE plans p SET is_active = FALSE, updated_at = now() WHERE ${visiblePlan(actor, planId)}
          RETURNING ${PLAN_COLUMNS}`);
      return kept!;
    });
  }
}
