import type { Actor } from '../common/actor/actor.js';
import { NotYourAccount } from './accounts.errors.js';

/** Whose account it is. */
export interface Holder {
  id: number;
  gym_id: number | null;
}

/**
 * Profiles give no right in a gym, so each person says for themselves what they are. An admin may put that right for
 * all, a manager for the people of their gym.
 * @throws NotYourAccount
 */
export function requireMayChangeProfiles(actor: Actor, holder: Holder): void {
  if (!actor.mayActFor(holder)) throw new NotYourAccount();
}
