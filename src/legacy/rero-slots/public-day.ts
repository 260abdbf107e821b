import { Injectable } from '@nestjs/common';
import type { Actor, ScopedGymId } from '../../common/actor/actor.js';
import { Config } from '../../config/config.js';
import { Database } from '../../database/database.js';
import { publicGym } from '../../gyms/public-gym.js';
import { SlotsWatch } from '../../realtime/slots-watch.js';
import { audienceOf, openDay } from '../../slots/open-day.js';
import type { Day } from '../../slots/slots.rules.js';
import { TODAY, WatchedDays } from '../../slots/watched-days.js';
import type { ReroSlotsDto } from './rero-slots.dto.js';
import { slotsOf } from './rero-slots.wire.js';

/** A change is told at once, and what follows in this time together. */
const TOGETHER_MS = 250;

export interface SlotsFrame {
  type: 'slots_update';
  data: ReroSlotsDto;
  timestamp: string;
}

/** Today of the gym that anyone may see: read once, and translated once for all who are shown the same. */
@Injectable()
export class PublicDay {
  /** Each read sets it: so no one is shown an older state after a newer one. */
  private newest: Day | undefined;
  private followed: { tell: () => void; gymId: ScopedGymId; end: () => void } | undefined;
  private readonly frames = new WeakMap<Day, Map<unknown, SlotsFrame>>();

  constructor(
    private readonly db: Database,
    private readonly config: Config,
    private readonly days: WatchedDays,
    private readonly watch: SlotsWatch,
  ) {}

  /** @throws GymNotFound */
  async gym(): Promise<ScopedGymId> {
    const gymId = (await publicGym(this.db, this.config)).gym();
    // When a gym opens or closes, another one may be the first.
    if (this.followed && this.followed.gymId !== gymId) this.follow(this.followed.tell, gymId);
    return gymId;
  }

  /** As it is now. @throws GymNotFound */
  async read(): Promise<Day> {
    return this.note(await this.days.read({ gym_id: await this.gym(), date: TODAY }));
  }

  /** As it was a moment ago, for those who are told of what has changed since. @throws GymNotFound */
  async readLately(): Promise<Day> {
    return this.note(await this.days.readLately({ gym_id: await this.gym(), date: TODAY }));
  }

  /** The newest day that was read, as this person may see it; the same object for all who see the same. */
  frameFor(viewer: Actor | null, day = this.newest!): SlotsFrame {
    const known = this.frames.get(day) ?? new Map<unknown, SlotsFrame>();
    this.frames.set(day, known);
    const audience = audienceOf(viewer, day);
    const frame = known.get(audience) ?? {
      ...{ type: 'slots_update' as const, data: slotsOf(openDay(viewer, day, this.config.RERO_OPEN_ADDRESSES)) },
      timestamp: new Date().toISOString(),
    };
    known.set(audience, frame);
    return frame;
  }

  /** Calls `tell` when it has changed, until `unfollow`. There is one follower. @throws GymNotFound */
  async followBy(tell: () => void): Promise<void> {
    if (!this.followed) this.follow(tell, await this.gym());
  }

  unfollow(): void {
    this.followed?.end();
    this.followed = undefined;
  }

  private follow(tell: () => void, gymId: ScopedGymId): void {
    let isDue = false;
    let pause: NodeJS.Timeout | undefined;
    const hear = (day: Day) => {
      this.note(day);
      if (!day.is_gym_active) void this.read().then(tell, () => undefined);
      isDue = pause !== undefined;
      if (isDue) return;
      tell();
      pause = setTimeout(() => {
        pause = undefined;
        if (isDue) tell();
        isDue = false;
      }, TOGETHER_MS).unref();
    };
    const stop = this.watch.watch({ gym_id: gymId, date: TODAY }, hear);
    this.unfollow();
    const end = () => {
      stop();
      clearTimeout(pause);
    };
    this.followed = { tell, gymId, end };
  }

  private note(day: Day): Day {
    if (!this.newest || this.newest.gym_id !== day.gym_id || this.newest.now <= day.now) this.newest = day;
    return day;
  }
}
