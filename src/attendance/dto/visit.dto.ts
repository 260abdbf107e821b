import { ApiProperty, IntersectionType, PartialType, PickType } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { AsReadDto } from '../../common/http/as-read.dto.js';
import { IsLocalDate, IsText } from '../../common/http/fields.js';
import { GymTime, IsGymTime } from '../../common/http/gym-time.js';
import { IsNullable, IsRequiredWithout } from '../../common/http/nulls.js';
import { PeriodListQuery } from '../../common/http/list.js';
import { IsId } from '../../common/http/whole.js';
import { MembershipDto } from '../../plans/dto/user-plan.dto.js';

/** At the check-in, and again at the check-out. */
const LONGEST_NOTES = 1000;

const STATUSES = ['checked_in', 'checked_out'] as const;

/** Who came, with what the desk must see at once. */
export class VisitorDto {
  /** @example 8 */
  @IsId()
  id: number;

  /** @example "María López" */
  full_name: string;

  /** null also of one who has moved to another gym since. @example "maria@example.com" */
  email: string | null;

  /**
   * The plan that counts today, or else the last one (see its status and expires_at: who must renew); null if there
   * never was one.
   */
  @ApiProperty({ type: MembershipDto, nullable: true })
  membership: MembershipDto | null;
}

/** A visit, from check-in to check-out. */
export class VisitDto {
  /** @example 12 */
  @IsId()
  id: number;

  /** @example 8 */
  @IsId()
  user_id: number;

  /** @example 2 */
  @IsId()
  gym_id: number;

  member: VisitorDto;

  /** The gym's local day on which the visit began. @example "2026-01-31" */
  @IsLocalDate()
  attendance_date: string;

  /** When the visit began. */
  check_in_time: Date;

  /** null while they are inside. */
  check_out_time: Date | null;

  /** How long they were inside; null until then. @example 75 */
  @ApiProperty({ type: 'integer', nullable: true })
  stay_minutes: number | null;

  /** There was no check-out: it was closed at the end of its day, and its length says nothing. @example false */
  is_auto_closed: boolean;

  /** @example "Main entrance" */
  @IsNullable()
  @IsText(1, 200)
  location: string | null;

  /** @example "Forgot the card" */
  @IsNullable()
  @IsText(0, 2 * LONGEST_NOTES + 1)
  notes: string | null;

  /** @example "checked_in" */
  @ApiProperty({ enum: STATUSES })
  status: (typeof STATUSES)[number];

  /** The plan from which a session was deducted for this visit. @example null */
  @ApiProperty({ type: 'integer', nullable: true })
  user_plan_id: number | null;

  /** Who checked in; null: a device. @example 4 */
  @ApiProperty({ type: 'integer', nullable: true })
  recorded_by_id: number | null;

  created_at: Date;
  updated_at: Date;
}

export class CheckOutDto {
  /** At the check-out they get a line of their own behind those of the check-in. @example "Forgot the card" */
  @IsOptional()
  @IsNullable()
  @IsText(0, LONGEST_NOTES)
  notes?: string | null;
}

export class CheckInDto extends IntersectionType(PartialType(PickType(VisitDto, ['location'])), CheckOutDto) {
  /** The member; or send qr_code. @example 9 */
  @IsRequiredWithout('qr_code')
  @IsId()
  user_id?: number;

  /** What their pass shows; with user_id, too, it must be that member's. */
  @IsOptional()
  @IsText(1, 50)
  qr_code?: string;

  /**
   * `check_in_with_deduction` needs an active plan and takes a session from it (from a plan by time there is none to
   * take); `check_in_only` (the default) asks for nothing. @example "check_in_only"
   */
  @IsOptional()
  @IsIn(['check_in_only', 'check_in_with_deduction'])
  action?: 'check_in_only' | 'check_in_with_deduction';

  /** The plan of which a call of its own has taken the session: the visit belongs to it and takes none. */
  @IsOptional()
  @IsId()
  user_plan_id?: number;

  /** When the visit began, if it was noted on paper: at most 30 days ago; now by default. */
  @IsOptional()
  @IsGymTime(null)
  check_in_time?: GymTime;

  /** When it ended, if it has; not before check_in_time. */
  @IsOptional()
  @IsGymTime(null)
  check_out_time?: GymTime;
}

/** A correction. What is not sent stays as it is. */
export class UpdateVisitDto extends IntersectionType(
  PartialType(PickType(VisitDto, ['location', 'notes'])),
  AsReadDto,
) {
  /** When it really began. */
  @IsOptional()
  @IsGymTime()
  check_in_time?: GymTime;

  /** null: still inside. */
  @IsOptional()
  @IsNullable()
  @IsGymTime()
  check_out_time?: GymTime | null;
}

/** Of visits, the time is that of the check-in. */
export class VisitListQuery extends PeriodListQuery {
  /** Only of this member. */
  @IsOptional()
  @IsId()
  user_id?: number;
}

/** A member's visits in numbers. Days and months are the gym's. */
export class VisitSummaryDto extends PickType(VisitDto, ['user_id']) {
  /** @example 48 */
  @ApiProperty({ type: 'integer' })
  total_visits: number;

  /** @example 9 */
  @ApiProperty({ type: 'integer' })
  visits_this_month: number;

  /** Minutes, of the visits that were checked out; null if there is none. @example 71 */
  @ApiProperty({ type: 'integer', nullable: true })
  average_stay_minutes: number | null;

  /** Days in a row with a visit, until today or yesterday. @example 3 */
  @ApiProperty({ type: 'integer' })
  current_streak_days: number;

  /** When the last visit began. */
  last_visit_at: Date | null;

  /** @example false */
  is_inside: boolean;
}
