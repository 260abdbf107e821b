import type { Actor } from '../common/actor/actor.js';
import { columns, computed, pick, table } from '../database/columns.js';
import { inGym, raw, type ScopedSql, sql } from '../database/sql.js';
import { DeviceDto } from './dto/device.dto.js';
import type { Device } from './entities/device.entity.js';

const d = table<Device>('d');

/** Of `devices d`. */
export const DEVICE_COLUMNS = columns(DeviceDto, {
  ...pick(d, 'id', 'name', 'kind', 'device_number', 'gym_id', 'is_active'),
  online: computed<boolean>(raw('coalesce(d.online_until > now(), FALSE)')),
  ...pick(d, 'last_seen_at', 'created_at'),
});

/** The device `d` of this id, if it is of the actor's gyms. */
export const visibleDevice = (actor: Actor, deviceId: number): ScopedSql =>
  sql`d.id = ${deviceId} AND ${inGym(actor.scope(), 'd.gym_id')}`;
