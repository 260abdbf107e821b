import { DomainEvent } from '../common/events/domain-event.js';

/** An hour was booked or cancelled; or (no slot_id) what can be booked has changed. */
export class SlotsChanged extends DomainEvent {
  constructor(
    readonly gym_id: number,
    /** null: every day. */
    readonly date: string | null,
    readonly slot_id: number | null,
  ) {
    super();
  }
}
