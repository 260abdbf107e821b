import { Injectable } from '@nestjs/common';
import type { Actor, Principal, ScopedGymId } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import type { IdempotencyKey } from '../common/http/idempotency.js';
import type { GymListQuery, Page } from '../common/http/list.js';
import type { Numbered, NumberedPage } from '../common/http/numbered.js';
import { Database, type Queryable, type Transaction } from '../database/database.js';
import { once } from '../database/idempotency.js';
import { listPage, type ListSource } from '../database/keyset.js';
import { numberedPage } from '../database/numbered.js';
import { empty, everyGym, raw, type ScopedSql, sql } from '../database/sql.js';
import { requireActiveGym } from '../gyms/gyms.js';
import { earlierThan } from '../gyms/local-time.js';
import { pageOfMember } from '../people/of-member.js';
import { MemberLeft } from '../people/people.errors.js';
import { visibleTo } from '../people/people.sql.js';
import type {
  AssignPlanDto,
  CancelPlanDto,
  FreezePlanDto,
  UpdateUserPlanDto,
  UserPlanDto,
  UserPlanListQuery,
} from './dto/user-plan.dto.js';
import type { PlanDto } from './dto/plan.dto.js';
import {
  AlreadyScheduled,
  NoActivePlan,
  PlanInactive,
  PlanReplaced,
  PlansOverlap,
  UserPlanNotFound,
} from './plans.errors.js';
import {
  currentPlan,
  daysLater,
  endPlan,
  endWaiting,
  lockMember,
  lockMemberOf,
  nameReplacement,
  parkWaiting,
  placeWaiting,
  plansOf,
  soldPlan,
  takeBack,
  type LockedMember,
} from './plan-calendar.js';
import { deductSession } from './plan-sessions.js';
import { changeStatus, correctPlan, type StatusByHand } from './plan-corrections.js';
import { tellMembership } from './membership-news.js';
import { MembershipChanged } from './plans.events.js';
import { isCurrent, isRepetition, isSale, requireMaySell } from './plans.rules.js';
import {
  PLANS_WITH_STATUS,
  RUNNING_PLANS,
  SHOWN_WITH,
  STATUS,
  userPlanColumns,
  WITH_STATUS,
} from './user-plans.sql.js';

const listFor = (actor: Actor) => ({ columns: userPlanColumns(actor), shown: { alias: 'up', joins: SHOWN_WITH } });

/** With `if_none` nothing is sold to a member who has a current plan. */
export interface PlanSale extends Omit<AssignPlanDto, 'start'> {
  start?: AssignPlanDto['start'] | 'if_none';
}

/** The plans that members bought. */
@Injectable()
export class UserPlansService {
  constructor(private readonly db: Database) {}

  /** The newest first, or the first to expire; a member sees their own. @throws OtherGym */
  list(actor: Actor, query: UserPlanListQuery): Promise<Page<UserPlanDto>> {
    return listPage(this.db, query, this.source(actor, query));
  }

  /** The same by page numbers. @throws OtherGym */
  listNumbered(actor: Actor, query: Numbered<UserPlanListQuery>): Promise<NumberedPage<UserPlanDto>> {
    return numberedPage(this.db, query, this.source(actor, query));
  }

  /** The active ones that end within so many days, the first to end first. @throws OtherGym */
  listEnding(actor: Actor, days: number, query: Numbered<GymListQuery>): Promise<NumberedPage<UserPlanDto>> {
    const from = sql`FROM ${PLANS_WITH_STATUS} WHERE ${visibleTo(actor, 'up', query.gym_id)} ${WITH_STATUS.active}
      AND up.expires_at <= moment() + make_interval(days => ${days}::int)`;
    const keys = { expires_at: 'up.expires_at', id: 'up.id' };
    return numberedPage(this.db, query, { ...listFor(actor), from, keys });
  }

  private source(actor: Actor, query: Numbered<UserPlanListQuery>): ListSource<UserPlanDto> {
    const scope = actor.scope(query.gym_id);
    const { status, expiring_before: end } = query;
    const from = sql`FROM ${PLANS_WITH_STATUS} LEFT JOIN gyms g ON g.id = up.gym_id
      WHERE ${visibleTo(actor, 'up', query.gym_id)} ${status ? WITH_STATUS[status] : empty}
        ${query.user_id === undefined ? empty : sql`AND up.user_id = ${query.user_id}`}`;
    if (end === undefined) {
      return { ...listFor(actor), from, keys: { id: 'up.id' }, direction: 'DESC' };
    }
    const expiring = sql`${from} ${RUNNING_PLANS} AND up.expires_at >= moment()
      AND ${earlierThan(scope, 'up.expires_at', end)}`;
    const keys = { expires_at: 'up.expires_at', id: 'up.id' };
    return { ...listFor(actor), from: expiring, keys };
  }

