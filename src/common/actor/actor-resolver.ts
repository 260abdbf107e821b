import type { Actor } from './actor.js';

/** By what an actor is found again: their session, or the password that they gave. */
export type Proof = Pick<Actor, 'user_id' | 'session_id' | 'password_version'>;

/** What shows who asks: `Authorization: Bearer <access token>`, of a request or made of what a socket sent. */
export interface Credentials {
  headers: { authorization?: string };
}

/** Who asks, and whether they may do more than change a temporary password. */
export interface Access {
  readonly actor: Actor;
  readonly must_change_password: boolean;
}

/** Finds who sent an access token. The feature `auth` implements it; guards and socket handshakes use it. */
export abstract class ActorResolver {
  /** @throws NotSignedIn if the token is wrong, too old, or its session has ended */
  abstract resolve(credentials: Credentials): Promise<Access>;

  /** The same at once, if there is nothing to look up. */
  abstract known(credentials: Credentials): Access | undefined;

  /** The same person as they are now. @throws NotSignedIn if the session has ended, or the password is another one */
  abstract currentActor(actor: Proof): Promise<Actor>;
}
