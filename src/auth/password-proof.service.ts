import { Injectable, Logger } from '@nestjs/common';
import pLimit from 'p-limit';
import type { Role } from '../common/actor/roles.js';
import { FieldsInvalid, TooManyRequests, Unavailable } from '../common/errors/common.errors.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { everyGym, raw, sql } from '../database/sql.js';
import { PHONE } from '../people/dto/account.dto.js';
import { digitsOf } from '../people/search.sql.js';
import { Attempts, type Budget } from './attempts.js';
import { AccountInactive, WrongCredentials } from './auth.errors.js';
import type { IdentifierDto, LoginDto } from './dto/auth.dto.js';
import { networkOf } from './network.js';
import { LONGEST_QUEUE, Passwords } from './passwords.js';
import type { Client } from './sessions.service.js';

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

/** Those for whom an attempt is counted once. */
interface Tried<Person> {
  readonly people: Person[];
  readonly budgets: Budget[];
  /** The first budget is of one person alone. */
  readonly isOwn: boolean;
}

/** A phone may be shared in a family. It is a name for the first so many who have it; the others have another name. */
const MOST_OF_ONE_PHONE = 3;
/** In a network of the gym's own many people mistype. */
const KNOWN_FACTOR = 4;

/** Who someone is, by their password. */
@Injectable()
export class PasswordProof {
  private readonly logger = new Logger('Auth');
  /** So many passwords are tried at a time; each is judged after the failures before it have been counted. */
  private readonly turns = pLimit(2);

  constructor(
    private readonly db: Database,
    private readonly passwords: Passwords,
    private readonly attempts: Attempts,
    private readonly config: Config,
  ) {}

  /**
   * The person with this password. It starts no session.
   * @param admit may refuse them; called once the password was right
   * @throws WrongCredentials, AccountInactive, TooManyRequests, and what `admit` throws
   */
  async prove(input: LoginDto | IdentifierDto, client: Client, admit?: Admission): Promise<Credentials> {
    const sought = soughtBy(input);
    const people = await this.findPeople(sought, client);
    const person = await this.try(input.password, this.tried(people, sought, client), mostOf(sought));
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
   * The first of these people who has this password. An attempt counts as a failure before it is one, so that many at
   * once do not pass a limit together; one that succeeds is given back. Of whom no attempt is left is not tried.
   * @param least so many passwords are compared if none is right: the time does not tell how many people there are
   * @throws TooManyRequests if no one can be tried
   */
  try<Person extends { password_hash: string }>(
    password: string,
    tried: Tried<Person>[],
    least = 1,
  ): Promise<Person | undefined> {
    if (this.turns.pendingCount >= LONGEST_QUEUE)
      throw new Unavailable('Too many people sign in right now. Try again.');
    return this.turns(async () => {
      const refusals: TooManyRequests[] = [];
      let compared = 0;
      for (const { people, budgets, isOwn } of tried) {
        const refusal = await this.attempts.take(budgets).catch(ifUsedUp);
        if (refusal) {
          refusals.push(refusal);
          continue;
        }
        for (const [index, person] of people.entries()) {
          compared++;
          if (!(await this.passwords.matches(password, person.password_hash))) continue;
          // If it was tried on another before, it has failed there.
          if (index === 0) await this.attempts.giveBack(budgets, isOwn);
          return person;
        }
      }
      if (refusals.length === tried.length) throw refusals[0]!;
      for (; compared < least; compared++) await this.passwords.matches(password, null);
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
  private tried(people: Credentials[], { name, phone }: Sought, client: Client): Tried<Credentials>[] {
    const { SIGN_IN_FAILURES_PER_ACCOUNT: perAccount, SIGN_IN_FAILURES_PER_ADDRESS: perAddress } = this.config;
    const where = networkOf(client.ip_address);
    const known = people.filter(({ is_known }) => is_known);
    const strangers = people.filter(({ is_known }) => !is_known);
    const account =
      people.length === 1 ? String(people[0]!.id) : this.db.keyedHash((phone ?? name)!).toString('base64');
    const ofStrangers = [
      { key: `sign_in ${account}`, burst: perAccount },
      { key: `sign_in from ${where}`, burst: perAddress },
    ];
    return [
      ...known.map((person) => ({
        people: [person],
        budgets: [
          { key: `sign_in ${person.id} from ${where}`, burst: perAccount },
          { key: `sign_in of known from ${where}`, burst: perAddress * KNOWN_FACTOR },
        ],
        isOwn: true,
      })),
      ...(strangers.length > 0 || known.length === 0
        ? [{ people: strangers, budgets: ofStrangers, isOwn: people.length === 1 }]
        : []),
    ];
  }

  /**
   * Those who may be meant: the one with this name, then those with this phone, the active ones first. Who has it since
   * later than so many others is not: anyone can say that a phone is theirs.
   */
  private async findPeople({ name, phone }: Sought, client: Client): Promise<Credentials[]> {
    const named =
      name === undefined ? raw('FALSE') : sql`(fold(email) = fold(${name}) OR fold(username) = fold(${name}))`;
    const called = phone === undefined ? raw('FALSE') : sql`phone_digits = ${phone}`;
    const people = await this.db.query<Credentials>(everyGym`
      SELECT id, email, role, gym_id, password_hash, password_version, is_active, ${named} IS TRUE AS is_named, EXISTS (
        SELECT 1 FROM sessions s WHERE s.user_id = u.id AND s.network = ${networkOf(client.ip_address)}) AS is_known
      FROM users u WHERE (${named} OR ${called}) AND password_hash IS NOT NULL AND deleted_at IS NULL
      ORDER BY is_named DESC, is_active DESC, id LIMIT ${MOST_OF_ONE_PHONE + 1}`);
    const withName = people.filter(({ is_named }) => is_named);
    const withPhone = people.filter(({ is_named }) => !is_named);
    return [...withName, ...withPhone.slice(0, MOST_OF_ONE_PHONE)];
  }
}

/** Of how many people a password may be tried. */
const mostOf = ({ name, phone }: Sought): number =>
  (name === undefined ? 0 : 1) + (phone === undefined ? 0 : MOST_OF_ONE_PHONE);

function ifUsedUp(error: unknown): TooManyRequests {
  if (error instanceof TooManyRequests) return error;
  throw error;
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
