import { ApiProperty, IntersectionType, OmitType, PickType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsObject, IsOptional, ValidateNested } from 'class-validator';
import { RepeatableDto } from '../../common/http/idempotency.dto.js';
import { RefusalDto } from '../../common/ws/messages.dto.js';
import { IsId } from '../../common/http/whole.js';
import { CheckInDto, CheckOutDto, VisitDto } from './visit.dto.js';

const MOST_IN_A_BATCH = 100;

/** The gym in numbers, now. */
export class CheckInStatsDto {
  /** null: all gyms together, for an admin. @example 2 */
  @ApiProperty({ type: 'integer', nullable: true })
  gym_id: number | null;

  /** @example 23 */
  @ApiProperty({ type: 'integer' })
  currently_in: number;

  /** Visits that began on this local day. @example 140 */
  @ApiProperty({ type: 'integer' })
  today_total: number;

  /** Minutes, of today's visits that have ended; 0 if there is none. @example 68 */
  @ApiProperty({ type: 'integer' })
  average_stay_minutes: number;

  @ApiProperty({ type: 'string', format: 'date-time' })
  timestamp: string;
}

/** The visit that is no more. */
export class CheckInRemovedDto extends PickType(VisitDto, ['id']) {}

export class CheckInMessageDto extends IntersectionType(OmitType(CheckInDto, ['user_id', 'qr_code']), RepeatableDto) {
  /** @example 9 */
  @IsId()
  member_id: number;
}

export class CheckOutMessageDto extends IntersectionType(PickType(CheckOutDto, ['notes']), RepeatableDto) {
  /** @example 1 */
  @IsId()
  check_in_id: number;
}

/** Each entry is checked when its turn comes: a wrong one is refused by itself, and not the batch. */
export class BatchesDto {
  @ApiProperty({ type: [CheckInMessageDto] })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MOST_IN_A_BATCH)
  check_in?: unknown[];

  @ApiProperty({ type: [CheckOutMessageDto] })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MOST_IN_A_BATCH)
  check_out?: unknown[];
}

/** What a desk without a network has collected, at most 100 of each. */
export class BatchDto {
  @IsObject()
  @ValidateNested()
  @Type(() => BatchesDto)
  batches: BatchesDto;
}

/** One entry of a batch: the visit, or why not. */
export class BatchOutcomeDto {
  visit?: VisitDto;
  refusal?: RefusalDto;
}

/** The outcomes in the order of the batch, check-outs first. Each entry stands for itself. */
export class BatchResultDto {
  @ApiProperty({ type: [BatchOutcomeDto] })
  check_out: BatchOutcomeDto[];
  @ApiProperty({ type: [BatchOutcomeDto] })
  check_in: BatchOutcomeDto[];
}
