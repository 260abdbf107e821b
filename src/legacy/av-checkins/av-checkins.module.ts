import { Module } from '@nestjs/common';
import { AttendanceModule } from '../../attendance/attendance.module.js';
import { GymsModule } from '../../chain/gyms.module.js';
import { DashboardModule } from '../../dashboard/dashboard.module.js';
import { MembersModule } from '../../members/members.module.js';
import { PlansModule } from '../../plans/plans.module.js';
import { AvCheckInsController } from './av-checkins.controller.js';
import { AvCheckInsSockets } from './av-checkins.sockets.js';
import { AvDesk } from './av-desk.js';
import { AvMembersController } from './av-members.controller.js';
import { AvOverviewController } from './av-overview.controller.js';
import { AvSignInController } from './av-sign-in.controller.js';

/** Clients of av-checkins (docs/legacy/av-checkins.md). */
@Module({
  imports: [AttendanceModule, DashboardModule, GymsModule, MembersModule, PlansModule],
  controllers: [AvSignInController, AvOverviewController, AvMembersController, AvCheckInsController],
  providers: [AvDesk, AvCheckInsSockets],
})
export class AvCheckInsModule {}
