import { Injectable } from '@nestjs/common';
import { Actor, DeviceActor, type Principal } from '../common/actor/actor.js';
import { ActorResolver } from '../common/actor/actor-resolver.js';
import { DESK } from '../common/actor/roles.js';
import { NotSignedIn, PasswordChangeRequired, RoleNotAllowed } from '../common/errors/common.errors.js';
import type { DomainError } from '../common/errors/domain-error.js';
import type { SocketData } from '../common/ws/gateway.js';
import { DevicesService } from '../devices/devices.service.js';
import { NAMESPACES } from './namespaces.js';

/** Finds out who connects, the same for all namespaces. */
@Injectable()
export class Handshake {
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
    const isDevice = 'key_version' in known;
    if (isDevice && known.session_id === null) return this.devices.renew(known);
    const actor = await this.actors.renew(known as Actor);
    // Whoever has become somebody else has other rooms: they connect again.
    const isSame = isDevice
      ? actor.is(...DESK) && (actor.role === 'admin' || actor.gym_id === known.gym_id)
      : actor.role === known.role && actor.gym_id === known.gym_id;
    if (!isSame) throw new NotSignedIn('Your role or gym has changed. Connect again.');
    if (!isDevice) return actor;
    const { device_id, gym_id, role, key_version, user_id, session_id } = known;
    return new DeviceActor(device_id, gym_id, role, key_version, user_id, session_id);
  }

  /** The same, for whom we may not have heard of a change. @throws NotSignedIn */
  async confirm(known: Principal): Promise<Principal> {
    return 'key_version' in known && known.session_id === null ? this.devices.confirm(known) : this.renew(known);
  }

  /** What was stored of a socket that comes back, if it may (still) be there. */
  readonly readmit = async (namespace: string, data: SocketData): Promise<SocketData | null> => {
    // Who had not signed in has nothing to recover; a device that staff signed in signs in again.
    if (!data.principal || ('key_version' in data.principal && data.principal.session_id !== null)) return null;
    try {
      return { ...data, principal: this.allow(namespace, await this.confirm(data.principal)) };
    } catch {
      return null;
    }
  };
}

/** The close codes of api.md: 4001 not signed in, 4003 not allowed, 4004 not found, 4000 our fault. */
export function closeCode({ kind: { status } }: DomainError): number {
  return [401, 403, 404].includes(status) ? 3600 + status : 4000;
}
