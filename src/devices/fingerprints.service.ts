import { Injectable, Logger } from '@nestjs/common';
import type { DeviceActor } from '../common/actor/actor.js';
import { CannotDecrypt, KeyMissing, KeyRing } from '../common/crypto/key-ring.js';
import { Database, type Transaction } from '../database/database.js';
import { everyGym, inGym, sql } from '../database/sql.js';
import { UserNotFound } from '../people/people.errors.js';
import type { StartEnrollmentDto, TemplatePageDto } from './dto/device-messages.dto.js';

/** The keys of fingerprints, apart from those of everything else. */
export class FingerprintKeys extends KeyRing {}

/** Members in one page of templates. */
const PAGE_SIZE = 100;

interface StoredTemplates {
  id: number;
  full_name: string;
  template1: string | null;
  template2: string | null;
}

/** Fingers: stored encrypted, given to readers of the member's gym alone. */
@Injectable()
export class FingerprintsService {
  private readonly logger = new Logger('Fingerprints');

  constructor(
    private readonly db: Database,
    private readonly keys: FingerprintKeys,
  ) {}

  /** The member who is to put a finger on. @throws UserNotFound */
  async requireMember(device: DeviceActor, userId: number): Promise<StartEnrollmentDto> {
    const [member] = await this.db.query<StartEnrollmentDto>(sql`
      SELECT u.id AS user_id, u.full_name, u.email FROM users u
      WHERE u.id = ${userId} AND u.role = 'user' AND u.deleted_at IS NULL AND ${inGym(device.scope(), 'u.gym_id')}`);
    if (!member) throw new UserNotFound();
    return member;
  }

  /** Stores a finger, in place of the one before. @param template base64 @throws UserNotFound */
  async store(tx: Transaction, device: DeviceActor, userId: number, finger: 1 | 2, template: string): Promise<void> {
    const sealed = this.keys.encrypt(Buffer.from(template, 'base64'), placeOf(userId, finger));
    const [stored] = await tx.query(sql`
      INSERT INTO fingerprints (user_id, finger, template)
      SELECT u.id, ${finger}::smallint, ${sealed} FROM users u
      WHERE u.id = ${userId} AND u.role = 'user' AND u.deleted_at IS NULL AND ${inGym(device.scope(), 'u.gym_id')}
      FOR SHARE OF u -- a person who is deleted at this moment leaves no finger
      ON CONFLICT (user_id, finger) DO UPDATE SET template = excluded.template, updated_at = now()
      RETURNING 1`);
    if (!stored) throw new UserNotFound();
  }

  /** The templates of the gym behind a member's id, by id. @returns whether there are more @throws KeyMissing */
  async pageOfTemplates(device: DeviceActor, after: number): Promise<TemplatePageDto> {
    const rows = await this.db.query<StoredTemplates>(sql`
      SELECT u.id, u.full_name, max(f.template) FILTER (WHERE f.finger = 1) AS template1,
        max(f.template) FILTER (WHERE f.finger = 2) AS template2
      FROM users u JOIN fingerprints f ON f.user_id = u.id
      WHERE u.id > ${after} AND u.deleted_at IS NULL AND ${inGym(device.scope(), 'u.gym_id')}
      GROUP BY u.id ORDER BY u.id LIMIT ${PAGE_SIZE + 1}`);
    const data = rows.slice(0, PAGE_SIZE).map(({ id, full_name, template1, template2 }) => ({
      id,
      full_name,
      fingerprint1: this.openOrReport(template1, id, 1),
      fingerprint2: this.openOrReport(template2, id, 2),
    }));
    return { data, has_more: rows.length > PAGE_SIZE };
  }

  /**
   * A damaged template is reported and left out; the others are still given. One whose key is missing is not: the
   * reader would forget a finger that is right. @throws KeyMissing
   */
  private openOrReport(sealed: string | null, userId: number, finger: 1 | 2): string | null {
    if (sealed === null) return null;
    try {
      return this.keys.decrypt(sealed, placeOf(userId, finger)).toString('base64');
    } catch (error) {
      if (!(error instanceof CannotDecrypt) || error instanceof KeyMissing) throw error;
      this.logger.error(`${error.message}. Enrol the finger again.`);
      return null;
    }
  }

  /**
   * Encrypts again what an older key has encrypted, some at a time; it can be stopped and started again.
   * @param progress called with what is done and what there is
   * @returns how many were done, and how many do not open
   */
  async rotate(progress: (done: number, total: number) => void): Promise<{ rotated: number; refused: number }> {
    const old = everyGym`template NOT LIKE ${`${this.keys.newest.replace(/[\\%_]/g, '\\$&')}.%`}`;
    const [count] = await this.db.query<{ total: number }>(
      everyGym`SELECT count(*) AS total FROM fingerprints WHERE ${old}`,
    );
    const done = { rotated: 0, refused: 0 };
    let after = 0;
    for (;;) {
      const rows = await this.db.query<{ id: number; user_id: number; finger: 1 | 2; template: string }>(everyGym`
        SELECT id, user_id, finger, template FROM fingerprints WHERE id > ${after} AND ${old} ORDER BY id LIMIT 500`);
      if (rows.length === 0) return done;
      for (const { id, user_id, finger, template } of rows) {
        after = id;
        const place = placeOf(user_id, finger);
        try {
          const sealed = this.keys.encrypt(this.keys.decrypt(template, place), place);
          // A finger that was enrolled again in the meantime is left as it is.
          await this.db.change(everyGym`
            UPDATE fingerprints SET template = ${sealed} WHERE id = ${id} AND template = ${template}`);
          done.rotated++;
        } catch (error) {
          if (!(error instanceof CannotDecrypt)) throw error;
          this.logger.error(error.message);
          done.refused++;
        }
        progress(done.rotated + done.refused, count!.total);
      }
    }
  }
}

/** The place that a template is bound to: copied to another row, it cannot be decrypted. */
const placeOf = (userId: number, finger: number): string => `fingerprints ${userId} ${finger}`;
