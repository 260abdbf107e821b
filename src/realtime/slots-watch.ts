import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import { warnOf } from '../common/outage.js';
import { Notifications } from '../database/notifications.js';
import { ClockTurned, GymChanged } from '../gyms/gyms.events.js';
import { SlotsChanged } from '../slots/slots.events.js';
import { showDay, showHour } from '../slots/day-views.js';
import { dayOfRoom, dayRoom } from '../slots/slots.gateway.js';
import { type Day, turnedAt } from '../slots/slots.rules.js';
import { TODAY, type WatchedDay, WatchedDays } from '../slots/watched-days.js';
import { Cluster } from './cluster.js';
import { Sockets } from './sockets.js';

/** A change is told at once as one hour, and the whole day for all changes within this time. */
const TOGETHER_MS = 1_000;
/** If the database did not answer. */
const RETRY_MS = 2_000;
const CHANGED = 'slots_changed';
const TURNED = 'clock_turned';
const QUARTER_MS = 900_000;

/** What the watchers of a day have not been told yet. */
interface News {
  watched: WatchedDay;
  /** Hours that have changed, each as `date id`. */
  hours: Set<string>;
  /** More has changed than single hours: each of these dates, or (null) any. */
  dates: Set<string | null>;
  /** An hour or a day may have ended. */
  hasTurned: boolean;
  /** Something of the day has changed since the whole day was told. */
  isDayDue: boolean;
  isBeingTold: boolean;
  /** Until it ends the whole day is not told. */
  pause?: NodeJS.Timeout;
}

/**
 * Tells everyone who watches a day what has changed in it. Each server is told that something has, reads the day once,
 * and shows it to its own sockets, encoded once for each audience (docs/decisions/0028).
 */
