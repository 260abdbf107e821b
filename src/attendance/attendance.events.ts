import { DomainEvent } from '../common/events/domain-event.js';
import type { VisitDto } from './dto/visit.dto.js';

/** A visit began. */
export class MemberCheckedIn extends DomainEvent {
  readonly gym_id: number;

  constructor(readonly visit: VisitDto) {
    super();
    this.gym_id = visit.gym_id;
  }
}

/** A visit ended: by staff, by the member, or by the night job. */
export class MemberCheckedOut extends DomainEvent {
  readonly gym_id: number;

  constructor(readonly visit: VisitDto) {
    super();
    this.gym_id = visit.gym_id;
  }
}

/** A visit was corrected: the numbers of the gym are other ones now. */
export class VisitCorrected extends DomainEvent {
  constructor(readonly gym_id: number) {
    super();
  }
}

/** A visit was deleted. */
export class VisitRemoved extends DomainEvent {
  constructor(
    readonly gym_id: number,
    readonly visit_id: number,
  ) {
    super();
  }
}
