import { DomainError, type FieldErrors, FieldsError, Problem } from './domain-error.js';

@Problem({ code: 'malformed', status: 400, title: 'The request cannot be read' })
export class Malformed extends DomainError {}

@Problem({ code: 'not_signed_in', status: 401, title: 'Sign in first' })
export class NotSignedIn extends DomainError {}

@Problem({ code: 'session_ended', status: 401, title: 'This session has ended; sign in again' })
export class SessionEnded extends DomainError {}

@Problem({ code: 'role_not_allowed', status: 403, title: 'Your role may not do this' })
export class RoleNotAllowed extends DomainError {}

@Problem({ code: 'other_gym', status: 403, title: 'You belong to another gym' })
export class OtherGym extends DomainError {}

@Problem({ code: 'password_change_required', status: 403, title: 'Change your temporary password first' })
export class PasswordChangeRequired extends DomainError {}

@Problem({ code: 'not_found', status: 404, title: 'There is nothing at this address' })
export class NothingHere extends DomainError {}

@Problem({ code: 'method_not_allowed', status: 405, title: 'This address does not take this method' })
export class MethodNotAllowed extends DomainError {}

@Problem({ code: 'request_timeout', status: 408, title: 'The request took too long to arrive' })
export class RequestTimeout extends DomainError {}

@Problem({ code: 'conflict', status: 409, title: 'This contradicts what is stored' })
export class Conflict extends DomainError {}

@Problem({ code: 'changed_since_read', status: 409, title: 'This has changed since it was read' })
export class ChangedSinceRead extends DomainError {
  constructor() {
    super('Read it again, and send what is to change.');
  }
}

@Problem({ code: 'too_large', status: 413, title: 'The request is too large' })
export class TooLarge extends DomainError {}

@Problem({ code: 'media_type_not_supported', status: 415, title: 'Send the body as application/json' })
export class MediaTypeNotSupported extends DomainError {}

@Problem({ code: 'expectation_failed', status: 417, title: 'This Expect header cannot be met' })
export class ExpectationFailed extends DomainError {}

@Problem({ code: 'headers_too_large', status: 431, title: 'The headers of the request are too large' })
export class HeadersTooLarge extends DomainError {}

@Problem({ code: 'fields_invalid', status: 422, title: 'Some fields are missing or wrong' })
export class FieldsInvalid extends FieldsError {
  constructor(errors: FieldErrors) {
    super(errors, errors.map(({ field, message }) => `${field} ${message}`).join('; '));
  }

  static of(field: string, message: string): FieldsInvalid {
    return new FieldsInvalid([{ field, message }]);
  }

  /** The same error with the names that fields had where they came from; any other error as it is. */
  static renamed(error: unknown, names: Readonly<Record<string, string>>): unknown {
    if (!(error instanceof FieldsInvalid)) return error;
    const named = error.data.errors.map(({ field, message }) => ({ field: names[field] ?? field, message }));
    return new FieldsInvalid(named as FieldErrors);
  }
}

@Problem({ code: 'too_many_requests', status: 429, title: 'Too many requests' })
export class TooManyRequests extends DomainError {
  /** @param retryAfter seconds */
  constructor(retryAfter: number, detail?: string) {
    super(detail ?? `Try again in ${retryAfter} s.`, { retry_after: retryAfter });
  }
}

@Problem({ code: 'internal_error', status: 500, title: 'Something went wrong on our side' })
export class InternalError extends DomainError {}

@Problem({ code: 'unavailable', status: 503, title: 'The server cannot answer right now', retry_after: 2 })
export class Unavailable extends DomainError {
  constructor(detail = 'Try again in a moment.') {
    super(detail);
  }
}
