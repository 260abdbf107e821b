import { Module } from '@nestjs/common';
import { AttendanceModule } from '../attendance/attendance.module.js';
import { Config } from '../config/config.js';
import { SlotsModule } from '../slots/slots.module.js';
import { AccessService } from './access.service.js';
import { BoardsGateway } from './boards.gateway.js';
import { BoardsService } from './boards.service.js';
import { DevicesController } from './devices.controller.js';
import { DevicesGateway } from './devices.gateway.js';
import { DevicesService } from './devices.service.js';
import { EnrolmentGateway } from './enrolment.gateway.js';
import { EnrolmentsService } from './enrolments.service.js';
import { EntranceGateway } from './entrance.gateway.js';
import { FingerprintKeys, FingerprintsService } from './fingerprints.service.js';
import { Presence } from './presence.js';

@Module({
  imports: [AttendanceModule, SlotsModule],
  controllers: [DevicesController],
  providers: [
    DevicesService,
    FingerprintsService,
    EnrolmentsService,
    AccessService,
    BoardsService,
    Presence,
    DevicesGateway,
    EnrolmentGateway,
    EntranceGateway,
    BoardsGateway,
    {
      provide: FingerprintKeys,
      inject: [Config],
      useFactory: (config: Config) => new FingerprintKeys(config.FINGERPRINT_KEYS),
    },
  ],
  exports: [DevicesService, FingerprintsService, AccessService, BoardsService, Presence],
})
export class DevicesModule {}
