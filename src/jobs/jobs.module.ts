import { Module } from '@nestjs/common';
import { AttendanceModule } from '../attendance/attendance.module.js';
import { Heartbeat } from './heartbeat.js';
import { JobsService } from './jobs.service.js';

@Module({ imports: [AttendanceModule], providers: [JobsService, Heartbeat] })
export class JobsModule {}
