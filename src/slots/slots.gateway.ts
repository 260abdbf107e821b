import { ConnectedSocket, WebSocketServer } from '@nestjs/websockets';
import type { Namespace } from 'socket.io';
import { CurrentActor } from '../common/actor/access.js';
import { Actor, type Principal, type ScopedGymId } from '../common/actor/actor.js';
import { DESK_AND_MEMBERS, type Role, STAFF } from '../common/actor/roles.js';
import { OtherGym } from '../common/errors/common.errors.js';
import type { DomainError } from '../common/errors/domain-error.js';
import { keyOfMessage, REPEATABLE_ERRORS } from '../common/http/idempotency.js';
import { MessageBody } from '../common/http/validation.js';
import { Arrivals } from '../common/ws/arrivals.js';
import { type AppSocket, Gateway, Message, type Welcoming } from '../common/ws/gateway.js';
import {
  BookingRefusalDto,
  BookingResponseDto,
  BookSlotDto,
  GetSlotsDto,
  SlotsUpdateDto,
} from './dto/slot-messages.dto.js';
import { showDay, update } from './day-views.js';
import { BOOK_ERRORS, CANCEL_ERRORS } from './slots.errors.js';
import { SlotsService } from './slots.service.js';
import { TODAY, type WatchedDay, WatchedDays } from './watched-days.js';

const WATCHERS: readonly Role[] = [...STAFF, 'user'];

/** The room of those who watch a day of a gym. */
export const dayRoom = ({ gym_id, date }: WatchedDay): string => `${DAYS}${gym_id}:${date}`;
const DAYS = 'slots:';

/** The day that is watched in a room, or null if it is a room of something else. */
export function dayOfRoom(room: string): WatchedDay | null {
  if (!room.startsWith(DAYS)) return null;
  const [gymId, date] = room.slice(DAYS.length).split(':');
  return { gym_id: Number(gymId) as ScopedGymId, date: date! };
}

/** What clients of this namespace expect of a refusal. */
const refused = ({ message }: DomainError, payload: unknown) => {
  const { slot_id: asked }: { slot_id?: unknown } = { ...(payload as object | null) };
  const isWhole = (typeof asked === 'number' || typeof asked === 'string') && /^\d{1,9}$/.test(String(asked));
  return { success: false, message, slot_id: isWhole ? Number(asked) : null };
};

/** `/slots`: one watches a day of a gym, and books. */
@Gateway('/slots')
export class SlotsGateway implements Welcoming {
  @WebSocketServer()
  private readonly namespace: Namespace;
  private readonly arrivals = new Arrivals<WatchedDay>(async (socketIds, watched) => {
    showDay(this.namespace, socketIds, await this.days.readLately(watched));
  });

  constructor(
    private readonly slots: SlotsService,
    private readonly days: WatchedDays,
  ) {}

  /** Today, of one's own gym; an admin asks for a gym. */
  async onSignedIn(socket: AppSocket, principal: Principal): Promise<void> {
    if (!(principal instanceof Actor) || principal.gym_id === null) return;
    const watched = watchedBy(principal, {});
    await this.join(socket, watched);
    await this.arrivals.add(socket.id, dayRoom(watched), watched);
  }

  /** What changed in the meantime is not in the messages that were missed: each viewer gets their own. */
  async onReturned(socket: AppSocket, principal: Principal): Promise<void> {
    for (const room of socket.rooms) {
      const watched = dayOfRoom(room);
      if (!watched) continue;
      (principal as Actor).gym(watched.gym_id);
      socket.emit('slots_update', update(principal, await this.days.read(watched)));
    }
  }

  @Message('get_slots', {
    summary: 'Watch this day; one day at a time. Without a date it is today, and at midnight the new day',
    roles: WATCHERS,
    payload: GetSlotsDto,
    answer: { event: 'slots_update', payload: SlotsUpdateDto },
    errors: [OtherGym],
  })
  async getSlots(
    @CurrentActor() actor: Actor,
    @ConnectedSocket() socket: AppSocket,
    @MessageBody() body: GetSlotsDto,
  ): Promise<SlotsUpdateDto> {
    const watched = watchedBy(actor, body);
    // Refused, if there is no such gym, before anything is left.
    await this.days.readLately(watched);
    await this.join(socket, watched);
    return update(actor, await this.days.read(watched));
  }

  @Message('book_slot', {
    summary: 'Book an hour, as POST /slots/{slot_id}/book does',
    roles: DESK_AND_MEMBERS,
    payload: BookSlotDto,
    answer: { event: 'booking_response', payload: BookingResponseDto },
    errors: [OtherGym, ...BOOK_ERRORS, ...REPEATABLE_ERRORS],
    refusal: 'booking_response',
    refusalPayload: BookingRefusalDto,
    refused,
  })
  async book(@CurrentActor() actor: Actor, @MessageBody() body: BookSlotDto): Promise<BookingResponseDto> {
    await this.slots.book(actor, body.slot_id, body, keyOfMessage('/slots book_slot', body));
    return { success: true, message: `Slot ${body.slot_id} booked successfully`, slot_id: body.slot_id };
  }

  @Message('cancel_slot', {
    summary: 'Cancel an hour',
    roles: DESK_AND_MEMBERS,
    payload: BookSlotDto,
    answer: { event: 'cancellation_response', payload: BookingResponseDto },
    errors: [OtherGym, ...CANCEL_ERRORS, ...REPEATABLE_ERRORS],
    refusal: 'cancellation_response',
    refusalPayload: BookingRefusalDto,
    refused,
  })
  async cancel(@CurrentActor() actor: Actor, @MessageBody() body: BookSlotDto): Promise<BookingResponseDto> {
    await this.slots.cancel(actor, body.slot_id, body, keyOfMessage('/slots cancel_slot', body));
    return { success: true, message: `Slot ${body.slot_id} cancelled successfully`, slot_id: body.slot_id };
  }

  /** Before the day is read: a change in between is seen twice rather than not at all. */
  private async join(socket: AppSocket, watched: WatchedDay): Promise<void> {
    for (const room of socket.rooms) if (dayOfRoom(room)) await socket.leave(room);
    await socket.join(dayRoom(watched));
  }
}

const watchedBy = (actor: Actor, { gym_id, date = TODAY }: GetSlotsDto): WatchedDay => ({
  gym_id: actor.gym(gym_id),
  date,
});
