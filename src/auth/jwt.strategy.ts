import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { LRUCache } from 'lru-cache';
import passport from 'passport';
import { Strategy } from 'passport-jwt';
import type { Actor } from '../common/actor/actor.js';
import type { Access, ActorResolver, Credentials, Proof } from '../common/actor/actor-resolver.js';
import { NotSignedIn } from '../common/errors/common.errors.js';
import { Config } from '../config/config.js';
import { SessionsService } from './sessions.service.js';
import { type AccessClaims, TOKEN_ALGORITHM, tokenKey } from './tokens.js';

const MOST_TOKENS = 20_000;

const bearerToken = ({ headers }: Credentials): string | null =>
  /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? null;

const isExpired = ({ exp = Infinity }: AccessClaims): boolean => exp * 1000 <= Date.now();

/**
 * The one door for an access token, of a request or of a socket's handshake: from the token to the live session behind
 * it. Passport verifies each token once (docs/decisions/0026).
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') implements ActorResolver {
  /**
   * Tokens whose signature was right, with what they say. It stays right; whether the session lives is asked each time.
   */
  private readonly verified = new LRUCache<string, AccessClaims>({ max: MOST_TOKENS });
  private ownPassport: passport.Authenticator | undefined;

  constructor(
    config: Config,
    private readonly sessions: SessionsService,
  ) {
    super({
      jwtFromRequest: bearerToken,
      secretOrKey: tokenKey(config) as never,
      algorithms: [TOKEN_ALGORITHM],
      passReqToCallback: true,
    });
  }

  /** The usual Passport is shared by all applications of a process; each of ours has its own. */
  getPassportInstance(): passport.Authenticator {
    return (this.ownPassport ??= new passport.Passport());
  }

  /** Called by Passport when the signature and the time are right. @throws NotSignedIn, SessionEnded */
  async validate(credentials: Credentials, claims: AccessClaims): Promise<Access> {
    if (claims.typ !== 'access') throw notValid();
    this.verified.set(bearerToken(credentials)!, claims);
    return this.sessions.accessOf(Number(claims.sub), claims.sid);
  }

  /** @throws SessionEnded */
  async currentActor({ user_id, session_id, password_version }: Proof): Promise<Actor> {
    const { actor } =
      session_id === null
        ? await this.sessions.accessByPassword(user_id, password_version)
        : await this.sessions.accessOf(user_id, session_id);
    return actor;
  }

  /** @throws NotSignedIn, SessionEnded */
  async resolve(credentials: Credentials): Promise<Access> {
    const token = bearerToken(credentials);
    if (token === null) throw new NotSignedIn('Send the access token as "Authorization: Bearer <token>".');
    const claims = this.claimsOf(token);
    if (!claims) return this.askPassport(credentials);
    return this.sessions.accessOf(Number(claims.sub), claims.sid);
  }

  known(credentials: Credentials): Access | undefined {
    const claims = this.claimsOf(bearerToken(credentials));
    return claims && this.sessions.knownAccess(Number(claims.sub), claims.sid);
  }

  /** What a token says whose signature was right. */
  private claimsOf(token: string | null): AccessClaims | undefined {
    const claims = token === null ? undefined : this.verified.get(token);
    return claims && !isExpired(claims) ? claims : undefined;
  }

  private askPassport({ headers }: Credentials): Promise<Access> {
    return new Promise((resolve, reject) => {
      const decide = (error: Error | null, access: Access | false) =>
        access ? resolve(access) : reject(error ?? notValid());
      // Passport writes on what it is given: that is not the request itself.
      this.getPassportInstance().authenticate('jwt', { session: false }, decide)({ headers }, null, reject);
    });
  }
}

const notValid = () => new NotSignedIn('This is not a valid access token, or it has expired.');
