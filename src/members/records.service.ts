import { Injectable } from '@nestjs/common';
import type { Actor } from '../common/actor/actor.js';
import { NumberedPage, type NumberedQuery } from '../common/http/numbered.js';
import { computed, optional, pick, present, row, table } from '../database/columns.js';
import { Database } from '../database/database.js';
import type { ListSource } from '../database/keyset.js';
import { numberedPage } from '../database/numbered.js';
import { wordsOf } from '../database/search.js';
import { type Columns, empty, inGym, raw, sql } from '../database/sql.js';
import type { User } from '../people/entities/user.entity.js';
import { UserNotFound } from '../people/people.errors.js';
import { visiblePerson } from '../people/people.sql.js';
import { hasPass, membersCalled } from '../people/search.sql.js';
import { planThatCounts, SHOWN } from '../plans/user-plans.sql.js';
import { GivenPasswords } from './given-passwords.js';
import { PASSWORD_CHANGED } from './members.sql.js';
import { seesCode, seesTemporaryPassword } from './passes.rules.js';
import { bestMatches, firstOf } from './search.sql.js';

const u = table<User>('u');
const HIDDEN = computed<null>(raw('NULL::text'));

const RECORD = {
  ...pick(u, 'id', 'full_name', 'phone_number', 'email', 'document_id', 'gym_id', 'is_active', 'language'),
  ...pick(u, 'must_change_password', 'created_at', 'updated_at'),
  password_changed: PASSWORD_CHANGED,
  /** The plan that counts, or else the last one: see its status. */
  membership: optional(SHOWN),
};
const SHOWN_WITH = planThatCounts(raw('u.id'), raw('u.gym_id'));

type RowOf<Of> = Of extends Columns<infer Row> ? Row : never;
/** With what the actor may know of the pass; the rest of it is null. */
const FOR_RECEPTION = row({ ...RECORD, qr_code: present(u.qr_code), temporary_password: u.temporary_password });
const FOR_THEMSELVES = row({ ...RECORD, qr_code: present(u.qr_code), temporary_password: HIDDEN });
const FOR_OTHERS = row({ ...RECORD, qr_code: HIDDEN, temporary_password: HIDDEN });

/**
 * A member with their pass. Its temporary password is there until it is changed, for those who hand passes out; its
 * code for them, and for the member.
 */
export type MemberRecord = Omit<RowOf<typeof FOR_RECEPTION>, 'qr_code'> & { qr_code: string | null };

function columnsFor(actor: Actor): Columns<MemberRecord> {
  if (seesTemporaryPassword(actor)) return FOR_RECEPTION;
  return seesCode(actor) ? FOR_THEMSELVES : FOR_OTHERS;
}

export interface RecordsQuery extends NumberedQuery {
  /** Only of this gym. Default: one's own; for an admin all. */
  gym_id?: number;
  /** Words of a name, a phone, an email or a document; or a pass code as it is. */
  search?: string;
  order?: 'newest' | 'name';
}

/** Members for clients that list them by page numbers, with their passes. */
@Injectable()
export class RecordsService {
  constructor(
    private readonly db: Database,
    private readonly given: GivenPasswords,
  ) {}

  /** The newest first, or by name. A member sees themselves. @throws OtherGym */
  async list(actor: Actor, query: RecordsQuery): Promise<NumberedPage<MemberRecord>> {
    const typed = query.search?.trim();
    const words = wordsOf(typed ?? '');
    if (typed && words.length === 0) return NumberedPage.empty(query);
    const called = typed && membersCalled(actor, actor.scope(query.gym_id), typed, words);
    const from = sql`FROM users u WHERE u.role = 'user' AND ${visiblePerson(actor, query.gym_id)}
      ${called ? sql`AND u.id = ANY(${called})` : empty}`;
    const order: Pick<ListSource<MemberRecord>, 'keys' | 'direction'> = query.order === 'name'
      ? { keys: { full_name: 'u.full_name', id: 'u.id' } }
      : { keys: { created_at: 'u.created_at', id: 'u.id' }, direction: 'DESC' };
    const shown = { alias: 'u', joins: SHOWN_WITH };
    const page = await numberedPage(this.db, query, { columns: columnsFor(actor), from, shown, ...order });
    return page.map((found) => this.opened(found));
  }

  /** @throws UserNotFound, also for staff */
  async get(actor: Actor, userId: number): Promise<MemberRecord> {
    const [found] = await this.db.query(sql`
      SELECT ${columnsFor(actor)} FROM users u ${SHOWN_WITH}
      WHERE u.id = ${userId} AND u.role = 'user' AND ${visiblePerson(actor)}`);
    if (!found) throw new UserNotFound();
    return this.opened(found);
  }

  /** The best matches first; nothing typed finds none. @param limit 1 to 200 @throws OtherGym */
  async search(actor: Actor, typed: string, limit: number, gymId?: number): Promise<MemberRecord[]> {
    const text = typed.trim();
    const words = wordsOf(text);
    if (words.length === 0) return [];
    const scope = sql`${inGym(actor.scope(gymId), 'u.gym_id')} AND u.role = 'user' AND ${visiblePerson(actor, gymId)}`;
    const matches = bestMatches(scope, text, words, hasPass(actor, text));
    const found = await this.db.query(firstOf(limit, matches, columnsFor(actor), SHOWN_WITH));
    return found.map((member) => this.opened(member));
  }

  private opened(found: MemberRecord): MemberRecord {
    const { id, temporary_password: sealed } = found;
    return sealed === null ? found : { ...found, temporary_password: this.given.openOrReport(id, sealed) };
  }
}
