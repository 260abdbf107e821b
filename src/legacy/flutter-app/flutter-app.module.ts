import { Module } from '@nestjs/common';
import { AttendanceModule } from '../../attendance/attendance.module.js';
import { GymsModule } from '../../chain/gyms.module.js';
import { DashboardModule } from '../../dashboard/dashboard.module.js';
import { MembersModule } from '../../members/members.module.js';
import { PlansModule } from '../../plans/plans.module.js';
import { FlutterAttendanceController } from './attendance.controller.js';
import { Branches } from './branches.js';
import { FlutterBranchesController } from './branches.controller.js';
import { FlutterClientController } from './client.controller.js';
import { FlutterCustomersController } from './customers.controller.js';
import { FlutterStaffController } from './staff.controller.js';
import { FlutterSubscriptionsController } from './subscriptions.controller.js';

/** The staff app and the member's app of gyms that were served by Flask (docs/legacy/flutter-app.md). */
@Module({
  imports: [AttendanceModule, DashboardModule, GymsModule, MembersModule, PlansModule],
  controllers: [
    FlutterCustomersController,
    FlutterSubscriptionsController,
    FlutterAttendanceController,
    FlutterBranchesController,
    FlutterStaffController,
    FlutterClientController,
  ],
  providers: [Branches],
})
export class FlutterAppModule {}
