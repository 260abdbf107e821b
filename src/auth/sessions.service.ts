import { Injectable } from '@nestjs/common';
import { Actor } from '../common/actor/actor.js';
import type { Access } from '../common/actor/actor-resolver.js';
import type { Role } from '../common/actor/roles.js';
import { SessionEnded } from '../common/errors/common.errors.js';
import { Together } from '../common/together.js';
import { Config } from '../config/config.js';
import { Database, type Transaction } from '../database/database.js';
import { empty, everyGym, sql } from '../database/sql.js';
import { AccessCache, type Lasting } from './access-cache.js';
import { AccessChanged } from './auth.events.js';
import { SessionNotFound, WrongCredentials } from './auth.errors.js';
import type { SessionDto } from './dto/session.dto.js';
import { networkOf } from './network.js';
import { Tokens } from './tokens.js';

const MOST_SESSIONS = 5;

export type EndReason = 'signed_out' | 'revoked' | 'replaced' | 'token_reused' | 'password_changed' | 'deactivated';

/** Where a person signs in from. */
export interface Client {
  ip_address: string;
  user_agent: string | null;
}

export interface OpenSession {
  session_id: number;
  generation: number;
}

/** A session as tokens that do not stretch it are made of it. */
export interface FixedSession {
  session_id: number;
  user_id: number;
  /** When these tokens are over at the latest; not later than the session. */
  ends_at: Date;
}

/** The life of a session that is not stretched, and of its refresh token. */
const FIXED_DAYS = 2;
const LIVE = everyGym`s.ended_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > now())
  AND u.id = s.user_id AND u.is_active AND u.deleted_at IS NULL`;
/** Of `sessions s` and its `users u`. */
const FIXED_SESSION = sql`s.id AS session_id, s.user_id,
  least(s.expires_at, now() + make_interval(days => ${FIXED_DAYS})) AS ends_at`;

@Injectable()
export class SessionsService {
  /** The sessions that are live, with who is signed in. */
  private readonly live = new Together<Access & Lasting>((sessionIds) => this.findAccess(sessionIds));

  constructor(
    private readonly db: Database,
    private readonly tokens: Tokens,
    private readonly cache: AccessCache<Access & Lasting>,
    private readonly config: Config,
  ) {}

  /** Who is signed in with this session. @throws SessionEnded */
  async accessOf(userId: number, sessionId: number): Promise<Access> {
    const access = await this.cache.get(userId, sessionId, () => this.live.get(sessionId));
    if (!access) throw new SessionEnded();
    return access;
  }

  /** The same, if it is known already. */
  knownAccess(userId: number, sessionId: number): Access | undefined {
    return this.cache.known(userId, sessionId);
  }

  /**
   * Who has this password, which they gave instead of a session.
   * @throws SessionEnded if it is another one by now, or they are not active
   */
  async accessByPassword(userId: number, version: number | null): Promise<Access> {
    const access = await this.cache.get(userId, `password ${version}`, async () => {
      const [row] = await this.db.query<{ role: Role; gym_id: number | null; must_change_password: boolean }>(everyGym`
        SELECT role, gym_id, must_change_password FROM users
        WHERE id = ${userId} AND password_version = ${version} AND is_active AND deleted_at IS NULL`);
      if (!row) return null;
      const { role, gym_id, must_change_password } = row;
      return { actor: new Actor(userId, role, gym_id, null, version), must_change_password, good_until: Infinity };
    });
    if (!access) throw new SessionEnded();
    return access;
  }

  private async findAccess(sessionIds: number[]): Promise<Map<number, Access & Lasting>> {
    const rows = await this.db.query<{
      session_id: number;
      user_id: number;
      role: Role;
      gym_id: number | null;
      must_change_password: boolean;
      expires_at: Date | null;
    }>(everyGym`
      SELECT s.id AS session_id, s.user_id, s.expires_at, u.role, u.gym_id, u.must_change_password
      FROM sessions s, users u WHERE s.id = ANY(${sessionIds}) AND ${LIVE}`);
    return new Map(
      rows.map(({ session_id, user_id, role, gym_id, must_change_password, expires_at }) => {
        const actor = new Actor(user_id, role, gym_id, session_id);
        return [session_id, { actor, must_change_password, good_until: expires_at?.getTime() ?? Infinity }];
      }),
    );
  }

  /**
   * Starts a session for a person who has proved the password of this hash; of more than five the oldest end.
   * @throws WrongCredentials if the password was changed in the meantime
   */
  async start(
    userId: number,
    passwordHash: string,
    client: Client,
    expiresAt: Date | null = this.expiry(),
  ): Promise<OpenSession> {
    return this.db.transaction(async (tx) => {
      // The lock makes sign-ins of one person take turns, or two could each see four sessions and make six.
      const [person] = await tx.query(everyGym`
        SELECT 1 FROM users WHERE id = ${userId} AND password_hash = ${passwordHash} AND is_active FOR NO KEY UPDATE`);
      if (!person) throw new WrongCredentials();
      const [opened] = await tx.query<OpenSession>(everyGym`
        INSERT INTO sessions (user_id, user_agent, ip_address, network, expires_at)
        VALUES (${userId}, ${client.user_agent}, ${client.ip_address}, ${networkOf(client.ip_address)},
          ${expiresAt})
        RETURNING id AS session_id, generation`);
      await tx.query(everyGym`
        UPDATE sessions SET ended_at = now(), end_reason = 'replaced' WHERE id IN (
          SELECT id FROM sessions WHERE user_id = ${userId} AND ended_at IS NULL
            AND (expires_at IS NULL OR expires_at > now())
          ORDER BY id DESC OFFSET ${MOST_SESSIONS})`);
      tx.emit(new AccessChanged(userId));
      return opened!;
    });
  }

