import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, DiscoveryModule, RouterModule } from '@nestjs/core';
import { AccountsModule } from './accounts/accounts.module.js';
import { AttendanceModule } from './attendance/attendance.module.js';
import { AuthModule } from './auth/auth.module.js';
import { ResetPageModule } from './auth/reset-page.controller.js';
import { ChatModule } from './chat/chat.module.js';
import { AccessGuard } from './common/actor/access.guard.js';
import { RouteTable } from './common/actor/route-table.js';
import { ProblemFilter } from './common/errors/problem.filter.js';
import { DtoTable } from './common/http/dto-table.js';
import type { Config } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
import { DashboardModule } from './dashboard/dashboard.module.js';
import { CoursesModule } from './courses/courses.module.js';
import { DatabaseModule } from './database/database.module.js';
import { DevicesModule } from './devices/devices.module.js';
import { DocsModule } from './docs/docs.module.js';
import { GymsModule } from './chain/gyms.module.js';
import { InventoryModule } from './inventory/inventory.module.js';
import { JobsModule } from './jobs/jobs.module.js';
import { MeasurementsModule } from './measurements/measurements.module.js';
import { MembersModule } from './members/members.module.js';
import { PlansModule } from './plans/plans.module.js';
import { ObservabilityModule } from './observability/observability.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { RealtimeModule } from './realtime/realtime.module.js';
import { SalesModule } from './sales/sales.module.js';
import { SlotsModule } from './slots/slots.module.js';

/** The features, whose routes are under /api/v1. */
export const FEATURES = [
  AuthModule,
  GymsModule,
  PlansModule,
  MembersModule,
  AccountsModule,
  CoursesModule,
  InventoryModule,
  SalesModule,
  MeasurementsModule,
  AttendanceModule,
  SlotsModule,
  ChatModule,
  DevicesModule,
  DashboardModule,
  RealtimeModule,
];

/** Composition only. */
@Module({})
export class AppModule {
  /** @param legacy the old clients that are served, if any */
  static with(config: Config, legacy: DynamicModule[]): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.with(config),
        DatabaseModule,
        DiscoveryModule,
        ObservabilityModule,
        ...FEATURES,
        RouterModule.register([{ path: 'api/v1', children: FEATURES }]),
        JobsModule,
        // What the watching machines and people with a browser ask for stands outside /api/v1.
        OperationsModule,
        DocsModule,
        ResetPageModule,
        ...legacy,
      ],
      providers: [
        RouteTable,
        DtoTable,
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }
}