  /** All of one member, the newest first. @throws UserNotFound */
  listOf(actor: Actor, userId: number, query: GymListQuery): Promise<Page<UserPlanDto>> {
    const from = sql`FROM ${PLANS_WITH_STATUS} WHERE ${visibleTo(actor, 'up', query.gym_id)} AND up.user_id = ${userId}`;
    const keys = { id: 'up.id' };
    const source = { ...listFor(actor), from, keys, direction: 'DESC' } as const;
    return pageOfMember(this.db, actor, userId, listPage(this.db, query, source));
  }

  /** @throws UserPlanNotFound */
  get(actor: Principal, userPlanId: number, db: Queryable = this.db): Promise<UserPlanDto> {
    return this.find(db, actor, sql`up.id = ${userPlanId} AND ${visibleTo(actor, 'up')}`);
  }

  /** @throws NoActivePlan */
  async getActive(actor: Actor, userId: number): Promise<UserPlanDto> {
    const [active] = await this.db.query(sql`
      SELECT ${userPlanColumns(actor)} FROM ${PLANS_WITH_STATUS} ${SHOWN_WITH}
      WHERE ${visibleTo(actor, 'up')} AND up.user_id = ${userId} ${WITH_STATUS.active}`);
    if (!active) throw new NoActivePlan();
    return active;
  }

  /** @throws FieldsInvalid, PlanInactive, GymInactive, NotAnUpgrade, AlreadyScheduled, PlansOverlap */
  assign(actor: Actor, input: PlanSale, key: IdempotencyKey | null): Promise<UserPlanDto> {
    return once(this.db, actor, key, (tx) => this.assignIn(tx, actor, input));
  }

  /** The same as a part of a larger transaction. */
  async assignIn(tx: Transaction, actor: Actor, input: PlanSale): Promise<UserPlanDto> {
    const member = await lockMember(tx, actor, input.user_id);
    await requireActiveGym(tx, member.gym_id);
    const plan = await this.planForSale(tx, member.gym_id, input.plan_id);
    const current = await currentPlan(tx, member);
    if (current && input.start === 'if_none') throw new PlansOverlap('The member has an active plan.');
    const waits = current !== undefined && input.start === 'after_current';
    await parkWaiting(tx, member);
    if (waits) {
      const [waiting] = await tx.query(
        sql`SELECT 1 FROM user_plans up WHERE ${plansOf(member)} AND ended_at IS NULL AND starts_at IS NULL`,
      );
      if (waiting) throw new AlreadyScheduled();
    } else {
      requireMaySell(actor, current, plan);
      if (current) await endPlan(tx, member, current.id);
    }
    const [sold] = await tx.query<{ id: number }>(sql`
      INSERT INTO user_plans (user_id, gym_id, plan_id, purchased_price, duration_days, remaining_sessions, starts_at,
        expires_at, created_by_id)
      VALUES (${member.id}, ${member.gym_id}, ${plan.id}, ${input.purchased_price ?? plan.price}, ${plan.duration_days},
        ${plan.session_count}, ${raw(waits ? 'NULL' : 'moment()')},
        ${waits ? raw('NULL') : daysLater(raw('moment()'), sql`${plan.duration_days}::int`, member)}, ${actor.user_id})
      RETURNING id`);
    if (current && !waits) await nameReplacement(tx, member, [current.id], sold!.id);
    await placeWaiting(tx, member);
    await endWaiting(tx, member);
    return this.changed(tx, actor, member, sold!.id);
  }

  /**
   * Takes one session, once, however many try. At 0 the plan is over and the one that waits for it begins.
   * @param memberId only if it is this person's plan
   * @throws UserPlanNotFound, NoSessionsLeft, SessionsNotCounted, PlanNotActive
   */
  deduct(actor: Actor, userPlanId: number, key: IdempotencyKey | null, memberId?: number): Promise<UserPlanDto> {
    return once(this.db, actor, key, async (tx) => {
      const member = await deductSession(tx, actor, userPlanId);
      if (memberId !== undefined && memberId !== member.id) throw new UserPlanNotFound();
      return this.changed(tx, actor, member, userPlanId);
    });
  }

  /**
   * Ends what a member has who leaves the gym, or is no member any more: a plan is good in one gym. What was paid
   * stays.
   */
  async cancelPlansOf(tx: Transaction, userId: number): Promise<void> {
    await tx.query(everyGym`
      UPDATE user_plans up SET ended_at = moment(), end_reason = 'cancelled', updated_at = now()
      WHERE user_id = ${userId} AND ended_at IS NULL AND ${STATUS} <> 'expired'`);
  }

