import { Injectable, Logger } from '@nestjs/common';
import pLimit from 'p-limit';
import { Actor } from '../common/actor/actor.js';
import type { Role } from '../common/actor/roles.js';
import {
  FieldsInvalid,
  NotSignedIn,
  PasswordChangeRequired,
  SessionEnded,
  Unavailable,
} from '../common/errors/common.errors.js';
import { Config } from '../config/config.js';
import { Database, type Queryable } from '../database/database.js';
import { everyGym, raw, sql } from '../database/sql.js';
import { Attempts, type Budget } from './attempts.js';
import { AccountInactive, WrongCredentials, WrongPassword } from './auth.errors.js';
import type { AccountDto } from '../people/dto/account.dto.js';
import { NEW_PERSON, newPassCode } from '../people/people.sql.js';
import type { ChangePasswordDto, CreateAccountDto, IdentifierDto, LoginDto, SignedInDto } from './dto/auth.dto.js';
import { networkOf } from './network.js';
import { LONGEST_QUEUE, Passwords } from './passwords.js';
import { type Client, type FixedSession, type OpenSession, SessionsService } from './sessions.service.js';
import { Tokens } from './tokens.js';

/** One who has proved their password. */
export interface ProvenPerson {
  id: number;
  /** As it was typed at registration. */
  email: string | null;
  role: Role;
  gym_id: number | null;
  is_active: boolean;
}

/** Throws what this person is refused with, who has proved the password. The inactive are refused without it. */
export type Admission = (person: ProvenPerson) => void;

/** A pair for clients that keep one refresh token as long as it is good. */
export interface FixedTokens {
  /** It has an `exp`, whatever the settings say. */
  access_token: string;
  /** Good again and again until its `exp`, or until the session ends. */
  refresh_token: string;
}

interface Credentials extends ProvenPerson {
  password_hash: string;
  /** Another one for each password. */
  password_version: number;
  /** By their email or username; else by a phone. */
  is_named: boolean;
  /** They have signed in from this network before. */
  is_known: boolean;
}

/** What people are looked for by: one of them, or both. */
interface Sought {
  /** An email or a username. */
  name?: string;
  /** Its digits. */
  phone?: string;
}

/** What may be a phone number, as accounts have it. */
const PHONE = /^(?=(\D*\d){3,20}\D*$)[-+().\d\s/]{3,40}$/;
/** A phone may be shared in a family; of more people than this it is no name any more. */
const MOST_OF_ONE_PHONE = 3;
/** Seconds for which an access token of a member is good, where it must expire. */
const MEMBER_TOKEN = 3_600;
/** In a network of the gym's own many people mistype. */
const KNOWN_FACTOR = 4;

