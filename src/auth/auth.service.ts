import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import type { Actor } from '../common/actor/actor.js';
import { FieldsInvalid, NotSignedIn, Unavailable } from '../common/errors/common.errors.js';
import { Config } from '../config/config.js';
import { Database, type Queryable } from '../database/database.js';
import { everyGym, raw, sql } from '../database/sql.js';
import { Attempts, type Budget } from './attempts.js';
import { AccountInactive, WrongCredentials, WrongPassword } from './auth.errors.js';
import type { AccountDto } from '../people/dto/account.dto.js';
import type { ChangePasswordDto, LoginDto, RegisterDto, SignedInDto } from './dto/auth.dto.js';
import { networkOf } from './network.js';
import { LONGEST_QUEUE, Passwords } from './passwords.js';
import { type Client, type OpenSession, SessionsService } from './sessions.service.js';
import { Tokens } from './tokens.js';

interface Credentials {
  id: number;
  password_hash: string;
  /** Another one for each password. */
  password_version: number;
  is_active: boolean;
  /** They have signed in from this network before. */
  is_known: boolean;
}

/** A phone may be shared in a family; of more people than this it is no name any more. */
const MOST_OF_ONE_PHONE = 3;
/** In a network of the gym's own many people mistype. */
const KNOWN_FACTOR = 4;

@Injectable()
export class AuthService {
  /** So many passwords are tried at a time; each is judged after the failures before it have been counted. */
  private readonly passwordTurns = pLimit(2);

  constructor(
    private readonly db: Database,
    private readonly passwords: Passwords,
    private readonly attempts: Attempts,
    private readonly sessions: SessionsService,
    private readonly tokens: Tokens,
    private readonly config: Config,
  ) {}

  /**
   * Makes a member of the gym (the first active one, if none is named).
   * @throws TooManyRequests, EmailTaken, UsernameTaken, GymUnknown
   */
  async register(input: RegisterDto, client: Client): Promise<AccountDto> {
    const { REGISTRATIONS_PER_ADDRESS: burst } = this.config;
    await this.attempts.take([{ key: `register ${networkOf(client.ip_address)}`, burst }]);
    const passwordHash = await this.passwords.hash(input.password);
    const fullName = input.full_name ?? input.username ?? input.email.split('@')[0]!;
    return this.db.transaction(async (tx) => {
      const [person] = await tx.query<{ id: number }>(everyGym`
        INSERT INTO users (email, username, full_name, phone_number, gym_id, password_hash)
        SELECT ${input.email}, ${input.username}, ${fullName}, ${input.phone_number}, id, ${passwordHash}
        FROM gyms WHERE is_active AND ${input.gym_id ? sql`id = ${input.gym_id}` : raw('TRUE')} ORDER BY id LIMIT 1
        RETURNING id`);
      if (!person) throw FieldsInvalid.of('gym_id', 'is not an active gym');
      return this.loadAccount(tx, person.id);
    });
  }

  /** @throws WrongCredentials, AccountInactive, TooManyRequests, FieldsInvalid */
  async login(input: LoginDto, client: Client): Promise<SignedInDto> {
    const person = await this.provePassword(input, client);
    const session = await this.sessions.start(person.id, person.password_hash, client);
    return this.withTokens(person.id, session);
  }

  /**
   * The person with this password. It starts no session.
   * @throws WrongCredentials, AccountInactive, TooManyRequests, FieldsInvalid
   */
  async provePassword(input: LoginDto, client: Client): Promise<Credentials> {
    const people = await this.findPeople(input, client);
    const budgets = this.signInBudgets(people, input, client);
    const person = await this.tryPassword(input.password, people, budgets);
    if (!person) throw new WrongCredentials();
    if (!person.is_active) throw new AccountInactive();
    return person;
  }

  /** @throws NotSignedIn, SessionEnded */
  async refresh(refreshToken: string, client: Client): Promise<SignedInDto> {
    const { user_id, ...session } = await this.sessions.rotate(refreshToken, client);
    return this.withTokens(user_id, session);
  }

  async logout(actor: Actor): Promise<void> {
    await this.db.transaction((tx) => this.sessions.end(tx, actor.user_id, 'signed_out', { only: actor.session_id }));
  }

  me(actor: Actor): Promise<AccountDto> {
    return this.loadAccount(this.db, actor.user_id);
  }

  /**
   * Sets a new password, drops a temporary one and ends all other sessions.
   * @throws WrongPassword, TooManyRequests
   */
  async changePassword(actor: Actor, input: ChangePasswordDto): Promise<void> {
    if (input.new_password === input.current_password) {
      throw FieldsInvalid.of('new_password', 'must differ from the current one');
    }
    const people = await this.db.query<{ password_hash: string }>(everyGym`
      SELECT password_hash FROM users WHERE id = ${actor.user_id} AND password_hash IS NOT NULL`);
    const budget = { key: `password ${actor.user_id}`, burst: this.config.SIGN_IN_FAILURES_PER_ACCOUNT };
    const person = await this.tryPassword(input.current_password, people, [budget]);
    if (!person) throw new WrongPassword();
    const newHash = await this.passwords.hash(input.new_password);
    await this.db.transaction(async (tx) => {
      // Of two changes at once the second finds another password than the one it proved.
      const [changed] = await tx.query(everyGym`
        UPDATE users
        SET password_hash = ${newHash}, must_change_password = FALSE, temporary_password = NULL, updated_at = now()
        WHERE id = ${actor.user_id} AND password_hash = ${person.password_hash}
        RETURNING id`);
      if (!changed) throw new WrongPassword();
      await this.sessions.end(tx, actor.user_id, 'password_changed', { except: actor.session_id });
    });
  }

