import { Controller, Delete, Get, Post, Put, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { CurrentActor } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { MANAGERS, STAFF } from '../common/actor/roles.js';
import { Idempotency, type IdempotencyKey } from '../common/http/idempotency.js';
import { GymListQuery, type Page } from '../common/http/list.js';
import { IdInPath } from '../common/http/path.js';
import { okOrNoContent, Operation } from '../common/http/operation.js';
import { Body, Query } from '../common/http/validation.js';
import { GymInactive } from '../gyms/gyms.errors.js';
import {
  ChangeStockDto,
  CreateProductDto,
  LowStockQuery,
  ProductDto,
  StockMovementDto,
  UpdateProductDto,
} from './dto/product.dto.js';
import { InsufficientStock, ProductNameTaken, ProductNotFound } from './inventory.errors.js';
import { InventoryService } from './inventory.service.js';

/** `/products`: the shop and its stock. */
@ApiTags('products')
@Controller('products')
export class InventoryController {
  constructor(private readonly inventory: InventoryService) {}

  @Get()
  @Operation({ summary: 'The products, by name', roles: STAFF, answer: [ProductDto], list: true })
  list(@CurrentActor() actor: Actor, @Query() query: GymListQuery): Promise<Page<ProductDto>> {
    return this.inventory.list(actor, query, false);
  }

  @Get('active')
  @Operation({ summary: 'The products that are sold, by name', roles: STAFF, answer: [ProductDto], list: true })
  listActive(@CurrentActor() actor: Actor, @Query() query: GymListQuery): Promise<Page<ProductDto>> {
    return this.inventory.list(actor, query, true);
  }

  @Get('low-stock')
  @Operation({ summary: 'What runs out, the scarcest first', roles: STAFF, answer: [ProductDto], list: true })
  listLowStock(@CurrentActor() actor: Actor, @Query() query: LowStockQuery): Promise<Page<ProductDto>> {
    return this.inventory.listLowStock(actor, query);
  }

  @Post()
  @Operation({
    summary: 'Add a product',
    roles: MANAGERS,
    status: 201,
    answer: ProductDto,
    errors: [ProductNameTaken, GymInactive],
    idempotent: true,
  })
  create(
    @CurrentActor() actor: Actor,
    @Body() body: CreateProductDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<ProductDto> {
    return this.inventory.create(actor, body, key);
  }

  @Get(':product_id')
  @Operation({
    summary: 'One product',
    roles: STAFF,
    answer: ProductDto,
    errors: [ProductNotFound],
  })
  get(@CurrentActor() actor: Actor, @IdInPath('product_id') productId: number): Promise<ProductDto> {
    return this.inventory.get(actor, productId);
  }

  @Get(':product_id/movements')
  @Operation({
    summary: 'Why its stock is what it is, the newest first',
    roles: STAFF,
    answer: [StockMovementDto],
    list: true,
    errors: [ProductNotFound],
  })
  listMovements(
    @CurrentActor() actor: Actor,
    @IdInPath('product_id') productId: number,
    @Query() query: GymListQuery,
  ): Promise<Page<StockMovementDto>> {
    return this.inventory.listMovements(actor, productId, query);
  }

  @Put(':product_id')
  @Operation({
    summary: 'Change a product',
    description: 'What was sold before keeps its price.',
    roles: MANAGERS,
    answer: ProductDto,
    errors: [ProductNotFound, ProductNameTaken],
  })
  update(
    @CurrentActor() actor: Actor,
    @IdInPath('product_id') productId: number,
    @Body() body: UpdateProductDto,
  ): Promise<ProductDto> {
    return this.inventory.update(actor, productId, body);
  }

  @Put(':product_id/stock')
  @Operation({
    summary: 'Count or move its stock',
    roles: MANAGERS,
    answer: ProductDto,
    errors: [ProductNotFound, InsufficientStock],
    idempotent: true,
    needsBody: true,
  })
  changeStock(
    @CurrentActor() actor: Actor,
    @IdInPath('product_id') productId: number,
    @Body() body: ChangeStockDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<ProductDto> {
    return this.inventory.changeStock(actor, productId, body, key);
  }

  @Delete(':product_id')
  @Operation({
    summary: 'Stop selling a product',
    description: 'One that was never in stock is deleted (204). Any other is deactivated and answered (200).',
    roles: MANAGERS,
    answer: ProductDto,
    errors: [ProductNotFound],
  })
  @ApiNoContentResponse({ description: 'It is gone: it had no history.' })
  async remove(
    @CurrentActor() actor: Actor,
    @IdInPath('product_id', 12) productId: number,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProductDto | undefined> {
    return okOrNoContent(reply, await this.inventory.remove(actor, productId));
  }
}
