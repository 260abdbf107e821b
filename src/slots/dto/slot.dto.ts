import { ApiProperty, OmitType, PartialType, PickType } from '@nestjs/swagger';
import { IsOptional, registerDecorator } from 'class-validator';
import { IsLocalDate } from '../../common/http/fields.js';
import type { Json } from '../../database/columns.js';
import { ListQuery } from '../../common/http/list.js';
import { IsId, IsInteger, IsWhole } from '../../common/http/whole.js';

const LARGEST_CAPACITY = 1000;

/** An hour of the day, 0 to 23; old clients send its digits. */
export const IsSlotId = () => IsWhole(0, 23, 'must be an hour from 0 to 23');

export class HolderDto {
  /** @example 8 */
  @IsId()
  id: number;
  /** @example "María López" */
  full_name: string;
  /** null also of one who has moved to another gym since. @example "maria@example.com" */
  email: string | null;
}

export class SlotBookingRefDto {
  user: HolderDto;
  booked_at: Date;
}

/** One hour of a gym's local day. */
export class SlotDto {
  /** The hour. @example 18 */
  @IsSlotId()
  id: number;

  /** On the gym's clock. @example "18:00" */
  start_time: string;

  /** On the gym's clock. @example "19:00" */
  end_time: string;

  /** Its first moment. */
  starts_at: Date;

  /** The moment it is over, when the next one begins. The hour in which clocks go back is as much longer. */
  ends_at: Date;

  /** How many may book it; 0 while the gym is closed. @example 4 */
  @ApiProperty({ type: 'integer' })
  capacity: number;

  /** How many have. @example 1 */
  @ApiProperty({ type: 'integer' })
  booked: number;

  /** It is open, and nothing is free. @example false */
  is_booked: boolean;

  /** Who has it: to staff the first to book, to a member themselves; null to everyone else. */
  booked_by: HolderDto | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  booked_at: string | null;

  /** All who have it, to staff; to a member only themselves. */
  @ApiProperty({ type: [SlotBookingRefDto] })
  bookings: Json<SlotBookingRefDto>[];
}

/** An hour that a person has booked. */
export class BookingDto {
  /** @example 5 */
  @IsId()
  id: number;

  /** @example 18 */
  @IsSlotId()
  slot_id: number;

  /** The local day. @example "2026-01-31" */
  @IsLocalDate()
  date: string;

  /** @example 2 */
  @IsId()
  gym_id: number;

  /** @example 8 */
  @IsId()
  user_id: number;

  /** On the gym's clock. @example "18:00" */
  start_time: string;

  /** @example "19:00" */
  end_time: string;

  starts_at: Date;
  ends_at: Date;
  booked_at: Date;
  cancelled_at: Date | null;
}

export class SlotsQuery {
  /** Default: your own gym, an admin's home gym. @example 2 */
  @IsOptional()
  @IsId()
  gym_id?: number;

  /** The local day; default: today. @example "2026-12-31" */
  @IsOptional()
  @IsLocalDate()
  date?: string;
}

export class MyBookingsQuery extends ListQuery {
  /** Only those in this gym. @example 2 */
  @IsOptional()
  @IsId()
  gym_id?: number;
}

export class BookDto {
  /** The local day; default: today. */
  @IsOptional()
  @IsLocalDate()
  date?: string;

  /** Default: your own gym, an admin's home gym. @example 2 */
  @IsOptional()
  @IsId()
  gym_id?: number;

  /** Staff only: the person who gets the hour; default: yourself. @example 8 */
  @IsOptional()
  @IsId()
  user_id?: number;
}

/** Whose hour. */
export class CancelDto extends OmitType(BookDto, ['user_id']) {
  /** Staff only: whose; default: one's own. @example 9 */
  @IsOptional()
  @IsId()
  user_id?: number;
}

/** `{"18": 4}`: hours with their capacity. */
function IsCapacities(): PropertyDecorator {
  return (target, propertyKey) =>
    registerDecorator({
      name: 'isCapacities',
      target: target.constructor,
      propertyName: propertyKey as string,
      validator: {
        validate: (value: unknown) =>
          typeof value === 'object' &&
          value !== null &&
          !Array.isArray(value) &&
          Object.entries(value).every(
            ([slot, capacity]: [string, unknown]) =>
              /^(\d|1\d|2[0-3])$/.test(slot) &&
              Number.isInteger(capacity) &&
              (capacity as number) >= 0 &&
              (capacity as number) <= LARGEST_CAPACITY,
          ),
        defaultMessage: () => `must be hours from 0 to 23 with capacities from 0 to ${LARGEST_CAPACITY}: {"18": 4}`,
      },
    });
}

/** When a gym can be booked, and by how many. */
export class SlotSettingsDto {
  /** @example 2 */
  @IsId()
  gym_id: number;

  /** The first hour that can be booked. @example 6 */
  @IsSlotId()
  opening_slot: number;

  /** The last hour that can be booked. @example 21 */
  @IsSlotId()
  closing_slot: number;

  /** How many may book an hour; 0: none. @example 1 */
  @IsInteger(0, LARGEST_CAPACITY)
  default_capacity: number;

  /** Hours that differ from it. @example { "18": 4 } */
  @IsCapacities()
  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer', minimum: 0, maximum: LARGEST_CAPACITY } })
  capacities: Record<string, number>;

  /** How many days after today can be booked; 0: only today. @example 14 */
  @IsInteger(0, 366)
  days_ahead: number;

  /** Hours that one person may have on one day. @example 24 */
  @IsInteger(1, 24)
  max_per_day: number;
}

/** What is not sent stays as it is. Bookings that were made before stay, too. */
export class UpdateSlotSettingsDto extends PartialType(
  PickType(SlotSettingsDto, [
    ...(['opening_slot', 'closing_slot', 'default_capacity', 'capacities', 'days_ahead', 'max_per_day'] as const),
  ]),
) {
  /** Default: your own gym, an admin's home gym. @example 2 */
  @IsOptional()
  @IsId()
  gym_id?: number;
}

export class SlotSettingsQuery extends PickType(SlotsQuery, ['gym_id']) {}
