import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../common/actor/actor.js';
import { Database } from '../database/database.js';
import { everyGym } from '../database/sql.js';

/** How long a cookie is good, in the browser and here. */
export const COOKIE_DAYS = 2;

/**
 * Cookies that stand for a session, for a page that sends its token only later: they say who looks, and nobody acts by
 * them.
 */
@Injectable()
export class ViewerCookies {
  constructor(private readonly db: Database) {}

  /** 256 random bits, of no session yet. */
  newCookie(): string {
    return randomBytes(32).toString('base64url');
  }

  /** From now on the cookie stands for the session of the actor. */
  async tie(actor: Actor, cookie: string): Promise<void> {
    await this.db.change(everyGym`
      INSERT INTO viewer_cookies (token_hash, session_id, expires_at)
      SELECT ${this.db.keyedHash(cookie)}, id, now() + make_interval(days => ${COOKIE_DAYS})
      FROM sessions WHERE id = ${actor.session_id}::int AND user_id = ${actor.user_id} AND ended_at IS NULL
      ON CONFLICT (token_hash) DO UPDATE SET session_id = excluded.session_id, expires_at = excluded.expires_at`);
  }

  /** The session that the cookie stands for, which may be over; null: none. */
  async sessionOf(cookie: string): Promise<Pick<Actor, 'user_id' | 'session_id'> | null> {
    const [session] = await this.db.query<{ user_id: number; session_id: number }>(everyGym`
      SELECT s.user_id, s.id AS session_id FROM viewer_cookies c JOIN sessions s ON s.id = c.session_id
      WHERE c.token_hash = ${this.db.keyedHash(cookie)} AND c.expires_at > now() AND s.ended_at IS NULL`);
    return session ?? null;
  }

  async purge(): Promise<void> {
    await this.db.change(everyGym`DELETE FROM viewer_cookies WHERE expires_at < now()`);
  }
}
