import { Injectable } from '@nestjs/common';
import { AccessChanged, EmailChanged } from '../auth/auth.events.js';
import { PassGuesses } from '../auth/pass-guesses.js';
import { SessionsService } from '../auth/sessions.service.js';
import type { Actor, ScopedGymId } from '../common/actor/actor.js';
import type { IdempotencyKey } from '../common/http/idempotency.js';
import type { Page } from '../common/http/list.js';
import type { Role } from '../common/actor/roles.js';
import { Config } from '../config/config.js';
import { Database, type Queryable, type Transaction } from '../database/database.js';
import { once, onceInOne } from '../database/idempotency.js';
import { listPage } from '../database/keyset.js';
import { assignments, empty, everyGym, inGym, raw, type ScopedSql, sql } from '../database/sql.js';
import { GymInactive } from '../gyms/gyms.errors.js';
import { requireActiveGym } from '../gyms/gyms.js';
import { UserPlansService } from '../plans/user-plans.service.js';
import type {
  CreateMemberDto,
  CreateMemberWithPlanDto,
  CreateStaffDto,
  NewMemberDto,
  UpdateUserDto,
  UserDto,
  UserListQuery,
} from './dto/user.dto.js';
import { UserNotFound } from '../people/people.errors.js';
import { forget } from './forgetting.js';
import { GivenPasswords, type TemporaryPassword } from './given-passwords.js';
import { LastAdmin } from './members.errors.js';
import { Leaving } from './leaving.js';
import { SHOWN_WITH, USER_COLUMNS } from './members.sql.js';
import { NEW_PERSON, newPassCode, visiblePerson } from '../people/people.sql.js';
import { requireMayBecome, requireMayChange, requireMayGive } from './members.rules.js';

const CHANGEABLE = [
  ...(['email', 'username', 'full_name', 'document_id', 'phone_number', 'language'] as const),
  ...(['role', 'is_active', 'gym_id', 'password_hash', 'temporary_password', 'must_change_password'] as const),
  ...(['awaits_first_plan'] as const),
];

/** Mails to former addresses of one person in a quarter of an hour: they may be strangers' addresses. */
const MAILS_TO_FORMER = 3;

/** A person as it is added. */
type Newcomer = Omit<NewMemberDto, 'gym_id' | 'issue_temporary_password'> & { role?: Role; is_active?: boolean };
/** What is not said by the one who adds them. */
interface Start {
  password_hash?: string;
  temporary?: TemporaryPassword;
  awaits_first_plan?: boolean;
}

/** The people of the gyms: staff and members. */
@Injectable()
export class MembersService {
  constructor(
    private readonly db: Database,
    private readonly guesses: PassGuesses,
    private readonly given: GivenPasswords,
    private readonly sessions: SessionsService,
    private readonly userPlans: UserPlansService,
    private readonly leaving: Leaving,
    private readonly config: Config,
  ) {}

  /** By name. @throws OtherGym */
  list(actor: Actor, query: UserListQuery, onlyStaff = false): Promise<Page<UserDto>> {
    const scope = actor.scope(query.gym_id);
    const from = sql`FROM users u WHERE u.deleted_at IS NULL AND ${inGym(scope, 'u.gym_id')}
      ${onlyStaff ? raw(`AND u.role <> 'user'`) : empty}
      ${query.role ? sql`AND u.role = ${query.role}` : empty}
      ${query.is_active === undefined ? empty : sql`AND u.is_active = ${query.is_active}`}`;
    const keys = { full_name: 'u.full_name', id: 'u.id' };
    const shown = { alias: 'u', joins: SHOWN_WITH };
    return listPage(this.db, query, { columns: USER_COLUMNS, from, shown, keys });
  }

  /** @throws UserNotFound, also for people of other gyms and, to a member, for all others */
  get(actor: Actor, userId: number, db: Queryable = this.db): Promise<UserDto> {
    return this.find(db, sql`u.id = ${userId} AND ${visiblePerson(actor)}`);
  }

  /** @throws UserNotFound */
  getByDocument(actor: Actor, documentId: string, gymId?: number): Promise<UserDto> {
    return this.find(this.db, sql`fold(u.document_id) = fold(${documentId}) AND ${visiblePerson(actor, gymId)}`);
  }

  /** The member with this pass. @throws UserNotFound, TooManyRequests (passes are tried) */
  getByQr(actor: Actor, code: string): Promise<UserDto> {
    const found = () => this.find(this.db, sql`u.qr_code = ${code} AND u.role = 'user' AND ${visiblePerson(actor)}`);
    return this.guesses.limit(actor, found, (error) => error instanceof UserNotFound);
  }

  /** @throws RoleNotAssignable, OtherGym, GymInactive, EmailTaken, UsernameTaken, DocumentIdTaken */
  async createStaff(actor: Actor, input: CreateStaffDto, key: IdempotencyKey | null): Promise<UserDto> {
    requireMayGive(actor, input.role);
    // An admin needs no gym.
    const gymId = input.role === 'admin' && !input.gym_id ? null : actor.gym(input.gym_id);
    const passwordHash = await this.hashFor(actor, input.password, async () => {
      if (gymId !== null) await requireActiveGym(this.db, gymId);
    });
    return onceInOne(this.db, actor, key, (unit) => this.insert(unit, gymId, input, { password_hash: passwordHash }));
  }