  /**
   * Sells another plan instead of this one, once, however often that is asked for; or corrects it.
   * @throws UserPlanNotFound, CorrectionNotAllowed, MemberLeft, FieldsInvalid, NotAnUpgrade, PlanReplaced,
   *   PlanNotActive, PlansOverlap, PlanTimesWrong, AlreadyScheduled, ChangedSinceRead
   */
  update(actor: Actor, userPlanId: number, input: UpdateUserPlanDto): Promise<UserPlanDto> {
    return this.db.transaction(async (tx) => {
      const member = await lockMemberOf(tx, actor, userPlanId);
      const before = await this.get(actor, userPlanId, tx);
      if (!isSale(input, before)) {
        const isChanged = await correctPlan(tx, actor, member, before, input);
        return isChanged ? this.changed(tx, actor, member, userPlanId) : before;
      }
      // Who sends the whole object back names no price: what it holds was paid for the old plan.
      const isOldPrice = input.status !== undefined && input.purchased_price === before.purchased_price;
      const asked = isOldPrice ? { ...input, purchased_price: undefined } : input;
      if (before.replaced_by_id === null && !member.is_member) throw new MemberLeft();
      if (before.replaced_by_id === null) return this.replace(tx, actor, member, before, asked);
      const replacement = await this.get(actor, before.replaced_by_id, tx);
      if (!isRepetition(asked, replacement)) throw new PlanReplaced(replacement.id);
      return replacement;
    });
  }

  /**
   * Stops its time, for some days or until it is unfrozen.
   * @throws UserPlanNotFound, PlanNotActive, AlreadyFrozen
   */
  freeze(actor: Actor, userPlanId: number, { days }: FreezePlanDto, key: IdempotencyKey | null): Promise<UserPlanDto> {
    return this.make(actor, userPlanId, 'frozen', { days }, key);
  }

  /** Lets its time run again, now. @throws UserPlanNotFound, PlanNotActive */
  unfreeze(actor: Actor, userPlanId: number, key: IdempotencyKey | null): Promise<UserPlanDto> {
    return this.make(actor, userPlanId, 'active', {}, key);
  }

  /** Ends it; what was paid stays. @throws UserPlanNotFound, PlanNotActive */
  cancel(actor: Actor, userPlanId: number, { reason }: CancelPlanDto, key: IdempotencyKey | null) {
    return this.make(actor, userPlanId, 'cancelled', { reason }, key);
  }

  /**
   * Takes an assignment back as if it had never been, money and all: what it replaced counts again. To end one, set its
   * status to cancelled.
   * @throws UserPlanNotFound
   */
  remove(actor: Actor, userPlanId: number): Promise<void> {
    return this.db.transaction(async (tx) => {
      const member = await lockMemberOf(tx, actor, userPlanId);
      await parkWaiting(tx, member);
      await takeBack(tx, member, userPlanId);
      await placeWaiting(tx, member);
      await tellMembership(tx, member);
    });
  }

  private make(
    actor: Actor,
    userPlanId: number,
    status: StatusByHand,
    details: FreezePlanDto & CancelPlanDto,
    key: IdempotencyKey | null,
  ): Promise<UserPlanDto> {
    return once(this.db, actor, key, async (tx) => {
      const member = await lockMemberOf(tx, actor, userPlanId);
      const before = await this.get(actor, userPlanId, tx);
      const isChanged = await changeStatus(tx, member, before, status, details);
      return isChanged ? this.changed(tx, actor, member, userPlanId) : before;
    });
  }

  /** The last act of a change: tells of it. @returns the plan as it is now */
  private async changed(tx: Transaction, actor: Actor, member: LockedMember, userPlanId: number): Promise<UserPlanDto> {
    const plan = await this.get(actor, userPlanId, tx);
    // Mostly it is the one that counts, and needs no second look.
    if (isCurrent(plan)) tx.emit(MembershipChanged.to(plan));
    else await tellMembership(tx, member);
    return plan;
  }

  private async replace(
    tx: Transaction,
    actor: Actor,
    member: LockedMember,
    before: UserPlanDto,
    { plan_id: planId, purchased_price }: UpdateUserPlanDto,
  ): Promise<UserPlanDto> {
    const waits = before.status === 'scheduled';
    if (waits) {
      const next = await this.planForSale(tx, member.gym_id, planId!);
      requireMaySell(actor, await soldPlan(tx, member, before.id), next);
      await parkWaiting(tx, member); // What ends before it began keeps no times.
      await endPlan(tx, member, before.id);
    }
    const sale = { user_id: member.id, plan_id: planId!, purchased_price };
    const sold = await this.assignIn(tx, actor, { ...sale, start: waits ? 'after_current' : 'now' });
    await nameReplacement(tx, member, [before.id], sold.id);
    return sold;
  }

  /** @throws FieldsInvalid, PlanInactive */
  private async planForSale(tx: Transaction, gymId: ScopedGymId, planId: number): Promise<PlanDto> {
    const [plan] = await tx.query<PlanDto>(sql`
      SELECT id, price, kind, duration_days, session_count, is_active FROM plans
      WHERE id = ${planId} AND gym_id = ${gymId} FOR KEY SHARE`);
    if (!plan) throw FieldsInvalid.of('plan_id', 'is not a plan of the gym');
    if (!plan.is_active) throw new PlanInactive();
    return plan;
  }

  private async find(db: Queryable, actor: Principal, condition: ScopedSql): Promise<UserPlanDto> {
    const [found] = await db.query(sql`
      SELECT ${userPlanColumns(actor)} FROM ${PLANS_WITH_STATUS} ${SHOWN_WITH} WHERE ${condition}`);
    if (!found) throw new UserPlanNotFound();
    return found;
  }
}
