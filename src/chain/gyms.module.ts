import { Module } from '@nestjs/common';
import { SlotsModule } from '../slots/slots.module.js';
import { BranchesController } from './branches.controller.js';
import { Changing } from './changing.js';
import { GymsController } from './gyms.controller.js';
import { GymsService } from './gyms.service.js';

@Module({
  imports: [SlotsModule],
  controllers: [GymsController, BranchesController],
  providers: [GymsService, Changing],
  exports: [GymsService],
})
export class GymsModule {}
