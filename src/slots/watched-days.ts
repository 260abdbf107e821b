import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { ScopedGymId } from '../common/actor/actor.js';
import type { Day } from './slots.rules.js';
import { SlotsService } from './slots.service.js';

/** A day of a gym that sockets watch; `date` may be TODAY. */
export interface WatchedDay {
  gym_id: ScopedGymId;
  date: string;
}

/** For those who asked for no date: it is a new one when the gym's day turns. */
export const TODAY = 'today';
/** How long a day that was read is good enough for a socket that comes: what changes in it is told to the room. */
const FRESH_MS = 1_000;
const MOST_KEPT = 100;

/** The reads of one day. */
interface Reads {
  underWay: Promise<Day>;
  /** `changes` when it began. */
  changes: number;
  /** The read that begins when this one is done, for all who have asked meanwhile. */
  next?: Promise<Day>;
}

/**
 * Reads the days that are watched. Of one day there is one read at a time: so what was read later is told later,
 * whether to one socket or to all, and no socket is shown an older state after a newer one.
 */
@Injectable()
export class WatchedDays {
  private readonly reads = new Map<string, Reads>();
  private readonly known = new LRUCache<string, Day>({ max: MOST_KEPT, ttl: FRESH_MS, ttlResolution: 0 });
  /** Counts, so that a read can tell whether something has changed meanwhile. */
  private changes = 0;

  constructor(private readonly slots: SlotsService) {}

  /** The day as it is now: one read for all who ask while another is under way. @throws FieldsInvalid */
  async read(watched: WatchedDay): Promise<Day> {
    const key = keyOf(watched);
    const before = this.reads.get(key);
    if (!before) return this.begin(key, watched);
    const begin = () => this.begin(key, watched);
    return (before.next ??= before.underWay.then(begin, begin));
  }

  /**
   * As it was a moment ago, for a socket that is in the room already: if something has changed since, the room is told.
   */
  async readLately(watched: WatchedDay): Promise<Day> {
    const key = keyOf(watched);
    const known = this.known.get(key);
    if (known) return known;
    const reads = this.reads.get(key);
    return reads?.changes === this.changes ? reads.underWay : this.read(watched);
  }

  /** Something has changed, of which all who watch will be told. */
  forget(): void {
    this.changes++;
    this.known.clear();
  }

  private begin(key: string, { gym_id, date }: WatchedDay): Promise<Day> {
    const { changes } = this;
    const underWay = this.slots.day(gym_id, date === TODAY ? undefined : date);
    const reads: Reads = { underWay, changes };
    this.reads.set(key, reads);
    void this.remember(key, reads);
    return underWay;
  }

  private async remember(key: string, reads: Reads): Promise<void> {
    const day = await reads.underWay.catch(() => null);
    if (day && reads.changes === this.changes) this.known.set(key, day);
    if (!reads.next) this.reads.delete(key);
  }
}

const keyOf = ({ gym_id, date }: WatchedDay) => `${gym_id} ${date}`;
