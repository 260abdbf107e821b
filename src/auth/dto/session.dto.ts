import { IsId } from '../../common/http/whole.js';
/** One place where you are signed in. */
export class SessionDto {
  /** @example 12 */
  @IsId()
  id: number;
  /** The device as it called itself at sign-in. @example "Spotter/2.1 (Android 15)" */
  user_agent: string | null;
  /** Where it last signed in or refreshed from. @example "203.0.113.7" */
  ip_address: string | null;
  created_at: Date;
  /** Last sign-in or refresh. */
  last_used_at: Date;
  /** When it ends if it is not refreshed; null: never. */
  expires_at: Date | null;
  /** The session this request came with. @example true */
  is_current: boolean;
}
