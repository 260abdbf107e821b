import { Injectable } from '@nestjs/common';
import { Actor } from '../common/actor/actor.js';
import type { Role } from '../common/actor/roles.js';
import { FieldsInvalid, NotSignedIn, PasswordChangeRequired, SessionEnded } from '../common/errors/common.errors.js';
import { Config } from '../config/config.js';
import { Database, type Queryable } from '../database/database.js';
import { everyGym, raw, sql } from '../database/sql.js';
import { Attempts } from './attempts.js';
import { WrongCredentials, WrongPassword } from './auth.errors.js';
import type { AccountDto } from '../people/dto/account.dto.js';
import { NEW_PERSON, newPassCode } from '../people/people.sql.js';
import type { ChangePasswordDto, CreateAccountDto, IdentifierDto, LoginDto, SignedInDto } from './dto/auth.dto.js';
import { networkOf } from './network.js';
import { type Admission, PasswordProof } from './password-proof.service.js';
import { Passwords } from './passwords.js';
import { type Client, type FixedSession, type OpenSession, SessionsService } from './sessions.service.js';
import { Tokens } from './tokens.js';

/** A pair for clients that keep one refresh token as long as it is good. */
export interface FixedTokens {
  /** It has an `exp`, whatever the settings say. */
  access_token: string;
  /** Good again and again until its `exp`, or until the session ends. */
  refresh_token: string;
}

/** Seconds for which an access token of a member is good, where it must expire. */
const MEMBER_TOKEN = 3_600;

@Injectable()
export class AuthService {
  constructor(
    private readonly db: Database,
    private readonly proof: PasswordProof,
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
    const person = await this.proof.prove(input, client);
    const session = await this.sessions.start(person.id, person.password_hash, client);
    return this.withTokens(person.id, session);
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
    const person = await this.proof.prove(input, client, admit);
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
    const { id, password_version } = await this.proof.prove(input, client, admit);
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
    const person = await this.proof.try(input.current_password, [{ people, budgets: [budget], isOwn: true }]);
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
