import { Check, Column, Entity, JoinColumn, OneToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Gym } from '../../gyms/entities/gym.entity.js';

/** When a gym can be booked, and by how many. A gym without a row has the defaults. */
@Entity('slot_settings')
@Check('slot_settings_hours_check', 'opening_slot BETWEEN 0 AND closing_slot AND closing_slot <= 23')
@Check('slot_settings_amounts_check', 'default_capacity >= 0 AND days_ahead >= 0 AND max_per_day > 0')
export class SlotSettings {
  @PrimaryColumn('integer', { primaryKeyConstraintName: 'slot_settings_pkey' })
  gym_id: number;

  @OneToOne(() => Gym, { onDelete: 'CASCADE' })
  @JoinColumn()
  gym: Relation<Gym>;

  @Column('smallint', { default: 0 })
  opening_slot: number;

  /** The last that can be booked. */
  @Column('smallint', { default: 23 })
  closing_slot: number;

  @Column('smallint', { default: 1 })
  default_capacity: number;

  /** Of single hours: {"18": 4}. */
  @Column('jsonb', { default: {} })
  capacities: Record<string, number>;

  @Column('smallint', { default: 14 })
  days_ahead: number;

  @Column('smallint', { default: 24 })
  max_per_day: number;
}
