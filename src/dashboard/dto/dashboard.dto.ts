import { ApiProperty, PickType } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { IsLocalDate } from '../../common/http/fields.js';
import { GymListQuery } from '../../common/http/list.js';
import { ProductDto } from '../../inventory/dto/product.dto.js';

export const METRICS = ['revenue', 'visits', 'members'] as const;
export type Metric = (typeof METRICS)[number];
export const INTERVALS = ['day', 'week', 'month'] as const;
export type Interval = (typeof INTERVALS)[number];

export class DashboardQuery extends PickType(GymListQuery, ['gym_id']) {}

export class PeriodQuery extends DashboardQuery {
  /** The first local day. Default: 30 days before the last. @example "2026-10-01" */
  @IsOptional()
  @IsLocalDate()
  from?: string;

  /** The last local day. Default: today. @example "2026-10-31" */
  @IsOptional()
  @IsLocalDate()
  to?: string;
}

export class SeriesQuery extends PeriodQuery {
  /** `members` are new ones. @example "revenue" */
  @IsIn(METRICS)
  metric: Metric;

  /** A week begins on Monday. @example "day" */
  @IsOptional()
  @IsIn(INTERVALS)
  interval: Interval = 'day';
}

// Exported: only of what is exported does the documentation know the fields.
export class MemberNumbersDto {
  /** Those who were deleted are not counted. @example 150 */
  @ApiProperty({ type: 'integer' })
  total: number;
  /** Those of them whose account is active. @example 141 */
  @ApiProperty({ type: 'integer' })
  active: number;
  /** Who joined today; also those who were deleted since. @example 2 */
  @ApiProperty({ type: 'integer' })
  new_today: number;
  /** The same since the first of the month. @example 17 */
  @ApiProperty({ type: 'integer' })
  new_this_month: number;
}

export class SubscriptionNumbersDto {
  /** User plans whose status is active now. @example 120 */
  @ApiProperty({ type: 'integer' })
  active: number;
  /** Those of them that expire within 3 times 24 hours. @example 4 */
  @ApiProperty({ type: 'integer' })
  expiring_3_days: number;
  /** @example 9 */
  @ApiProperty({ type: 'integer' })
  expiring_7_days: number;
  /** @example 41 */
  @ApiProperty({ type: 'integer' })
  expiring_30_days: number;
  /** User plans whose status is frozen now. @example 3 */
  @ApiProperty({ type: 'integer' })
  frozen: number;
}

/**
 * Product sales by their sale_date, and plans sold by their purchased_at, at the price paid. A plan that was cancelled
 * or replaced was sold all the same; one that was deleted was not.
 */
export class RevenueDto {
  /** @example 164.4 */
  today: number;
  /** From the first of the month to today. @example 3120.5 */
  this_month: number;
  /** The whole of it. @example 4016.5 */
  last_month: number;
  /** The products' part of this_month. @example 980.5 */
  sales_this_month: number;
  /** The plans' part of this_month. @example 2140.5 */
  plans_this_month: number;
}

export class VisitNumbersDto {
  /** @example 12 */
  @ApiProperty({ type: 'integer' })
  inside_now: number;
  /** Check-ins since the day began. @example 74 */
  @ApiProperty({ type: 'integer' })
  today: number;
  /**
   * The same by the local hour of check-in, 0 to 23. An hour that the clock shows twice counts both.
   * @example [0, 0, 0, 0, 0, 0, 5, 9, 4, 2, 1, 0, 3, 2, 0, 4, 8, 12, 14, 8, 2, 0, 0, 0]
   */
  @ApiProperty({ type: 'array', items: { type: 'integer' }, minItems: 24, maxItems: 24 })
  by_hour: number[];
}

/** An active product of which at most 10 are left. */
export class LowStockDto extends PickType(ProductDto, ['id', 'name', 'quantity', 'gym_id']) {}

/** What a person did in the gym since the first of the month. */
export class StaffNumbersDto {
  /** @example 4 */
  @ApiProperty({ type: 'integer' })
  id: number;
  /** Of a person who was deleted: Deleted. @example "Rui Santos" */
  full_name: string;
  /** For products. null: your role does not see money. @example 312.5 */
  @ApiProperty({ type: 'number', nullable: true })
  sales_amount: number | null;
  /** @example 48 */
  @ApiProperty({ type: 'integer' })
  sale_count: number;
  /** For plans. null: your role does not see money. @example 479.4 */
  @ApiProperty({ type: 'number', nullable: true })
  plans_amount: number | null;
  /** @example 11 */
  @ApiProperty({ type: 'integer' })
  plans_sold: number;
  /** Visits that they recorded. @example 203 */
  @ApiProperty({ type: 'integer' })
  check_ins: number;
}

/** A gym, or all of them, as it is now. What a role does not see is null: all but `staff` to a trainer. */
export class DashboardDto {
  /** null for trainers. */
  @ApiProperty({ type: MemberNumbersDto, nullable: true })
  members: MemberNumbersDto | null;
  /** null for trainers. */
  @ApiProperty({ type: SubscriptionNumbersDto, nullable: true })
  subscriptions: SubscriptionNumbersDto | null;
  /** null for reception and trainers. */
  @ApiProperty({ type: RevenueDto, nullable: true })
  revenue: RevenueDto | null;
  /** null for trainers. */
  @ApiProperty({ type: VisitNumbersDto, nullable: true })
  visits: VisitNumbersDto | null;
  /** The scarcest first, at most 50; GET /products/low-stock has all. null for trainers. */
  @ApiProperty({ type: [LowStockDto], nullable: true })
  low_stock: LowStockDto[] | null;
  /**
   * By name: the active staff of the gym, and all others who did something in it this month (an admin, a person who
   * has left since), so that their amounts add up to sales_this_month and plans_this_month. To a trainer only theirs.
   */
  @ApiProperty({ type: [StaffNumbersDto] })
  staff: StaffNumbersDto[];
}

export class SeriesPointDto {
  /** The first day of the interval: of the first one it may lie before `from`. @example "2026-10-01" */
  @ApiProperty({ type: 'string', format: 'date' })
  date: string;
  /** Of the days from `from` to `to` only. @example 164.4 */
  value: number;
}
