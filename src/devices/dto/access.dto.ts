import { ApiProperty } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { IsText } from '../../common/http/fields.js';
import { IsRequiredWithout } from '../../common/http/nulls.js';
import { IsId } from '../../common/http/whole.js';
import { ActivePlanDto, PersonRefDto } from '../../plans/dto/user-plan.dto.js';

export const REASONS = [
  ...(['unknown', 'inactive', 'no_plan', 'expired', 'frozen', 'no_sessions'] as const),
  ...(['wrong_gym', 'already_inside'] as const),
] as const;
export type Reason = (typeof REASONS)[number];

export class AskAccessDto {
  /** Who stands at the door; or send qr_code. @example 8 */
  @IsRequiredWithout('qr_code')
  @IsId()
  user_id?: number;

  /** What their pass shows. */
  @IsOptional()
  @IsText(1, 50)
  qr_code?: string;

  /** At which door. @example 1 */
  @IsOptional()
  @IsId()
  device_id?: number;

  /** Without a device: in which gym; default: your own. */
  @IsOptional()
  @IsId()
  gym_id?: number;
}

/** Open the door, or not. */
export class AccessDto {
  /** @example true */
  allowed: boolean;

  /** Why not; null if allowed. @example null */
  @ApiProperty({ enum: REASONS, nullable: true })
  reason: Reason | null;

  /** null if unknown, or of another gym. */
  user: PersonRefDto | null;

  /** The plan that counts now, or the last one that did. */
  @ApiProperty({ type: ActivePlanDto, nullable: true })
  user_plan: ActivePlanDto | null;

  /** The visit that began, or goes on. @example 12 */
  @ApiProperty({ type: 'integer', nullable: true })
  attendance_id: number | null;
}
