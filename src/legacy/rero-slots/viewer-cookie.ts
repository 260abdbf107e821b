import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { COOKIE_DAYS, ViewerCookies } from '../../auth/viewer-cookies.js';
import type { Actor } from '../../common/actor/actor.js';
import { CorsPolicy } from '../../common/http/cors.js';
import { Config } from '../../config/config.js';

const NAME = 'rero_viewer';
const SENT = new RegExp(`(?:^|; *)${NAME}=([\\w-]{43})(?:;|$)`);

/**
 * Tells whom a page shows before it has sent a token. No one acts by it. It counts from origins that CORS allows; it is
 * tied to a session also by what is no browser.
 */
@Injectable()
export class PageCookie {
  private readonly cors: CorsPolicy;
  /** What was set by the answer to an upgrade. */
  private readonly fresh = new WeakMap<IncomingMessage, string>();

  constructor(
    private readonly config: Config,
    private readonly cookies: ViewerCookies,
  ) {
    this.cors = new CorsPolicy(config.CORS_ORIGINS);
  }

  /** Headers of the answer to an upgrade without it. */
  headers(request: IncomingMessage): string[] {
    if (sentIn(request)) return [];
    const cookie = this.cookies.newCookie();
    this.fresh.set(request, cookie);
    const age = COOKIE_DAYS * 86_400;
    const secure = this.isHttps(request) ? '; Secure' : '';
    return [`Set-Cookie: ${NAME}=${cookie}; Max-Age=${age}; Path=/slot-booking; HttpOnly; SameSite=Lax${secure}`];
  }

  /** The session that the upgrade's cookie stands for, which may be over. */
  async sessionOf(request: IncomingMessage): Promise<Pick<Actor, 'user_id' | 'session_id'> | null> {
    const cookie = sentIn(request);
    return cookie && this.cors.allows(request.headers.origin) ? this.cookies.sessionOf(cookie) : null;
  }

  /** From now on the upgrade's cookie stands for the session of the actor, if they have one. */
  async tie(actor: Actor, request: IncomingMessage): Promise<void> {
    const { origin } = request.headers;
    const cookie = sentIn(request) ?? this.fresh.get(request);
    if (!cookie || actor.session_id === null || (origin !== undefined && !this.cors.allows(origin))) return;
    await this.cookies.tie(actor, cookie);
  }

  private isHttps({ headers, socket }: IncomingMessage): boolean {
    if ('encrypted' in socket) return true;
    // As far as our own proxies wrote it.
    const schemes = String(headers['x-forwarded-proto'] ?? '').split(',');
    const { TRUST_PROXY_HOPS: hops } = this.config;
    return hops > 0 && /^(https|wss)$/.test((schemes.at(-hops) ?? schemes[0]!).trim());
  }
}

const sentIn = ({ headers }: IncomingMessage): string | undefined => SENT.exec(headers.cookie ?? '')?.[1];
