import { Injectable } from '@nestjs/common';
import type { Actor, GymScope } from '../common/actor/actor.js';
import { FieldsInvalid, RoleNotAllowed } from '../common/errors/common.errors.js';
import { Database } from '../database/database.js';
import { everyGym, inGym, raw, sql } from '../database/sql.js';
import { noGym } from '../gyms/gyms.js';
import { gymsWithPeriods, named, today } from '../gyms/local-time.js';
import { LowStockQuery } from '../inventory/dto/product.dto.js';
import { InventoryService } from '../inventory/inventory.service.js';
import { WITH_STATUS } from '../plans/user-plans.sql.js';
import { MoneyNotShown } from './dashboard.errors.js';
import { datesOf, type Period, periodOf, seesGym, seesMoney } from './dashboard.rules.js';
import {
  activePlans,
  amountOf,
  amountWhere,
  counted,
  countOf,
  countWhere,
  during,
  duringEach,
  type Fact,
  SOON,
} from './dashboard.sql.js';
import type {
  DashboardDto,
  DashboardQuery,
  Interval,
  LowStockDto,
  MemberNumbersDto,
  PeriodQuery,
  RevenueDto,
  SeriesPointDto,
  SeriesQuery,
  StaffNumbersDto,
  SubscriptionNumbersDto,
  VisitNumbersDto,
} from './dto/dashboard.dto.js';

/** The figures of an interval, which begins on `date`. */
export interface Figures {
  date: string;
  sales_amount: number;
  sale_count: number;
  plans_amount: number;
  plans_sold: number;
  revenue: number;
  visits: number;
  new_members: number;
}

/** Which gyms, and the local days of which period; one that is open at an end reaches as far as there are numbers. */
export interface BranchesQuery extends Pick<PeriodQuery, 'gym_id' | 'from' | 'to'> {
  /** Instead of `from`: so many days before today, which may be another day in each gym. */
  from_days_ago?: number;
}

/** A gym in numbers. Money is null to reception. */
export interface BranchFigures {
  gym_id: number;
  name: string;
  is_active: boolean;
  /** Those who were deleted are not counted. */
  members: number;
  active_plans: number;
  sales_amount: number | null;
  sale_count: number;
  plans_amount: number | null;
  plans_sold: number;
  /** Of products and plans. */
  revenue: number | null;
  visits: number;
}

/** What each metric is made of, and where it stands among the figures. */
const METRIC = {
  revenue: { facts: ['sales', 'plans'], figure: 'revenue' },
  visits: { facts: ['visits'], figure: 'visits' },
  members: { facts: ['new_members'], figure: 'new_members' },
} as const;

const MOST_LOW_STOCK = 50;

/** The gym in numbers, counted when they are asked for: right at once after each change. */
@Injectable()
export class DashboardService {
  constructor(
    private readonly db: Database,
    private readonly inventory: InventoryService,
  ) {}

  /** @throws OtherGym, FieldsInvalid */
  async show(actor: Actor, { gym_id }: DashboardQuery): Promise<DashboardDto> {
    const scope = actor.scope(gym_id);
    if (!seesGym(actor)) {
      const staff = await this.staff(scope, actor.user_id);
      return { members: null, subscriptions: null, revenue: null, visits: null, low_stock: null, staff };
    }
    // Sent together: see database/lanes.ts.
    const [members, subscriptions, revenue, visits, lowStock, staff] = await Promise.all([
      this.members(scope),
      this.subscriptions(scope),
      seesMoney(actor) ? this.revenue(scope) : null,
      this.visits(scope),
      this.lowStock(actor, gym_id),
      this.staff(scope),
    ]);
    const shown = seesMoney(actor)
      ? staff
      : staff.map((person) => ({ ...person, sales_amount: null, plans_amount: null }));
    return { members, subscriptions, revenue, visits, low_stock: lowStock, staff: shown };
  }

  /** A value for each interval of the period, also where it is 0. @throws OtherGym, MoneyNotShown, FieldsInvalid */
  async series(actor: Actor, query: SeriesQuery): Promise<SeriesPointDto[]> {
    const scope = actor.scope(query.gym_id);
    if (query.metric === 'revenue' && !seesMoney(actor)) throw new MoneyNotShown();
    const { facts, figure } = METRIC[query.metric];
    const period = await this.period(scope, query);
    const figures = await this.figures(scope, period, query.interval, facts);
    return figures.map((row) => ({ date: row.date, value: row[figure] }));
  }

