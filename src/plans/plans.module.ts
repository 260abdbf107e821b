import { Module } from '@nestjs/common';
import { PlansController } from './plans.controller.js';
import { PlansService } from './plans.service.js';
import { UserPlansController } from './user-plans.controller.js';
import { UserPlansService } from './user-plans.service.js';

@Module({
  controllers: [PlansController, UserPlansController],
  providers: [PlansService, UserPlansService],
  exports: [PlansService, UserPlansService],
})
export class PlansModule {}
