import { ApiProperty, IntersectionType, OmitType, PartialType, PickType } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { AccountDto } from '../../people/dto/account.dto.js';
import { ROLES, type Role, STAFF } from '../../common/actor/roles.js';
import { IsPassword, IsQueryFlag, IsText } from '../../common/http/fields.js';
import { IsNullable, IsRequired } from '../../common/http/nulls.js';
import { GymListQuery } from '../../common/http/list.js';
import { IsId } from '../../common/http/whole.js';
import { ActivePlanDto, AssignPlanDto } from '../../plans/dto/user-plan.dto.js';

/** `member` is what some clients call the role `user`. */
const MemberIsUser = () => Transform(({ value }: { value: unknown }) => (value === 'member' ? 'user' : value));

/** A person as staff sees it. */
export class UserDto extends OmitType(AccountDto, ['role', 'gym_id', 'is_active', 'must_change_password']) {
  /** Passport, identity card or the like; unique. null if they registered by themselves. @example "AB123456" */
  @IsNullable()
  @IsText(1, 50)
  document_id: string | null;

  /** admin, manager, reception, accountant, trainer or user (a member). @example "user" */
  @MemberIsUser()
  @IsIn(ROLES)
  role: Role;

  /** An admin's home gym; null only for an admin. @example 1 */
  @IsId()
  gym_id: number | null;

  /** @example true */
  @IsBoolean()
  is_active: boolean;

  updated_at: Date;

  /** null if there is none. */
  @ApiProperty({ type: ActivePlanDto, nullable: true })
  active_plan: ActivePlanDto | null;
}

export class NewPerson extends IntersectionType(
  PickType(UserDto, ['email', 'full_name', 'document_id', 'phone_number']),
  PartialType(PickType(UserDto, ['username', 'language', 'is_active'])),
) {
  /** Unique, whatever the case. @example "maria.lopez@example.com" */
  @IsRequired()
  override email: string;

  /** Passport, identity card or the like; unique. @example "AB123456" */
  @IsRequired()
  override document_id: string;

  /** As people write it; 3 to 20 digits. @example "+1 234 567 891" */
  @IsRequired()
  override phone_number: string;
}

export class CreateStaffDto extends NewPerson {
  /** @example "reception" */
  @IsIn(STAFF)
  role: Role;

  /** Default: your own gym, an admin's home gym; for a new admin none. @example 1 */
  @IsOptional()
  @IsId()
  gym_id?: number;

  /** At least 8 characters, at most 72 bytes. @example "a long password" */
  @IsPassword()
  password: string;
}

/** What may be given to a member who is added. */
export class FirstSignIn {
  /**
   * Gives a password for the first sign-in: the pass shows it until the member sets their own. Default: none.
   * @example false
   */
  @IsOptional()
  @IsBoolean()
  issue_temporary_password?: boolean;
}

export class CreateMemberDto extends IntersectionType(NewPerson, FirstSignIn) {
  /** `member` is taken for `user`. @example "user" */
  @MemberIsUser()
  @IsIn(['user', 'member'])
  role = 'user' as const;

  /** @example 1 */
  @IsId()
  gym_id: number;
}

/** A member and what they bought. */
export class CreateMemberWithPlanDto extends IntersectionType(
  OmitType(CreateMemberDto, ['gym_id', 'is_active']),
  PickType(AssignPlanDto, ['plan_id', 'purchased_price']),
) {
  /** Default: your own gym, an admin's home gym. @example 2 */
  @IsOptional()
  @IsId()
  gym_id?: number;
}

/** A member without a plan: a name and a phone number are enough. */
export class NewMemberDto extends IntersectionType(
  PickType(CreateMemberWithPlanDto, ['full_name', 'phone_number', 'gym_id', 'issue_temporary_password']),
  PartialType(PickType(UserDto, ['email', 'document_id', 'username', 'language'])),
) {}

/** What is not sent stays as it is; who may change what is said at PUT /users/{user_id}. */
export class UpdateUserDto extends PartialType(
  PickType(UserDto, [
    ...(['email', 'username', 'full_name', 'document_id', 'phone_number'] as const),
    ...(['language', 'role', 'gym_id', 'is_active'] as const),
  ]),
) {
  /** A new password; it ends all sessions of the person. */
  @IsOptional()
  @IsPassword()
  password?: string;
}

export class UserListQuery extends GymListQuery {
  /** Only these. @example "user" */
  @IsOptional()
  @MemberIsUser()
  @IsIn(ROLES)
  role?: Role;

  /** Only the active, or only the inactive. */
  @IsOptional()
  @IsQueryFlag()
  is_active?: boolean;
}

export class StaffListQuery extends OmitType(UserListQuery, ['role']) {
  /** Only these. @example "trainer" */
  @IsOptional()
  @IsIn(STAFF)
  role?: Role;
}

/** Where to look. */
export class GymQuery extends PickType(GymListQuery, ['gym_id']) {}

export class SearchQuery extends PickType(GymListQuery, ['limit', 'gym_id']) {
  /** Words of a name, an email, a document or a phone, as typed. @example "maria" */
  @IsString()
  @MaxLength(100)
  q: string;
}