  /** The days that are asked for. @throws FieldsInvalid */
  async period(scope: GymScope, query: PeriodQuery): Promise<Period> {
    return periodOf(query, await this.today(scope));
  }

  /** The local day; of several gyms the last. @throws FieldsInvalid if there is no such gym */
  async today(scope: GymScope): Promise<string> {
    const [day] = await this.db.query<{ today: string | null }>(everyGym`
      SELECT ${named(scope, today(scope), 'max')}::text AS today`);
    return day!.today ?? noGym();
  }

  /** The figures of each interval of a period, also where they are 0. @throws FieldsInvalid if there are too many */
  async figures(scope: GymScope, period: Period, interval: Interval, facts: readonly Fact[]): Promise<Figures[]> {
    const dates = datesOf(period, interval);
    return this.db.query<Figures>(sql`
      WITH ${duringEach(scope, period, dates)}
      SELECT key::text AS date, ${amountOf('sales')} AS sales_amount, ${countOf('sales')} AS sale_count,
        ${amountOf('plans')} AS plans_amount, ${countOf('plans')} AS plans_sold,
        ${amountWhere('TRUE')} AS revenue, ${countOf('visits')} AS visits, ${countOf('new_members')} AS new_members
      FROM (${counted(facts)}) f GROUP BY key ORDER BY key`);
  }

  /**
   * Each gym in numbers, by name: its members and active plans as they are now, and what came in on the local days of a
   * period. An index of each kind of fact is read as far as the period reaches.
   * @throws OtherGym, RoleNotAllowed, FieldsInvalid
   */
  async branches(actor: Actor, { gym_id, from, to, from_days_ago }: BranchesQuery): Promise<BranchFigures[]> {
    const scope = actor.scope(gym_id);
    if (!seesGym(actor)) throw new RoleNotAllowed();
    if (from && to && from > to) throw FieldsInvalid.of('from', 'must not be after the last day');
    const first = sql`coalesce(${from}::date, t.today - ${from_days_ago}::int, '0001-01-01')`;
    const period = sql`VALUES ('period', ${first}, coalesce(${to}::date, t.today))`;
    const branches = await this.db.query<BranchFigures>(sql`
      WITH ${gymsWithPeriods(scope, period)}, ${SOON}, done AS (
        SELECT key AS gym_id, ${amountOf('sales')} AS sales_amount, ${countOf('sales')} AS sale_count,
          ${amountOf('plans')} AS plans_amount, ${countOf('plans')} AS plans_sold, ${amountWhere('TRUE')} AS revenue,
          ${countOf('visits')} AS visits
        FROM (${counted(['sales', 'plans', 'visits'], () => 'g.id')}) f GROUP BY key)
      SELECT g.id AS gym_id, g.name, g.is_active, m.members, a.active AS active_plans,
        coalesce(d.sales_amount, 0) AS sales_amount, coalesce(d.sale_count, 0) AS sale_count,
        coalesce(d.plans_amount, 0) AS plans_amount, coalesce(d.plans_sold, 0) AS plans_sold,
        coalesce(d.revenue, 0) AS revenue, coalesce(d.visits, 0) AS visits
      FROM gyms g LEFT JOIN done d ON d.gym_id = g.id
      CROSS JOIN LATERAL (
        SELECT count(*) AS members FROM users u
        WHERE u.gym_id = g.id AND u.role = 'user' AND u.deleted_at IS NULL) m
      CROSS JOIN LATERAL (${activePlans(WITH_STATUS.active)}) a
      WHERE ${inGym(scope, 'g.id')} ORDER BY g.name, g.id`);
    if (branches.length === 0) noGym();
    if (seesMoney(actor)) return branches;
    return branches.map((branch) => ({ ...branch, sales_amount: null, plans_amount: null, revenue: null }));
  }

  private async members(scope: GymScope): Promise<MemberNumbersDto> {
    const [members] = await this.db.query<MemberNumbersDto>(sql`
      WITH ${during(scope, 'today', 'this_month')}, joined AS (${counted(['new_members'])})
      SELECT sum(m.total) AS total, sum(m.active) AS active,
        (SELECT ${countWhere(`key = 'today'`)} FROM joined) AS new_today,
        (SELECT ${countWhere(`key = 'this_month'`)} FROM joined) AS new_this_month
      FROM gyms g CROSS JOIN LATERAL (
        SELECT count(*) AS total, count(*) FILTER (WHERE u.is_active) AS active
        FROM users u WHERE u.gym_id = g.id AND u.role = 'user' AND u.deleted_at IS NULL) m
      WHERE ${inGym(scope, 'g.id')}`);
    return members!.total === null ? noGym() : members!;
  }

