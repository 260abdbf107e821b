import { Module } from '@nestjs/common';
import { AttendanceModule } from '../attendance/attendance.module.js';
import { PlansModule } from '../plans/plans.module.js';
import { SlotsModule } from '../slots/slots.module.js';
import { Leaving } from './leaving.js';
import { MembersController } from './members.controller.js';
import { MembersService } from './members.service.js';
import { SearchService } from './search.service.js';

@Module({
  imports: [AttendanceModule, PlansModule, SlotsModule],
  controllers: [MembersController],
  providers: [MembersService, SearchService, Leaving],
  exports: [MembersService],
})
export class MembersModule {}
