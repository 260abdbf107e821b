import { EVERYONE } from '../common/actor/access.js';
import type { DeviceKind } from '../common/actor/actor.js';
import { DEVICE_KINDS } from '../common/actor/actor.js';
import { DESK, DESK_AND_MEMBERS, type Role, STAFF } from '../common/actor/roles.js';

/** Who may be there, and whether one may connect first and sign in by a message. */
export interface NamespaceRules {
  roles: readonly (Role | DeviceKind)[];
  canSignInLater: boolean;
  summary: string;
}

export const NAMESPACES: Record<string, NamespaceRules> = {
  '/checkins': { roles: DESK, canSignInLater: true, summary: 'Check-ins and check-outs of a gym as they happen.' },
  '/devices': {
    roles: [...DESK_AND_MEMBERS, ...DEVICE_KINDS],
    canSignInLater: true,
    summary:
      'Fingerprint readers, turnstiles and lab boards of a gym, the consoles of its staff, and who reads a board.',
  },
  '/chat': {
    roles: EVERYONE,
    canSignInLater: false,
    summary: 'Conversations of two. Who is connected is told of all of theirs, in the order of the messages.',
  },
  '/slots': {
    roles: [...STAFF, 'user'],
    canSignInLater: false,
    summary: 'The hour slots of a day as they are booked.',
  },
};