  private async subscriptions(scope: GymScope): Promise<SubscriptionNumbersDto> {
    const [subscriptions] = await this.db.query<SubscriptionNumbersDto>(sql`
      WITH ${SOON}
      SELECT sum(a.active) AS active, sum(a.expiring_3_days) AS expiring_3_days,
        sum(a.expiring_7_days) AS expiring_7_days, sum(a.expiring_30_days) AS expiring_30_days, sum(f.frozen) AS frozen
      FROM gyms g
      CROSS JOIN LATERAL (${activePlans(WITH_STATUS.active)}) a
      CROSS JOIN LATERAL (
        SELECT count(*) AS frozen FROM user_plans up WHERE up.gym_id = g.id ${WITH_STATUS.frozen}) f
      WHERE ${inGym(scope, 'g.id')}`);
    return subscriptions!;
  }

  private async revenue(scope: GymScope): Promise<RevenueDto> {
    const [revenue] = await this.db.query<RevenueDto>(sql`
      WITH ${during(scope, 'today', 'this_month', 'last_month')}
      SELECT ${amountWhere(`key = 'today'`)} AS today, ${amountWhere(`key = 'this_month'`)} AS this_month,
        ${amountWhere(`key = 'last_month'`)} AS last_month,
        ${amountWhere(`key = 'this_month' AND fact = 'sales'`)} AS sales_this_month,
        ${amountWhere(`key = 'this_month' AND fact = 'plans'`)} AS plans_this_month
      FROM (${counted(['sales', 'plans'])}) f`);
    return revenue!;
  }

  private async visits(scope: GymScope): Promise<VisitNumbersDto> {
    const [visits] = await this.db.query<VisitNumbersDto>(sql`
      WITH ${during(scope, 'today')}, visits AS (${counted(['visits'], ({ at }) => `extract(hour FROM ${at} AT TIME ZONE g.timezone)::int`)})
      SELECT
        (SELECT count(*) FROM attendance v
          WHERE ${inGym(scope, 'v.gym_id')} AND v.check_out_time IS NULL) AS inside_now,
        (SELECT ${countOf('visits')} FROM visits) AS today,
        ARRAY(SELECT (SELECT coalesce(sum(count), 0)::int FROM visits WHERE key = hour)
          FROM generate_series(0, 23) hour ORDER BY hour) AS by_hour`);
    return visits!;
  }

  private async lowStock(actor: Actor, gymId: number | undefined): Promise<LowStockDto[]> {
    const query = Object.assign(new LowStockQuery(), { gym_id: gymId, limit: MOST_LOW_STOCK });
    const { items } = await this.inventory.listLowStock(actor, query);
    return items.map(({ id, name, quantity, gym_id }) => ({ id, name, quantity, gym_id }));
  }

  /** @param only this person */
  private staff(scope: GymScope, only?: number): Promise<StaffNumbersDto[]> {
    return this.db.query<StaffNumbersDto>(sql`
      WITH ${during(scope, 'this_month')}, done AS (
        SELECT key AS id, ${amountOf('sales')} AS sales_amount, ${countOf('sales')} AS sale_count,
          ${amountOf('plans')} AS plans_amount, ${countOf('plans')} AS plans_sold, ${countOf('visits')} AS check_ins
        FROM (
          ${counted(['sales', 'plans', 'visits'], ({ by }) => by)}
          UNION ALL
          SELECT 'none', u.id, 0, 0 FROM users u
          WHERE u.deleted_at IS NULL AND u.is_active AND u.role <> 'user' AND ${inGym(scope, 'u.gym_id')}
        ) f
        WHERE ${only === undefined ? raw('key IS NOT NULL') : sql`key = ${only}`} GROUP BY key)
      SELECT d.id, u.full_name, d.sales_amount, d.sale_count, d.plans_amount, d.plans_sold, d.check_ins
      -- Each by its number: PostgreSQL does not know how few they are.
      FROM done d CROSS JOIN LATERAL (SELECT full_name FROM users WHERE id = d.id OFFSET 0) u
      ORDER BY u.full_name, d.id`);
  }
}
