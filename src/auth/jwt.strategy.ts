import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import passport from 'passport';
import { Strategy } from 'passport-jwt';
import type { Actor } from '../common/actor/actor.js';
import type { Access, ActorResolver, Credentials } from '../common/actor/actor-resolver.js';
import { NotSignedIn } from '../common/errors/common.errors.js';
import { SessionsService } from './sessions.service.js';
import { type AccessClaims, Tokens } from './tokens.js';

type Done = (error: unknown, claims?: AccessClaims) => void;

// passport-jwt checks a signature at each request. Tokens remembers those that were right, so it takes the place of the
// verifier; as the "key" comes the Tokens of the application that asks.
Object.assign(Strategy, {
  JwtVerifier(token: string, tokens: Tokens, _options: unknown, done: Done) {
    try {
      done(null, tokens.verify(token, 'access'));
    } catch (error) {
      done(error);
    }
  },
});

const bearerToken = ({ headers }: Credentials): string | null =>
  /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? null;

/**
 * The one door for an access token, of a request or of a socket's handshake: from the token to the live session behind it.
 * Each application has a Passport of its own; the usual one is shared by all applications of a process.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') implements ActorResolver {
  private ownPassport: passport.Authenticator | undefined;

  constructor(
    tokens: Tokens,
    private readonly sessions: SessionsService,
  ) {
    super({
      jwtFromRequest: bearerToken,
      secretOrKeyProvider: (_request, _token, done) => done(null, tokens as never),
    });
  }

  getPassportInstance(): passport.Authenticator {
    return (this.ownPassport ??= new passport.Passport());
  }

  /** Called by Passport once the token was found right. @throws SessionEnded */
  validate({ sub, sid }: AccessClaims): Promise<Access> {
    return this.sessions.live(Number(sub), sid);
  }

  /** @throws SessionEnded */
  async renew({ user_id, session_id }: Pick<Actor, 'user_id' | 'session_id'>): Promise<Actor> {
    return (await this.sessions.live(user_id, session_id)).actor;
  }

  /** @throws NotSignedIn, SessionEnded */
  resolve({ headers }: Credentials): Promise<Access> {
    return new Promise((resolve, reject) => {
      const decide = (error: Error | null, access: Access | false, why: Error | undefined) => {
        if (access) return resolve(access);
        const missing = new NotSignedIn('Send the access token as "Authorization: Bearer <token>".');
        return reject(error ?? (why instanceof NotSignedIn ? why : missing));
      };
      // Passport writes on what it is given: that is not the request itself.
      this.getPassportInstance().authenticate('jwt', { session: false }, decide)({ headers }, null, reject);
    });
  }
}
