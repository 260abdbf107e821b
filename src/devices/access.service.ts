import { createHash } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { AlreadyCheckedIn, MemberInactive } from '../attendance/attendance.errors.js';
import { AttendanceService } from '../attendance/attendance.service.js';
import { Attempts, secondsUntilFree } from '../auth/attempts.js';
import { budgetsOf, MOST_UNKNOWN_CODES, tooManyUnknown } from '../auth/pass-guesses.js';
import { Actor, DeviceActor, type Principal, type ScopedGymId } from '../common/actor/actor.js';
import { FieldsInvalid, TooManyRequests } from '../common/errors/common.errors.js';
import type { IdempotencyKey } from '../common/http/idempotency.js';
import { Database, type Transaction } from '../database/database.js';
import { computed, optional, pick, row, table } from '../database/columns.js';
import { once } from '../database/idempotency.js';
import { everyGym, raw, sql } from '../database/sql.js';
import type { Visit } from '../attendance/entities/visit.entity.js';
import type { Gym } from '../gyms/entities/gym.entity.js';
import type { User } from '../people/entities/user.entity.js';
import { personRef } from '../people/people.sql.js';
import { NoSessionsLeft, PlanNotActive } from '../plans/plans.errors.js';
import { ENTITLEMENT, planThatCounts, SHOWN } from '../plans/user-plans.sql.js';
import { deductSession } from '../plans/plan-sessions.js';
import { type Candidate, judge, namesCode, stillTrue } from './access.rules.js';
import { DoorGuessed } from './devices.events.js';
import { DevicesService } from './devices.service.js';
import type { AccessDto, AskAccessDto, Reason } from './dto/access.dto.js';
import type { Device } from './entities/device.entity.js';

/** The same scan again within this time is the same question, as long as its answer is true. */
const REPEAT_SECONDS = 5;

/** What acting on a decision can meet, if the state has changed since it was judged. */
const CHANGED_MEANWHILE = [AlreadyCheckedIn, MemberInactive, PlanNotActive, NoSessionsLeft];
const MOST_ATTEMPTS = 5;

const [u, g, v, d] = [table<User>('u'), table<Gym>('g'), table<Visit>('v'), table<Device>('d')];

/** Who stands at the door, the gym of the door, and its device. */
const CANDIDATE = row({
  ...pick(u, 'id', 'gym_id', 'role', 'is_active'),
  is_gym_active: g.is_active,
  allow_reentry: g.allow_reentry,
  device_name: computed<string | null>(d.name),
  open_visit_id: computed<number | null>(v.id),
  paid_by_id: v.user_plan_id,
  plan: optional(ENTITLEMENT),
});
/** What the door is told of them. */
const TOLD = row({ user: personRef('u'), user_plan: optional(SHOWN) });

interface Door {
  gym_id: ScopedGymId;
  device_id: number | null;
}

interface Decision {
  user_id: number | null;
  reason: Reason | null;
  attendance_id: number | null;
}

/** Who may come in: one answer for a QR, a finger and staff. */
@Injectable()
export class AccessService {
  private readonly logger = new Logger('Devices');

  constructor(
    private readonly db: Database,
    private readonly attempts: Attempts,
    private readonly devices: DevicesService,
    private readonly attendance: AttendanceService,
  ) {}

