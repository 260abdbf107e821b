import { createSecretKey, type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { NotSignedIn } from '../common/errors/common.errors.js';
import { Config } from '../config/config.js';

export interface AccessClaims {
  typ: 'access';
  /** The user's id. */
  sub: string;
  /** The session's id. */
  sid: number;
  role: string;
  /** When it expires, in seconds of Unix time; without it, when its session ends. */
  exp?: number;
}

/** Of a refresh token that is good again and again until it expires. */
interface FixedClaims {
  typ: 'fixed';
  sub: string;
  sid: number;
  exp: number;
}

interface RefreshClaims {
  typ: 'refresh';
  sub: string;
  sid: number;
  /** How often the session's refresh token had been rotated when this one was made. */
  gen: number;
}

type Claims = AccessClaims | RefreshClaims | FixedClaims;

/** What all kinds of tokens are signed and verified with. */
export const TOKEN_ALGORITHM = 'HS256';
export const tokenKey = (config: Config): KeyObject => createSecretKey(Buffer.from(config.JWT_SECRET));

/**
 * Access and refresh tokens, JWTs signed with HS256. An access token is verified by JwtStrategy. A refresh token needs
 * no secret in the database: its signature proves that it was issued, its `gen` whether it is the current one.
 */
@Injectable()
export class Tokens {
  constructor(
    private readonly jwt: JwtService,
    private readonly config: Config,
  ) {}

  /** Seconds an access token is good for; null: until its session ends. */
  get accessLifetime(): number | null {
    return this.config.ACCESS_TOKEN_EXPIRE_MINUTES * 60 || null;
  }

  /** @param lifetime in seconds; null: until the session ends */
  signAccess(userId: number, sessionId: number, role: string, lifetime = this.accessLifetime): string {
    const claims: AccessClaims = { typ: 'access', sub: String(userId), sid: sessionId, role };
    return this.jwt.sign(claims, lifetime === null ? {} : { expiresIn: lifetime });
  }

  signRefresh(userId: number, sessionId: number, generation: number): string {
    const claims: RefreshClaims = { typ: 'refresh', sub: String(userId), sid: sessionId, gen: generation };
    return this.jwt.sign(claims, { expiresIn: `${this.config.REFRESH_TOKEN_EXPIRE_DAYS}d` });
  }

  signFixed(userId: number, sessionId: number, expiresAt: Date): string {
    const exp = Math.floor(expiresAt.getTime() / 1000);
    const claims: FixedClaims = { typ: 'fixed', sub: String(userId), sid: sessionId, exp };
    return this.jwt.sign(claims);
  }

  /** @throws NotSignedIn */
  verifyRefresh(token: string): RefreshClaims {
    const claims = this.verifySignature(token);
    if (claims?.typ !== 'refresh') throw notARefreshToken();
    return claims;
  }

  /** @throws NotSignedIn */
  verifyFixed(token: string): FixedClaims {
    const claims = this.verifySignature(token);
    if (claims?.typ !== 'fixed') throw notARefreshToken();
    return claims;
  }

  private verifySignature(token: string): Claims | null {
    try {
      return this.jwt.verify<Claims>(token);
    } catch {
      return null; // Wrong signature, wrong form or too old: all the same to the client.
    }
  }
}

const notARefreshToken = () => new NotSignedIn('This is not a valid refresh token, or it has expired.');
