import type { Actor } from './actor.js';

/** Finds who sent an access token. The feature `auth` implements it; guards and socket handshakes use it. */
export abstract class ActorResolver {
  /** @throws NotSignedIn if the token is wrong, too old, or its session has ended */
  abstract resolve(accessToken: string): Promise<{ actor: Actor; must_change_password: boolean }>;

  /** The same person as they are now. @throws NotSignedIn if the session has ended */
  abstract renew(actor: Pick<Actor, 'user_id' | 'session_id'>): Promise<Actor>;
}
