import { Module } from '@nestjs/common';
import { SlotsController } from './slots.controller.js';
import { SlotsGateway } from './slots.gateway.js';
import { SlotsService } from './slots.service.js';
import { WatchedDays } from './watched-days.js';

@Module({
  controllers: [SlotsController],
  providers: [SlotsService, SlotsGateway, WatchedDays],
  exports: [SlotsService, WatchedDays],
})
export class SlotsModule {}
