import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { everyGym } from '../database/sql.js';
import { Attempts } from './attempts.js';
import { ResetLinkInvalid } from './auth.errors.js';
import { PasswordForgotten } from './auth.events.js';
import type { ForgotPasswordDto, ResetPasswordDto } from './dto/auth.dto.js';
import { networkOf } from './network.js';
import { Passwords } from './passwords.js';
import { type Client, SessionsService } from './sessions.service.js';

const MINUTES = 30;
/** Mails that one person may get in a quarter of an hour, and that one network may ask for. */
const MAILS = { person: 3, network: 30 };

/** A new password for those who forgot theirs, by a link that only they get. */
@Injectable()
export class PasswordResets {
  constructor(
    private readonly db: Database,
    private readonly attempts: Attempts,
    private readonly passwords: Passwords,
    private readonly sessions: SessionsService,
  ) {}

  /** Sends a link, if there is such an account; the answer does not tell. @throws TooManyRequests */
  async ask({ email }: ForgotPasswordDto, { ip_address }: Client): Promise<void> {
    await this.attempts.take([
      {
        key: `forgot ${this.db.keyedHash(email.normalize('NFC').toLowerCase()).toString('base64')}`,
        burst: MAILS.person,
      },
      { key: `forgot from ${networkOf(ip_address)}`, burst: MAILS.network },
    ]);
    await this.db.transaction(async (tx) => {
      const [person] = await tx.query<{ id: number }>(everyGym`
        SELECT id FROM users WHERE fold(email) = fold(${email}) AND ${MAY_RESET}`);
      if (person) await tx.emitDurably(new PasswordForgotten(person.id));
    });
  }

  /** The token of a link for this person, and the address it may go to; null if they may not have one any more. */
  async issue(userId: number): Promise<{ token: string; email: string } | null> {
    const token = randomBytes(32).toString('base64url');
    const [issued] = await this.db.change<{ email: string }>(everyGym`
      INSERT INTO password_resets (token_hash, user_id, email, password_version, expires_at)
      SELECT ${this.db.keyedHash(token)}, id, email, password_version, now() + make_interval(mins => ${MINUTES})
      FROM users WHERE id = ${userId} AND email IS NOT NULL AND ${MAY_RESET} RETURNING email`);
    return issued ? { token, ...issued } : null;
  }

  /**
   * Sets the password and ends all sessions, once for each link.
   * @throws ResetLinkInvalid, TooManyRequests
   */
  async use({ token, new_password }: ResetPasswordDto, { ip_address }: Client): Promise<void> {
    const hash = this.db.keyedHash(token);
    const isGood = everyGym`token_hash = ${hash} AND expires_at > now()`;
    await this.attempts.take([{ key: `reset from ${networkOf(ip_address)}`, burst: MAILS.network }]);
    const [found] = await this.db.query(everyGym`SELECT 1 FROM password_resets WHERE ${isGood}`);
    if (!found) throw new ResetLinkInvalid();
    const passwordHash = await this.passwords.hash(new_password);
    await this.db.transaction(async (tx) => {
      const [changed] = await tx.query<{ id: number }>(everyGym`
        UPDATE users u SET password_hash = ${passwordHash}, must_change_password = FALSE, temporary_password = NULL,
          updated_at = now()
        FROM password_resets r
        WHERE ${isGood} AND u.id = r.user_id AND u.password_version = r.password_version
          AND fold(u.email) = fold(r.email) AND ${MAY_RESET}
        RETURNING u.id`);
      if (!changed) throw new ResetLinkInvalid();
      await tx.query(everyGym`DELETE FROM password_resets WHERE user_id = ${changed.id}`);
      await this.sessions.end(tx, changed.id, 'password_changed');
    });
  }

  async purge(): Promise<void> {
    await this.db.change(everyGym`DELETE FROM password_resets WHERE expires_at < now()`);
  }
}

/** Most members have no password, and need none: those get no link. */
const MAY_RESET = everyGym`password_hash IS NOT NULL AND is_active AND deleted_at IS NULL`;
