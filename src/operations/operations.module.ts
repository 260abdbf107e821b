import { Module } from '@nestjs/common';
import { Drain } from '../common/http/drain.js';
import { MetricsService } from './metrics.service.js';
import { OperationsController } from './operations.controller.js';

@Module({ controllers: [OperationsController], providers: [MetricsService, Drain], exports: [MetricsService] })
export class OperationsModule {}
