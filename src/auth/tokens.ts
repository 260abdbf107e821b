import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { LRUCache } from 'lru-cache';
import { NotSignedIn } from '../common/errors/common.errors.js';
import { Config } from '../config/config.js';

export interface AccessClaims {
  typ: 'access';
  /** The user's id. */
  sub: string;
  /** The session's id. */
  sid: number;
  role: string;
}

interface RefreshClaims {
  typ: 'refresh';
  sub: string;
  sid: number;
  /** How often the session's refresh token had been rotated when this one was made. */
  gen: number;
}

type Claims = (AccessClaims | RefreshClaims) & { exp?: number };

/**
 * Access and refresh tokens, JWTs signed with HS256. A refresh token needs no secret in the database: its signature
 * proves that it was issued, its `gen` whether it is the current one.
 */
@Injectable()
export class Tokens {
  /** Tokens whose signature was right: it stays right, so it is computed once and not at every request. */
  private readonly verified = new LRUCache<string, Claims>({ max: 20_000 });

  constructor(
    private readonly jwt: JwtService,
    private readonly config: Config,
  ) {}

  /** Seconds an access token is good for; null: until its session ends. */
  get accessLifetime(): number | null {
    return this.config.ACCESS_TOKEN_EXPIRE_MINUTES * 60 || null;
  }

  access(userId: number, sessionId: number, role: string): string {
    const claims: AccessClaims = { typ: 'access', sub: String(userId), sid: sessionId, role };
    return this.jwt.sign(claims, this.accessLifetime === null ? {} : { expiresIn: this.accessLifetime });
  }

  refresh(userId: number, sessionId: number, generation: number): string {
    const claims: RefreshClaims = { typ: 'refresh', sub: String(userId), sid: sessionId, gen: generation };
    return this.jwt.sign(claims, { expiresIn: `${this.config.REFRESH_TOKEN_EXPIRE_DAYS}d` });
  }

  /** @throws NotSignedIn */
  verify(token: string, typ: 'access'): AccessClaims;
  verify(token: string, typ: 'refresh'): RefreshClaims;
  verify(token: string, typ: 'access' | 'refresh'): AccessClaims | RefreshClaims {
    const claims = this.verified.get(token) ?? this.verifySignature(token);
    if (claims?.typ !== typ || (claims.exp ?? Infinity) * 1000 <= Date.now()) {
      throw new NotSignedIn(`This is not a valid ${typ} token, or it has expired.`);
    }
    return claims;
  }

  private verifySignature(token: string): Claims | null {
    try {
      const claims = this.jwt.verify<Claims>(token);
      this.verified.set(token, claims);
      return claims;
    } catch {
      return null; // Wrong signature, wrong form or too old: all the same to the client.
    }
  }
}
