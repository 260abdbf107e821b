import { NotSignedIn, SessionEnded } from '../../common/errors/common.errors.js';
import { AccountInactive, WrongCredentials } from '../../auth/auth.errors.js';
import { IdentifierDto } from '../../auth/dto/auth.dto.js';
import { validated } from '../../common/http/validation.js';
import { orEmpty } from '../wire/names.js';
import { Refusal, type Texts } from '../wire/refusal.js';

/** An app makes hints of the words "password" and "user" in it. */
const INVALID = 'Invalid credentials';

export const SIGN_IN_TEXTS: Texts = [
  [WrongCredentials, 401, INVALID],
  [AccountInactive, 403, 'This account is inactive'],
];
export const REFRESH_TEXTS: Texts = [
  [NotSignedIn, 401],
  [SessionEnded, 401],
];

/** What an old client names a person by, whatever the field. @throws Refusal if nothing was sent */
export function identifierOf(name: string | undefined, password: string | undefined): IdentifierDto {
  if (orEmpty(name).trim() === '' || orEmpty(password) === '') throw new Refusal(400, 'Fill in both fields');
  try {
    return validated(IdentifierDto, { identifier: name, password });
  } catch {
    // Too long to be right.
    throw new Refusal(401, INVALID);
  }
}

/** The token that was sent in the header `refresh` or in the body. @throws Refusal */
export function refreshTokenOf(...sent: (string | string[] | undefined)[]): string {
  const token = sent.find((one) => typeof one === 'string' && one !== '');
  if (typeof token !== 'string') throw new Refusal(401, 'Send the refresh token');
  return token;
}
