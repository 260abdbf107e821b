import { DomainEvent } from '../common/events/domain-event.js';

/** A person was deleted, deactivated or moved to another gym: what they have reserved is free again. */
export class PersonLeft extends DomainEvent {
  readonly gym_id = null;

  constructor(readonly user_id: number) {
    super();
  }
}
