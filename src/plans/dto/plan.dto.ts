import { IntersectionType, PartialType, PickType } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsOptional } from 'class-validator';
import { IsMoney, IsText } from '../../common/http/fields.js';
import { IsNullable } from '../../common/http/nulls.js';
import { GymListQuery } from '../../common/http/list.js';
import { IsId, IsInteger } from '../../common/http/whole.js';
import type { PlanKind } from '../entities/plan.entity.js';

export const PLAN_KINDS = ['time', 'sessions', 'coins'] as const;

/** What a gym sells. */
export class PlanDto {
  /** @example 1 */
  @IsId()
  id: number;

  /** @example "Monthly" */
  @IsText(1, 120)
  name: string;

  /** @example 39.9 */
  @IsMoney()
  price: number;

  /** time, sessions or coins. @example "time" */
  @IsIn(PLAN_KINDS)
  kind: PlanKind;

  /** Days it is good for; null: until its sessions are used up. @example 30 */
  @IsNullable()
  @IsInteger(1, 36_500)
  duration_days: number | null;

  /** Sessions or coins it holds; null for a plan by time. @example null */
  @IsNullable()
  @IsInteger(1, 1_000_000)
  session_count: number | null;

  /** @example 2 */
  @IsId()
  gym_id: number;

  /** Whether it is sold. @example true */
  @IsBoolean()
  is_active: boolean;

  created_at: Date;
  updated_at: Date;
}

export class CreatePlanDto extends IntersectionType(
  PickType(PlanDto, ['price']),
  PartialType(PickType(PlanDto, ['kind', 'duration_days', 'session_count', 'gym_id', 'is_active'])),
) {
  /** Unique in the gym, whatever the case. @example "Student month" */
  @IsText(1, 120)
  name: string;
}

/** What is not sent stays as it is. What members bought before keeps its price and its terms. */
export class UpdatePlanDto extends PartialType(
  PickType(PlanDto, ['name', 'price', 'kind', 'duration_days', 'session_count', 'is_active']),
) {}

export class PlanListQuery extends GymListQuery {
  /** Only these. @example "time" */
  @IsOptional()
  @IsIn(PLAN_KINDS)
  kind?: PlanKind;
}
