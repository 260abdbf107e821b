import { IsOptional, Matches } from 'class-validator';

/** The client's word for a request. */
export const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
export const KEY_RULE = 'must be 1 to 255 visible ASCII characters';

/** What a message may carry that can be repeated. */
export class RepeatableDto {
  /** Any word of yours. Sent again with the same payload within 24 h, nothing is done twice. @example "b1946ac9" */
  @IsOptional()
  @Matches(IDEMPOTENCY_KEY, { message: KEY_RULE })
  idempotency_key?: string;
}
