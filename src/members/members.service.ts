import { Injectable } from '@nestjs/common';
import { AccessChanged } from '../auth/auth.events.js';
import { Attempts } from '../auth/attempts.js';
import { Passwords } from '../auth/passwords.js';
import { SessionsService } from '../auth/sessions.service.js';
import type { Actor, ScopedGymId } from '../common/actor/actor.js';
import type { IdempotencyKey } from '../common/http/idempotency.js';
import type { Page } from '../common/http/list.js';
import { Database, type Queryable, type Transaction } from '../database/database.js';
import { once } from '../database/idempotency.js';
import { listPage } from '../database/keyset.js';
import { assignments, empty, everyGym, inGym, type ScopedSql, sql } from '../database/sql.js';
import { GymInactive } from '../gyms/gyms.errors.js';
import { requireActiveGym } from '../gyms/gyms.js';
import { UserPlansService } from '../plans/user-plans.service.js';
import type {
  CreateMemberDto,
  CreateMemberWithPlanDto,
  CreateStaffDto,
  UpdateUserDto,
  UserDto,
  UserListQuery,
} from './dto/user.dto.js';
import { UserNotFound } from '../people/people.errors.js';
import { forget } from './forgetting.js';
import { LastAdmin } from './members.errors.js';
import { Leaving } from './leaving.js';
import { USER_COLUMNS, USERS } from './members.sql.js';
import { visiblePerson } from '../people/people.sql.js';
import { requireMayBecome, requireMayChange, requireMayGive } from './members.rules.js';

const CHANGEABLE = [
  ...(['email', 'username', 'full_name', 'document_id', 'phone_number', 'language'] as const),
  ...(['role', 'is_active', 'gym_id', 'password_hash', 'temporary_password', 'must_change_password'] as const),
];

/** Passwords that one person gives to others in a quarter of an hour. */
const PASSWORDS_GIVEN = 100;

/** The people of the gyms: staff and members. */
@Injectable()
export class MembersService {
  constructor(
    private readonly db: Database,
    private readonly attempts: Attempts,
    private readonly passwords: Passwords,
    private readonly sessions: SessionsService,
    private readonly userPlans: UserPlansService,
    private readonly leaving: Leaving,
  ) {}

  /** By name. @throws OtherGym */
  list(actor: Actor, query: UserListQuery): Promise<Page<UserDto>> {
    const scope = actor.scope(query.gym_id);
    const from = sql`FROM ${USERS} WHERE u.deleted_at IS NULL AND ${inGym(scope, 'u.gym_id')}
      ${query.role ? sql`AND u.role = ${query.role}` : empty}
      ${query.is_active === undefined ? empty : sql`AND u.is_active = ${query.is_active}`}`;
    const keys = { full_name: 'u.full_name', id: 'u.id' };
    return listPage(this.db, query, { columns: USER_COLUMNS, from, keys });
  }

  /** @throws UserNotFound, also for people of other gyms and, to a member, for all others */
  get(actor: Actor, userId: number, db: Queryable = this.db): Promise<UserDto> {
    return this.find(db, sql`u.id = ${userId} AND ${visiblePerson(actor)}`);
  }

  /** @throws UserNotFound */
  getByDocument(actor: Actor, documentId: string, gymId?: number): Promise<UserDto> {
    return this.find(this.db, sql`fold(u.document_id) = fold(${documentId}) AND ${visiblePerson(actor, gymId)}`);
  }

  /** @throws RoleNotAssignable, OtherGym, GymInactive, EmailTaken, UsernameTaken, DocumentIdTaken */
  async createStaff(actor: Actor, input: CreateStaffDto, key: IdempotencyKey | null): Promise<UserDto> {
    requireMayGive(actor, input.role);
    // An admin needs no gym.
    const gymId = input.role === 'admin' && !input.gym_id ? null : actor.gym(input.gym_id);
    const passwordHash = await this.hashFor(actor, input.password, async () => {
      if (gymId !== null) await requireActiveGym(this.db, gymId);
    });
    return once(this.db, actor, key, (tx) => this.insert(tx, gymId, input, passwordHash));
  }

  /** @throws GymInactive, EmailTaken, UsernameTaken, DocumentIdTaken */
  createMember(actor: Actor, input: CreateMemberDto, key: IdempotencyKey | null): Promise<UserDto> {
    return once(this.db, actor, key, (tx) => this.insert(tx, actor.gym(input.gym_id), input, null));
  }

