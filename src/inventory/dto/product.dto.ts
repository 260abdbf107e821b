import { ApiProperty, IntersectionType, PartialType, PickType } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsOptional } from 'class-validator';
import { IsMoney, IsText } from '../../common/http/fields.js';
import { IsNullable } from '../../common/http/nulls.js';
import { GymListQuery } from '../../common/http/list.js';
import { IsId, IsInteger, IsWhole } from '../../common/http/whole.js';
import type { MovementReason } from '../entities/stock-movement.entity.js';

/** Of one product. */
export const MOST_IN_STOCK = 1_000_000;
/** Not written as -MOST_IN_STOCK at its field: that would leave the field out of the documentation. */
const LEAST = -MOST_IN_STOCK;

export class ProductDto {
  /** @example 1 */
  @IsId()
  id: number;

  /** @example "Isotonic drink 0.5 l" */
  @IsText(1, 120)
  name: string;

  /** @example "Lemon" */
  @IsNullable()
  @IsText(0, 2000)
  description: string | null;

  /** @example 2.5 */
  @IsMoney()
  price: number;

  /** How many are in stock. @example 48 */
  @ApiProperty({ type: 'integer' })
  quantity: number;

  /** @example 2 */
  @IsId()
  gym_id: number;

  /** Whether it is sold. @example true */
  @IsBoolean()
  is_active: boolean;

  created_at: Date;
  updated_at: Date;
}

export class CreateProductDto extends IntersectionType(
  PickType(ProductDto, ['price']),
  PartialType(PickType(ProductDto, ['description', 'gym_id', 'is_active'])),
) {
  /** Unique in the gym, whatever the case. @example "Green tea 0.5 l" */
  @IsText(1, 120)
  name: string;

  /** How many there are to begin with. @example 24 */
  @IsOptional()
  @IsInteger(0, MOST_IN_STOCK)
  quantity?: number;
}

/** What is not sent stays as it is. The stock is changed at /products/{product_id}/stock. */
export class UpdateProductDto extends PartialType(
  PickType(ProductDto, ['name', 'description', 'price', 'is_active']),
) {}

/** Either `quantity`, what was counted, or `change`, what came or went. */
export class ChangeStockDto {
  /** How many there are now. */
  @IsOptional()
  @IsInteger(0, MOST_IN_STOCK)
  quantity?: number;

  /** How many came (a delivery) or, negative, went. @example 24 */
  @IsOptional()
  @IsInteger(LEAST, MOST_IN_STOCK)
  change?: number;

  /** Why. @example "Delivery note 4711" */
  @IsOptional()
  @IsText(0, 500)
  note?: string;
}

export class LowStockQuery extends GymListQuery {
  /** At most so many are left. */
  @IsOptional()
  @IsWhole(0, MOST_IN_STOCK)
  threshold: number = 10;
}

/** Why a stock changed. */
export class StockMovementDto {
  /** @example 12 */
  @IsId()
  id: number;

  /** @example 1 */
  @IsId()
  product_id: number;

  /** What came, or, negative, went. @example -2 */
  @ApiProperty({ type: 'integer' })
  change: number;

  /** @example 46 */
  @ApiProperty({ type: 'integer' })
  quantity_after: number;

  /** delivery, correction, sale, or reversal (a sale was changed or deleted). @example "sale" */
  @IsIn(['delivery', 'correction', 'sale', 'reversal'])
  reason: MovementReason;

  /** The sale that took it or gave it back. @example 7 */
  @ApiProperty({ type: 'integer', nullable: true })
  sale_id: number | null;

  /** @example "Delivery note 4711" */
  note: string | null;

  /** Who did it. @example 4 */
  @ApiProperty({ type: 'integer', nullable: true })
  moved_by_id: number | null;

  created_at: Date;
}
