import { Injectable } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import { LRUCache } from 'lru-cache';
import { Notifications } from '../database/notifications.js';
import { AccessChanged } from './auth.events.js';

/** Until when something is so, if nothing changes: milliseconds since 1970; Infinity: for ever. */
export interface Lasting {
  readonly good_until: number;
}

/**
 * What is known of people who are signed in, so that a request costs no query. PostgreSQL tells every server when
 * something of it changes (the triggers on users and sessions); while it cannot, nothing is kept.
 */
@Injectable()
export class AccessCache<Known extends Lasting> {
  private readonly people = new LRUCache<number, Map<number | string, Known>>({
    ...{ max: 50_000, ttl: 60_000, ttlResolution: 1000 },
  });
  private changes = 0;

  constructor(private readonly notifications: Notifications) {
    notifications.listen('access_changed', (userId) => this.forget(Number(userId)));
    notifications.onReset(() => {
      this.changes++;
      this.people.clear();
    });
  }

  /**
   * The person's session as known, or as `load` finds it; null if it is not live.
   * @param proof the session's id, or another name of what shows who they are
   */
  async get(userId: number, proof: number | string, load: () => Promise<Known | null>): Promise<Known | null> {
    const known = this.known(userId, proof);
    if (known) return known;
    const changesBefore = this.changes;
    const loaded = await load();
    // A change that was told while we were loading may not be in what we loaded.
    if (loaded && this.notifications.connected && this.changes === changesBefore) {
      const sessions = this.people.get(userId) ?? new Map<number | string, Known>();
      this.people.set(userId, sessions.set(proof, loaded));
    }
    return loaded;
  }

  /** The same, if it is known already. */
  known(userId: number, proof: number | string): Known | undefined {
    const known = this.people.get(userId)?.get(proof);
    return known && known.good_until > Date.now() ? known : undefined;
  }

  /** This server need not wait to be told of what it did itself. */
  @OnEvent(AccessChanged.name)
  onAccessChanged({ user_id }: AccessChanged): void {
    this.forget(user_id);
  }

  private forget(userId: number): void {
    this.changes++;
    this.people.delete(userId);
  }
}
