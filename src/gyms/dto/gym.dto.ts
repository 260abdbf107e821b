import { IsId } from '../../common/http/whole.js';
import { ApiProperty, IntersectionType, PartialType, PickType } from '@nestjs/swagger';
import { IsBoolean, IsTimeZone, Matches } from 'class-validator';
import { IsText } from '../../common/http/fields.js';
import { IsNullable } from '../../common/http/nulls.js';

/** What a zone must be. */
export const NO_ZONE = 'must be an IANA time zone such as America/New_York, written like that, or UTC';

export class GymDto {
  /** @example 1 */
  @IsId()
  id: number;

  /** Unique without regard to case. @example "Northside Gym" */
  @IsText(1, 120)
  name: string;

  /** @example "12 River Street" */
  @IsNullable()
  @IsText(1, 300)
  address: string | null;

  /** @example "+1 234 567 800" */
  @IsNullable()
  @IsText(3, 40)
  phone_number: string | null;

  /**
   * IANA name with its region, or UTC; abbreviations such as CET or IST mean several things. "Today", daily lists and
   * slots are this zone's local day. @example "America/New_York"
   */
  @Matches(/^(UTC|[A-Z][A-Za-z]*\/[A-Za-z0-9_+/-]+)$/, { message: NO_ZONE })
  @IsTimeZone({ message: NO_ZONE })
  timezone: string;

  /** An inactive gym keeps its history and takes no new members, sales or visits. @example true */
  @IsBoolean()
  is_active: boolean;

  /** The door lets in again who is inside already; otherwise it says `already_inside`. @example false */
  @IsBoolean()
  allow_reentry: boolean;

  created_at: Date;

  updated_at: Date;
}

/** A gym and how many people it has; those who were deleted are not counted. */
export class BranchDto extends GymDto {
  /** Active or not. @example 150 */
  @ApiProperty({ type: 'integer' })
  member_count: number;

  /** Active or not. @example 6 */
  @ApiProperty({ type: 'integer' })
  staff_count: number;
}

/** A gym by its name. */
export class GymRefDto extends PickType(GymDto, ['id', 'name']) {}

export class CreateGymDto extends IntersectionType(
  PickType(GymDto, ['name']),
  PartialType(PickType(GymDto, ['address', 'phone_number', 'timezone', 'is_active', 'allow_reentry'])),
) {}

/** What is not sent stays as it is. */
export class UpdateGymDto extends PartialType(
  PickType(GymDto, ['name', 'address', 'phone_number', 'timezone', 'is_active', 'allow_reentry']),
) {}
