import { ApiProperty, IntersectionType, PickType } from '@nestjs/swagger';
import { IsEmail, IsInt, IsNotEmpty, IsOptional, IsString, Length, MaxLength } from 'class-validator';
import { Transform } from 'class-transformer';
import { IsTriedPassword, Trimmed } from '../../common/http/fields.js';
import { fromDigits } from '../../common/http/whole.js';

// What clients of ReRo send and are answered. `message` is for people everywhere.

/** Who asks, where no bearer token says it: a token, or an email and a password. */
export class WhoDto {
  /** From `POST /auth/login`. */
  @IsOptional()
  @IsString()
  @MaxLength(5000)
  token?: string;

  /** As it was registered, capitals too. @example "user@example.com" */
  @IsOptional()
  @IsString()
  @MaxLength(254)
  email?: string;

  /** @example "secret1" */
  @IsOptional()
  @IsString()
  @MaxLength(1000)
  password?: string;
}

export class SlotIdDto {
  /** The hour, 0 to 23. @example 5 */
  @Transform(({ value }: { value: unknown }) => fromDigits(value))
  @IsInt()
  @ApiProperty({ type: 'integer' })
  slot_id: number;
}

export class BookSlotBody extends IntersectionType(SlotIdDto, WhoDto) {}

export class CodeDto {
  /** @example "print('hello')" */
  @IsString()
  @Length(1, 200_000)
  code: string;
}

export class UploadBody extends IntersectionType(CodeDto, WhoDto) {}

export class LoginBody {
  /** As it was registered, capitals too. @example "user@example.com" */
  @IsString()
  @IsNotEmpty()
  @MaxLength(254)
  email: string;

  /** As it is sent: the web page sends the SHA-1 of what was typed, and that is another password. @example "secret1" */
  @IsTriedPassword()
  password: string;
}

export class ReroRegisterBody {
  /** Unique, whatever the case. @example "user@example.com" */
  @Trimmed()
  @IsEmail()
  @MaxLength(254)
  email: string;

  /** At least 6 characters. @example "secret1" */
  @IsString()
  password: string;
}

/** An hour of today. */
export class ReroSlotDto {
  /** 0 to 23. @example 9 */
  id: number;
  /** On the gym's clock. @example "09:00" */
  start_time: string;
  /** @example "10:00" */
  end_time: string;
  /** It cannot be booked by who looks: full, theirs, over, or the gym is closed. @example true */
  is_booked: boolean;
  /** The whole email to its owner and the gym's staff; to others as `u***@example.com`. @example "user@example.com" */
  booked_by: string | null;
  booked_at: string | null;
}

export class ReroSlotsDto {
  @ApiProperty({ type: [ReroSlotDto] })
  slots: ReroSlotDto[];

  /** The ids that can be booked. @example [10, 11] */
  @ApiProperty({ type: [Number] })
  available_slots: number[];

  /** The other ids. @example [9] */
  @ApiProperty({ type: [Number] })
  booked_slots: number[];
}

export class RootDto {
  /** @example "Slot Booking API is running" */
  message: string;
  /** @example "/slot-booking" */
  websocket_endpoint: string;
  /** Sockets of `/slot-booking` on this server. @example 3 */
  active_connections: number;
  @ApiProperty({ type: [Number] })
  booked_slots: number[];
}

export class DatabaseStatsDto {
  /** @example 24 */
  total_slots: number;
  /** @example 4 */
  booked_slots: number;
  /** @example 20 */
  available_slots: number;
  /** @example "postgresql" */
  database_path: string;
}

export class ReroHealthDto {
  /** @example "healthy" */
  status: string;
  @ApiProperty({ type: 'string', format: 'date-time' })
  timestamp: string;
  /** @example 3 */
  active_connections: number;
  /** @example 24 */
  total_slots: number;
  /** @example 4 */
  booked_slots_count: number;
  /** @example 20 */
  available_slots_count: number;
  database: DatabaseStatsDto;
}

export class ConnectionStatsDto {
  /** @example 3 */
  active_connections: number;
}

export class SlotStatsDto {
  /** @example 24 */
  total: number;
  /** @example 4 */
  booked: number;
  /** @example 20 */
  available: number;
}

export class ReroStatsDto {
  database: DatabaseStatsDto;
  websocket: ConnectionStatsDto;
  slots: SlotStatsDto;
}

export class NewReroUserDto {
  /** @example "user@example.com" */
  email: string;
  created_at: Date;
}

export class RegisteredDto {
  /** @example true */
  success: boolean;
  /** @example "User registered successfully" */
  message: string;
  /** @example "user@example.com" */
  email: string;
  user: NewReroUserDto;
}

export class ReroUserDto extends NewReroUserDto {
  /** @example 8 */
  id: number;
}

export class ReroSignedInDto {
  /** @example true */
  success: boolean;
  /** @example "Login successful" */
  message: string;
  /** A JWT; good at `/api/v1` and Socket.IO, too. */
  token: string;
  user: ReroUserDto;
}

export class SlotAnswerDto {
  /** @example true */
  success: boolean;
  /** @example "Slot 5 booked successfully" */
  message: string;
  /** @example 5 */
  slot_id: number;
}

export class OwnSlotDto extends PickType(ReroSlotDto, ['id', 'start_time', 'end_time', 'booked_at']) {}

export class OwnBookingsDto {
  /** @example true */
  success: boolean;
  @ApiProperty({ type: [OwnSlotDto] })
  bookings: OwnSlotDto[];
  /** @example 1 */
  total_bookings: number;
}

export class UserSlotDto {
  /** @example true */
  success: boolean;
  /** The hour that is now, if it is theirs; else their next one today; else null. */
  slot: ReroSlotDto | null;
  /** @example true */
  has_booking: boolean;
}

export class ReroDeviceDto {
  /** Its place in the list. @example 0 */
  device_number: number;
  /** `board`, or `unknown` where there is none. @example "board" */
  model: string;
  /** Its name, or `-`. @example "Lab board 1" */
  port: string;
  /** @example "Lab board, connected" */
  description: string;
}

export class ReroDevicesDto {
  /** @example true */
  success: boolean;
  @ApiProperty({ type: [ReroDeviceDto] })
  devices: ReroDeviceDto[];
  /** @example 1 */
  count: number;
  /** @example ["board"] */
  @ApiProperty({ type: [String] })
  supported_models: string[];
}

export class CompiledAnswerDto {
  /** @example false */
  success: boolean;
  /** @example "The board compiles the code at upload." */
  message: string;
  @ApiProperty({ type: 'object', additionalProperties: true })
  compile_results: Record<string, never>;
  /** Of this answer alone. */
  project_id: string;
}

export class UploadedAnswerDto {
  /** false: the board failed, or is not connected. @example true */
  success: boolean;
  /** @example "Code uploaded to device 0" */
  message: string;
  device: ReroDeviceDto;
  /** What the board said of an error. @example "" */
  compile_output: string;
  /** What the program printed. @example "hello" */
  upload_output: string;
  project_id: string;
}
