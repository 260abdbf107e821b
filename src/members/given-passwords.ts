import { Injectable, Logger } from '@nestjs/common';
import { Attempts } from '../auth/attempts.js';
import { Passwords } from '../auth/passwords.js';
import type { Actor } from '../common/actor/actor.js';
import { CannotDecrypt, KeyMissing, KeyRing } from '../common/crypto/key-ring.js';
import { newTemporaryPassword } from './passes.rules.js';

/** Passwords that one person gives to others in a quarter of an hour. */
const PASSWORDS_GIVEN = 100;

/** A password for the first sign-in, which must be changed there. */
export interface TemporaryPassword {
  password: string;
  hash: string;
}

/** Passwords that staff give to others. Ask for the permission first: hashing is what an attacker would have us do. */
@Injectable()
export class GivenPasswords {
  private readonly logger = new Logger('GivenPasswords');

  constructor(
    private readonly attempts: Attempts,
    private readonly passwords: Passwords,
    private readonly keys: KeyRing,
  ) {}

  /** @throws TooManyRequests */
  async hash(actor: Actor, password: string): Promise<string> {
    await this.attempts.take([{ key: `hash ${actor.user_id}`, burst: PASSWORDS_GIVEN }]);
    return this.passwords.hash(password);
  }

  /** @throws TooManyRequests */
  async newTemporary(actor: Actor): Promise<TemporaryPassword> {
    const password = newTemporaryPassword();
    return { password, hash: await this.hash(actor, password) };
  }

  /** As it is stored until it is changed: it opens only in the row of this person. */
  seal(userId: number, password: string): string {
    return this.keys.encrypt(password, placeOf(userId));
  }

  /** @throws CannotDecrypt, KeyMissing */
  open(userId: number, sealed: string): string {
    return this.keys.decrypt(sealed, placeOf(userId)).toString();
  }

  /** The same in a list, which one that does not open must not break: it is reported, and left out. */
  openOrReport(userId: number, sealed: string): string | null {
    try {
      return this.open(userId, sealed);
    } catch (error) {
      if (!(error instanceof CannotDecrypt)) throw error;
      const advice = error instanceof KeyMissing ? '' : '. Give a new temporary password.';
      this.logger.error(error.message + advice);
      return null;
    }
  }
}

const placeOf = (userId: number): string => `users.temporary_password ${userId}`;
