import { ApiProperty, IntersectionType, PartialType, PickType } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsOptional, IsString, Length, MaxLength } from 'class-validator';
import { DEVICE_KINDS, type DeviceKind } from '../../common/actor/actor.js';
import { IsText } from '../../common/http/fields.js';
import { GymListQuery } from '../../common/http/list.js';
import { IsId, IsWhole, MAX_DEVICE_NUMBER } from '../../common/http/whole.js';

export class DeviceDto {
  /** @example 1 */
  @IsId()
  id: number;

  /** @example "Reader at the entrance" */
  @IsText(1, 100)
  name: string;

  /** fingerprint (reader), qr (turnstile) or board (lab board). @example "fingerprint" */
  @ApiProperty({ enum: DEVICE_KINDS })
  @IsIn(DEVICE_KINDS)
  kind: DeviceKind;

  /** Unique in the gym. @example 0 */
  @IsWhole(0, MAX_DEVICE_NUMBER)
  device_number: number;

  /** @example 2 */
  @IsId()
  gym_id: number;

  /** false: revoked; its key opens nothing. @example true */
  @IsBoolean()
  is_active: boolean;

  /** It is connected right now. */
  online: boolean;

  last_seen_at: Date | null;
  created_at: Date;
}

/** The only time the key is shown: it is stored as a hash. */
export class DeviceWithKeyDto extends DeviceDto {
  /** What the device sends in its handshake: `auth: {device_key}`. */
  device_key: string;
}

export class CreateDeviceDto extends IntersectionType(
  PickType(DeviceDto, ['name', 'kind']),
  PartialType(PickType(DeviceDto, ['is_active'])),
) {
  /** Default: your own gym, an admin's home gym. @example 2 */
  @IsOptional()
  @IsId()
  gym_id?: number;

  /** Default: the smallest that is free in the gym, from 0. @example 7 */
  @IsOptional()
  @IsWhole(0, MAX_DEVICE_NUMBER)
  device_number?: number;
}

/** What is not sent stays as it is. */
export class UpdateDeviceDto extends PartialType(PickType(DeviceDto, ['name', 'device_number', 'is_active'])) {}

export class DeviceListQuery extends GymListQuery {
  /** Only these. @example "board" */
  @IsOptional()
  @IsIn(DEVICE_KINDS)
  kind?: DeviceKind;
}

export class UploadDto {
  /** What the board is to run; at most 200,000 characters. @example "print('hello')" */
  @IsString()
  @Length(1, 200_000)
  code: string;
}

/** What came of an upload. */
export class UploadResultDto {
  /** @example true */
  success: boolean;
  /** @example "hello" */
  output: string;
  /** Why it did not succeed; null if it did. @example null */
  error: string | null;
}

export class SerialOutputDto {
  /** @example 1 */
  @ApiProperty({ type: 'integer' })
  device_number: number;
  /** The last 10,000 characters. @example "hello" */
  output: string;
  /** Lines with a `timestamp` up to this are in `output`. null if it never said anything. */
  updated_at: Date | null;
}

export class SerialChunkDto {
  /** At most 10,000 characters at once. @example "hello" */
  @IsString()
  @MaxLength(10_000)
  output: string;
}

export class BoardQuery {
  /** Default: your own gym, an admin's home gym. @example 2 */
  @IsOptional()
  @IsId()
  gym_id?: number;
}

export class ReadSerialDto extends BoardQuery {
  /** @example 1 */
  @IsWhole(0, MAX_DEVICE_NUMBER)
  device_number: number;
}

export class SerialLineDto {
  /** @example 1 */
  @ApiProperty({ type: 'integer' })
  device_number: number;
  /** What is new. @example "hello" */
  output: string;
  /** No two lines of a board have the same. */
  @ApiProperty({ type: 'string', format: 'date-time' })
  timestamp: string;
}
