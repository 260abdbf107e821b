import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import type { Actor, DeviceActor, Principal } from '../common/actor/actor.js';
import { ActorResolver } from '../common/actor/actor-resolver.js';
import { NotSignedIn, PasswordChangeRequired, RoleNotAllowed } from '../common/errors/common.errors.js';
import type { DomainError } from '../common/errors/domain-error.js';
import type { SocketData } from '../common/ws/gateway.js';
import { DevicesService } from '../devices/devices.service.js';
import { NAMESPACES } from './namespaces.js';

/** Finds out who connects, the same for all namespaces. */
@Injectable()
export class Handshake {
  /** Who connects, while what was stored of their socket is looked for. */
  private readonly claimant = new AsyncLocalStorage<Principal | null>();

  constructor(
    private readonly actors: ActorResolver,
    private readonly devices: DevicesService,
  ) {}

  /**
   * Who sent this `auth`; null if nobody is named and the namespace lets one sign in later.
   * @throws NotSignedIn, RoleNotAllowed, PasswordChangeRequired
   */
  async admit(namespace: string, auth: Record<string, unknown>): Promise<Principal | null> {
    const { token, device_key: deviceKey } = auth;
    if (token === undefined && deviceKey === undefined && NAMESPACES[namespace]!.canSignInLater) return null;
    if (typeof deviceKey === 'string') return this.allow(namespace, await this.devices.actorOfKey(deviceKey));
    if (typeof token !== 'string') throw new NotSignedIn('Send auth: {token}, or auth: {device_key} for a device.');
    return this.person(namespace, token);
  }

  /** @throws NotSignedIn, RoleNotAllowed, PasswordChangeRequired */
  async person(namespace: string, token: string): Promise<Actor> {
    const { actor, must_change_password } = await this.actors.resolve({
      headers: { authorization: `Bearer ${token.replace(/^Bearer +/i, '')}` },
    });
    if (must_change_password) throw new PasswordChangeRequired();
    return this.allow(namespace, actor);
  }

  /** @throws RoleNotAllowed */
  allow<Who extends Principal>(namespace: string, principal: Who): Who {
    const { roles } = NAMESPACES[namespace]!;
    if (!principal.is(...roles)) throw new RoleNotAllowed(`${namespace} is for ${roles.join(', ')}.`);
    return principal;
  }

  /**
   * The same as they are now.
   * @param known as it was; it may have been stored and lost its class
   * @throws NotSignedIn if they are signed out, revoked, or have another role or gym now
   */
  async renew(known: Principal): Promise<Principal> {
    if (isDevice(known)) return this.devices.renew(known);
    const actor = await this.actors.renew(known);
    // Who has another role or gym has other rooms: they connect again.
    if (actor.role !== known.role || actor.gym_id !== known.gym_id) {
      throw new NotSignedIn('Your role or gym has changed. Connect again.');
    }
    return actor;
  }

  /** The same, for whom we may not have heard of a change. @throws NotSignedIn */
  async confirm(known: Principal): Promise<Principal> {
    return isDevice(known) ? this.devices.confirm(known) : this.renew(known);
  }

  /**
   * Does `work`, in which Socket.IO looks for what it stored of a socket that comes back: `readmit` gives it to the one whose
   * it is. The id of a lost connection alone is no credential.
   */
  async reclaiming<Result>(
    namespace: string,
    auth: Record<string, unknown>,
    work: () => Promise<Result>,
  ): Promise<Result> {
    // One that is refused here is refused again, and told why, as any other connection.
    const claimant = await this.admit(namespace, auth).catch(() => null);
    return this.claimant.run(claimant, work);
  }

  /** What was stored of a socket that comes back, if it is theirs who connect, and they may (still) be there. */
  readonly readmit = async (namespace: string, data: SocketData): Promise<SocketData | null> => {
    const claimant = this.claimant.getStore();
    // Who had not signed in has nothing to recover; a device that staff signed in signs in again.
    if (!claimant || !data.principal || !isSame(claimant, data.principal)) return null;
    try {
      return { ...data, principal: this.allow(namespace, await this.confirm(claimant)) };
    } catch {
      return null;
    }
  };
}

/** What was stored has lost its class. */
const isDevice = (principal: Principal): principal is DeviceActor => 'key_version' in principal;

/** The same, with the same rooms. */
function isSame(one: Principal, other: Principal): boolean {
  if (one.role !== other.role || one.gym_id !== other.gym_id || one.user_id !== other.user_id) return false;
  if (!isDevice(one) && !isDevice(other)) return one.session_id === other.session_id;
  return isDevice(one) && isDevice(other) && one.device_id !== null && one.device_id === other.device_id;
}

/** The close codes of api.md: 4001 not signed in, 4003 not allowed, 4004 not found, 4000 our fault. */
export function closeCode({ kind: { status } }: DomainError): number {
  return [401, 403, 404].includes(status) ? 3600 + status : 4000;
}
