import { FieldsInvalid, OtherGym } from '../errors/common.errors.js';
import type { Role } from './roles.js';

declare const scoped: unique symbol;

/** The id of a gym in which one may act. Only an Actor, a DeviceActor or a PublicScope yields one. */
export type ScopedGymId = number & { readonly [scoped]: true };

/** The gyms whose rows one may see: one, or (null) all. Only an Actor, a DeviceActor or a PublicScope yields one. */
export interface GymScope {
  readonly gym_id: ScopedGymId | null;
}

/**
 * Who acts: resolved on the server from a live session, or from a password; immutable, the first argument of every
 * service method.
 */
export class Actor {
  constructor(
    readonly user_id: number,
    readonly role: Role,
    /** An admin's home gym, which may be null: for the gyms that one may see, ask scope(). */
    readonly gym_id: number | null,
    /** null: acts without a session, by a password. */
    readonly session_id: number | null,
    /** Of the password by which one acts without a session; ends with it. null: in a session. */
    readonly password_version: number | null = null,
  ) {
    Object.freeze(this);
  }

  is(...roles: readonly string[]): boolean {
    return roles.includes(this.role);
  }

  /** Whether they may do what is a person's own affair: for themselves, as manager of the gym, as an admin for all. */
  mayActFor(person: { id: number; gym_id: number | null }): boolean {
    const manages = this.role === 'manager' && this.gym_id === person.gym_id;
    return this.user_id === person.id || this.role === 'admin' || manages;
  }

  /**
   * The gyms to look into: the requested one, or else all that the actor may see.
   * @throws OtherGym if it is not the actor's
   */
  scope(requestedGymId?: number): GymScope {
    if (this.role === 'admin') return { gym_id: (requestedGymId ?? null) as ScopedGymId | null };
    return { gym_id: this.gym(requestedGymId) };
  }

  /**
   * The one gym to act in: the requested one, by default the actor's own, or an admin's home gym.
   * @throws OtherGym if it is not the actor's; FieldsInvalid if an admin without a home gym named none
   */
  gym(requestedGymId?: number): ScopedGymId {
    const gymId = requestedGymId ?? this.gym_id;
    if (gymId === null) throw FieldsInvalid.of('gym_id', 'is required, because you have no home gym');
    if (this.role !== 'admin' && gymId !== this.gym_id) throw new OtherGym();
    return gymId as ScopedGymId;
  }
}

export const DEVICE_KINDS = ['fingerprint', 'qr', 'board'] as const;
export type DeviceKind = (typeof DEVICE_KINDS)[number];

/** A device that acts in its gym, known by its key or signed in by staff. */
export class DeviceActor {
  constructor(
    /** null if it was signed in by staff and not registered. */
    readonly device_id: number | null,
    readonly gym_id: number,
    readonly role: DeviceKind,
    /** Rises when the key is replaced; of one that staff signed in, when their password is. */
    readonly key_version: number,
    /** The staff who signed it in; null if it has a key. */
    readonly user_id: number | null = null,
  ) {
    Object.freeze(this);
  }

  is(...roles: readonly string[]): boolean {
    return roles.includes(this.role);
  }

  scope(): { gym_id: ScopedGymId } {
    return { gym_id: this.gym() };
  }

  gym(): ScopedGymId {
    return this.gym_id as ScopedGymId;
  }
}

/** The gym whose hours and boards anyone may see: `publicGym` knows which. No one acts by it. */
export class PublicScope {
  constructor(readonly gym_id: number) {
    Object.freeze(this);
  }

  scope(): { gym_id: ScopedGymId } {
    return { gym_id: this.gym() };
  }

  gym(): ScopedGymId {
    return this.gym_id as ScopedGymId;
  }
}

/** A person or a device. */
export type Principal = Actor | DeviceActor;
