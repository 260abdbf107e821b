import { DomainEvent } from '../common/events/domain-event.js';

/** A gym has another clock, or is open or closed now. */
export class GymChanged extends DomainEvent {
  constructor(readonly gym_id: number) {
    super();
  }
}

/** A quarter of an hour has begun: with each hour and each day, of whatever zone, one begins. */
export class ClockTurned extends DomainEvent {
  readonly gym_id = null;
}
