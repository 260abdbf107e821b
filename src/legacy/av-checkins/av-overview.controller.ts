import { Get, type StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AuthService } from '../../auth/auth.service.js';
import { CurrentActor } from '../../common/actor/access.js';
import type { Actor } from '../../common/actor/actor.js';
import { STAFF } from '../../common/actor/roles.js';
import { streamJson } from '../../common/http/numbered.js';
import { DashboardService } from '../../dashboard/dashboard.service.js';
import { UserPlansService } from '../../plans/user-plans.service.js';
import { LegacyController, Wire } from '../wire/route.js';
import { AvAdminStatsDto, AvExpirationsDto, AvMeDto } from './av-checkins.dto.js';
import { toAdminStats, toExpiration, toMe } from './av-checkins.wire.js';
import { AvDesk } from './av-desk.js';

const DAYS_AHEAD = 30;

/** Who asks, and what they see first. */
@ApiTags('overview')
@LegacyController('av-checkins', 'api')
export class AvOverviewController {
  constructor(
    private readonly desk: AvDesk,
    private readonly auth: AuthService,
    private readonly dashboard: DashboardService,
    private readonly userPlans: UserPlansService,
  ) {}

  @Get('auth/me')
  @Wire({ summary: 'Who is signed in', roles: STAFF, answer: AvMeDto, beforePasswordChange: true })
  async me(@CurrentActor() actor: Actor): Promise<AvMeDto> {
    return toMe(await this.auth.me(actor));
  }

  @Get('admin/stats')
  @Wire({
    summary: 'The gym in numbers; without money to reception',
    // A trainer sees no numbers of the gym.
    roles: ['admin', 'manager', 'reception', 'accountant'],
    answer: AvAdminStatsDto,
  })
  async adminStats(@CurrentActor() actor: Actor): Promise<AvAdminStatsDto> {
    return toAdminStats(await this.dashboard.show(actor, { gym_id: await this.desk.gymOf(actor) }));
  }

  @Get('notifications/dashboard/expiring_memberships')
  @Wire({ summary: 'Active plans that end in 30 days, the first to end first', roles: STAFF, answer: AvExpirationsDto })
  async listExpiring(@CurrentActor() actor: Actor): Promise<StreamableFile> {
    const { id: gymId, timezone } = await this.desk.gym(actor);
    const plans = await this.userPlans.listEnding(actor, DAYS_AHEAD, { gym_id: gymId });
    const now = new Date();
    return streamJson(
      plans,
      (plan) => toExpiration(plan, timezone, now),
      (list) => ({ upcoming_expirations: list, total_count: plans.total }),
    );
  }
}
