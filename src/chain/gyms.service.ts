import { Injectable } from '@nestjs/common';
import type { Actor } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import type { IdempotencyKey } from '../common/http/idempotency.js';
import type { GymListQuery, ListQuery, Page } from '../common/http/list.js';
import { Database, type Queryable } from '../database/database.js';
import { once } from '../database/idempotency.js';
import { listPage } from '../database/keyset.js';
import { isStillNamed } from '../database/postgres-errors.js';
import { assignments, everyGym, inGym, raw, sql } from '../database/sql.js';
import { Changing } from './changing.js';
import { BRANCH_COLUMNS, GYM_COLUMNS, PEOPLE } from './gyms.sql.js';
import { type BranchDto, type CreateGymDto, type GymDto, NO_ZONE, type UpdateGymDto } from '../gyms/dto/gym.dto.js';
import { GymNotFound } from '../gyms/gyms.errors.js';

/** What Node knows as a zone, PostgreSQL must know by the same name. @throws FieldsInvalid */
async function requireZone(db: Queryable, timezone: string | undefined): Promise<void> {
  if (timezone === undefined) return;
  const [zone] = await db.query(everyGym`SELECT 1 FROM pg_timezone_names WHERE name = ${timezone}`);
  if (!zone) throw FieldsInvalid.of('timezone', NO_ZONE);
}

/** The gyms of the chain: everyone may read them, only an admin changes them. */
@Injectable()
export class GymsService {
  constructor(
    private readonly db: Database,
    private readonly changing: Changing,
  ) {}

  list(_actor: Actor, query: ListQuery, onlyActive: boolean): Promise<Page<GymDto>> {
    const from = everyGym`FROM gyms WHERE ${onlyActive ? raw('is_active') : raw('TRUE')}`;
    return listPage(this.db, query, { columns: GYM_COLUMNS, from, keys: { name: 'name', id: 'id' } });
  }

  /** By name, with how many people they have: how many another gym has is not for its neighbours. @throws OtherGym */
  listBranches(actor: Actor, query: GymListQuery): Promise<Page<BranchDto>> {
    const from = sql`FROM gyms WHERE ${inGym(actor.scope(query.gym_id), 'gyms.id')}`;
    const shown = { alias: 'gyms', joins: PEOPLE };
    return listPage(this.db, query, {
      columns: BRANCH_COLUMNS,
      from,
      shown,
      keys: { name: 'gyms.name', id: 'gyms.id' },
    });
  }

  /** @throws GymNotFound */
  async get(_actor: Actor, gymId: number): Promise<GymDto> {
    const [gym] = await this.db.query(everyGym`SELECT ${GYM_COLUMNS} FROM gyms WHERE id = ${gymId}`);
    if (!gym) throw new GymNotFound();
    return gym;
  }

  /** The one gym of a person who names none: their own; an admin's home gym, else the first. @throws GymNotFound */
  async homeOf({ gym_id }: Actor): Promise<number> {
    if (gym_id !== null) return gym_id;
    const [first] = await this.db.query<{ id: number }>(everyGym`
      SELECT id FROM gyms WHERE is_active ORDER BY id LIMIT 1`);
    if (!first) throw new GymNotFound();
    return first.id;
  }

  /** @throws GymNameTaken */
  create(actor: Actor, input: CreateGymDto, key: IdempotencyKey | null): Promise<GymDto> {
    return once(this.db, actor, key, async (tx) => {
      await requireZone(tx, input.timezone);
      const [gym] = await tx.query(everyGym`
        INSERT INTO gyms (name, address, phone_number, timezone, is_active, allow_reentry)
        VALUES (${input.name}, ${input.address}, ${input.phone_number}, ${input.timezone ?? 'UTC'},
          ${input.is_active ?? true}, ${input.allow_reentry ?? false})
        RETURNING ${GYM_COLUMNS}`);
      return gym!;
    });
  }

  /** @throws GymNotFound, GymNameTaken, FieldsInvalid */
  update(actor: Actor, gymId: number, input: UpdateGymDto): Promise<GymDto> {
    const changes = assignments(input, ['name', 'address', 'phone_number', 'timezone', 'is_active', 'allow_reentry']);
    return this.db.transaction(async (tx) => {
      await requireZone(tx, input.timezone);
      // What is being booked on its clock is finished first, or waits.
      const [before] = await tx.query(everyGym`SELECT ${GYM_COLUMNS} FROM gyms WHERE id = ${gymId} FOR UPDATE`);
      if (!before) throw new GymNotFound();
      const [after] = await tx.query(everyGym`
        UPDATE gyms SET ${changes} updated_at = now() WHERE id = ${gymId} RETURNING ${GYM_COLUMNS}`);
      await this.changing.onChange(tx, actor, before, after!);
      return after!;
    });
  }

  /**
   * Deletes a gym that never had people, stock or sales; deactivates one that did, because its history stays.
   * @returns the deactivated gym, or null if it is gone
   * @throws GymNotFound
   */
  async remove(actor: Actor, gymId: number): Promise<GymDto | null> {
    try {
      const [gone] = await this.db.change(everyGym`DELETE FROM gyms WHERE id = ${gymId} RETURNING 1`);
      if (gone) return null;
    } catch (error) {
      if (!isStillNamed(error)) throw error;
    }
    return this.update(actor, gymId, { is_active: false });
  }
}
