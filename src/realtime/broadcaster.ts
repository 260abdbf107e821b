import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import { MemberCheckedIn, MemberCheckedOut, VisitCorrected, VisitRemoved } from '../attendance/attendance.events.js';
import { newsOfVisit } from '../attendance/visit-news.js';
import { VisitNumbers } from '../attendance/visit-numbers.js';
import type { ScopedGymId } from '../common/actor/actor.js';
import { Unavailable } from '../common/errors/common.errors.js';
import { warnOf } from '../common/outage.js';
import { Database } from '../database/database.js';
import { everyGym } from '../database/sql.js';
import { ClockTurned, GymChanged } from '../gyms/gyms.events.js';
import { membershipOf } from '../plans/membership-news.js';
import { MembershipChanged } from '../plans/plans.events.js';
import { consolesRoom } from '../devices/device-rooms.js';
import { DoorGuessed } from '../devices/devices.events.js';
import type { ServerEvents } from './event-map.js';
import { Cluster } from './cluster.js';
import { type Again, broadcastState } from './packets.js';
import { gymRoom, Sockets } from './sockets.js';

const MOST_OFTEN_MS = 1_000;
/** If the database did not answer. */
const RETRY_MS = 2_000;

/**
 * Turns domain events into events for the staff on `/checkins` and `/devices`, whether REST, a socket or a job was the
 * cause. (Those of chats: ChatBroadcaster; of hours: DayViews; of an enrolment or a board, where they happen.)
 */
@Injectable()
export class Broadcaster implements OnApplicationShutdown {
  private readonly logger = new Logger('Realtime');
  /** Gyms whose numbers have changed since they were sent, with the timer that will send them. */
  private readonly gymsToTell = new Map<number, NodeJS.Timeout>();
  /** Gyms whose numbers this server has told. */
  private readonly gymsTold = new Set<number>();

  constructor(
    private readonly sockets: Sockets,
    private readonly numbers: VisitNumbers,
    private readonly db: Database,
    cluster: Cluster,
  ) {
    cluster.onBack(() => {
      for (const gymId of this.gymsTold) this.sendNumbersSoon(gymId);
    });
  }

  onApplicationShutdown(): void {
    for (const timer of this.gymsToTell.values()) clearTimeout(timer);
  }

  /** Sends now what would be sent soon. */
  async flush(): Promise<void> {
    const gyms = [...this.gymsToTell.keys()];
    this.onApplicationShutdown();
    this.gymsToTell.clear();
    await Promise.allSettled(gyms.map((gymId) => this.emitNumbers(gymId)));
  }

  @OnEvent(MemberCheckedIn.name)
  onCheckedIn({ gym_id, visit }: MemberCheckedIn): void {
    this.emitState(gym_id, 'member_checked_in', visit, () => newsOfVisit(this.db, visit.id));
    this.sendNumbersSoon(gym_id);
  }

  @OnEvent(MemberCheckedOut.name)
  onCheckedOut({ gym_id, visit }: MemberCheckedOut): void {
    this.emitState(gym_id, 'member_checked_out', visit, () => newsOfVisit(this.db, visit.id));
    this.sendNumbersSoon(gym_id);
  }

  @OnEvent(VisitCorrected.name)
  onVisitCorrected({ gym_id }: VisitCorrected): void {
    this.sendNumbersSoon(gym_id);
  }

  @OnEvent(GymChanged.name)
  onGymChanged({ gym_id }: GymChanged): void {
    this.sendNumbersSoon(gym_id);
  }

  /** In a gym whose day has begun, the numbers of today are zero. */
  @OnEvent(ClockTurned.name)
  async onClockTurned(): Promise<void> {
    for (const gymId of await this.numbers.gymsInNewDay()) this.sendNumbersSoon(gymId);
  }

  @OnEvent(VisitRemoved.name)
  onVisitRemoved({ gym_id, visit_id }: VisitRemoved): void {
    this.emitTo([gymRoom(gym_id), gymRoom(null)], '/checkins', 'check_in_removed', { id: visit_id });
    this.sendNumbersSoon(gym_id);
  }

  @OnEvent(MembershipChanged.name)
  onMembershipChanged({ gym_id, member }: MembershipChanged): void {
    this.emitState(gym_id, 'membership_changed', member, async () => {
      const now = await membershipOf(this.db, { id: member.user_id, gym_id: gym_id as ScopedGymId });
      return now ? ['membership_changed', now] : null;
    });
  }

  @OnEvent(DoorGuessed.name)
  onDoorGuessed({ gym_id, alarm }: DoorGuessed): void {
    // Not to the whole gym: devices and members are on `/devices`, too.
    this.emitTo([consolesRoom(gym_id), consolesRoom(null)], '/devices', 'access_alarm', alarm);
  }

  /** To everyone who watches the gym, on any server: how something is. @param again how it is later */
  private emitState<Event extends keyof ServerEvents['/checkins']>(
    gymId: number,
    event: Event,
    payload: ServerEvents['/checkins'][Event],
    again: Again,
  ): void {
    const { io } = this.sockets;
    if (io) broadcastState(io.of('/checkins'), [gymRoom(gymId), gymRoom(null)], event, payload, again);
  }

  /** On any server. */
  private emitTo<Name extends keyof ServerEvents, Event extends keyof ServerEvents[Name] & string>(
    rooms: string[],
    namespace: Name,
    event: Event,
    payload: ServerEvents[Name][Event],
  ): void {
    this.sockets.io?.of(namespace).to(rooms).emit(event, payload);
  }

  /** At once, and then not more than once a second for a gym, however many servers hear of changes. */
  private sendNumbersSoon(gymId: number, delayMs = 0): void {
    if (this.gymsToTell.has(gymId)) return;
    const send = () => {
      this.gymsToTell.delete(gymId);
      this.sendNumbersInTurn(gymId).catch((error: unknown) => {
        warnOf(this.logger, 'Numbers were not sent', error);
        if (error instanceof Unavailable) this.sendNumbersSoon(gymId, RETRY_MS);
      });
    };
    this.gymsToTell.set(gymId, setTimeout(send, delayMs).unref());
  }

  private async sendNumbersInTurn(gymId: number): Promise<void> {
    const rest = everyGym`make_interval(secs => ${MOST_OFTEN_MS / 1000})`;
    const [turn] = await this.db.change<{ is_ours: boolean; wait_ms: number | null }>(everyGym`
      WITH ours AS (
        INSERT INTO stats_broadcasts AS last (gym_id, sent_at) VALUES (${gymId}, now())
        ON CONFLICT (gym_id) DO UPDATE SET sent_at = now() WHERE last.sent_at <= now() - ${rest}
        RETURNING 1)
      SELECT EXISTS (SELECT 1 FROM ours) AS is_ours, (
        SELECT ceil(1000 * extract(epoch FROM sent_at + ${rest} - now())) FROM stats_broadcasts
        WHERE gym_id = ${gymId}) AS wait_ms`);
    if (turn!.is_ours) return this.emitNumbers(gymId);
    // Sent less than a second ago, perhaps by another server and before our change: sent again when that is over.
    const waitMs = Math.min(MOST_OFTEN_MS, Math.max(1, turn!.wait_ms ?? MOST_OFTEN_MS));
    this.sendNumbersSoon(gymId, waitMs);
  }

  private async emitNumbers(gymId: number): Promise<void> {
    const count = () => this.numbers.stats({ gym_id: gymId as ScopedGymId });
    const stats = await count();
    this.gymsTold.add(gymId);
    this.emitState(gymId, 'check_in_stats', stats, async () => ['check_in_stats', await count()]);
  }
}
