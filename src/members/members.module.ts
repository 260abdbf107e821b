import { Module } from '@nestjs/common';
import { AttendanceModule } from '../attendance/attendance.module.js';
import { ChatModule } from '../chat/chat.module.js';
import { PlansModule } from '../plans/plans.module.js';
import { SlotsModule } from '../slots/slots.module.js';
import { GivenPasswords } from './given-passwords.js';
import { Leaving } from './leaving.js';
import { MembersController } from './members.controller.js';
import { MembersService } from './members.service.js';
import { PassesController } from './passes.controller.js';
import { PassesService } from './passes.service.js';
import { RecordsService } from './records.service.js';
import { SearchService } from './search.service.js';
import { StaffController } from './staff.controller.js';

@Module({
  imports: [AttendanceModule, ChatModule, PlansModule, SlotsModule],
  controllers: [MembersController, PassesController, StaffController],
  providers: [MembersService, PassesService, RecordsService, GivenPasswords, SearchService, Leaving],
  exports: [MembersService, PassesService, RecordsService, SearchService],
})
export class MembersModule {}
