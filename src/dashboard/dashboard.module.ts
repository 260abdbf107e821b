import { Module } from '@nestjs/common';
import { InventoryModule } from '../inventory/inventory.module.js';
import { DashboardController } from './dashboard.controller.js';
import { DashboardService } from './dashboard.service.js';
import { ExportsService } from './exports.service.js';

@Module({
  imports: [InventoryModule],
  controllers: [DashboardController],
  providers: [DashboardService, ExportsService],
  exports: [DashboardService],
})
export class DashboardModule {}
