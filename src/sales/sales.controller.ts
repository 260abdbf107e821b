import { Controller, Delete, Get, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentActor } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { DESK, STAFF } from '../common/actor/roles.js';
import { Idempotency, type IdempotencyKey } from '../common/http/idempotency.js';
import { type Page } from '../common/http/list.js';
import { IdInPath } from '../common/http/path.js';
import { Operation } from '../common/http/operation.js';
import { Body, Query } from '../common/http/validation.js';
import { GymInactive } from '../gyms/gyms.errors.js';
import { InsufficientStock, ProductInactive } from '../inventory/inventory.errors.js';
import {
  CreateSaleDto,
  DailySalesQuery,
  SaleDto,
  SaleListQuery,
  SalesSummaryDto,
  SummaryQuery,
  UpdateSaleDto,
} from './dto/sale.dto.js';
import { SaleNotFound } from './sales.errors.js';
import { SalesService } from './sales.service.js';

const OWN = 'Reception and trainer see what they sold themselves.';

@ApiTags('sales')
@Controller('sales')
export class SalesController {
  constructor(private readonly sales: SalesService) {}

  @Post()
  @Operation({
    summary: 'Sell a product',
    description: 'At its price of this moment; the stock goes down with it, and never below zero.',
    roles: DESK,
    status: 201,
    answer: SaleDto,
    errors: [ProductInactive, GymInactive, InsufficientStock],
    idempotent: true,
  })
  sell(
    @CurrentActor() actor: Actor,
    @Body() body: CreateSaleDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<SaleDto> {
    return this.sales.sell(actor, body, key);
  }

  @Get()
  @Operation({ summary: 'Sales, the newest first', description: OWN, roles: STAFF, answer: [SaleDto], list: true })
  list(@CurrentActor() actor: Actor, @Query() query: SaleListQuery): Promise<Page<SaleDto>> {
    return this.sales.list(actor, query);
  }

  @Get('daily')
  @Operation({
    summary: 'The sales of a local day, the newest first',
    description: OWN,
    roles: STAFF,
    answer: [SaleDto],
    list: true,
  })
  listDaily(@CurrentActor() actor: Actor, @Query() query: DailySalesQuery): Promise<Page<SaleDto>> {
    return this.sales.listDaily(actor, query);
  }

  @Get('summary')
  @Operation({
    summary: 'Sums by product, seller and local day',
    description: `Default: this month so far. ${OWN}`,
    roles: STAFF,
    answer: SalesSummaryDto,
  })
  summarize(@CurrentActor() actor: Actor, @Query() query: SummaryQuery): Promise<SalesSummaryDto> {
    return this.sales.summarize(actor, query);
  }

  @Get(':sale_id')
  @Operation({
    summary: 'One sale',
    description: OWN,
    roles: STAFF,
    answer: SaleDto,
    errors: [SaleNotFound],
  })
  get(@CurrentActor() actor: Actor, @IdInPath('sale_id') saleId: number): Promise<SaleDto> {
    return this.sales.get(actor, saleId);
  }

  @Put(':sale_id')
  @Operation({
    summary: 'Correct a sale',
    description: 'The stock gets the difference. The price stays, unless it is another product.',
    roles: ['admin'],
    answer: SaleDto,
    errors: [SaleNotFound, ProductInactive, InsufficientStock],
  })
  update(
    @CurrentActor() actor: Actor,
    @IdInPath('sale_id') saleId: number,
    @Body() body: UpdateSaleDto,
  ): Promise<SaleDto> {
    return this.sales.update(actor, saleId, body);
  }

  @Delete(':sale_id')
  @Operation({
    summary: 'Delete a sale',
    description: 'What was sold is in stock again.',
    roles: ['admin'],
    status: 204,
    errors: [SaleNotFound],
  })
  remove(@CurrentActor() actor: Actor, @IdInPath('sale_id') saleId: number): Promise<void> {
    return this.sales.remove(actor, saleId);
  }
}
