import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { Allow, IsOptional, IsString, MaxLength } from 'class-validator';
import type { ProfileType } from '../../people/dto/profile.dto.js';

/** Who signs in: one of the three, each may be a username, an email or a phone number. */
export class LegacySignInDto {
  /** @example "manager@demo.gym" */
  @IsOptional()
  @IsString()
  @MaxLength(254)
  username?: string;

  @IsOptional()
  @IsString()
  @MaxLength(254)
  email?: string;

  @IsOptional()
  @IsString()
  @MaxLength(254)
  phone?: string;

  /** @example "demo1234" */
  @IsOptional()
  @IsString()
  password?: string;
}

/** What is no text is as good as not sent. */
export const TextOrNothing = () =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value : undefined)),
    Allow(),
    ApiProperty({ type: 'string', required: false }),
  );

export class LegacyRefreshDto {
  @TextOrNothing()
  refresh?: string;
}

export class LegacyAccessDto {
  access: string;
}

export class LegacyProfileDto {
  id: number;
  type: ProfileType;
}

/** As GymGem reads it. */
export class LegacyAccountDto {
  id: number;
  /** The email, if there is none. */
  username: string;
  email: string | null;
  profile_types: ProfileType[];
  profiles: LegacyProfileDto[];
  /** The one last chosen or made, else the oldest. */
  current_profile: LegacyProfileDto | null;
}

/** As the Flutter app reads it. */
export class LegacyUserDto {
  id: number;
  /** The email, if there is none. */
  username: string;
  full_name: string;
  /** admin is `owner` here, and manager `branch_manager`. */
  role: string;
  branch_id: number | null;
  preferred_language: string;
}

export class LegacyTokensDto {
  access_token: string;
  refresh_token: string;
  user: LegacyUserDto;
}

/** The same two tokens twice: each family reads its part. */
export class LegacySignedInDto {
  access: string;
  /** Good again and again for two days, as long as the session lives. */
  refresh: string;
  account: LegacyAccountDto;
  success: boolean;
  message: string;
  data: LegacyTokensDto;
}
