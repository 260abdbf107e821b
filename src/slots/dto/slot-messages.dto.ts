import { ApiProperty, IntersectionType } from '@nestjs/swagger';
import { RepeatableDto } from '../../common/http/idempotency.dto.js';
import { RefusalDto } from '../../common/ws/messages.dto.js';
import { BookDto, IsSlotId, SlotDto, SlotsQuery } from './slot.dto.js';

export class GetSlotsDto extends SlotsQuery {}

export class BookSlotDto extends IntersectionType(BookDto, RepeatableDto) {
  /** @example 18 */
  @IsSlotId()
  slot_id: number;
}

export class SlotsOfDayDto {
  /** @example 2 */
  @ApiProperty({ type: 'integer' })
  gym_id: number;

  /** The local day. @example "2026-12-31" */
  date: string;

  @ApiProperty({ type: [SlotDto] })
  slots: SlotDto[];

  /**
   * The ids of the hours that one can book now: not over, closed, booked out, too far ahead, or (a member) one's own.
   * @example [8, 9, 18]
   */
  @ApiProperty({ type: 'array', items: { type: 'integer' } })
  available_slots: number[];

  /** How many those are. @example 3 */
  @ApiProperty({ type: 'integer' })
  available_count: number;

  /** The ids of the hours that are booked out. @example [17] */
  @ApiProperty({ type: 'array', items: { type: 'integer' } })
  booked_slots: number[];

  /** How many those are. @example 1 */
  @ApiProperty({ type: 'integer' })
  booked_count: number;
}

export class SlotsUpdateDto {
  data: SlotsOfDayDto;

  @ApiProperty({ type: 'string', format: 'date-time' })
  timestamp: string;
}

/** One hour has changed, for clients that keep a copy of the day. */
export class SlotChangedDto {
  /** @example 2 */
  @ApiProperty({ type: 'integer' })
  gym_id: number;

  /** @example "2026-12-31" */
  date: string;

  slot: SlotDto;

  @ApiProperty({ type: 'string', format: 'date-time' })
  timestamp: string;
}

export class BookingResponseDto {
  /** @example true */
  success: boolean;
  /** @example "Slot 18 booked successfully" */
  message: string;
  /** @example 18 */
  @IsSlotId()
  slot_id: number;
}

export class BookingRefusalDto extends RefusalDto {
  /** @example false */
  success: boolean;
  /** The same as error. @example "This hour is booked out" */
  message: string;
  /** The hour that was asked for; null if it was no number. @example 18 */
  @ApiProperty({ type: 'integer', nullable: true })
  slot_id: number | null;
}
