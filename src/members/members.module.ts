import { Module } from '@nestjs/common';
import { AttendanceModule } from '../attendance/attendance.module.js';
import { PlansModule } from '../plans/plans.module.js';
import { MembersController } from './members.controller.js';
import { MembersService } from './members.service.js';
import { SearchService } from './search.service.js';

@Module({
  imports: [AttendanceModule, PlansModule],
  controllers: [MembersController],
  providers: [MembersService, SearchService],
  exports: [MembersService],
})
export class MembersModule {}
