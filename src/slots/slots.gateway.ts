import { ConnectedSocket, MessageBody } from '@nestjs/websockets';
import { CurrentActor } from '../common/actor/access.js';
import { Actor, type Principal, type ScopedGymId } from '../common/actor/actor.js';
import { DESK_AND_MEMBERS, type Role, STAFF } from '../common/actor/roles.js';
import type { DomainError } from '../common/errors/domain-error.js';
import { keyOfMessage } from '../common/http/idempotency.js';
import { type AppSocket, Gateway, Message, type Welcoming } from '../common/ws/gateway.js';
import {
  BookingRefusalDto,
  BookingResponseDto,
  BookSlotDto,
  GetSlotsDto,
  type SlotsOfDayDto,
  SlotsUpdateDto,
} from './dto/slot-messages.dto.js';
import { availableTo, type Day, seenBy, type Viewer } from './slots.rules.js';
import { SlotsService } from './slots.service.js';

const WATCHERS: readonly Role[] = [...STAFF, 'user'];

/** The date in the room of those who asked for today: it is a new one when the gym's day turns. */
export const TODAY = 'today';

/** The room of those who watch a day of a gym. */
export const dayRoom = (gymId: number, date: string): string => `slots:${gymId}:${date}`;

/** The day that is watched in a room (without a date today), or null if it is a room of something else. */
export function dayOfRoom(room: string): { gymId: ScopedGymId; date?: string } | null {
  const [kind, gymId, date] = room.split(':');
  if (kind !== 'slots') return null;
  return { gymId: Number(gymId) as ScopedGymId, date: date === TODAY ? undefined : date };
}

/** A day as this viewer may see it. */
export function update(viewer: Viewer, day: Day): SlotsUpdateDto {
  const { gym_id, date, slots } = day;
  const seen = slots.map((slot) => seenBy(viewer, slot));
  const booked = seen.filter(({ is_booked }) => is_booked).map(({ id }) => id);
  const available = availableTo(viewer, day);
  const data: SlotsOfDayDto = {
    ...{ gym_id, date, slots: seen },
    ...{ available_slots: available, available_count: available.length },
    ...{ booked_slots: booked, booked_count: booked.length },
  };
  return { data, timestamp: new Date().toISOString() };
}

/** What clients of this namespace expect of a refusal. */
const refused = ({ message }: DomainError, payload: unknown) => ({
  success: false,
  message,
  slot_id: (payload as { slot_id?: unknown } | undefined)?.slot_id ?? null,
});

/** `/slots`: one watches a day of a gym, and books. */
@Gateway('/slots')
export class SlotsGateway implements Welcoming {
  constructor(private readonly slots: SlotsService) {}

  /** Today, of one's own gym; an admin asks for a gym. */
  async onSignedIn(socket: AppSocket, principal: Principal): Promise<void> {
    if (principal instanceof Actor && principal.gym_id !== null) await this.watch(socket, principal, {});
  }

  /** What changed in the meantime is not in the messages that were missed: each viewer gets their own. */
  async onReturned(socket: AppSocket, principal: Principal): Promise<void> {
    for (const room of socket.rooms) {
      const watched = dayOfRoom(room);
      if (!watched) continue;
      const day = await this.slots.day((principal as Actor).gym(watched.gymId), watched.date);
      socket.emit('slots_update', update(principal, day));
    }
  }

  @Message('get_slots', {
    summary: 'Watch this day; one day at a time. Without a date it is today, and at midnight the new day',
    roles: WATCHERS,
    payload: GetSlotsDto,
    answer: { event: 'slots_update', payload: SlotsUpdateDto },
  })
  async getSlots(
    @CurrentActor() actor: Actor,
    @ConnectedSocket() socket: AppSocket,
    @MessageBody() body: GetSlotsDto,
  ): Promise<SlotsUpdateDto> {
    return update(actor, await this.join(socket, actor, body));
  }

  @Message('book_slot', {
    summary: 'Book an hour, as POST /slots/{slot_id}/book does',
    roles: DESK_AND_MEMBERS,
    payload: BookSlotDto,
    answer: { event: 'booking_response', payload: BookingResponseDto },
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
    refusal: 'cancellation_response',
    refusalPayload: BookingRefusalDto,
    refused,
  })
  async cancel(@CurrentActor() actor: Actor, @MessageBody() body: BookSlotDto): Promise<BookingResponseDto> {
    await this.slots.cancel(actor, body.slot_id, body, keyOfMessage('/slots cancel_slot', body));
    return { success: true, message: `Slot ${body.slot_id} cancelled successfully`, slot_id: body.slot_id };
  }

  private async watch(socket: AppSocket, actor: Actor, body: GetSlotsDto): Promise<void> {
    socket.emit('slots_update', update(actor, await this.join(socket, actor, body)));
  }

  /** Joins before reading: a change in between is seen twice rather than not at all. */
  private async join(socket: AppSocket, actor: Actor, { gym_id, date }: GetSlotsDto): Promise<Day> {
    const gymId = actor.gym(gym_id);
    for (const room of socket.rooms) if (room.startsWith('slots:')) await socket.leave(room);
    await socket.join(dayRoom(gymId, date ?? TODAY));
    return this.slots.day(gymId, date);
  }
}
