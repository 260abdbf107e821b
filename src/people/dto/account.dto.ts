import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsEmail, IsIn, Matches, MaxLength } from 'class-validator';
import { GymRefDto } from '../../gyms/dto/gym.dto.js';
import { ROLES, type Role } from '../../common/actor/roles.js';
import { IsText, Trimmed, trimmed } from '../../common/http/fields.js';
import { IsNullable } from '../../common/http/nulls.js';
import { IsId } from '../../common/http/whole.js';

export const LANGUAGES = ['en', 'es', 'ar'] as const;
export type Language = (typeof LANGUAGES)[number];

/** What may be a phone number. */
export const PHONE = /^(?=(\D*\d){3,20}\D*$)[-+().\d\s/]{3,40}$/;

/** Written on one line. */
const OneLine = () =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? trimmed(value).replaceAll(/\s+/g, ' ') : value,
  );

/** A person as it signs in. */
export class AccountDto {
  /** @example 2 */
  @IsId()
  id: number;

  /** Unique, whatever the case. Of members, some have none. @example "maria.lopez@example.com" */
  @IsNullable()
  @Trimmed()
  @IsEmail()
  @MaxLength(254)
  email: string | null;

  /** Unique, whatever the case: letters, digits, dot, dash and underscore. @example "maria.lopez" */
  @IsNullable()
  @Trimmed()
  @Matches(/^[A-Za-z0-9._-]{3,50}$/, { message: 'must be 3 to 50 letters, digits, dots, dashes or underscores' })
  username: string | null;

  /** @example "María López" */
  @IsText(1, 200)
  full_name: string;

  /** As people write it; 3 to 20 digits. @example "+1 234 567 891" */
  @IsNullable()
  @OneLine()
  @Matches(PHONE, { message: 'must be a phone number of 3 to 20 digits' })
  phone_number: string | null;

  /** admin, manager, reception, accountant, trainer or user (a member). @example "trainer" */
  @ApiProperty({ enum: ROLES })
  role: Role;

  /** What they are written to in: en, es or ar. @example "en" */
  @IsIn(LANGUAGES)
  language: Language;

  /** An admin's home gym, in which happens what needs one gym and is sent none; null only for an admin. @example 1 */
  @IsId()
  gym_id: number | null;

  gym: GymRefDto | null;

  /** An inactive person cannot sign in. @example true */
  is_active: boolean;

  /** The password is temporary: nothing but changing it is allowed. @example false */
  must_change_password: boolean;

  created_at: Date;
}
