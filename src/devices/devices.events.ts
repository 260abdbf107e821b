import { DomainEvent } from '../common/events/domain-event.js';
import type { AccessAlarmDto } from './dto/device-messages.dto.js';

/** A door shows one unknown code after the other. */
export class DoorGuessed extends DomainEvent {
  readonly gym_id: number;

  constructor(readonly alarm: AccessAlarmDto) {
    super();
    this.gym_id = alarm.gym_id;
  }
}