  /**
   * The first of these people who has this password. An attempt counts as a failure before it is one, so that many at
   * once do not pass a limit together; one that succeeds is given back.
   */
  private tryPassword<Person extends { password_hash: string }>(
    password: string,
    people: Person[],
    budgets: Budget[],
  ): Promise<Person | undefined> {
    if (this.passwordTurns.pendingCount >= LONGEST_QUEUE)
      throw new Unavailable('Too many people sign in right now. Try again.');
    return this.passwordTurns(async () => {
      await this.attempts.take(budgets);
      // An account that is not there takes as long.
      if (people.length === 0) await this.passwords.matches(password, null);
      for (const person of people) {
        if (!(await this.passwords.matches(password, person.password_hash))) continue;
        await this.attempts.giveBack(budgets);
        return person;
      }
      return undefined;
    });
  }

  /**
   * Wrong passwords count against the account and against the network, so that neither many passwords for one account
   * nor one password for many accounts gets far. From a network that a person has signed in from, only failures there
   * count, so that strangers do not lock the owner out; there are more of them, as a gym's people share one network.
   * Where several share a phone it is not known who was meant: then failures count against the number, and no one's own
   * account.
   */
  private signInBudgets(people: Credentials[], input: LoginDto, client: Client): Budget[] {
    const { SIGN_IN_FAILURES_PER_ACCOUNT: perAccount, SIGN_IN_FAILURES_PER_ADDRESS: perAddress } = this.config;
    const account =
      people.length === 1 ? String(people[0]!.id) : this.db.keyedHash(identifier(input)).toString('base64');
    const where = networkOf(client.ip_address);
    return people.some(({ is_known }) => is_known)
      ? [
          { key: `sign_in ${account} from ${where}`, burst: perAccount },
          { key: `sign_in of known from ${where}`, burst: perAddress * KNOWN_FACTOR },
        ]
      : [
          { key: `sign_in ${account}`, burst: perAccount },
          { key: `sign_in from ${where}`, burst: perAddress },
        ];
  }

  /** Those who may be meant; the active ones first. @throws FieldsInvalid if a phone has too many */
  private async findPeople(input: LoginDto, client: Client): Promise<Credentials[]> {
    const given = identifier(input);
    const isPhone = input.email === undefined && input.username === undefined;
    const who = isPhone
      ? sql`phone_digits = ${given}`
      : sql`(fold(email) = fold(${given}) OR fold(username) = fold(${given}))`;
    const people = await this.db.query<Credentials>(everyGym`
      SELECT id, password_hash, password_version, is_active, EXISTS (
        SELECT 1 FROM sessions s WHERE s.user_id = u.id AND s.network = ${networkOf(client.ip_address)}) AS is_known
      FROM users u WHERE ${who} AND password_hash IS NOT NULL AND deleted_at IS NULL
      ORDER BY is_active DESC, id LIMIT ${MOST_OF_ONE_PHONE + 1}`);
    if (people.length > MOST_OF_ONE_PHONE && people.every(({ is_active }) => is_active)) {
      throw FieldsInvalid.of('phone_number', 'is shared by several people: sign in with your email or username');
    }
    return people.slice(0, MOST_OF_ONE_PHONE);
  }

  private async withTokens(userId: number, session: OpenSession): Promise<SignedInDto> {
    const account = await this.loadAccount(this.db, userId);
    return {
      access_token: this.tokens.signAccess(userId, session.session_id, account.role),
      refresh_token: this.tokens.signRefresh(userId, session.session_id, session.generation),
      token_type: 'bearer',
      expires_in: this.tokens.accessLifetime,
      role: account.role,
      must_change_password: account.must_change_password,
      account,
    };
  }

  private async loadAccount(db: Queryable, userId: number): Promise<AccountDto> {
    const [account] = await db.query<AccountDto>(everyGym`
      SELECT u.id, u.email, u.username, u.full_name, u.phone_number, u.role, u.language, u.gym_id, u.is_active,
        u.created_at,
        CASE WHEN g.id IS NOT NULL THEN json_build_object('id', g.id, 'name', g.name) END AS gym, u.must_change_password
      FROM users u LEFT JOIN gyms g ON g.id = u.gym_id
      WHERE u.id = ${userId} AND u.deleted_at IS NULL`);
    if (!account) throw new NotSignedIn('This account does not exist any more.');
    return account;
  }
}

/** What the person signs in with. */
function identifier({ email, username, phone_number }: LoginDto): string {
  const name = email ?? username;
  if (name !== undefined) return name.trim().normalize('NFC').toLowerCase();
  if (phone_number !== undefined) return phone_number.replace(/\D/g, '');
  throw FieldsInvalid.of('email', 'is required, or username, or phone_number');
}