  /**
   * A member and their plan, or neither.
   * @throws OtherGym, GymInactive, EmailTaken, UsernameTaken, DocumentIdTaken, PlanInactive
   */
  createMemberWithPlan(actor: Actor, input: CreateMemberWithPlanDto, key: IdempotencyKey | null): Promise<UserDto> {
    return once(this.db, actor, key, async (tx) => {
      const member = await this.insert(tx, actor.gym(input.gym_id), input, null);
      const { plan_id, purchased_price } = input;
      await this.userPlans.assignIn(tx, actor, { user_id: member.id, plan_id, purchased_price });
      return this.get(actor, member.id, tx);
    });
  }

  /**
   * @throws UserNotFound, FieldsNotChangeable, RoleNotAssignable, LastAdmin, EmailTaken, UsernameTaken, DocumentIdTaken
   */
  async update(actor: Actor, userId: number, input: UpdateUserDto): Promise<UserDto> {
    const passwordHash =
      input.password && (await this.hashFor(actor, input.password, () => this.mayChange(actor, userId, input)));
    return this.db.transaction(async (tx) => {
      const { person, is_last_admin } = await this.lock(tx, actor, userId);
      requireMayChange(actor, person, input);
      const after = {
        role: input.role ?? person.role,
        is_active: input.is_active ?? person.is_active,
        gym_id: input.gym_id ?? person.gym_id,
      };
      requireMayBecome(after, is_last_admin);
      if (after.gym_id !== null && after.gym_id !== person.gym_id) await requireActiveGym(tx, after.gym_id);
      const changes = {
        ...input,
        ...after,
        password_hash: passwordHash,
        // The password that staff gave for the first sign-in is none any more.
        ...(passwordHash && { temporary_password: null, must_change_password: false }),
      };
      const [changed] = await tx.query(sql`
        WITH u AS (
          UPDATE users u SET ${assignments(changes, CHANGEABLE)} updated_at = now()
          WHERE id = ${userId} AND ${visiblePerson(actor)} RETURNING *)
        SELECT ${USER_COLUMNS} FROM u LEFT JOIN gyms g ON g.id = u.gym_id`);
      const others = userId === actor.user_id ? { except: actor.session_id } : {};
      if (passwordHash) await this.sessions.end(tx, userId, 'password_changed', others);
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

  /** Asks for the permission first: hashing is what an attacker would have us do. @throws TooManyRequests */
  private async hashFor(actor: Actor, password: string, mayDo: () => Promise<void>): Promise<string> {
    await mayDo();
    await this.attempts.take([{ key: `hash ${actor.user_id}`, burst: PASSWORDS_GIVEN }]);
    return this.passwords.hash(password);
  }

  private async mayChange(actor: Actor, userId: number, input: UpdateUserDto): Promise<void> {
    requireMayChange(actor, await this.get(actor, userId), input);
  }

  private async insert(
    tx: Transaction,
    gymId: ScopedGymId | null,
    input: CreateStaffDto | Omit<CreateMemberDto, 'gym_id'>,
    passwordHash: string | null,
  ): Promise<UserDto> {
    const [user] = await tx.query(everyGym`
      WITH u AS (
        INSERT INTO users (email, username, full_name, document_id, phone_number, language, role, gym_id, password_hash)
        SELECT ${input.email}, ${input.username}, ${input.full_name}, ${input.document_id}, ${input.phone_number},
          ${input.language ?? 'en'}, ${input.role}, ${gymId}::int, ${passwordHash}
        WHERE ${gymId}::int IS NULL OR EXISTS (SELECT 1 FROM gyms WHERE id = ${gymId} AND is_active)
        RETURNING *)
      SELECT ${USER_COLUMNS} FROM u LEFT JOIN gyms g ON g.id = u.gym_id`);
    if (user) return user;
    await requireActiveGym(tx, gymId!);
    throw new GymInactive();
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

  private async find(db: Queryable, condition: ScopedSql): Promise<UserDto> {
    const [user] = await db.query(sql`SELECT ${USER_COLUMNS} FROM ${USERS} WHERE ${condition}`);
    if (!user) throw new UserNotFound();
    return user;
  }
}
