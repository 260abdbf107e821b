import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import type { ScopedGymId } from '../common/actor/actor.js';
import type { SlotChangedDto } from '../slots/dto/slot-messages.dto.js';
import { SlotsChanged } from '../slots/slots.events.js';
import { dayRoom, update } from '../slots/slots.gateway.js';
import { seenBy, SlotsService } from '../slots/slots.service.js';
import { Sockets } from './sockets.js';

/** Changes within this time are told together. */
const TOGETHER_MS = 150;
/** When the database did not answer. */
const LATER_MS = 2_000;
const CHANGED = 'slots_changed';

/**
 * Tells everyone who watches a day what has changed in it. Each server is told that something has, reads the day once, and
 * shows it to its own sockets as each may see it.
 */
@Injectable()
export class SlotsWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Realtime');
  /** The hours that have changed, by room, and when their watchers are told. */
  private readonly changed = new Map<string, { slots: Set<number>; timer: NodeJS.Timeout }>();
  /** The rooms that are being told. */
  private readonly telling = new Set<string>();

  constructor(
    private readonly sockets: Sockets,
    private readonly slots: SlotsService,
  ) {}

  onApplicationBootstrap(): void {
    this.sockets.io?.of('/slots').on(CHANGED, (change: SlotsChanged) => this.note(change));
  }

  onApplicationShutdown(): void {
    for (const { timer } of this.changed.values()) clearTimeout(timer);
  }

  @OnEvent(SlotsChanged.name)
  onSlotsChanged(change: SlotsChanged): void {
    this.sockets.io?.of('/slots').serverSideEmit(CHANGED, change);
    this.note(change);
  }

  private note({ gym_id, date, slot_id }: SlotsChanged): void {
    const rooms = this.sockets.io?.of('/slots').adapter.rooms ?? new Map();
    if (date !== null) {
      const room = dayRoom(gym_id, date);
      if (rooms.has(room)) this.remember(room, slot_id === null ? [] : [slot_id]);
      return;
    }
    const everyDay = dayRoom(gym_id, '');
    for (const room of rooms.keys()) if (room.startsWith(everyDay)) this.remember(room, []);
  }

  private remember(room: string, slotIds: Iterable<number>, delay = TOGETHER_MS): void {
    const entry = this.changed.get(room) ?? { slots: new Set(), timer: this.soon(room, delay) };
    for (const slotId of slotIds) entry.slots.add(slotId);
    this.changed.set(room, entry);
  }

  private soon(room: string, delay = TOGETHER_MS): NodeJS.Timeout {
    return setTimeout(() => void this.tell(room), delay).unref();
  }

  private async tell(room: string): Promise<void> {
    const entry = this.changed.get(room)!;
    if (this.telling.has(room)) {
      // What was read earlier must not be told later.
      entry.timer = this.soon(room);
      return;
    }
    const { slots: changed } = entry;
    this.changed.delete(room);
    this.telling.add(room);
    const [, gymId, date] = room.split(':');
    try {
      const day = await this.slots.day(Number(gymId) as ScopedGymId, date);
      for (const socket of this.sockets.local(room, ['/slots'])) {
        const { principal } = socket.data;
        if (!principal) continue;
        const whole = update(principal, day);
        for (const slot of day.slots) {
          if (!changed.has(slot.id)) continue;
          const delta: SlotChangedDto = {
            gym_id: day.gym_id,
            date: day.date,
            slot: seenBy(principal, slot),
            timestamp: whole.timestamp,
          };
          socket.emit('slot_changed', delta);
        }
        socket.emit('slots_update', whole);
      }
    } catch (error) {
      this.logger.warn(`A change of ${room} is told later: ${(error as Error).message}`);
      if (this.sockets.io) this.remember(room, changed, LATER_MS);
    } finally {
      this.telling.delete(room);
    }
  }
}
