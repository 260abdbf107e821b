import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, DiscoveryModule } from '@nestjs/core';
import { AttendanceModule } from './attendance/attendance.module.js';
import { AuthModule } from './auth/auth.module.js';
import { AccessGuard } from './common/actor/access.guard.js';
import { RouteTable } from './common/actor/route-table.js';
import { ProblemFilter } from './common/errors/problem.filter.js';
import { validationPipe } from './common/http/validation.js';
import type { Config } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
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

/** Composition only. */
@Module({})
export class AppModule {
  static with(config: Config): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.with(config),
        DatabaseModule,
        DiscoveryModule,
        ObservabilityModule,
        AuthModule,
        GymsModule,
        PlansModule,
        MembersModule,
        InventoryModule,
        SalesModule,
        MeasurementsModule,
        AttendanceModule,
        SlotsModule,
        DevicesModule,
        RealtimeModule,
        JobsModule,
        OperationsModule,
        DocsModule,
      ],
      providers: [
        RouteTable,
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_PIPE, useFactory: validationPipe },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }
}
