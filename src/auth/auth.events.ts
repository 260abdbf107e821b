import { DomainEvent } from '../common/events/domain-event.js';

/** What a person may do, or where they are signed in, has changed. */
export class AccessChanged extends DomainEvent {
  readonly gym_id = null;

  constructor(readonly user_id: number) {
    super();
  }
}
