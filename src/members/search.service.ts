import { Injectable } from '@nestjs/common';
import type { Actor } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import { Page } from '../common/http/list.js';
import { Database } from '../database/database.js';
import { wordsOf } from '../database/search.js';
import { inGym, type ScopedSql, sql } from '../database/sql.js';
import type { SearchQuery, UserDto } from './dto/user.dto.js';
import { digitsOf } from '../people/search.sql.js';
import { SHOWN_WITH, USER_COLUMNS } from './members.sql.js';
import { bestMatches, CANDIDATES, firstOf } from './search.sql.js';

/** Finding a person at the desk: instant at a million, through the trigram indexes. */
@Injectable()
export class SearchService {
  constructor(private readonly db: Database) {}

  /** All whose phone contains these digits, by name. @throws OtherGym, FieldsInvalid */
  byPhone(actor: Actor, typed: string, gymId?: number): Promise<Page<UserDto>> {
    const digits = digitsOf(typed);
    // A trigram index knows nothing shorter.
    if (digits.length < 3) throw FieldsInvalid.of('phone_number', 'must have at least 3 digits');
    return this.first(
      50,
      sql`
        SELECT id, 0 AS place FROM users u
        WHERE ${inGym(actor.scope(gymId), 'u.gym_id')} AND deleted_at IS NULL AND phone_digits LIKE ${`%${digits}%`}
        LIMIT ${CANDIDATES}`,
    );
  }

  /**
   * All in whose name, email, username, document or phone each typed word occurs; the best match first.
   * @throws OtherGym, FieldsInvalid
   */
  async byText(actor: Actor, { q, limit, gym_id }: SearchQuery): Promise<Page<UserDto>> {
    const typed = q.trim();
    if (typed === '') throw FieldsInvalid.of('q', 'must not be empty');
    const scope = inGym(actor.scope(gym_id), 'u.gym_id');
    const words = wordsOf(typed);
    if (words.length === 0) return Page.EMPTY;
    return this.first(limit, bestMatches(scope, typed, words));
  }

  private async first(count: number, found: ScopedSql): Promise<Page<UserDto>> {
    return new Page(await this.db.rows(firstOf(count, found, USER_COLUMNS, SHOWN_WITH)));
  }
}
