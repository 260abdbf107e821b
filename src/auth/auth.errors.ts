import { DomainError, FieldsError, Problem } from '../common/errors/domain-error.js';

/** One answer for every wrong sign-in: it does not tell which accounts exist. */
@Problem({ code: 'wrong_credentials', status: 401, title: 'The email, username, phone or the password is wrong' })
export class WrongCredentials extends DomainError {}

@Problem({ code: 'account_inactive', status: 403, title: 'This account is inactive; ask the front desk' })
export class AccountInactive extends DomainError {}

@Problem({ code: 'wrong_password', status: 422, title: 'The current password is wrong' })
export class WrongPassword extends FieldsError {
  constructor() {
    super([{ field: 'current_password', message: 'is wrong' }]);
  }
}

@Problem({ code: 'reset_link_invalid', status: 422, title: 'This link is used up or too old: ask for a new one' })
export class ResetLinkInvalid extends FieldsError {
  constructor() {
    super([{ field: 'token', message: 'is used up, or older than 30 minutes: ask for a new link' }]);
  }
}

@Problem({ code: 'session_not_found', status: 404, title: 'You have no such session' })
export class SessionNotFound extends DomainError {}

@Problem({
  code: 'email_taken',
  status: 409,
  title: 'Another account has this email',
  constraint: 'users_email_key',
})
export class EmailTaken extends DomainError {}

@Problem({
  code: 'username_taken',
  status: 409,
  title: 'Another account has this username',
  constraint: 'users_username_key',
})
export class UsernameTaken extends DomainError {}
