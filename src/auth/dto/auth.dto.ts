import { ApiProperty, IntersectionType, OmitType, PartialType, PickType } from '@nestjs/swagger';
import { IsEmail, IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';
import { IsPassword, IsTriedPassword } from '../../common/http/fields.js';
import { IsRequired } from '../../common/http/nulls.js';
import { ROLES, type Role } from '../../common/actor/roles.js';
import { AccountDto } from '../../people/dto/account.dto.js';

export class RegisterDto extends IntersectionType(
  PickType(AccountDto, ['email']),
  PartialType(PickType(AccountDto, ['username', 'full_name', 'phone_number', 'gym_id'])),
) {
  /** Unique, whatever the case. @example "maria.lopez@example.com" */
  @IsRequired()
  override email: string;

  /** At least 8 characters, at most 72 bytes. @example "a long password" */
  @IsPassword()
  password: string;
}

/** The same with a username or an email, or both. */
export class CreateAccountDto extends IntersectionType(
  OmitType(RegisterDto, ['email']),
  PartialType(PickType(AccountDto, ['email'])),
) {}

/** One of email, username and phone_number, and the password. */
export class LoginDto {
  /** @example "admin@gym.com" */
  @IsOptional()
  @IsString()
  @MaxLength(254)
  email?: string;

  /** A username; an email address is taken too. */
  @IsOptional()
  @IsString()
  @MaxLength(254)
  username?: string;

  /** However it is written: only its digits count. */
  @IsOptional()
  @IsString()
  @MaxLength(40)
  phone_number?: string;

  /** @example "admin123" */
  @IsTriedPassword()
  password: string;
}

/** What has one field for all three names, and the password. */
export class IdentifierDto {
  /** A username, an email or a phone number. @example "maria.lopez" */
  @IsString()
  @MaxLength(254)
  identifier: string;

  /** @example "admin123" */
  @IsTriedPassword()
  password: string;
}

export class RefreshDto {
  /** The newest one: each is good for one use. @example "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.signature" */
  @IsString()
  @IsNotEmpty()
  @MaxLength(2000)
  refresh_token: string;
}

export class ChangePasswordDto {
  /** @example "admin123" */
  @IsTriedPassword()
  current_password: string;

  /** At least 8 characters, at most 72 bytes. @example "a better password" */
  @IsPassword()
  new_password: string;
}

export class ForgotPasswordDto {
  /** @example "reception@demo.gym" */
  @IsEmail()
  @MaxLength(254)
  email: string;
}

export class ResetPasswordDto {
  /** From the link in the mail: what stands after its #. @example "demo-reset-token" */
  @IsString()
  @IsNotEmpty()
  @MaxLength(2000)
  token: string;

  /** At least 8 characters, at most 72 bytes. @example "a better password" */
  @IsPassword()
  new_password: string;
}

/** A fresh pair of tokens. */
export class SignedInDto {
  /** Send it as `Authorization: Bearer <access_token>`. */
  access_token: string;
  /** Exchange it at /auth/refresh before it expires (2 days by default); each is good for one use. */
  refresh_token: string;
  /** @example "bearer" */
  token_type: 'bearer';
  /** Seconds until the access token expires; null: when its session ends. @example 3600 */
  @ApiProperty({ type: 'integer', nullable: true })
  expires_in: number | null;
  /** @example "trainer" */
  @ApiProperty({ enum: ROLES })
  role: Role;
  /** The password is temporary: nothing but changing it is allowed. @example false */
  must_change_password: boolean;
  account: AccountDto;
}