@Injectable()
export class AuthService {
  private readonly logger = new Logger('Auth');
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
   * Makes a member of the gym (the first active one, if none is named), who signs in with an email or a username. How
   * short a password may be is said by the class of the input.
   * @throws TooManyRequests, EmailTaken, UsernameTaken, FieldsInvalid
   */
  async register(input: CreateAccountDto, client: Client): Promise<AccountDto> {
    const name = input.full_name ?? input.username ?? input.email?.split('@')[0];
    if (!input.email && !input.username) throw FieldsInvalid.of('email', 'is required, or username');
    const { REGISTRATIONS_PER_ADDRESS: burst } = this.config;
    await this.attempts.take([{ key: `register ${networkOf(client.ip_address)}`, burst }]);
    const passwordHash = await this.passwords.hash(input.password);
    return this.db.transaction(async (tx) => {
      const [person] = await tx.query<{ id: number }>(everyGym`
        INSERT INTO users (id, qr_code, email, username, full_name, phone_number, gym_id, password_hash)
        SELECT n.id, ${newPassCode(this.config, raw('n.id'))}, ${input.email}, ${input.username}, ${name},
          ${input.phone_number}, g.id, ${passwordHash}
        FROM ${NEW_PERSON} CROSS JOIN gyms g
        WHERE g.is_active AND ${input.gym_id ? sql`g.id = ${input.gym_id}` : raw('TRUE')} ORDER BY g.id LIMIT 1
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
   * @param admit may refuse them; called once the password was right
   * @throws WrongCredentials, AccountInactive, TooManyRequests, FieldsInvalid, and what `admit` throws
   */
  async provePassword(input: LoginDto | IdentifierDto, client: Client, admit?: Admission): Promise<Credentials> {
    const sought = soughtBy(input);
    const people = await this.findPeople(sought, client);
    const budgets = this.signInBudgets(people, sought, client);
    const person = await this.tryPassword(input.password, people, budgets);
    if (!person) {
      // Whom it was tried for, not what was typed: people type their password into the wrong field.
      const userIds = people.map(({ id }) => id);
      this.logger.warn('A sign-in failed', { ip_address: client.ip_address, user_ids: userIds });
      throw new WrongCredentials();
    }
    admit?.(person);
    if (!person.is_active) throw new AccountInactive();
    return person;
  }

  /**
   * Signs in for two days, with a refresh token that is not rotated (docs/decisions/0038).
   * @param admit may refuse them; called once the password was right and before there is a session
   * @throws WrongCredentials, AccountInactive, TooManyRequests, FieldsInvalid, and what `admit` throws
   */
  async openFixedSession(
    input: LoginDto | IdentifierDto,
    client: Client,
    admit?: Admission,
  ): Promise<FixedTokens & { account: AccountDto; actor: Actor }> {
    const person = await this.provePassword(input, client, admit);
    const session = await this.sessions.startFixed(person.id, person.password_hash, client);
    const account = await this.loadAccount(this.db, person.id);
    const actor = new Actor(person.id, account.role, account.gym_id, session.session_id);
    return { ...this.fixedTokens(session, account), account, actor };
  }

  /** A fresh access token for a fixed refresh token, which stays good. @throws NotSignedIn, SessionEnded */
  async renewAccess(refreshToken: string, client: Client): Promise<string> {
    const session = await this.sessions.useFixed(refreshToken, client);
    return this.fixedTokens(session, session).access_token;
  }

  /**
   * A fresh pair for the session that the actor is in, which goes on to its end as before.
   * @throws SessionEnded, also to one who acts without a session
   */
  async tokensOf(actor: Actor): Promise<FixedTokens> {
    const session = await this.sessions.fixed(actor);
    return this.fixedTokens(session, session);
  }

  /**
   * Who gives their password with what they ask, instead of signing in: an actor without a session, who ends with this
   * password. `ActorResolver.currentActor` says whether they still may.
   * @throws WrongCredentials, AccountInactive, PasswordChangeRequired, TooManyRequests, FieldsInvalid, and what `admit`
   *   throws
   */
  async actorOfPassword(input: LoginDto | IdentifierDto, client: Client, admit?: Admission): Promise<Actor> {
    const { id, password_version } = await this.provePassword(input, client, admit);
    const access = await this.sessions.accessByPassword(id, password_version).catch((error: unknown) => {
      throw error instanceof SessionEnded ? new WrongCredentials() : error;
    });
    if (access.must_change_password) throw new PasswordChangeRequired();
    return access.actor;
  }

  /**
   * The person of this id, who has shown nothing: for doors that the operator has opened to all. An actor without a
   * session, as of a password.
   * @throws SessionEnded if there is no such active person; PasswordChangeRequired
   */
  async actorWithoutProof(userId: number): Promise<Actor> {
    const [person] = await this.db.query<{ password_version: number }>(everyGym`
      SELECT password_version FROM users WHERE id = ${userId}`);
    const access = await this.sessions.accessByPassword(userId, person?.password_version ?? null);
    if (access.must_change_password) throw new PasswordChangeRequired();
    return access.actor;
  }

  /** @throws NotSignedIn, SessionEnded */
  async refresh(refreshToken: string, client: Client): Promise<SignedInDto> {
    const { user_id, ...session } = await this.sessions.rotate(refreshToken, client);
    return this.withTokens(user_id, session);
  }

  async logout(actor: Actor): Promise<void> {
    await this.db.transaction((tx) => this.sessions.end(tx, actor.user_id, 'signed_out', { only: actor.session_id }));
  }

  /** Ends all sessions of the actor. */
  async logoutAll(actor: Actor): Promise<void> {
    await this.db.transaction((tx) => this.sessions.end(tx, actor.user_id, 'signed_out'));
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
  private signInBudgets(people: Credentials[], { name, phone }: Sought, client: Client): Budget[] {
    const { SIGN_IN_FAILURES_PER_ACCOUNT: perAccount, SIGN_IN_FAILURES_PER_ADDRESS: perAddress } = this.config;
    const account =
      people.length === 1 ? String(people[0]!.id) : this.db.keyedHash((phone ?? name)!).toString('base64');
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

  /**
   * Those who may be meant: the one with this name, then those with this phone, the active ones first.
   * @throws FieldsInvalid if it is a phone alone, and has too many
   */
  private async findPeople({ name, phone }: Sought, client: Client): Promise<Credentials[]> {
    const named =
      name === undefined ? raw('FALSE') : sql`(fold(email) = fold(${name}) OR fold(username) = fold(${name}))`;
    const called = phone === undefined ? raw('FALSE') : sql`phone_digits = ${phone}`;
    const people = await this.db.query<Credentials>(everyGym`
      SELECT id, email, role, gym_id, password_hash, password_version, is_active, ${named} IS TRUE AS is_named, EXISTS (
        SELECT 1 FROM sessions s WHERE s.user_id = u.id AND s.network = ${networkOf(client.ip_address)}) AS is_known
      FROM users u WHERE (${named} OR ${called}) AND password_hash IS NOT NULL AND deleted_at IS NULL
      ORDER BY is_named DESC, is_active DESC, id LIMIT ${MOST_OF_ONE_PHONE + 2}`);
    const withName = people.filter(({ is_named }) => is_named);
    const withPhone = people.filter(({ is_named }) => !is_named);
    if (!withPhone[MOST_OF_ONE_PHONE]?.is_active) return [...withName, ...withPhone.slice(0, MOST_OF_ONE_PHONE)];
    if (withName.length > 0) return withName;
    throw FieldsInvalid.of('phone_number', 'is shared by several people: sign in with your email or username');
  }

  private fixedTokens({ user_id, session_id, ends_at }: FixedSession, { role }: { role: Role }): FixedTokens {
    const longest = role === 'user' ? MEMBER_TOKEN : this.config.LEGACY_STAFF_TOKEN_HOURS * 3_600;
    const lifetime = Math.min(longest, Math.floor((ends_at.getTime() - Date.now()) / 1000));
    return {
      access_token: this.tokens.signAccess(user_id, session_id, role, lifetime),
      refresh_token: this.tokens.signFixed(user_id, session_id, ends_at),
    };
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

/** What the person signs in with. @throws FieldsInvalid if it is nothing */
function soughtBy(input: LoginDto | IdentifierDto): Sought {
  if ('identifier' in input) {
    const phone = PHONE.test(input.identifier) ? { phone: digitsOf(input.identifier) } : {};
    return { name: nameOf(input.identifier), ...phone };
  }
  const name = input.email ?? input.username;
  if (name !== undefined) return { name: nameOf(name) };
  if (input.phone_number !== undefined) return { phone: digitsOf(input.phone_number) };
  throw FieldsInvalid.of('email', 'is required, or username, or phone_number');
}

const nameOf = (typed: string): string => typed.trim().normalize('NFC').toLowerCase();
const digitsOf = (typed: string): string => typed.replace(/\D/g, '');
