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

  /** Does `work`, in which Socket.IO looks for what it stored of a socket that comes back: what is stored for who connects. */
  async reclaiming<Result>(
    namespace: string,
    auth: Record<string, unknown>,
    work: () => Promise<Result>,
  ): Promise<Result> {
    // One that is refused here is refused once more as any other connection, and told why.
    const claimant = await this.admit(namespace, auth).catch(() => null);
    return this.claimant.run(claimant, work);
  }

  /** @returns the name under which the socket of who connects is stored; null: they have none */
  recoverable(namespace: string, pid: string): { key: string; principal: Principal } | null {
    const principal = this.claimant.getStore();
    const key = recoveryKey(namespace, pid, { principal: principal ?? undefined });
    return key === null ? null : { key, principal: principal! };
  }
}

/**
 * Under which name a socket is stored while its connection is lost. The name says whose it is, and where: the id of a lost
 * connection alone is no credential. Null for one that has nothing to recover: nobody signed in, or staff signed the device in.
 */
export function recoveryKey(namespace: string, pid: string, { principal }: SocketData): string | null {
  if (!principal) return null;
  const { role, gym_id, user_id } = principal;
  const who = isDevice(principal) ? principal.device_id : principal.session_id;
  return who === null ? null : [namespace, role, gym_id, user_id, who, pid].join(' ');
}

/** What was stored has lost its class. */
const isDevice = (principal: Principal): principal is DeviceActor => 'key_version' in principal;

/** The close codes of api.md: 4001 not signed in, 4003 not allowed, 4004 not found, 4000 our fault. */
export function closeCode({ kind: { status } }: DomainError): number {
  return [401, 403, 404].includes(status) ? 3600 + status : 4000;
}