@Injectable()
export class SlotsWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Realtime');
  private readonly news = new Map<string, News>();
  /** Watchers that are no sockets of `/slots`, by the rooms of their days. */
  private readonly others = new Map<string, { watched: WatchedDay; tells: Set<(day: Day) => void> }>();

  constructor(
    private readonly sockets: Sockets,
    private readonly days: WatchedDays,
    notifications: Notifications,
    cluster: Cluster,
  ) {
    // What other servers told meanwhile may never come.
    const showAll = () => this.noteAll(({ dates }) => dates.add(null));
    notifications.onReset(showAll);
    cluster.onBack(showAll);
  }

  onApplicationBootstrap(): void {
    this.sockets.io?.of('/slots').on(CHANGED, (change: SlotsChanged) => this.noteChange(change));
    this.sockets.io?.of('/slots').on(TURNED, () => this.noteTurn());
  }

  /**
   * Watches a day without a socket: `tell` is called at once when anything in it has changed, with the day as it is
   * then, never an older one after a newer one.
   * @returns ends it
   */
  watch(watched: WatchedDay, tell: (day: Day) => void): () => void {
    const key = dayRoom(watched);
    const { tells } = this.others.get(key) ?? { tells: new Set() };
    this.others.set(key, { watched, tells: tells.add(tell) });
    return () => {
      tells.delete(tell);
      if (tells.size === 0) this.others.delete(key);
    };
  }

  onApplicationShutdown(): void {
    for (const { pause } of this.news.values()) clearTimeout(pause);
  }

  @OnEvent(SlotsChanged.name)
  onSlotsChanged(change: SlotsChanged): void {
    this.noteChange(change);
    this.sockets.io?.of('/slots').serverSideEmit(CHANGED, change);
  }

  @OnEvent(GymChanged.name)
  onGymChanged({ gym_id }: GymChanged): void {
    this.onSlotsChanged(new SlotsChanged(gym_id, null, null));
  }

  /** One server says so to all: an hour is over somewhere, or a day. */
  @OnEvent(ClockTurned.name)
  onClockTurned(): void {
    this.noteTurn();
    this.sockets.io?.of('/slots').serverSideEmit(TURNED);
  }

  private noteChange({ gym_id, date, slot_id }: SlotsChanged): void {
    this.days.forget();
    for (const watched of this.watchedDays()) {
      const isMeant = date === null || watched.date === date || watched.date === TODAY;
      if (watched.gym_id !== gym_id || !isMeant) continue;
      const news = this.newsOf(watched);
      if (slot_id === null) news.dates.add(date);
      else news.hours.add(`${date} ${slot_id}`);
      void this.tell(news);
    }
  }

  private noteTurn(): void {
    this.noteAll((news) => (news.hasTurned = true));
  }

  private noteAll(note: (news: News) => void): void {
    this.days.forget();
    for (const watched of this.watchedDays()) {
      const news = this.newsOf(watched);
      note(news);
      void this.tell(news);
    }
  }

  /** On this server. */
  private watchedDays(): WatchedDay[] {
    const rooms = [...(this.sockets.io?.of('/slots').adapter.rooms.keys() ?? [])];
    const others = [...this.others].filter(([room]) => !rooms.includes(room)).map(([, { watched }]) => watched);
    return [...rooms.flatMap((room) => dayOfRoom(room) ?? []), ...others];
  }

  private newsOf(watched: WatchedDay): News {
    const key = dayRoom(watched);
    const known = this.news.get(key);
    if (known) return known;
    const nothing = { hours: new Set<string>(), dates: new Set<string | null>(), hasTurned: false };
    const news = { watched, ...nothing, isDayDue: false, isBeingTold: false };
    this.news.set(key, news);
    return news;
  }

  /** One after the other: what was read earlier is not told later, and what comes meanwhile is told together. */
  private async tell(news: News): Promise<void> {
    if (news.isBeingTold) return;
    news.isBeingTold = true;
    while (hasMore(news) && this.isWatched(news.watched)) await this.tellNext(news);
    news.isBeingTold = false;
    if (!news.pause) this.news.delete(dayRoom(news.watched));
  }

  private async tellNext(news: News): Promise<void> {
    const { watched, hours, dates, hasTurned } = news;
    Object.assign(news, { hours: new Set(), dates: new Set(), hasTurned: false });
    try {
      const day = await this.days.read(watched);
      const changed = day.slots.filter(({ id }) => hours.has(`${day.date} ${id}`));
      const isOther = dates.has(null) || dates.has(day.date) || (hasTurned && hasJustTurned(day));
      if (isOther || changed.length > 0) for (const tell of this.others.get(dayRoom(watched))?.tells ?? []) tell(day);
      const namespace = this.sockets.io?.of('/slots');
      const watchers = namespace?.adapter.rooms.get(dayRoom(watched));
      if (!namespace || !watchers) return;
      for (const slot of changed) showHour(namespace, watchers, day, slot);
      const isTold = !news.pause && (news.isDayDue || isOther);
      if (isTold) showDay(namespace, watchers, day);
      news.isDayDue = !isTold && (news.isDayDue || isOther || changed.length > 0);
      if (isTold || news.isDayDue) this.pause(news);
    } catch (error) {
      // There is no such gym any more.
      if (error instanceof FieldsInvalid) return void (news.isDayDue = false);
      warnOf(this.logger, `A change of ${dayRoom(watched)} is told later`, error);
      for (const hour of hours) news.hours.add(hour);
      for (const date of dates) news.dates.add(date);
      news.hasTurned ||= hasTurned;
      await sleep(RETRY_MS, undefined, { ref: false });
    }
  }

  private pause(news: News): void {
    news.pause ??= setTimeout(() => {
      news.pause = undefined;
      void this.tell(news);
    }, TOGETHER_MS).unref();
  }

  private isWatched(watched: WatchedDay): boolean {
    const room = dayRoom(watched);
    return this.others.has(room) || (this.sockets.io?.of('/slots').adapter.rooms.has(room) ?? false);
  }
}

const hasMore = ({ hours, dates, hasTurned, isDayDue, pause }: News) =>
  hours.size > 0 || dates.size > 0 || hasTurned || (isDayDue && !pause);

/** What can be booked has become another since the quarter began: not so at each quarter of an hour. */
const hasJustTurned = (day: Day) => turnedAt(day).getTime() >= Math.floor(day.now.getTime() / QUARTER_MS) * QUARTER_MS;
