import { DomainEvent } from '../common/events/domain-event.js';

/** What a person may do, or where they are signed in, has changed. */
export class AccessChanged extends DomainEvent {
  readonly gym_id = null;

  constructor(readonly user_id: number) {
    super();
  }
}

/** A person who can sign in has another email, or none any more. */
export class EmailChanged extends DomainEvent {
  readonly gym_id = null;

  constructor(readonly former_email_id: number) {
    super();
  }
}

/** A person asks for a link to a new password. */
export class PasswordForgotten extends DomainEvent {
  readonly gym_id = null;

  constructor(readonly user_id: number) {
    super();
  }
}