  /** The same, of two days whatever is done in it. @throws WrongCredentials */
  async startFixed(userId: number, passwordHash: string, client: Client): Promise<FixedSession> {
    const endsAt = new Date(Date.now() + FIXED_DAYS * 86_400_000);
    const { session_id } = await this.start(userId, passwordHash, client, endsAt);
    return { session_id, user_id: userId, ends_at: endsAt };
  }

  /** The live session of the actor. @throws SessionEnded */
  async fixed({ user_id, session_id }: Actor): Promise<FixedSession & { role: Role }> {
    const [session] = await this.db.query<FixedSession & { role: Role }>(everyGym`
      SELECT ${FIXED_SESSION}, u.role FROM sessions s, users u
      WHERE s.id = ${session_id}::int AND s.user_id = ${user_id} AND ${LIVE}`);
    if (!session) throw new SessionEnded();
    return session;
  }

  /**
   * The live session of a fixed refresh token, which stays good.
   * @throws NotSignedIn, SessionEnded
   */
  async useFixed(refreshToken: string, client: Client): Promise<FixedSession & { role: Role }> {
    const { sub, sid } = this.tokens.verifyFixed(refreshToken);
    const [session] = await this.db.change<FixedSession & { role: Role }>(everyGym`
      UPDATE sessions s
      SET last_used_at = now(), ip_address = ${client.ip_address}, network = ${networkOf(client.ip_address)},
          user_agent = coalesce(${client.user_agent}, s.user_agent)
      FROM users u
      WHERE s.id = ${sid} AND s.user_id = ${Number(sub)} AND ${LIVE}
      RETURNING ${FIXED_SESSION}, u.role`);
    if (!session) throw new SessionEnded();
    return session;
  }

  /**
   * Exchanges the current refresh token. One that was exchanged before is in two hands, so its whole session ends.
   * @throws NotSignedIn, SessionEnded
   */
  async rotate(refreshToken: string, client: Client): Promise<OpenSession & { user_id: number }> {
    const { sub, sid, gen } = this.tokens.verifyRefresh(refreshToken);
    const userId = Number(sub);
    const [rotated] = await this.db.change<OpenSession>(everyGym`
      UPDATE sessions s
      SET generation = generation + 1, last_used_at = now(), expires_at = ${this.expiry()},
          ip_address = ${client.ip_address}, network = ${networkOf(client.ip_address)},
          user_agent = coalesce(${client.user_agent}, s.user_agent)
      FROM users u
      WHERE s.id = ${sid} AND s.user_id = ${userId} AND s.generation = ${gen} AND ${LIVE}
      RETURNING s.id AS session_id, s.generation`);
    if (rotated) return { ...rotated, user_id: userId };
    await this.db.transaction((tx) => this.end(tx, userId, 'token_reused', { only: sid }));
    throw new SessionEnded();
  }

  /** Ends the sessions of a person: all, only one, or all but one. null is the session of one who acts without. */
  async end(
    tx: Transaction,
    userId: number,
    reason: EndReason,
    { only, except }: { only?: number | null; except?: number | null } = {},
  ): Promise<number> {
    const ended = await tx.query(everyGym`
      UPDATE sessions SET ended_at = now(), end_reason = ${reason}
      WHERE user_id = ${userId} AND ended_at IS NULL
        ${only === undefined ? empty : sql`AND id = ${only}::int`}
        ${except === undefined ? empty : sql`AND id IS DISTINCT FROM ${except}::int`}
      RETURNING id`);
    tx.emit(new AccessChanged(userId));
    return ended.length;
  }

  list(actor: Actor): Promise<SessionDto[]> {
    return this.db.query<SessionDto>(everyGym`
      SELECT id, user_agent, ip_address, created_at, last_used_at, expires_at,
        id IS NOT DISTINCT FROM ${actor.session_id}::int AS is_current
      FROM sessions
      WHERE user_id = ${actor.user_id} AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > now())
      ORDER BY id DESC`);
  }

  /** @throws SessionNotFound if it is not the actor's, or has ended */
  async revoke(actor: Actor, sessionId: number): Promise<void> {
    const ended = await this.db.transaction((tx) => this.end(tx, actor.user_id, 'revoked', { only: sessionId }));
    if (ended === 0) throw new SessionNotFound();
  }

  /** Ends sessions that have expired, and deletes those that ended long ago. */
  async purge(): Promise<void> {
    await this.db.change(everyGym`
      UPDATE sessions SET ended_at = expires_at, end_reason = 'expired' WHERE ended_at IS NULL AND expires_at < now()`);
    await this.db.change(everyGym`DELETE FROM sessions WHERE ended_at < now() - interval '90 days'`);
  }

  /** A session outlives every token it issued; null: until sign-out. */
  private expiry(): Date | null {
    if (this.tokens.accessLifetime === null) return null;
    const seconds = Math.max(this.config.REFRESH_TOKEN_EXPIRE_DAYS * 86_400, this.tokens.accessLifetime);
    return new Date(Date.now() + seconds * 1000);
  }
}
