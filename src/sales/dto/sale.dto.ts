import { ApiProperty, PartialType, PickType } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { IsLocalDate, IsMoney } from '../../common/http/fields.js';
import { GymTime, IsGymTime } from '../../common/http/gym-time.js';
import { GymListQuery, PeriodListQuery } from '../../common/http/list.js';
import { IsId, IsInteger } from '../../common/http/whole.js';

export class ProductRefDto {
  /** @example 1 */
  @IsId()
  id: number;
  /** @example "Isotonic drink 0.5 l" */
  name: string;
}

export class SellerRefDto {
  /** @example 4 */
  @IsId()
  id: number;
  /** @example "Rui Santos" */
  full_name: string;
}

export class SaleDto {
  /** @example 7 */
  @IsId()
  id: number;

  /** @example 2 */
  @IsId()
  gym_id: number;

  /** @example 1 */
  @IsId()
  product_id: number;

  product: ProductRefDto;

  /** @example 2 */
  @IsInteger(1, 10_000)
  quantity: number;

  /** The product's price at that moment. @example 2.5 */
  @IsMoney()
  unit_price: number;

  /** @example 5 */
  @IsMoney()
  total_amount: number;

  /** @example 4 */
  @IsId()
  sold_by_id: number;

  sold_by: SellerRefDto;

  /** The moment it counts for: when it was recorded, unless an admin corrects it. @example "2026-03-01T18:30:00Z" */
  sale_date: Date;

  created_at: Date;
  updated_at: Date;
}

export class CreateSaleDto extends PickType(SaleDto, ['product_id', 'quantity']) {}

/** What is not sent stays as it is. */
export class UpdateSaleDto extends PartialType(PickType(SaleDto, ['product_id', 'quantity'])) {
  /** The moment it counts for. @example "2026-03-01T18:30:00Z" */
  @IsOptional()
  @IsGymTime()
  sale_date?: GymTime;
}

export class SaleListQuery extends PeriodListQuery {
  /** Only of this product. */
  @IsOptional()
  @IsId()
  product_id?: number;

  /** Only by this person. */
  @IsOptional()
  @IsId()
  sold_by_id?: number;
}

export class DailySalesQuery extends GymListQuery {
  /** The local day; default: today. @example "2026-01-31" */
  @IsOptional()
  @IsLocalDate()
  date?: string;
}

export class SummaryQuery extends PickType(SaleListQuery, ['gym_id', 'start_date', 'end_date']) {}

// Exported: only of what is exported does the documentation know the fields.
export class SumDto {
  /** @example 12 */
  @ApiProperty({ type: 'integer' })
  sale_count: number;
  /** Pieces. @example 20 */
  @ApiProperty({ type: 'integer' })
  total_quantity: number;
  /** @example 49.5 */
  total_amount: number;
}

export class ProductSumDto extends SumDto {
  /** @example 1 */
  @IsId()
  product_id: number;
  /** @example "Isotonic drink 0.5 l" */
  name: string;
}

export class SellerSumDto extends SumDto {
  /** @example 4 */
  @IsId()
  sold_by_id: number;
  /** @example "Rui Santos" */
  full_name: string;
}

export class DaySumDto extends SumDto {
  /** The local day. @example "2026-01-31" */
  date: string;
}

/** Exact to the cent. */
export class SalesSummaryDto extends SumDto {
  /** The first local day that is counted. @example "2026-01-01" */
  start_date: string;
  /** The last local day that is counted. @example "2026-01-31" */
  end_date: string;
  /** The most money first. */
  @ApiProperty({ type: [ProductSumDto] })
  by_product: ProductSumDto[];
  /** The most money first. */
  @ApiProperty({ type: [SellerSumDto] })
  by_seller: SellerSumDto[];
  /** The earliest first; days without a sale are left out. */
  @ApiProperty({ type: [DaySumDto] })
  by_day: DaySumDto[];
}
