import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import { MemberCheckedIn, MemberCheckedOut, VisitCorrected, VisitRemoved } from '../attendance/attendance.events.js';
import { VisitNumbers } from '../attendance/visit-numbers.js';
import type { ScopedGymId } from '../common/actor/actor.js';
import { Database } from '../database/database.js';
import { everyGym } from '../database/sql.js';
import { ClockTurned, GymChanged } from '../gyms/gyms.events.js';
import type { ServerEvents } from './event-map.js';
import { gymRoom, Sockets } from './sockets.js';

const MOST_OFTEN_MS = 1_000;

/** Turns what has happened into what is seen: the only one that broadcasts, whoever caused it and by whatever way. */
@Injectable()
export class Broadcaster implements OnApplicationShutdown {
  private readonly logger = new Logger('Realtime');
  /** Gyms whose numbers have changed since they were sent, with the timer that will send them. */
  private readonly changed = new Map<number, NodeJS.Timeout>();

  constructor(
    private readonly sockets: Sockets,
    private readonly numbers: VisitNumbers,
    private readonly db: Database,
  ) {}

  onApplicationShutdown(): void {
    for (const timer of this.changed.values()) clearTimeout(timer);
  }

  /** Sends now what would be sent soon. */
  async flush(): Promise<void> {
    const gyms = [...this.changed.keys()];
    this.onApplicationShutdown();
    this.changed.clear();
    await Promise.allSettled(gyms.map((gymId) => this.tellNumbers(gymId)));
  }

  @OnEvent(MemberCheckedIn.name)
  onCheckedIn({ gym_id, visit }: MemberCheckedIn): void {
    this.toGym('/checkins', gym_id, 'member_checked_in', visit);
    this.numbersChanged(gym_id);
  }

  @OnEvent(MemberCheckedOut.name)
  onCheckedOut({ gym_id, visit }: MemberCheckedOut): void {
    this.toGym('/checkins', gym_id, 'member_checked_out', visit);
    this.numbersChanged(gym_id);
  }

  @OnEvent(VisitCorrected.name)
  onVisitCorrected({ gym_id }: VisitCorrected): void {
    this.numbersChanged(gym_id);
  }

  @OnEvent(GymChanged.name)
  onGymChanged({ gym_id }: GymChanged): void {
    this.numbersChanged(gym_id);
  }

  /** Where a day has begun, nobody has come yet today. */
  @OnEvent(ClockTurned.name)
  async onClockTurned(): Promise<void> {
    for (const gymId of await this.numbers.gymsInNewDay()) this.numbersChanged(gymId);
  }

  @OnEvent(VisitRemoved.name)
  onVisitRemoved({ gym_id, visit_id }: VisitRemoved): void {
    this.toGym('/checkins', gym_id, 'check_in_removed', { id: visit_id });
    this.numbersChanged(gym_id);
  }

  /** To everyone who watches the gym, on any server. */
  private toGym<Name extends keyof ServerEvents, Event extends keyof ServerEvents[Name] & string>(
    namespace: Name,
    gymId: number,
    event: Event,
    payload: ServerEvents[Name][Event],
  ): void {
    this.sockets.io
      ?.of(namespace)
      .to([gymRoom(gymId), gymRoom(null)])
      .emit(event, payload);
  }

  /** Soon, and not more than once a second for a gym, however many servers hear of changes. */
  private numbersChanged(gymId: number, soon = 50): void {
    if (this.changed.has(gymId)) return;
    const send = () => {
      this.changed.delete(gymId);
      this.sendNumbers(gymId).catch((error: Error) => this.logger.warn(`Numbers were not sent: ${error.message}`));
    };
    this.changed.set(gymId, setTimeout(send, soon).unref());
  }

  private async sendNumbers(gymId: number): Promise<void> {
    const [mine] = await this.db.query(everyGym`
      INSERT INTO stats_broadcasts AS last (gym_id, sent_at) VALUES (${gymId}, now())
      ON CONFLICT (gym_id) DO UPDATE SET sent_at = now()
        WHERE last.sent_at <= now() - make_interval(secs => ${MOST_OFTEN_MS / 1000})
      RETURNING 1`);
    // Sent less than a second ago, perhaps by another server and before our change: later, then.
    if (!mine) return this.numbersChanged(gymId, MOST_OFTEN_MS);
    await this.tellNumbers(gymId);
  }

  private async tellNumbers(gymId: number): Promise<void> {
    const stats = await this.numbers.stats({ gym_id: gymId as ScopedGymId });
    this.toGym('/checkins', gymId, 'check_in_stats', stats);
  }
}
