import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import type { Actor } from '../common/actor/actor.js';
import { FieldsInvalid, NotSignedIn, Unavailable } from '../common/errors/common.errors.js';
import { Config } from '../config/config.js';
import { Database, type Queryable } from '../database/database.js';
import { everyGym, raw, type Sql, sql } from '../database/sql.js';
import { Attempts, type Budget } from './attempts.js';
import { AccountInactive, WrongCredentials, WrongPassword } from './auth.errors.js';
import type { AccountDto } from './dto/account.dto.js';
import type { ChangePasswordDto, LoginDto, RegisterDto, SignedInDto } from './dto/auth.dto.js';
import { Passwords } from './passwords.js';
import { type Client, type OpenSession, SessionsService } from './sessions.service.js';
import { Tokens } from './tokens.js';

interface Credentials {
  id: number;
  password_hash: string;
  is_active: boolean;
  /** They have signed in from this address before. */
  is_known_address: boolean;
}

const QUARTER_HOUR = 900;
/** About 15 s of work. Whoever comes later is told to come back, instead of waiting beyond the client's time-out. */
const LONGEST_QUEUE = 400;

@Injectable()
export class AuthService {
  /** So many passwords are tried at a time; each is judged after the failures before it have been counted. */
  private readonly turn = pLimit(2);

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
    const budget = this.budget('register', network(client.ip_address), this.config.REGISTRATIONS_PER_ADDRESS);
    await this.attempts.check([budget]);
    await this.attempts.count([budget]);
    const passwordHash = await this.passwords.hash(input.password);
    const fullName = input.full_name ?? input.username ?? input.email.split('@')[0]!;
    return this.db.transaction(async (tx) => {
      const [person] = await tx.query<{ id: number }>(everyGym`
        INSERT INTO users (email, username, full_name, phone_number, gym_id, password_hash)
        SELECT ${input.email}, ${input.username}, ${fullName}, ${input.phone_number}, id, ${passwordHash}
        FROM gyms WHERE is_active AND ${input.gym_id ? sql`id = ${input.gym_id}` : raw('TRUE')} ORDER BY id LIMIT 1
        RETURNING id`);
      if (!person) throw FieldsInvalid.of('gym_id', 'is not an active gym');
      return this.account(tx, person.id);
    });
  }

  /** @throws WrongCredentials, AccountInactive, TooManyRequests */
  async login(input: LoginDto, client: Client): Promise<SignedInDto> {
    const found = await this.find(input, client);
    const budgets = this.signInBudgets(found, input, client);
    const fits = await this.tryPassword(input.password, found?.password_hash, budgets);
    if (!found || !fits) throw new WrongCredentials();
    if (!found.is_active) throw new AccountInactive();
    const session = await this.sessions.open(found.id, found.password_hash, client);
    return this.signedIn(found.id, session);
  }

  /** @throws NotSignedIn, SessionEnded */
  async refresh(refreshToken: string, client: Client): Promise<SignedInDto> {
    const { user_id, ...session } = await this.sessions.rotate(refreshToken, client);
    return this.signedIn(user_id, session);
  }

  async logout(actor: Actor): Promise<void> {
    await this.db.transaction((tx) => this.sessions.end(tx, actor.user_id, 'signed_out', { only: actor.session_id }));
  }

  me(actor: Actor): Promise<AccountDto> {
    return this.account(this.db, actor.user_id);
  }

  /**
   * Sets a new password, drops a temporary one and ends all other sessions.
   * @throws WrongPassword, TooManyRequests
   */
  async changePassword(actor: Actor, input: ChangePasswordDto): Promise<void> {
    if (input.new_password === input.current_password) {
      throw FieldsInvalid.of('new_password', 'must differ from the current one');
    }
    const [person] = await this.db.query<{ password_hash: string | null }>(everyGym`
      SELECT password_hash FROM users WHERE id = ${actor.user_id}`);
    const budget = this.budget('password', String(actor.user_id), this.config.SIGN_IN_FAILURES_PER_ACCOUNT);
    const fits = await this.tryPassword(input.current_password, person?.password_hash, [budget]);
    if (!fits) throw new WrongPassword();
    const newHash = await this.passwords.hash(input.new_password);
    await this.db.transaction(async (tx) => {
      // Of two changes at once the second finds another password than the one it proved.
      const [changed] = await tx.query(everyGym`
        UPDATE users
        SET password_hash = ${newHash}, must_change_password = FALSE, temporary_password = NULL, updated_at = now()
        WHERE id = ${actor.user_id} AND password_hash = ${person!.password_hash}
        RETURNING id`);
      if (!changed) throw new WrongPassword();
      await this.sessions.end(tx, actor.user_id, 'password_changed', { except: actor.session_id });
    });
  }

  /** Tries a password, unless too many were wrong before. */
  private tryPassword(password: string, hash: string | null | undefined, budgets: Budget[]): Promise<boolean> {
    if (this.turn.pendingCount >= LONGEST_QUEUE) throw new Unavailable('Too many people sign in right now. Try again.');
    return this.turn(async () => {
      await this.attempts.check(budgets);
      const fits = await this.passwords.matches(password, hash);
      if (fits) await this.attempts.forget(budgets[0]!.key);
      else await this.attempts.count(budgets);
      return fits;
    });
  }

  /**
   * Wrong passwords count against the account and against the address, so that neither many passwords for one account nor
   * one password for many accounts gets far. The owner is not locked out by it: from an address they have signed in from,
   * only their own failures there count.
   */
  private signInBudgets(found: Credentials | undefined, input: LoginDto, client: Client): Budget[] {
    const account = found ? String(found.id) : createHash('sha256').update(identifier(input)).digest('base64');
    const { SIGN_IN_FAILURES_PER_ACCOUNT: perAccount, SIGN_IN_FAILURES_PER_ADDRESS: perAddress } = this.config;
    if (found?.is_known_address) return [this.budget('sign_in', `${account} from ${client.ip_address}`, perAccount)];
    return [
      this.budget('sign_in', account, perAccount),
      this.budget('sign_in from', network(client.ip_address), perAddress),
    ];
  }

  /** `burst` at once, and as many in every quarter of an hour. */
  private budget(purpose: string, who: string, burst: number): Budget {
    return { key: `${purpose} ${who}`, burst, seconds: QUARTER_HOUR / burst };
  }

  private async find(input: LoginDto, client: Client): Promise<Credentials | undefined> {
    const given = identifier(input);
    const who: Sql =
      input.phone_number !== undefined && input.email === undefined && input.username === undefined
        ? sql`phone_digits = ${given}`
        : sql`(fold(email) = fold(${given}) OR fold(username) = fold(${given}))`;
    // A phone may be shared in a family: it signs in the account that had it first.
    const [found] = await this.db.query<Credentials>(everyGym`
      SELECT id, password_hash, is_active,
        EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = u.id AND s.ip_address = ${client.ip_address}) AS is_known_address
      FROM users u WHERE ${who} AND password_hash IS NOT NULL AND deleted_at IS NULL ORDER BY id LIMIT 1`);
    return found;
  }

  private async signedIn(userId: number, session: OpenSession): Promise<SignedInDto> {
    const account = await this.account(this.db, userId);
    return {
      access_token: this.tokens.access(userId, session.session_id, account.role),
      refresh_token: this.tokens.refresh(userId, session.session_id, session.generation),
      token_type: 'bearer',
      expires_in: this.tokens.accessLifetime,
      role: account.role,
      must_change_password: account.must_change_password,
      account,
    };
  }

  private async account(db: Queryable, userId: number): Promise<AccountDto> {
    const [account] = await db.query<AccountDto>(everyGym`
      SELECT u.id, u.email, u.username, u.full_name, u.phone_number, u.role, u.language, u.gym_id, u.is_active, u.created_at,
        CASE WHEN g.id IS NOT NULL THEN json_build_object('id', g.id, 'name', g.name) END AS gym, u.must_change_password
      FROM users u LEFT JOIN gyms g ON g.id = u.gym_id
      WHERE u.id = ${userId} AND u.deleted_at IS NULL`);
    if (!account) throw new NotSignedIn('This account does not exist any more.');
    return account;
  }
}

/** What the person signs in with, as it is stored. */
function identifier({ email, username, phone_number }: LoginDto): string {
  const name = email ?? username;
  if (name !== undefined) return name.trim().normalize('NFC').toLowerCase();
  if (phone_number !== undefined) return phone_number.replace(/\D/g, '');
  throw FieldsInvalid.of('email', 'is required, or username, or phone_number');
}

/** Whom an address belongs to: an IPv6 customer has a whole /64 to guess from. */
function network(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address.replace(/^::ffff:/, '');
  const [head = '', tail = ''] = address.split('::');
  const [first, last] = [head.split(':').filter(Boolean), tail.split(':').filter(Boolean)];
  const zeros = Array<string>(8 - first.length - last.length).fill('0');
  return `${[...first, ...zeros, ...last].slice(0, 4).join(':')}::/64`;
}
