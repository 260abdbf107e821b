import { Module } from '@nestjs/common';
import { SlotsController } from './slots.controller.js';
import { SlotsGateway } from './slots.gateway.js';
import { SlotsService } from './slots.service.js';

@Module({ controllers: [SlotsController], providers: [SlotsService, SlotsGateway], exports: [SlotsService] })
export class SlotsModule {}
