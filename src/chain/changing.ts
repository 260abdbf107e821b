import { Injectable } from '@nestjs/common';
import type { Actor } from '../common/actor/actor.js';
import type { Transaction } from '../database/database.js';
import { SlotsService } from '../slots/slots.service.js';
import type { GymDto } from '../gyms/dto/gym.dto.js';
import { GymChanged } from '../gyms/gyms.events.js';

/**
 * What follows when a gym closes (by PUT or DELETE) or gets another clock, in the transaction that does it.
 *
 * |                    | closes               | another clock                                               |
 * | ------------------ | -------------------- | ----------------------------------------------------------- |
 * | hours to come      | are cancelled        | are at the same time of that clock; cancelled if it has none |
 * | the hour that runs | stays                | stays at its moment, as that clock calls it                 |
 * | visits             | go on: people leave, | their days are those of that clock                          |
 * |                    | or the night job     |                                                             |
 * |                    | ends them            |                                                             |
 * | plans              | run on               | end at the moment they did                                  |
 *
 * Those who watch hours or numbers are told of what is true now.
 */
@Injectable()
export class Changing {
  constructor(private readonly slots: SlotsService) {}

  async onChange(tx: Transaction, actor: Actor, before: Pick<GymDto, 'timezone' | 'is_active'>, after: GymDto) {
    const hasOtherClock = before.timezone !== after.timezone;
    if (before.is_active === after.is_active && !hasOtherClock) return;
    if (before.is_active && !after.is_active) await this.slots.cancelBookingsIn(tx, actor, after.id);
    else if (hasOtherClock) await this.slots.moveBookingsIn(tx, actor, after.id);
    tx.emit(new GymChanged(after.id));
  }
}
