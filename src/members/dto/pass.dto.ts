import { ApiProperty } from '@nestjs/swagger';

/** What a member shows at the door, and signs in with the first time. */
export class PassDto {
  /** @example 8 */
  @ApiProperty({ type: 'integer' })
  user_id: number;

  /** @example "María López" */
  full_name: string;

  /** Lets its holder in, as a QR code. @example "GYM-8-8FDCDBEB" */
  qr_code: string;

  /**
   * Given by staff for the first sign-in; null if there is none, once the member has set their own, and to the member.
   * @example "KF47RA"
   */
  temporary_password: string | null;

  /** The member signs in with a password that is not temporary. @example false */
  password_changed: boolean;
}
