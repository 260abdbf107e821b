import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Actor, DeviceActor } from '../common/actor/actor.js';
import { KeyRing } from '../common/crypto/key-ring.js';
import { DESK } from '../common/actor/roles.js';
import { NotSignedIn, PasswordChangeRequired, RoleNotAllowed } from '../common/errors/common.errors.js';
import type { IdempotencyKey } from '../common/http/idempotency.js';
import type { Page } from '../common/http/list.js';
import { Database, type Queryable, type Transaction } from '../database/database.js';
import { once } from '../database/idempotency.js';
import { listPage } from '../database/keyset.js';
import { Notifications } from '../database/notifications.js';
import { assignments, empty, everyGym, inGym, type ScopedSql, sql } from '../database/sql.js';
import { requireActiveGym } from '../gyms/gyms.js';
import type { User } from '../people/entities/user.entity.js';
import { DeviceNotFound } from './devices.errors.js';
import { DEVICE_COLUMNS, visibleDevice } from './devices.sql.js';
import type { Device } from './entities/device.entity.js';
import type {
  CreateDeviceDto,
  DeviceDto,
  DeviceListQuery,
  DeviceWithKeyDto,
  UpdateDeviceDto,
} from './dto/device.dto.js';

type KeyRow = Pick<Device, 'id' | 'gym_id' | 'kind' | 'key_version'>;
type StaffRow = Pick<User, 'role' | 'gym_id' | 'password_version' | 'must_change_password'>;

/** The devices of the gyms and their keys. */
@Injectable()
export class DevicesService {
  constructor(
    private readonly db: Database,
    private readonly notifications: Notifications,
    private readonly keys: KeyRing,
  ) {}

  /** By name. @throws OtherGym */
  list(actor: Actor, query: DeviceListQuery): Promise<Page<DeviceDto>> {
    const from = sql`FROM devices d WHERE ${inGym(actor.scope(query.gym_id), 'd.gym_id')}
      ${query.kind ? sql`AND d.kind = ${query.kind}` : empty}`;
    return listPage(this.db, query, { columns: DEVICE_COLUMNS, from, keys: { name: 'd.name', id: 'd.id' } });
  }

  /** @throws DeviceNotFound */
  async get(actor: Actor, deviceId: number, db: Queryable = this.db): Promise<DeviceDto> {
    const [device] = await db.query(
      sql`SELECT ${DEVICE_COLUMNS} FROM devices d WHERE ${visibleDevice(actor, deviceId)}`,
    );
    if (!device) throw new DeviceNotFound();
    return device;
  }

  /** @throws OtherGym, GymInactive, DeviceNumberTaken */
  create(actor: Actor, input: CreateDeviceDto, key: IdempotencyKey | null): Promise<DeviceWithKeyDto> {
    const gymId = actor.gym(input.gym_id);
    return this.withNewKey(actor, key, async (tx, keyHash) => {
      // Of two new devices one waits for the other, so that each gets a number of its own.
      await tx.query(sql`SELECT 1 FROM gyms WHERE id = ${gymId} FOR NO KEY UPDATE`);
      await requireActiveGym(tx, gymId);
      const [device] = await tx.query(sql`
        INSERT INTO devices AS d (gym_id, name, kind, is_active, key_hash, device_number)
        VALUES (${gymId}, ${input.name}, ${input.kind}, ${input.is_active ?? true}, ${keyHash},
          coalesce(${input.device_number}::int, (
            SELECT min(n) FROM generate_series(0, (SELECT count(*) FROM devices WHERE gym_id = ${gymId})) n
            WHERE NOT EXISTS (SELECT 1 FROM devices WHERE gym_id = ${gymId} AND device_number = n))))
        RETURNING ${DEVICE_COLUMNS}`);
      return device!;
    });
  }

  /** One that is deactivated is cut off at once. @throws DeviceNotFound, DeviceNumberTaken */
  async update(actor: Actor, deviceId: number, input: UpdateDeviceDto): Promise<DeviceDto> {
    const [device] = await this.db.change(sql`
      UPDATE devices d SET ${assignments(input, ['name', 'device_number', 'is_active'])} updated_at = now()
      WHERE ${visibleDevice(actor, deviceId)} RETURNING ${DEVICE_COLUMNS}`);
    if (!device) throw new DeviceNotFound();
    return device;
  }

  /** @throws DeviceNotFound */
  async remove(actor: Actor, deviceId: number): Promise<void> {
    const [gone] = await this.db.change(sql`DELETE FROM devices d WHERE ${visibleDevice(actor, deviceId)} RETURNING 1`);
    if (!gone) throw new DeviceNotFound();
  }

  /** A new key; the old one opens nothing any more, and its connection is cut. @throws DeviceNotFound */
  rotateKey(actor: Actor, deviceId: number, key: IdempotencyKey | null): Promise<DeviceWithKeyDto> {
    return this.withNewKey(actor, key, async (tx, keyHash) => {
      const [device] = await tx.query(sql`
        UPDATE devices d SET key_hash = ${keyHash}, key_version = key_version + 1, updated_at = now()
        WHERE ${visibleDevice(actor, deviceId)} RETURNING ${DEVICE_COLUMNS}`);
      if (!device) throw new DeviceNotFound();
      return device;
    });
  }

