import { ApiProperty, PartialType, PickType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsEmail, IsIn, IsInt, IsObject, IsOptional, ValidateNested } from 'class-validator';
import { IsText, IsTriedPassword, Trimmed } from '../../common/http/fields.js';
import { RepeatableDto } from '../../common/http/idempotency.dto.js';
import { IsRequiredWithout } from '../../common/http/nulls.js';
import { IsId } from '../../common/http/whole.js';
import { AccessDto } from './access.dto.js';
import { IsTemplate } from '../template.js';

export class LoginDataDto {
  /** @example "reception@demo.gym" */
  @Trimmed()
  @IsEmail()
  email: string;

  /** @example "demo1234" */
  @IsTriedPassword()
  password: string;
}

/** A reader without a key of its own: staff signs it in. */
export class DeviceLoginDto {
  @IsObject()
  @ValidateNested()
  @Type(() => LoginDataDto)
  login_data: LoginDataDto;

  /** For an admin: in which gym it stands; default: the home gym. */
  @IsOptional()
  @IsId()
  gym_id?: number;
}

export class ConnectedDto {
  /** @example 2 */
  @IsId()
  gym_id: number;
  /** @example "Connected" */
  message: string;
}

export class ConsoleConnectedDto {
  /** Default: your own gym. @example 2 */
  @IsOptional()
  @IsId()
  gym_id?: number;
}

/** A reader of this gym is connected. */
export class ReaderConnectedDto {
  /** @example 2 */
  @IsId()
  gym_id: number;
}

export class UserRefDto {
  /** @example 8 */
  @IsId()
  user_id: number;
}

export class ChooseUserDto extends UserRefDto {
  /** From a console: which reader; default: a free one of the gym. */
  @IsOptional()
  @IsId()
  device_id?: number;
}

/** How far the reader is with a member. */
export class EnrolmentStepDto {
  /** null: no one has said whose finger it is. @example 8 */
  @ApiProperty({ type: 'integer', nullable: true })
  user_id: number | null;
}

/** Whose finger it was, for consoles that did not start this enrolment; of one that is started it is known. */
export class CapturedDto extends PartialType(UserRefDto) {}

export class StartEnrollmentDto extends UserRefDto {
  /** @example "María López" */
  full_name: string;
  /** @example "maria@example.com" */
  email: string | null;
}

export class UserEstablishedDto extends PickType(StartEnrollmentDto, ['user_id', 'full_name']) {}

export class StoreFingerprintDto {
  /** The template, in base64. @example "Rk1SACAyMAABGgAzAAAA/AFEAMUAxQEAAAAoJ4CfAKUlAA==" */
  @IsTemplate()
  fingerprint_data: string;

  /** Which of the two. @example 1 */
  @IsInt()
  @IsIn([1, 2])
  finger: 1 | 2;
}

export class FingerprintStoredDto extends UserRefDto {
  /** @example "Fingerprint 1 stored" */
  message: string;
}

export class UserFoundDto extends RepeatableDto {
  /** Whose finger it was; or send qr_code. @example 8 */
  @IsRequiredWithout('qr_code')
  @IsId()
  user_id?: number;

  /** What a turnstile has read. */
  @IsOptional()
  @IsText(1, 50)
  qr_code?: string;
}

/** How many consoles heard of it. */
export class ToldDto {
  /** 0: no one sees it. @example 1 */
  @ApiProperty({ type: 'integer' })
  consoles: number;
}

/** What the consoles of the gym see of it. */
export class UserSeenDto extends PickType(AccessDto, ['allowed', 'reason', 'user']) {
  /** @example 8 */
  @ApiProperty({ type: 'integer', nullable: true })
  user_id: number | null;

  /** What the reader said, whether there is such a person or not; null: a code, or an unknown finger. @example 8 */
  @ApiProperty({ type: 'integer', nullable: true })
  read_user_id: number | null;
}

/** A door shows one unknown code after the other: its questions are refused for a while. */
export class AccessAlarmDto {
  /** @example 2 */
  @IsId()
  gym_id: number;

  /** null: staff asked without a device. @example 1 */
  @ApiProperty({ type: 'integer', nullable: true })
  device_id: number | null;

  /** @example "Main entrance" */
  @ApiProperty({ type: 'string', nullable: true })
  device_name: string | null;

  /** So many unknown codes were answered before the questions were refused. @example 10 */
  @ApiProperty({ type: 'integer' })
  unknown_codes: number;

  @ApiProperty({ type: 'string', format: 'date-time' })
  timestamp: string;
}

export class TemplateDto {
  /** The member. @example 8 */
  @IsId()
  id: number;
  /** @example "María López" */
  full_name: string;
  /** In base64, as it was stored; null if there is none. @example "Rk1SACAyMAABGgAzAAAA/AFEAMUAxQEAAAAoJ4CfAKUlAA==" */
  fingerprint1: string | null;
  /** @example null */
  fingerprint2: string | null;
}

/** At most 100 members. */
export class TemplatePageDto {
  @ApiProperty({ type: [TemplateDto] })
  data: TemplateDto[];
  /** Whether another page follows; if not, download_templates_completed does. @example false */
  has_more: boolean;
}

export class BoardUploadDto {
  /** @example "5f0c8c0e-7c3a-4a52-9a43-3f0f3c3c1f11" */
  upload_id: string;
  /** @example "print('hello')" */
  code: string;
}

/** What came of an upload, from the board, at most a minute later. */
export class BoardAnswerDto {
  /** @example true */
  success: boolean;
  /** What it printed; the last 200,000 characters are kept. @example "hello" */
  output: string;
  /** Why it did not succeed. */
  error?: string;
}
