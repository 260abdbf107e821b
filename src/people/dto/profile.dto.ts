import { IsIn } from 'class-validator';
import { PickType } from '@nestjs/swagger';
import { IsId } from '../../common/http/whole.js';

export const PROFILE_TYPES = ['gym', 'trainer', 'store', 'trainee'] as const;
export type ProfileType = (typeof PROFILE_TYPES)[number];

/** What a person is in the community, beside their role in the gym. */
export class ProfileDto {
  /** @example 1 */
  @IsId()
  id: number;

  /** Whose it is. @example 8 */
  @IsId()
  account_id: number;

  /** gym, trainer, store or trainee: each once a person. @example "store" */
  @IsIn(PROFILE_TYPES)
  profile_type: ProfileType;

  created_at: Date;
}

export class CreateProfileDto extends PickType(ProfileDto, ['profile_type']) {}
