import { Get } from '@nestjs/common';
import { CurrentActor } from '../../common/actor/access.js';
import type { Actor } from '../../common/actor/actor.js';
import { STAFF } from '../../common/actor/roles.js';
import { Query } from '../../common/http/validation.js';
import { type BranchesQuery, type BranchFigures, DashboardService } from '../../dashboard/dashboard.service.js';
import { LegacyController, LegacyId, Wire } from '../wire/route.js';
import { Branches } from './branches.js';
import {
  AccountantWire,
  BranchFiguresWire,
  BranchQuery,
  BranchWire,
  DaysQuery,
  Done,
  DoneList,
  FiguresAnswer,
  ManagerWire,
  OverviewWire,
  OwnerWire,
  ReportQuery,
} from './flutter-app.dto.js';
import {
  accountantOf,
  atTheTop,
  branchOf,
  comparedOf,
  done,
  figuresOf,
  managerOf,
  notThere,
  ownerOf,
} from './flutter-app.wire.js';

const OFFICE = ['admin', 'manager', 'reception', 'accountant'] as const;
const MONEY = ['admin', 'manager', 'accountant'] as const;
const NOT_FOUND = 'Branch not found';
const FIELDS = { gym_id: 'branch_id', from: 'start_date', to: 'end_date' };
const orNotFound = notThere({ gym_id: NOT_FOUND });

/** Gyms, which these apps call branches, and their numbers. */
@LegacyController('flutter-app', 'api')
export class FlutterBranchesController {
  constructor(
    private readonly branches: Branches,
    private readonly dashboard: DashboardService,
  ) {}

  @Get('branches')
  @Wire({ summary: 'The branches that one works in', roles: STAFF, answer: DoneList(BranchWire, false) })
  async list(@CurrentActor() actor: Actor) {
    return done({ items: (await this.branches.list(actor)).map(branchOf) });
  }

  @Get('reports/branch-comparison')
  @Wire({ summary: 'The same in numbers', roles: OFFICE, answer: Done([BranchFiguresWire]), fields: FIELDS })
  async compare(@CurrentActor() actor: Actor, @Query() { branch_id, ...days }: ReportQuery) {
    const figures = new Map((await this.figures(actor, branch_id, days)).map((one) => [one.gym_id, one]));
    const branches = await this.branches.list(actor, branch_id);
    return done(branches.flatMap((gym) => (figures.has(gym.id) ? [comparedOf(gym, figures.get(gym.id)!)] : [])));
  }

  @Get('dashboards/overview')
  @Wire({ summary: 'All in numbers', roles: OFFICE, answer: Done(OverviewWire) })
  async overview(@CurrentActor() actor: Actor, @Query() { branch_id }: BranchQuery) {
    const branches = await this.figures(actor, branch_id);
    const { check_ins_count: _, ...figures } = figuresOf(branches);
    return done({ ...figures, total_branches: branches.length });
  }

  @Get('branches/:id/performance')
  @Wire({ summary: 'A branch in numbers', roles: OFFICE, answer: FiguresAnswer, fields: FIELDS })
  async performance(@CurrentActor() actor: Actor, @LegacyId('id', NOT_FOUND) id: number, @Query() days: DaysQuery) {
    return atTheTop(figuresOf(await this.figures(actor, id, days)));
  }

  @Get('reports/revenue')
  @Wire({ summary: 'What came in', roles: OFFICE, answer: FiguresAnswer, fields: FIELDS })
  async revenue(@CurrentActor() actor: Actor, @Query() { branch_id, ...days }: ReportQuery) {
    return atTheTop(figuresOf(await this.figures(actor, branch_id, days)));
  }

  @Get('dashboards/owner')
  @Wire({ summary: 'What an owner looks after', roles: OFFICE, answer: Done(OwnerWire) })
  async owner(@CurrentActor() actor: Actor, @Query() { branch_id }: BranchQuery) {
    return done(ownerOf(await this.show(actor, branch_id)));
  }

  @Get('dashboards/branch-manager')
  @Wire({ summary: 'What a manager looks after', roles: OFFICE, answer: Done(ManagerWire) })
  async manager(@CurrentActor() actor: Actor, @Query() { branch_id }: BranchQuery) {
    const shown = await this.show(actor, branch_id);
    const week = await this.figures(actor, branch_id, { from_days_ago: 6 });
    return done(managerOf(shown, week, await this.branches.list(actor, branch_id)));
  }

  @Get('dashboards/accountant')
  @Wire({ summary: 'What an accountant looks after', roles: MONEY, answer: Done(AccountantWire) })
  async accountant(@CurrentActor() actor: Actor, @Query() { branch_id }: BranchQuery) {
    const shown = await this.show(actor, branch_id);
    return done(accountantOf(shown, await this.figures(actor, branch_id, { from_days_ago: 0 })));
  }

  private show(actor: Actor, branchId: number | undefined) {
    return this.dashboard.show(actor, { gym_id: branchId }).catch(orNotFound);
  }

  private figures(
    actor: Actor,
    branchId?: number,
    { start_date, end_date, from_days_ago }: DaysQuery & Pick<BranchesQuery, 'from_days_ago'> = {},
  ): Promise<BranchFigures[]> {
    const days = { from: start_date, to: end_date, from_days_ago };
    return this.dashboard.branches(actor, { gym_id: branchId, ...days }).catch(orNotFound);
  }
}
