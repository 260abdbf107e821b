import { ApiProperty, PartialType, PickType } from '@nestjs/swagger';
import { IsOptional, IsString, MaxLength } from 'class-validator';
import { ROLES, type Role } from '../../common/actor/roles.js';
import { GymListQuery } from '../../common/http/list.js';
import { IsRequired } from '../../common/http/nulls.js';
import { IsId } from '../../common/http/whole.js';
import { AccountDto, type Language, LANGUAGES } from '../../people/dto/account.dto.js';
import { PROFILE_TYPES, type ProfileType } from '../../people/dto/profile.dto.js';

/**
 * A person as others meet them. From `email` on it is filled in one's own, and for staff in those of their own gym;
 * for all others it is null.
 */
export class AccountViewDto {
  /** @example 8 */
  @IsId()
  id: number;

  /** @example "maria.lopez" */
  username: string | null;

  /** null where a member looks at another member, unless that one is a trainer. @example "María López" */
  full_name: string | null;

  /** What they are, in the order in which it was added. @example ["trainee"] */
  @ApiProperty({ enum: PROFILE_TYPES, isArray: true })
  profile_types: ProfileType[];

  /** The profile that they made or chose last, or else the oldest. @example 1 */
  @ApiProperty({ type: 'integer', nullable: true })
  current_profile_id: number | null;

  /** @example "maria.lopez@example.com" */
  email: string | null;

  /** @example "+1 234 567 891" */
  phone_number: string | null;

  /** @example "user" */
  @ApiProperty({ enum: ROLES, nullable: true })
  role: Role | null;

  /** What they are written to in. @example "en" */
  @ApiProperty({ enum: LANGUAGES, nullable: true })
  language: Language | null;

  /** @example 2 */
  @ApiProperty({ type: 'integer', nullable: true })
  gym_id: number | null;

  created_at: Date | null;

  updated_at: Date | null;
}

/** No null: clients of the community send it for what they do not know. */
export class OwnAccount extends PickType(AccountDto, ['email', 'username', 'full_name', 'phone_number', 'language']) {
  /** Unique, whatever the case. @example "maria.lopez@example.com" */
  @IsRequired()
  override email: string;

  /** Unique, whatever the case: letters, digits, dot, dash and underscore. @example "maria.lopez" */
  @IsRequired()
  override username: string;

  /** As people write it; 3 to 20 digits. @example "+1 234 567 891" */
  @IsRequired()
  override phone_number: string;
}

/** What is not sent, or null, stays as it is. */
export class UpdateAccountDto extends PartialType(OwnAccount) {}

export class AccountListQuery extends GymListQuery {
  /** Words of a username, and of what else you are shown of a person. */
  @IsOptional()
  @IsString()
  @MaxLength(100)
  search?: string;
}
