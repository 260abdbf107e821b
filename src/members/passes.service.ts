import { Injectable } from '@nestjs/common';
import { SessionsService } from '../auth/sessions.service.js';
import type { Actor } from '../common/actor/actor.js';
import type { IdempotencyKey } from '../common/http/idempotency.js';
import { Config } from '../config/config.js';
import { present, row, table } from '../database/columns.js';
import { Database } from '../database/database.js';
import { once } from '../database/idempotency.js';
import { sql } from '../database/sql.js';
import type { User } from '../people/entities/user.entity.js';
import { UserNotFound } from '../people/people.errors.js';
import { newPassCode, visiblePerson } from '../people/people.sql.js';
import type { PassDto } from './dto/pass.dto.js';
import { GivenPasswords } from './given-passwords.js';
import { PASSWORD_CHANGED } from './members.sql.js';
import { drawQr, seesTemporaryPassword } from './passes.rules.js';

const u = table<User>('u');
const PASS = row({
  user_id: u.id,
  full_name: u.full_name,
  qr_code: present(u.qr_code),
  temporary_password: u.temporary_password,
  password_changed: PASSWORD_CHANGED,
});

/** The member `u`, if the actor may know of them. */
const memberOf = (actor: Actor, userId: number) =>
  sql`${u.id} = ${userId} AND ${u.role} = 'user' AND ${visiblePerson(actor)}`;

/**
 * What a member shows at the door, and signs in with the first time. What is stored for a repetition names the member
 * and no secret: the answer is their pass as it is then.
 */
@Injectable()
export class PassesService {
  constructor(
    private readonly db: Database,
    private readonly given: GivenPasswords,
    private readonly sessions: SessionsService,
    private readonly config: Config,
  ) {}

  /** @throws UserNotFound, also for staff, who have no pass */
  async get(actor: Actor, userId: number): Promise<PassDto> {
    const pass = await this.find(actor, userId);
    const sealed = seesTemporaryPassword(actor) ? pass.temporary_password : null;
    return { ...pass, temporary_password: sealed && this.given.open(userId, sealed) };
  }

  /** The picture of the code (SVG). @throws UserNotFound */
  async draw(actor: Actor, userId: number): Promise<string> {
    return drawQr((await this.find(actor, userId)).qr_code);
  }

  /** Another code; the one before opens nothing any more. @throws UserNotFound */
  async regenerateQr(actor: Actor, userId: number, key: IdempotencyKey | null): Promise<PassDto> {
    await once(this.db, actor, key, async (tx) => {
      const [member] = await tx.query(sql`SELECT 1 FROM users u WHERE ${memberOf(actor, userId)} FOR NO KEY UPDATE`);
      if (!member) throw new UserNotFound();
      for (let hasChanged = false; !hasChanged;) {
        // Drawn at random, it may be the one that it replaces.
        const changed = await tx.query(sql`
          WITH fresh AS MATERIALIZED (SELECT ${newPassCode(this.config, sql`${userId}::int`)} AS code)
          UPDATE users u SET qr_code = fresh.code, updated_at = now() FROM fresh
          WHERE ${memberOf(actor, userId)} AND fresh.code <> u.qr_code RETURNING 1`);
        hasChanged = changed.length > 0;
      }
      return { user_id: userId };
    });
    return this.get(actor, userId);
  }

  /**
   * A new temporary password; the one before and all sessions of the member end.
   * @throws UserNotFound, TooManyRequests
   */
  async resetPassword(actor: Actor, userId: number, key: IdempotencyKey | null): Promise<PassDto> {
    await this.find(actor, userId);
    const { password, hash } = await this.given.newTemporary(actor);
    await once(this.db, actor, key, async (tx) => {
      const [reset] = await tx.query(sql`
        UPDATE users u SET password_hash = ${hash}, temporary_password = ${this.given.seal(userId, password)},
          must_change_password = TRUE, updated_at = now()
        WHERE ${memberOf(actor, userId)} RETURNING 1`);
      if (!reset) throw new UserNotFound();
      await this.sessions.end(tx, userId, 'password_changed');
      return { user_id: userId };
    });
    return this.get(actor, userId);
  }

  /** The pass as it is stored: its temporary password is sealed. */
  private async find(actor: Actor, userId: number): Promise<PassDto> {
    const [pass] = await this.db.query(sql`SELECT ${PASS} FROM users u WHERE ${memberOf(actor, userId)}`);
    if (!pass) throw new UserNotFound();
    return pass;
  }
}
