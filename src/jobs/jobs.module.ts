import { Module } from '@nestjs/common';
import { AttendanceModule } from '../attendance/attendance.module.js';
import { JobsService } from './jobs.service.js';

@Module({ imports: [AttendanceModule], providers: [JobsService] })
export class JobsModule {}
