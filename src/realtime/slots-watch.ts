import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import { ClockTurned, GymChanged } from '../gyms/gyms.events.js';
import type { SlotChangedDto } from '../slots/dto/slot-messages.dto.js';
import { SlotsChanged } from '../slots/slots.events.js';
import { dayOfRoom, dayRoom, TODAY, update } from '../slots/slots.gateway.js';
import { type Day, seenBy, turnedAt } from '../slots/slots.rules.js';
import { SlotsService } from '../slots/slots.service.js';
import { Sockets } from './sockets.js';

/** Changes within this time are told together. */
const TOGETHER_MS = 150;
/** If the database did not answer. */
const RETRY_MS = 2_000;
const CHANGED = 'slots_changed';
const TURNED = 'clock_turned';
const QUARTER_MS = 900_000;

/** What the watchers of a day have not been told yet. */
interface News {
  /** Hours that have changed, each with its date; an entry without hours: the whole day has. */
  hours: Map<string, Omit<SlotsChanged, 'gym_id'>>;
  timer: NodeJS.Timeout;
}

/**
 * Tells everyone who watches a day what has changed in it. Each server is told that something has, reads the day once,
 * and shows it to its own sockets as each may see it.
 */
@Injectable()
export class SlotsWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Realtime');
  private readonly changed = new Map<string, News>();
  /** The rooms that are being told. */
  private readonly telling = new Set<string>();

  constructor(
    private readonly sockets: Sockets,
    private readonly slots: SlotsService,
  ) {}

  onApplicationBootstrap(): void {
    this.sockets.io?.of('/slots').on(CHANGED, (change: SlotsChanged) => this.noteChange(change));
    this.sockets.io?.of('/slots').on(TURNED, () => this.noteTurn());
  }

  onApplicationShutdown(): void {
    for (const { timer } of this.changed.values()) clearTimeout(timer);
  }

  @OnEvent(SlotsChanged.name)
  onSlotsChanged(change: SlotsChanged): void {
    this.sockets.io?.of('/slots').serverSideEmit(CHANGED, change);
    this.noteChange(change);
  }

  @OnEvent(GymChanged.name)
  onGymChanged({ gym_id }: GymChanged): void {
    this.onSlotsChanged(new SlotsChanged(gym_id, null, null));
  }

  /** One server says so to all: an hour is over somewhere, or a day. */
  @OnEvent(ClockTurned.name)
  onClockTurned(): void {
    this.sockets.io?.of('/slots').serverSideEmit(TURNED);
    this.noteTurn();
  }

  private noteChange({ gym_id, date, slot_id }: SlotsChanged): void {
    for (const room of this.watchedRooms()) {
      const isMeant =
        date === null
          ? room.startsWith(dayRoom(gym_id, ''))
          : room === dayRoom(gym_id, date) || room === dayRoom(gym_id, TODAY);
      if (isMeant) this.remember(room, [{ date, slot_id }]);
    }
  }

  private noteTurn(): void {
    for (const room of this.watchedRooms()) if (dayOfRoom(room)) this.remember(room, []);
  }

  private watchedRooms(): Iterable<string> {
    return this.sockets.io?.of('/slots').adapter.rooms.keys() ?? [];
  }

  private remember(room: string, changes: Iterable<Omit<SlotsChanged, 'gym_id'>>, delay = TOGETHER_MS): void {
    const news = this.changed.get(room) ?? { hours: new Map(), timer: this.startTimer(room, delay) };
    for (const change of changes) news.hours.set(`${change.date} ${change.slot_id}`, change);
    this.changed.set(room, news);
  }

  private startTimer(room: string, delay = TOGETHER_MS): NodeJS.Timeout {
    return setTimeout(() => void this.tellWatchers(room), delay).unref();
  }

  private async tellWatchers(room: string): Promise<void> {
    const entry = this.changed.get(room)!;
    if (this.telling.has(room)) {
      // What was read earlier must not be told later.
      entry.timer = this.startTimer(room);
      return;
    }
    const changes = [...entry.hours.values()];
    this.changed.delete(room);
    this.telling.add(room);
    const { gymId, date } = dayOfRoom(room)!;
    try {
      const day = await this.slots.day(gymId, date);
      const changesOfDay = changes.filter((change) => change.date === null || change.date === day.date);
      if (changesOfDay.length === 0 && !hasJustTurned(day)) return;
      const changed = new Set(changesOfDay.map(({ slot_id }) => slot_id));
      for (const socket of this.sockets.ofThisServer(room, ['/slots'])) {
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
      if (this.sockets.io) this.remember(room, changes, RETRY_MS);
    } finally {
      this.telling.delete(room);
    }
  }
}

/** What can be booked has become another since the quarter began: not so at each quarter of an hour. */
const hasJustTurned = (day: Day) => turnedAt(day).getTime() >= Math.floor(day.now.getTime() / QUARTER_MS) * QUARTER_MS;
