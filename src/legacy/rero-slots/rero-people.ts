import { Injectable } from '@nestjs/common';
import { AccountInactive, WrongCredentials } from '../../auth/auth.errors.js';
import { AuthService } from '../../auth/auth.service.js';
import type { ProvenPerson } from '../../auth/password-proof.service.js';
import type { Client } from '../../auth/sessions.service.js';
import type { Actor } from '../../common/actor/actor.js';
import { ActorResolver } from '../../common/actor/actor-resolver.js';
import {
  FieldsInvalid,
  NotSignedIn,
  PasswordChangeRequired,
  RoleNotAllowed,
  SessionEnded,
} from '../../common/errors/common.errors.js';
import { trimmed } from '../../common/http/fields.js';
import { inWordsOf, Refusal, type Texts } from '../wire/refusal.js';
import type { LoginBody, ReroSignedInDto, WhoDto } from './rero-slots.dto.js';

/** What shows who asks; the first of them that is there counts. */
export interface Shown extends WhoDto {
  /** The whole header. */
  authorization?: string;
}

const WRONG = 'Invalid email or password';
const WRONG_SIGN_IN: Texts = [
  ...[NotSignedIn, SessionEnded, WrongCredentials, AccountInactive, FieldsInvalid].map(
    (error) => [error, 401, WRONG] as const,
  ),
];

/** Who uses ReRo: by a token, or by an email and a password in each request and frame. */
@Injectable()
export class ReroPeople {
  constructor(
    private readonly actors: ActorResolver,
    private readonly auth: AuthService,
  ) {}

  /** @throws Refusal 401, TooManyRequests */
  async signIn({ email, password }: LoginBody, client: Client): Promise<ReroSignedInDto> {
    const opened = await inWords(this.auth.openFixedSession({ email, password }, client, asRegistered(email)));
    const { id, created_at } = opened.account;
    return {
      ...{ success: true, message: 'Login successful', token: opened.access_token },
      // As it was registered, which is what the page finds in booked_by.
      user: { id, email: trimmed(email), created_at },
    };
  }

  /** @throws Refusal 401 if nothing shows who asks, or it is wrong; PasswordChangeRequired, TooManyRequests */
  async require(shown: Shown, client: Client): Promise<Actor> {
    const actor = await this.find(shown, client);
    if (!actor) throw new Refusal(401, 'Authentication required');
    return actor;
  }

  /** @returns null if nothing shows who asks  @throws the same */
  find({ authorization, token, email, password }: Shown, client: Client): Promise<Actor | null> {
    return inWords(this.tryFind(authorization || (token && `Bearer ${token}`), { email, password }, client));
  }

  private async tryFind(
    authorization: string | undefined,
    { email, password }: Pick<WhoDto, 'email' | 'password'>,
    client: Client,
  ): Promise<Actor | null> {
    if (authorization) {
      const { actor, must_change_password } = await this.actors.resolve({ headers: { authorization } });
      if (must_change_password) throw new PasswordChangeRequired();
      return actor;
    }
    if (!email || !password) return null;
    return this.auth.actorOfPassword({ email, password }, client, asRegistered(email));
  }
}

/** The page compares the email it signed in with to the one that has an hour: other capitals are another person. */
const asRegistered = (typed: string) => (person: ProvenPerson) => {
  if (person.email !== trimmed(typed)) throw new WrongCredentials();
};

async function inWords<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (thrown) {
    throw inWordsOf(WRONG_SIGN_IN, thrown);
  }
}

/** @throws RoleNotAllowed */
export function requireRole(actor: Actor, roles: readonly string[]): void {
  if (!actor.is(...roles)) throw new RoleNotAllowed();
}
