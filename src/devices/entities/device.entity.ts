import { Check, Column, Entity, Index, JoinColumn, ManyToOne, type Relation, Unique } from 'typeorm';
import { ChangingRow, Moment } from '../../database/entities/rows.js';
import type { DeviceKind } from '../../common/actor/actor.js';
import { Gym } from '../../gyms/entities/gym.entity.js';

/** A small box of a gym that speaks for itself. */
@Entity('devices')
@Unique('devices_device_number_key', ['gym_id', 'device_number'])
@Unique('devices_key_hash_key', ['key_hash'])
@Check('devices_kind_check', `kind IN ('fingerprint', 'qr', 'board')`)
@Index('devices_gym_id_name_idx', ['gym_id', 'name', 'id'])
export class Device extends ChangingRow {
  @ManyToOne(() => Gym, { onDelete: 'CASCADE' })
  @JoinColumn()
  gym: Relation<Gym>;

  @Column('integer')
  gym_id: number;

  @Column({ type: 'text', collation: 'und-x-icu' })
  name: string;

  @Column('text')
  kind: DeviceKind;

  @Column('integer')
  device_number: number;

  /** SHA-256 of the key, which is random and long: it cannot be guessed from its hash. */
  @Column('bytea')
  key_hash: Buffer;

  @Column('integer', { default: 1 })
  key_version: number;

  @Column('boolean', { default: true })
  is_active: boolean;

  @Moment({ nullable: true })
  last_seen_at: Date | null;

  /** The server it is connected to renews this; a server that dies does not. */
  @Moment({ nullable: true })
  online_until: Date | null;

  /** The server that has its latest connection: it alone says that the device has left. */
  @Column('uuid', { nullable: true })
  online_on: string | null;
}
