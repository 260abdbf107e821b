import { ApiProperty, ApiPropertyOptional, PartialType, PickType } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, IsOptional } from 'class-validator';
import { IsDecimal, IsText } from '../../common/http/fields.js';
import { GymTime, IsGymTime } from '../../common/http/gym-time.js';
import { IsNullable } from '../../common/http/nulls.js';
import { GymListQuery, PeriodListQuery } from '../../common/http/list.js';
import { IsId } from '../../common/http/whole.js';

/** What is measured, with its unit and what is still believable. */
export const SIZES = {
  height: { unit: 'cm', min: 50, max: 260, example: 172 },
  weight: { unit: 'kg', min: 20, max: 400, example: 71.5 },
  chest: { unit: 'cm', min: 40, max: 250, example: 98 },
  shoulders: { unit: 'cm', min: 30, max: 250, example: 114 },
  biceps_left: { unit: 'cm', min: 10, max: 100, example: 32.5 },
  biceps_right: { unit: 'cm', min: 10, max: 100, example: 33 },
  forearms_left: { unit: 'cm', min: 10, max: 80, example: 27 },
  forearms_right: { unit: 'cm', min: 10, max: 80, example: 27.5 },
  abdomen: { unit: 'cm', min: 30, max: 300, example: 84 },
  hips: { unit: 'cm', min: 30, max: 300, example: 99 },
  thighs_left: { unit: 'cm', min: 20, max: 150, example: 56 },
  thighs_right: { unit: 'cm', min: 20, max: 150, example: 56.5 },
  calves_left: { unit: 'cm', min: 10, max: 100, example: 37 },
  calves_right: { unit: 'cm', min: 10, max: 100, example: 37 },
} as const;

export type Size = keyof typeof SIZES;
export const SIZE_NAMES = Object.keys(SIZES) as Size[];

/** A size as its table says: a number with at most two decimals, or null for not measured. */
function IsSize(): PropertyDecorator {
  return (target, name) => {
    const { unit, min, max, example } = SIZES[name as Size];
    const decorators = [IsNullable(), IsDecimal(min, max), ApiProperty({ nullable: true, example, description: unit })];
    for (const decorate of decorators) decorate(target, name as string);
  };
}

export class MeasurementDto {
  /** @example 3 */
  @IsId()
  id: number;

  /** @example 8 */
  @IsId()
  user_id: number;

  /** @example 2 */
  @IsId()
  gym_id: number;

  /** When it was measured. @example "2026-03-01T18:30:00Z" */
  measurement_date: Date;

  @IsSize() height: number | null;
  @IsSize() weight: number | null;
  @IsSize() chest: number | null;
  @IsSize() shoulders: number | null;
  @IsSize() biceps_left: number | null;
  @IsSize() biceps_right: number | null;
  @IsSize() forearms_left: number | null;
  @IsSize() forearms_right: number | null;
  @IsSize() abdomen: number | null;
  @IsSize() hips: number | null;
  @IsSize() thighs_left: number | null;
  @IsSize() thighs_right: number | null;
  @IsSize() calves_left: number | null;
  @IsSize() calves_right: number | null;

  /** @example "After the holidays" */
  @IsNullable()
  @IsText(0, 2000)
  notes: string | null;

  /** Who measured. @example 6 */
  @ApiProperty({ type: 'integer', nullable: true })
  recorded_by_id: number | null;

  created_at: Date;
  updated_at: Date;
}

// Exported: only of what is exported does the documentation know the fields.
export class MeasuredDto extends PartialType(PickType(MeasurementDto, ['notes', ...SIZE_NAMES])) {
  /** When it was measured; default: now. @example "2026-03-01T18:30:00Z" */
  @IsOptional()
  @IsGymTime()
  measurement_date?: GymTime;
}

/** At least one size. */
export class CreateMeasurementDto extends MeasuredDto {
  /** @example 8 */
  @IsId()
  user_id: number;
}

/** What is not sent stays as it is; null is not measured. */
export class UpdateMeasurementDto extends MeasuredDto {}

export class RangeQuery extends PickType(PeriodListQuery, ['start_date', 'end_date']) {}

export class MeasurementListQuery extends GymListQuery {
  /** Only of this member. */
  @IsOptional()
  @IsId()
  user_id?: number;
}

export class ChartQuery extends RangeQuery {
  /** Only these, comma-separated: `weight,abdomen`. */
  @ApiPropertyOptional({ type: 'array', items: { type: 'string' } })
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.split(',') : value))
  @IsIn(SIZE_NAMES, { each: true })
  fields?: Size[];
}

/** How a size went. */
export class SizeProgressDto {
  /** The first in the range. @example 84.5 */
  start: number;
  /** The last in the range. @example 79.5 */
  current: number;
  /** @example -4.5 */
  change: number;
  /** In per cent of the start. @example -5.92 */
  change_percent: number;
}

export class ProgressDto {
  /** @example 8 */
  @IsId()
  user_id: number;
  /** The local day of the first measurement, or the one asked for; null without either. @example "2026-01-01" */
  start_date: string | null;
  /** The local day of the last measurement, or the one asked for; null without either. @example "2026-12-31" */
  end_date: string | null;
  /** @example 6 */
  @ApiProperty({ type: 'integer' })
  measurement_count: number;
  /**
   * Each size that was measured in the range.
   * @example {"weight": {"start": 84.5, "current": 79.5, "change": -5, "change_percent": -5.92}}
   */
  @ApiProperty({ type: 'object', additionalProperties: { $ref: '#/components/schemas/SizeProgressDto' } })
  fields: Partial<Record<Size, SizeProgressDto>>;
}
