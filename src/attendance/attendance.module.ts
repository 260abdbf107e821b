import { Module } from '@nestjs/common';
import { AttendanceController } from './attendance.controller.js';
import { AttendanceGateway } from './attendance.gateway.js';
import { AttendanceService } from './attendance.service.js';
import { VisitNumbers } from './visit-numbers.js';

@Module({
  controllers: [AttendanceController],
  providers: [AttendanceService, VisitNumbers, AttendanceGateway],
  exports: [AttendanceService, VisitNumbers],
})
export class AttendanceModule {}