  /** @throws GymInactive, EmailTaken, UsernameTaken, DocumentIdTaken, TooManyRequests */
  createMember(actor: Actor, input: CreateMemberDto, key: IdempotencyKey | null): Promise<UserDto> {
    return this.createWithoutPlan(actor, input, key, {});
  }

  /**
   * A member who is inactive until the first plan is assigned.
   * @throws OtherGym, GymInactive, EmailTaken, UsernameTaken, DocumentIdTaken, TooManyRequests
   */
  createWaitingMember(actor: Actor, input: NewMemberDto, key: IdempotencyKey | null): Promise<UserDto> {
    return this.createWithoutPlan(actor, input, key, { awaits_first_plan: true });
  }

  /**
   * A member and their plan, or neither.
   * @throws OtherGym, GymInactive, EmailTaken, UsernameTaken, DocumentIdTaken, PlanInactive, TooManyRequests
   */
  async createMemberWithPlan(
    actor: Actor,
    input: CreateMemberWithPlanDto,
    key: IdempotencyKey | null,
  ): Promise<UserDto> {
    const gymId = actor.gym(input.gym_id);
    const temporary = await this.temporaryFor(actor, gymId, input);
    return once(this.db, actor, key, async (tx) => {
      const member = await this.insert(tx, gymId, input, { temporary });
      const { plan_id, purchased_price } = input;
      await this.userPlans.assignIn(tx, actor, { user_id: member.id, plan_id, purchased_price });
      return this.get(actor, member.id, tx);
    });
  }

  /**
   * @throws UserNotFound, FieldsNotChangeable, RoleNotAssignable, FieldsInvalid, LastAdmin, GymInactive, EmailTaken,
   *   UsernameTaken, DocumentIdTaken
   */
  async update(actor: Actor, userId: number, input: UpdateUserDto): Promise<UserDto> {
    const passwordHash =
      input.password && (await this.hashFor(actor, input.password, () => this.mayChange(actor, userId, input)));
    return this.change(actor, userId, () => input, { passwordHash });
  }

  /**
   * The same, where what is to change follows from the person as they are now.
   * @param own what people may change of themselves; by default their contact data
   */
  change(
    actor: Actor,
    userId: number,
    inputFor: (person: UserDto) => UpdateUserDto,
    { own, passwordHash }: { own?: readonly (keyof UpdateUserDto)[]; passwordHash?: string | undefined },
  ): Promise<UserDto> {
    return this.db.transaction(async (tx) => {
      const { person, is_last_admin } = await this.lock(tx, actor, userId);
      const input = inputFor(person);
      requireMayChange(actor, person, input, own);
      const after = {
        role: input.role ?? person.role,
        is_active: input.is_active ?? person.is_active,
        gym_id: input.gym_id ?? person.gym_id,
      };
      requireMayBecome({ ...after, email: input.email === undefined ? person.email : input.email }, is_last_admin);
      if (after.gym_id !== null && after.gym_id !== person.gym_id) await requireActiveGym(tx, after.gym_id);
      const changes = {
        ...input,
        ...after,
        // Who is made active or inactive by hand stays so, whatever plan comes first.
        awaits_first_plan: after.is_active === person.is_active ? undefined : false,
        password_hash: passwordHash,
        // The password that staff gave for the first sign-in is none any more.
        ...(passwordHash && { temporary_password: null, must_change_password: false }),
      };
      const [changed] = await tx.query(sql`
        WITH u AS (
          UPDATE users u SET ${assignments(changes, CHANGEABLE)} updated_at = now()
          WHERE id = ${userId} AND ${visiblePerson(actor)} RETURNING *)
        SELECT ${USER_COLUMNS} FROM u ${SHOWN_WITH}`);
      const others = userId === actor.user_id ? { except: actor.session_id } : {};
      if (passwordHash) await this.sessions.end(tx, userId, 'password_changed', others);
      if (person.email !== null && changed!.email !== person.email) await this.tellFormer(tx, userId, person.email);
      await this.leaving.onChange(tx, userId, person, after);
      tx.emit(new AccessChanged(userId));
      return changed!;
    });
  }

  /**
   * Deletes a person: what goes and what stays is in forgetting.ts. What they bought and when they came stays in the
   * gym's numbers, under no name.
   * @throws UserNotFound, LastAdmin
   */
  async remove(actor: Actor, userId: number): Promise<void> {
    await this.db.transaction(async (tx) => {
      const { is_last_admin } = await this.lock(tx, actor, userId);
      if (is_last_admin) throw new LastAdmin();
      // First, so that what follows tells the screens nothing of the person.
      await forget(tx, userId);
      await this.leaving.onDelete(tx, userId);
      tx.emit(new AccessChanged(userId));
    });
  }

