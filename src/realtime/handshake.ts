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
  /** Who connects, in the step in which their stored socket is asked for. */
  private claimant: Principal | null = null;

  constructor(
    private readonly actors: ActorResolver,
    private readonly devices: DevicesService,
  ) {}

  /**
   * Who sent this `auth`; null if it names no person and no device, and the namespace allows a later sign-in.
   * @throws NotSignedIn, RoleNotAllowed, PasswordChangeRequired
   */
  async admit(namespace: string, auth: Record<string, unknown>): Promise<Principal | null> {
    const { token, device_key: deviceKey } = auth;
    if (token === undefined && deviceKey === undefined && NAMESPACES[namespace]!.canSignInLater) return null;
    if (typeof deviceKey === 'string') return this.requireAllowed(namespace, await this.devices.actorOfKey(deviceKey));
    if (typeof token !== 'string') throw new NotSignedIn('Send auth: {token}, or auth: {device_key} for a device.');
    return this.personOfToken(namespace, token);
  }

  /** @throws NotSignedIn, RoleNotAllowed, PasswordChangeRequired */
  async personOfToken(namespace: string, token: string): Promise<Actor> {
    const { actor, must_change_password } = await this.actors.resolve({
      headers: { authorization: `Bearer ${token.replace(/^Bearer +/i, '')}` },
    });
    if (must_change_password) throw new PasswordChangeRequired();
    return this.requireAllowed(namespace, actor);
  }

  /** @throws RoleNotAllowed */
  requireAllowed<Who extends Principal>(namespace: string, principal: Who): Who {
    const { roles } = NAMESPACES[namespace]!;
    if (!principal.is(...roles)) throw new RoleNotAllowed(`${namespace} is for ${roles.join(', ')}.`);
    return principal;
  }

  /**
   * The person or device as it is now.
   * @param known as it was; it may have been stored and lost its class
   * @throws NotSignedIn if they are signed out, revoked, or have another role or gym now
   */
  async currentPrincipal(known: Principal): Promise<Principal> {
    if (isDevice(known)) return this.devices.currentDevice(known);
    const actor = await this.actors.currentActor(known);
    // Who has another role or gym has other rooms: they connect again.
    if (actor.role !== known.role || actor.gym_id !== known.gym_id) {
      throw new NotSignedIn('Your role or gym has changed. Connect again.');
    }
    return actor;
  }

  /** The same, if a change may have happened that this server was not told of. @throws NotSignedIn */
  async confirmedPrincipal(known: Principal): Promise<Principal> {
    return isDevice(known) ? this.devices.confirmedDevice(known) : this.currentPrincipal(known);
  }

  /**
   * Does `work`, in which Socket.IO looks for a stored socket: it finds only one of the person or device that connects.
   * (Socket.IO asks the adapter before it waits for anything. An AsyncLocalStorage would need no such order, but from
   * its first use on each promise of the process costs three times as much, in Node 20.)
   */
  async runAsClaimant<Result>(
    namespace: string,
    auth: Record<string, unknown>,
    work: () => Promise<Result>,
  ): Promise<Result> {
    // A connection that is refused here is refused again in `admit`, which tells the client why.
    const claimant = await this.admit(namespace, auth).catch(() => null);
    this.claimant = claimant;
    try {
      return work();
    } finally {
      this.claimant = null;
    }
  }

  /**
   * The name under which the socket of the connecting person or device is stored; null: there is none. Only before the
   * first await of what Socket.IO calls.
   */
  ownStoredSocket(namespace: string, pid: string): { key: string; principal: Principal } | null {
    const { claimant: principal } = this;
    const key = recoveryKey(namespace, pid, { principal: principal ?? undefined });
    return key === null ? null : { key, principal: principal! };
  }
}

/**
 * The name under which a socket is stored while its connection is lost. It says who owns the socket and in which
 * namespace: the id of a lost connection alone is no credential. Null if there is nothing to recover: no sign-in, a
 * device that staff signed in, or a person without a session.
 */
export function recoveryKey(namespace: string, pid: string, { principal }: SocketData): string | null {
  if (!principal) return null;
  const { role, gym_id, user_id } = principal;
  const who = isDevice(principal) ? principal.device_id : principal.session_id;
  return who === null ? null : [namespace, role, gym_id, user_id, who, pid].join(' ');
}

/** What was stored has lost its class. */
const isDevice = (principal: Principal): principal is DeviceActor => 'key_version' in principal;

/** `data.code` of a refused connection: 4001 not signed in, 4003 not allowed, 4004 not found, 4000 our fault. */
export function closeCode({ kind: { status } }: DomainError): number {
  return [401, 403, 404].includes(status) ? 3600 + status : 4000;
}
