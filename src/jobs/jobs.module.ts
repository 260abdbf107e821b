import { Module } from '@nestjs/common';
import { AttendanceModule } from '../attendance/attendance.module.js';
import { ChatModule } from '../chat/chat.module.js';
import { MailModule } from '../mail/mail.module.js';
import { Heartbeat } from './heartbeat.js';
import { JobsService } from './jobs.service.js';

@Module({
  imports: [AttendanceModule, ChatModule, MailModule],
  providers: [JobsService, Heartbeat],
  exports: [JobsService],
})
export class JobsModule {}
