import { Injectable } from '@nestjs/common';
import type { Actor } from '../common/actor/actor.js';
import { Page } from '../common/http/list.js';
import { type Numbered, NumberedPage } from '../common/http/numbered.js';
import { Database } from '../database/database.js';
import { listPage, type ListSource } from '../database/keyset.js';
import { numberedPage } from '../database/numbered.js';
import { wordsOf } from '../database/search.js';
import { raw, sql } from '../database/sql.js';
import { OWN_ACCOUNT } from '../members/members.rules.js';
import { MembersService } from '../members/members.service.js';
import type { AccountDto } from '../people/dto/account.dto.js';
import { UserNotFound } from '../people/people.errors.js';
import { reachablePeople, reachablePerson } from '../people/people.sql.js';
import { NotYourAccount } from './accounts.errors.js';
import { ACCOUNT_COLUMNS, foundBy, shownTo } from './accounts.sql.js';
import type { AccountListQuery, AccountViewDto, UpdateAccountDto } from './dto/accounts.dto.js';

/** The people of the gyms as they meet each other. */
@Injectable()
export class AccountsService {
  constructor(
    private readonly db: Database,
    private readonly members: MembersService,
  ) {}

  /**
   * Those of one's gym, and all trainers. In the order of their ids: that of names would tell names.
   * @throws OtherGym
   */
  async list(actor: Actor, query: AccountListQuery): Promise<Page<AccountViewDto>> {
    const source = this.source(actor, query);
    return source ? listPage(this.db, query, source) : Page.EMPTY;
  }

  /** The same by page numbers. @throws OtherGym */
  async listNumbered(actor: Actor, query: Numbered<AccountListQuery>): Promise<NumberedPage<AccountViewDto>> {
    const source = this.source(actor, query);
    return source ? numberedPage(this.db, query, source) : NumberedPage.empty(query);
  }

  /** @throws UserNotFound */
  async get(actor: Actor, accountId: number): Promise<AccountViewDto> {
    const [account] = await this.db.query(sql`
      SELECT ${ACCOUNT_COLUMNS} FROM users u ${shownTo(actor)}
      WHERE u.id = ${accountId} AND ${reachablePerson(actor, 'u')}`);
    if (!account) throw new UserNotFound();
    return account;
  }

  /** @throws UserNotFound, NotYourAccount, EmailTaken, UsernameTaken */
  update(actor: Actor, accountId: number, input: UpdateAccountDto): Promise<AccountViewDto> {
    return this.change(actor, accountId, () => input);
  }

  /** The same, where what is to change follows from the name as it is now. */
  async change(
    actor: Actor,
    accountId: number,
    inputFor: (account: Pick<AccountDto, 'full_name'>) => UpdateAccountDto,
  ): Promise<AccountViewDto> {
    await this.requireOwn(actor, accountId);
    await this.members.change(actor, accountId, inputFor, { own: OWN_ACCOUNT });
    return this.get(actor, accountId);
  }

  /** One's own, or by an admin. @throws UserNotFound, NotYourAccount, LastAdmin */
  async remove(actor: Actor, accountId: number): Promise<void> {
    if (actor.role !== 'admin') await this.requireOwn(actor, accountId);
    await this.members.remove(actor, accountId);
  }

  /** undefined: there is nothing in it. */
  private source(actor: Actor, query: Numbered<AccountListQuery>): ListSource<AccountViewDto> | undefined {
    const typed = query.search?.trim();
    const words = wordsOf(typed ?? '');
    if (typed && words.length === 0) return undefined;
    const from = sql`FROM (${reachablePeople(actor, query.gym_id)}) u
      WHERE ${typed ? foundBy(actor, words) : raw('TRUE')}`;
    const shown = { alias: 'u', joins: shownTo(actor) };
    return { columns: ACCOUNT_COLUMNS, from, shown, keys: { id: 'u.id' } };
  }

  private async requireOwn(actor: Actor, accountId: number): Promise<void> {
    if (accountId === actor.user_id) return;
    await this.get(actor, accountId);
    throw new NotYourAccount();
  }
}