  /**
   * Decides and records it. A person who is allowed has begun a visit, and used a session if their plan counts them.
   * @param input names no person if a reader does not know the finger
   * @throws DeviceNotFound, OtherGym, FieldsInvalid, TooManyRequests
   */
  async decide(actor: Principal, input: AskAccessDto, key: IdempotencyKey | null): Promise<AccessDto> {
    const door = await this.doorOf(actor, input);
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(this.db, actor, key, (tx) => this.decideIn(tx, actor, door, input));
      } catch (error) {
        // Another request was quicker: the state is another one now, and is judged again.
        const hasChanged = CHANGED_MEANWHILE.some((kind) => error instanceof kind);
        if (error instanceof TooManyRequests) await this.alarm(actor, door);
        if (!hasChanged || attempt === MOST_ATTEMPTS) throw error;
      }
    }
  }

  private async doorOf(actor: Principal, { device_id, gym_id }: AskAccessDto): Promise<Door> {
    if (actor instanceof DeviceActor) return { gym_id: actor.gym(), device_id: actor.device_id };
    if (device_id === undefined) return { gym_id: actor.gym(gym_id), device_id: null };
    const device = await this.devices.get(actor, device_id);
    const isDoor = device.is_active && device.kind !== 'board';
    if (!isDoor) throw FieldsInvalid.of('device_id', 'is not an active device of a door');
    return { gym_id: actor.gym(device.gym_id), device_id };
  }

  private async decideIn(tx: Transaction, actor: Principal, door: Door, input: AskAccessDto): Promise<AccessDto> {
    const scan = createHash('sha256')
      .update(
        JSON.stringify([
          door.gym_id,
          door.device_id,
          door.device_id ?? actor.user_id,
          input.qr_code ?? input.user_id ?? null,
        ]),
      )
      .digest('base64url');
    const isCode = namesCode(input);
    const { unknownCodes } = budgetsOf(door.device_id, actor.user_id);
    const [limit] = await tx.query<{ wait: number | null }>(everyGym`
      SELECT pg_advisory_xact_lock(hashtextextended(${scan}, 0)), ${secondsUntilFree(unknownCodes)} AS wait`);
    // Before the code is looked up: otherwise the refusal would tell a good one from others.
    if (isCode && limit!.wait !== null) throw tooManyUnknown(limit!.wait);
    const [before] = await tx.query<Decision>(sql`
      SELECT user_id, reason, attendance_id FROM access_events
      WHERE scan = ${scan} AND created_at > now() - make_interval(secs => ${REPEAT_SECONDS}) AND gym_id = ${door.gym_id}
      ORDER BY created_at DESC LIMIT 1`);
    const found = await this.lockCandidate(tx, door, input);
    if (before && stillTrue(before, found, door.gym_id)) return this.answerOf(tx, door, before);
    const decision: Decision = { user_id: found?.id ?? null, reason: judge(found, door.gym_id), attendance_id: null };
    if (decision.reason === 'unknown' && isCode) await this.attempts.takeIn(tx, [unknownCodes]);
    if (decision.reason === null) decision.attendance_id = await this.letIn(tx, actor, found!);
    const staffId = actor instanceof Actor ? actor.user_id : null;
    await tx.query(sql`
      INSERT INTO access_events (gym_id, device_id, staff_id, scan, user_id, reason, attendance_id)
      VALUES (${door.gym_id}, ${door.device_id}, ${staffId}, ${scan}, ${decision.user_id}, ${decision.reason},
        ${decision.attendance_id})`);
    return this.answerOf(tx, door, decision);
  }

  /** Tells the consoles, at most once a minute for a door. The refusal stands, also if this fails. */
  private async alarm(actor: Principal, door: Door): Promise<void> {
    const { alarms } = budgetsOf(door.device_id, actor.user_id);
    try {
      await this.db.transaction(async (tx) => {
        await this.attempts.takeIn(tx, [alarms]);
        const [device] = await tx.query<{ name: string }>(
          sql`SELECT name FROM devices WHERE id = ${door.device_id} AND gym_id = ${door.gym_id}`,
        );
        const { gym_id, device_id } = door;
        const what = { unknown_codes: MOST_UNKNOWN_CODES, timestamp: new Date().toISOString() };
        tx.emit(new DoorGuessed({ gym_id, device_id, device_name: device?.name ?? null, ...what }));
      });
    } catch (error) {
      if (!(error instanceof TooManyRequests)) this.logger.warn(`consoles were not told: ${String(error)}`);
    }
  }

  /** The person with their state, locked until the decision stands. */
  private async lockCandidate(tx: Transaction, door: Door, input: AskAccessDto): Promise<Candidate | undefined> {
    if (!input.qr_code && !input.user_id) return undefined;
    const who = input.qr_code ? sql`u.qr_code = ${input.qr_code}` : sql`u.id = ${input.user_id}`;
    // Two queries: what the second reads must be as it is once the first has the lock.
    const [locked] = await tx.query<{ id: number }>(
      everyGym`SELECT u.id FROM users u WHERE ${who} AND u.deleted_at IS NULL FOR NO KEY UPDATE`,
    );
    if (!locked) return undefined;
    const [found] = await tx.query(everyGym`
      SELECT ${CANDIDATE}
      FROM users u JOIN gyms g ON g.id = ${door.gym_id} LEFT JOIN devices d ON d.id = ${door.device_id}
      LEFT JOIN attendance v ON v.user_id = u.id AND v.gym_id = g.id AND v.check_out_time IS NULL
      ${planThatCounts(raw('u.id'), raw('g.id'))}
      WHERE u.id = ${locked.id}`);
    return found;
  }

  /** @returns the visit that begins, or goes on */
  private async letIn(tx: Transaction, actor: Principal, { id, open_visit_id, plan, device_name }: Candidate) {
    if (open_visit_id !== null) return open_visit_id;
    await this.attendance.endVisitsOf(tx, id);
    const isCounted = plan!.remaining_sessions !== null;
    if (isCounted) await deductSession(tx, actor, plan!.id);
    const visit = await this.attendance.enter(tx, actor, id, {
      location: device_name,
      user_plan_id: isCounted ? plan!.id : null,
    });
    return visit.id;
  }

  private async answerOf(
    tx: Transaction,
    door: Door,
    { user_id, reason, attendance_id }: Decision,
  ): Promise<AccessDto> {
    const isToldWho = reason !== 'unknown' && reason !== 'wrong_gym';
    const [known] = isToldWho
      ? await tx.query(everyGym`
          SELECT ${TOLD} FROM users u ${planThatCounts(raw('u.id'), sql`${door.gym_id}`)} WHERE u.id = ${user_id}`)
      : [];
    return { allowed: reason === null, reason, user: null, user_plan: null, attendance_id, ...known };
  }
}
