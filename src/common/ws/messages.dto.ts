import { ApiProperty } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { FieldErrorDto } from '../errors/problem.js';

/** A message was refused; the connection lives. */
export class RefusalDto {
  /** Stable word for programs, the same as over REST. @example "role_not_allowed" */
  code: string;
  /** For people. @example "This is for admin, manager; you are trainer." */
  error: string;
  /** The message that was refused. @example "check_in" */
  event?: string;
  /** The wrong fields of a message that broke the rules. */
  @ApiProperty({ type: [FieldErrorDto], required: false })
  errors?: FieldErrorDto[];
}

/** Nothing to say. */
export class NothingDto {}

export class AuthenticateDto {
  /** The access token, from POST /api/v1/auth/login. @example "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.signature" */
  @IsString()
  @MaxLength(4000)
  token: string;
}

export class AuthenticationSuccessDto {
  /** @example "Authenticated" */
  message: string;
}

export class HeartbeatAckDto {
  /** The server's time. */
  @ApiProperty({ type: 'string', format: 'date-time' })
  timestamp: string;
}