  private async createWithoutPlan(
    actor: Actor,
    input: CreateMemberDto | NewMemberDto,
    key: IdempotencyKey | null,
    start: Start,
  ): Promise<UserDto> {
    const gymId = actor.gym(input.gym_id);
    const temporary = await this.temporaryFor(actor, gymId, input);
    // A password is sealed for its row, whose id is not known before: that takes a second statement.
    const run = temporary ? once : onceInOne;
    return run(this.db, actor, key, (unit) => this.insert(unit, gymId, input, { ...start, temporary }));
  }

  /** A password for the first sign-in, if it is asked for. @throws GymInactive, TooManyRequests */
  private async temporaryFor(
    actor: Actor,
    gymId: ScopedGymId,
    { issue_temporary_password }: Pick<NewMemberDto, 'issue_temporary_password'>,
  ): Promise<TemporaryPassword | undefined> {
    if (!issue_temporary_password) return undefined;
    await requireActiveGym(this.db, gymId);
    return this.given.newTemporary(actor);
  }

  /** Its hash, if the actor may do this. @throws TooManyRequests */
  private async hashFor(actor: Actor, password: string, mayDo: () => Promise<void>): Promise<string> {
    await mayDo();
    return this.given.hash(actor, password);
  }

  private async mayChange(actor: Actor, userId: number, input: UpdateUserDto): Promise<void> {
    requireMayChange(actor, await this.get(actor, userId), input);
  }

  private async insert(
    unit: Queryable,
    gymId: ScopedGymId | null,
    input: Newcomer,
    { temporary, password_hash = temporary?.hash, awaits_first_plan = false }: Start,
  ): Promise<UserDto> {
    const [user] = await unit.query(everyGym`
      WITH u AS (
        INSERT INTO users (id, qr_code, email, username, full_name, document_id, phone_number, language, role, gym_id,
          password_hash, must_change_password, is_active, awaits_first_plan)
        SELECT n.id, ${newPassCode(this.config, raw('n.id'))}, ${input.email}, ${input.username}, ${input.full_name}, ${input.document_id}, ${input.phone_number},
          ${input.language ?? 'en'}, ${input.role ?? 'user'}, ${gymId}::int, ${password_hash},
          ${temporary !== undefined}::boolean, ${input.is_active ?? !awaits_first_plan}::boolean,
          ${awaits_first_plan}::boolean
        FROM ${NEW_PERSON}
        WHERE ${gymId}::int IS NULL OR EXISTS (SELECT 1 FROM gyms WHERE id = ${gymId} AND is_active)
        RETURNING *)
      SELECT ${USER_COLUMNS} FROM u ${SHOWN_WITH}`);
    if (!user) {
      await requireActiveGym(unit, gymId!);
      throw new GymInactive();
    }
    if (temporary) {
      const sealed = this.given.seal(user.id, temporary.password);
      await unit.query(everyGym`UPDATE users SET temporary_password = ${sealed} WHERE id = ${user.id}`);
    }
    return user;
  }

  /** The person, locked until the transaction ends; an admin together with all others, so that one of them stays. */
  private async lock(
    tx: Transaction,
    actor: Actor,
    userId: number,
  ): Promise<{ person: UserDto; is_last_admin: boolean }> {
    const active = sql`role = 'admin' AND is_active AND deleted_at IS NULL`;
    const locked = await tx.query<{ id: number; is_active_admin: boolean }>(everyGym`
      SELECT id, ${active} AS is_active_admin FROM users
      WHERE id = ${userId}
        OR (${active} AND EXISTS (SELECT 1 FROM users WHERE id = ${userId} AND role = 'admin'))
      ORDER BY id FOR NO KEY UPDATE`);
    const person = await this.get(actor, userId, tx);
    const admins = locked.filter(({ is_active_admin }) => is_active_admin);
    return { person, is_last_admin: admins.length === 1 && admins[0]!.id === userId };
  }

  /** Has the address that a person had told so, if the person can sign in. */
  private async tellFormer(tx: Transaction, userId: number, email: string): Promise<void> {
    const lately = sql`user_id = ${userId} AND created_at > now() - interval '15 minutes'`;
    const [former] = await tx.query<{ id: number }>(everyGym`
      INSERT INTO former_emails (user_id, email)
      SELECT id, ${email} FROM users
      WHERE id = ${userId} AND password_hash IS NOT NULL AND fold(email) IS DISTINCT FROM fold(${email})
        AND (SELECT count(*) FROM former_emails WHERE ${lately}) < ${MAILS_TO_FORMER}
      RETURNING id`);
    if (former) await tx.emitDurably(new EmailChanged(former.id));
  }

  private async find(db: Queryable, condition: ScopedSql): Promise<UserDto> {
    const [user] = await db.query(sql`SELECT ${USER_COLUMNS} FROM users u ${SHOWN_WITH} WHERE ${condition}`);
    if (!user) throw new UserNotFound();
    return user;
  }
}
