import { ApiProperty, OmitType, PickType } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { AsReadDto } from '../../common/http/as-read.dto.js';
import { IsMoney, IsText } from '../../common/http/fields.js';
import { GymTime, IsGymTime } from '../../common/http/gym-time.js';
import { IsNullable } from '../../common/http/nulls.js';
import { GymListQuery } from '../../common/http/list.js';
import { IsId, IsInteger } from '../../common/http/whole.js';
import { PlanDto } from './plan.dto.js';

export const USER_PLAN_STATUSES = ['active', 'scheduled', 'frozen', 'expired', 'cancelled'] as const;
export type UserPlanStatus = (typeof USER_PLAN_STATUSES)[number];

const LONGEST_REASON = 500;

export class PersonRefDto {
  /** @example 8 */
  @IsId()
  id: number;
  /** @example "María López" */
  full_name: string;
}

/** A plan that a member bought (a subscription). */
export class UserPlanDto {
  /** @example 31 */
  @IsId()
  id: number;

  /** @example 8 */
  @IsId()
  user_id: number;

  user: PersonRefDto;

  /** @example 2 */
  @IsId()
  gym_id: number;

  /** @example 1 */
  @IsId()
  plan_id: number;

  @ApiProperty({ type: PlanDto })
  plan: PlanDto;

  /** What was paid; it never changes. @example 39.9 */
  @IsMoney()
  purchased_price: number;

  /** When it was bought. */
  purchased_at: Date;

  /** active, scheduled (starts later), frozen, expired (over or used up) or cancelled. @example "active" */
  @ApiProperty({ enum: USER_PLAN_STATUSES })
  status: UserPlanStatus;

  /** The status is active. @example true */
  is_active: boolean;

  /** null: it is not counted. @example 7 */
  @IsNullable()
  @IsInteger(0, 1_000_000)
  remaining_sessions: number | null;

  /** null: when the current plan ends, whenever that is. */
  starts_at: Date | null;

  /** null: when its sessions are used up. */
  expires_at: Date | null;

  /** Since when its time stands still; null: it is not frozen. */
  frozen_at: Date | null;

  /**
   * When it runs again by itself; `expires_at` counts with that. null: it is not frozen, or until it is unfrozen.
   * @example null
   */
  frozen_until: Date | null;

  /** Why it was cancelled, if the staff noted it; a member reads null. @example null */
  @ApiProperty({ type: 'string', maxLength: LONGEST_REASON, nullable: true })
  cancel_reason: string | null;

  /** The plan that was sold instead of this one. @example null */
  @ApiProperty({ type: 'integer', nullable: true })
  replaced_by_id: number | null;

  /** Who sold it. @example 4 */
  @ApiProperty({ type: 'integer', nullable: true })
  created_by_id: number | null;

  created_at: Date;
  updated_at: Date;
}

/** The plan that counts, without `user`, who is named beside it, and without what the staff noted. */
export class ActivePlanDto extends OmitType(UserPlanDto, ['user', 'cancel_reason']) {}

/** What the desk sees of a plan at a glance. */
export class MembershipDto extends PickType(UserPlanDto, ['plan_id', 'status', 'expires_at', 'remaining_sessions']) {
  /** @example 31 */
  @IsId()
  user_plan_id: number;

  /** @example "Monthly" */
  plan_name: string;
}

/** What a member has now, after it was changed. */
export class MembershipChangedDto extends PickType(UserPlanDto, ['user_id']) {
  /** @example "María López" */
  full_name: string;

  /** The plan that counts now, or else the last one; null if there is none any more. */
  @ApiProperty({ type: MembershipDto, nullable: true })
  membership: MembershipDto | null;
}

export class FreezePlanDto {
  /**
   * After so many days, at the same hour of the gym's clock, it runs again by itself. Without: until it is unfrozen.
   * @example 14
   */
  @IsOptional()
  @IsInteger(1, 365)
  days?: number;
}

export class CancelPlanDto {
  /** A note for the staff. @example "Moves to another city" */
  @IsOptional()
  @IsText(0, LONGEST_REASON)
  reason?: string;
}

export class AssignPlanDto extends PickType(UserPlanDto, ['user_id', 'plan_id']) {
  /** Default: the plan's price. @example 35 */
  @IsOptional()
  @IsMoney()
  purchased_price?: number;

  /**
   * `now` (the default) replaces a current plan, which becomes cancelled; `after_current` waits until it ends.
   * @example "after_current"
   */
  @IsOptional()
  @IsIn(['now', 'after_current'])
  start?: 'now' | 'after_current';
}

export class UpdateUserPlanDto extends AsReadDto {
  /**
   * Sells this plan instead: the one of this id becomes cancelled, the answer is the new one. The same plan_id, sent
   * without status and expires_at, renews one that is over.
   */
  @IsOptional()
  @IsId()
  plan_id?: number;

  /** Only with plan_id: what is paid for it. */
  @IsOptional()
  @IsMoney()
  purchased_price?: number;

  /** frozen stops its time, active lets it run again, cancelled ends it. */
  @IsOptional()
  @IsIn(USER_PLAN_STATUSES)
  status?: UserPlanStatus;

  /** A correction. */
  @IsOptional()
  @IsGymTime()
  expires_at?: GymTime;

  /**
   * As it was read; it changes nothing. It tells a repeated request to make a frozen plan active from a correction of
   * the end it got by that.
   */
  @IsOptional()
  @IsGymTime(null)
  frozen_at?: GymTime;

  /**
   * As it was read; it changes nothing. It tells a freeze that has ended by itself since then from a new one. To freeze
   * for some days, POST to `freeze`.
   */
  @IsOptional()
  @IsGymTime(null)
  frozen_until?: GymTime;

  /** With the status cancelled: a note for the staff. @example null */
  @IsOptional()
  @IsText(0, LONGEST_REASON)
  cancel_reason?: string;

  /** A correction. @example 8 */
  @IsOptional()
  @IsInteger(0, 1_000_000)
  remaining_sessions?: number;
}

export class UserPlanListQuery extends GymListQuery {
  /** Only of this member. */
  @IsOptional()
  @IsId()
  user_id?: number;

  /** Only these. @example "active" */
  @IsOptional()
  @IsIn(USER_PLAN_STATUSES)
  status?: UserPlanStatus;

  /**
   * Only those that have not ended and expire before this local day (or this moment); the first to expire first. The
   * time of a frozen one stands still.
   */
  @IsOptional()
  @IsGymTime()
  expiring_before?: GymTime;
}
