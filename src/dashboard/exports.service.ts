import { Injectable, type StreamableFile } from '@nestjs/common';
import type { Actor } from '../common/actor/actor.js';
import { csvFile } from '../common/http/csv.js';
import { allPages } from '../common/http/while-read.js';
import { computed, pick, row, table } from '../database/columns.js';
import { Database } from '../database/database.js';
import { listPage } from '../database/keyset.js';
import { inGym, raw, sql } from '../database/sql.js';
import type { User } from '../people/entities/user.entity.js';
import type { UserPlanStatus } from '../plans/dto/user-plan.dto.js';
import type { Plan } from '../plans/entities/plan.entity.js';
import type { UserPlan } from '../plans/entities/user-plan.entity.js';
import { planThatCounts } from '../plans/user-plans.sql.js';
import { DashboardService } from './dashboard.service.js';
import type { DashboardQuery, PeriodQuery } from './dto/dashboard.dto.js';

const u = table<User>('u');
const up = table<UserPlan>('up');

/** A member as a line of a file: what the desk knows of them, and nothing that opens a door or an account. */
const MEMBER = row({
  ...pick(u, 'id', 'full_name', 'email', 'phone_number', 'document_id', 'is_active'),
  joined_date: computed<string>(sql`(u.created_at AT TIME ZONE g.timezone)::date`),
  plan_name: table<Plan>('p').name,
  plan_status: computed<UserPlanStatus | null>(raw('up.status')),
  plan_expires_at: up.expires_at,
  remaining_sessions: up.remaining_sessions,
  last_visit_date: computed<string | null>(sql`(v.check_in_time AT TIME ZONE g.timezone)::date`),
  ...pick(u, 'gym_id', 'created_at'),
});
const SHOWN_WITH = sql`JOIN gyms g ON g.id = u.gym_id ${planThatCounts(raw('u.id'), raw('u.gym_id'))}
  LEFT JOIN LATERAL (
    SELECT v.check_in_time FROM attendance v WHERE v.user_id = u.id AND v.gym_id = u.gym_id
    ORDER BY v.check_in_time DESC, v.id DESC LIMIT 1) v ON TRUE`;
const MEMBER_COLUMNS = [
  ...(['id', 'full_name', 'email', 'phone_number', 'document_id', 'is_active', 'joined_date', 'plan_name'] as const),
  ...(['plan_status', 'plan_expires_at', 'remaining_sessions', 'last_visit_date', 'gym_id'] as const),
];

const REPORT_COLUMNS = [
  ...(['date', 'sales_amount', 'sale_count', 'plans_amount', 'plans_sold', 'visits', 'new_members'] as const),
];

/** The numbers and the members as files, for a spreadsheet. */
@Injectable()
export class ExportsService {
  constructor(
    private readonly db: Database,
    private readonly dashboard: DashboardService,
  ) {}

  /** A line for each local day. @throws OtherGym, FieldsInvalid */
  async report(actor: Actor, query: PeriodQuery): Promise<StreamableFile> {
    const scope = actor.scope(query.gym_id);
    const period = await this.dashboard.period(scope, query);
    const days = await this.dashboard.figures(scope, period, 'day', ['sales', 'plans', 'visits', 'new_members']);
    return csvFile(`report-${period.from}-${period.to}.csv`, REPORT_COLUMNS, [days].values());
  }

  /** A line for each member, in the order in which they joined; one gym after the other. @throws OtherGym */
  async members(actor: Actor, query: DashboardQuery): Promise<StreamableFile> {
    const scope = actor.scope(query.gym_id);
    const today = await this.dashboard.today(scope);
    const from = sql`FROM users u WHERE u.role = 'user' AND u.deleted_at IS NULL AND ${inGym(scope, 'u.gym_id')}`;
    const keys = { gym_id: 'u.gym_id', created_at: 'u.created_at', id: 'u.id' };
    const source = { columns: MEMBER, from, shown: { alias: 'u', joins: SHOWN_WITH }, keys };
    const pages = allPages((page) => listPage(this.db, page, source));
    return csvFile(`members-${today}.csv`, MEMBER_COLUMNS, pages);
  }
}