  /** @throws NotSignedIn if no active device has this key */
  actorOfKey(key: string): Promise<DeviceActor> {
    return this.requireDevice(everyGym`key_hash = ${hashOfKey(key)}`);
  }

  /** The same device as it is now. @throws NotSignedIn if it was revoked or got another key */
  async currentDevice(known: DeviceActor): Promise<DeviceActor> {
    // While the database tells us of changes, a device that is connected is one that may be. (One that comes back was
    // stored, and has lost its class.)
    return this.notifications.connected && known instanceof DeviceActor ? known : this.confirmedDevice(known);
  }

  /** The same, if a change may have been told before we listened. @throws NotSignedIn */
  async confirmedDevice({ device_id, gym_id, role, key_version, user_id }: DeviceActor): Promise<DeviceActor> {
    if (user_id !== null) {
      const staff = await this.findDeskStaff(user_id);
      const isAllowed =
        staff?.password_version === key_version &&
        !staff.must_change_password &&
        (staff.role === 'admin' || staff.gym_id === gym_id);
      if (!isAllowed) throw new NotSignedIn('Who signed this reader in may not any more.');
      return new DeviceActor(device_id, gym_id, role, key_version, user_id);
    }
    return this.requireDevice(everyGym`id = ${device_id} AND key_version = ${key_version}`);
  }

  /**
   * A reader without a key, which staff that has proved who they are signs in. It has no session, and ends with what
   * they may.
   * @throws RoleNotAllowed, PasswordChangeRequired, OtherGym, GymInactive, FieldsInvalid if there is no such gym
   */
  async signIn(person: { id: number; password_version: number }, requestedGymId?: number): Promise<DeviceActor> {
    const staff = await this.findDeskStaff(person.id);
    if (!staff) throw new RoleNotAllowed('A reader is signed in by desk staff.');
    if (staff.must_change_password) throw new PasswordChangeRequired();
    const gymId = new Actor(person.id, staff.role, staff.gym_id, 0).gym(requestedGymId);
    await requireActiveGym(this.db, gymId);
    // Of the password that was proved: with one that was changed meanwhile it does not get in.
    return new DeviceActor(null, gymId, 'fingerprint', person.password_version, person.id);
  }

  /** Staff of a desk that may sign readers in. */
  private async findDeskStaff(userId: number): Promise<StaffRow | undefined> {
    const [staff] = await this.db.query<StaffRow>(everyGym`
      SELECT role, gym_id, password_version, must_change_password FROM users
      WHERE id = ${userId} AND role = ANY(${[...DESK]}) AND is_active AND deleted_at IS NULL`);
    return staff;
  }

  /** The device has connected to the server. It is online so many seconds, or until that is said again. */
  async noteArrived(deviceId: number, server: string, seconds: number): Promise<void> {
    await this.db.change(everyGym`
      UPDATE devices SET ${onlineFor(seconds)}, online_on = ${server} WHERE id = ${deviceId}`);
  }

  /** These devices are still connected to the server. One that has another server since then belongs to that. */
  async noteConnected(deviceIds: number[], server: string, seconds: number): Promise<void> {
    if (deviceIds.length === 0) return;
    await this.db.change(everyGym`
      UPDATE devices SET ${onlineFor(seconds)}, online_on = ${server}
      WHERE id = ANY(${deviceIds}) AND (online_on = ${server} OR (online_until > now()) IS NOT TRUE)`);
  }

  async noteLeft(deviceId: number, server: string): Promise<void> {
    await this.db.change(everyGym`
      UPDATE devices SET ${onlineFor(0)} WHERE id = ${deviceId} AND online_on = ${server}`);
  }

  /** The answer that shows a new device key. What is stored of it for a repetition is sealed. */
  private async withNewKey(
    actor: Actor,
    key: IdempotencyKey | null,
    work: (tx: Transaction, keyHash: Buffer) => Promise<DeviceDto>,
  ): Promise<DeviceWithKeyDto> {
    const place = `idempotency_keys.answer ${actor.user_id} ${key?.route}`;
    const { sealed_key, ...device } = await once(this.db, actor, key, async (tx) => {
      const deviceKey = newKey();
      return { ...(await work(tx, hashOfKey(deviceKey))), sealed_key: this.keys.encrypt(deviceKey, place) };
    });
    return { ...device, device_key: this.keys.decrypt(sealed_key, place).toString() };
  }

  private async requireDevice(condition: ScopedSql): Promise<DeviceActor> {
    const [device] = await this.db.query<KeyRow>(everyGym`
      SELECT id, gym_id, kind, key_version FROM devices WHERE ${condition} AND is_active`);
    if (!device) throw new NotSignedIn('This device key is not valid, or not any more.');
    return new DeviceActor(device.id, device.gym_id, device.kind, device.key_version);
  }
}

/** 32 random bytes, with a prefix that tells what it is when it is found in a log or in code. */
const newKey = (): string => `spotter_device_${randomBytes(32).toString('base64url')}`;

const hashOfKey = (key: string): Buffer => createHash('sha256').update(key).digest();

const onlineFor = (seconds: number) =>
  sql`last_seen_at = now(), online_until = now() + make_interval(secs => ${seconds})`;
