import { Check, Column, Entity, Index, JoinColumn, ManyToOne, type Relation } from 'typeorm';
import { ChangingRow } from '../../database/entities/rows.js';
import { Gym } from '../../gyms/entities/gym.entity.js';

export type PlanKind = 'time' | 'sessions' | 'coins';

/** What a gym sells: time, or a number of sessions or coins, which may be limited in time too. */
@Entity('plans')
@Check('plans_kind_check', `kind IN ('time', 'sessions', 'coins')`)
@Check('plans_content_check', `CASE kind WHEN 'time' THEN duration_days IS NOT NULL ELSE session_count IS NOT NULL END`)
@Check('plans_amounts_check', 'price >= 0 AND duration_days > 0 AND session_count > 0')
@Index('plans_gym_id_name_idx', ['gym_id', 'name', 'id'])
@Index('plans_name_key', { synchronize: false }) // unique on gym_id, fold(name)
@Index('plans_name_idx', ['name', 'id'])
export class Plan extends ChangingRow {
  @ManyToOne(() => Gym, { onDelete: 'CASCADE' })
  @JoinColumn()
  gym: Relation<Gym>;

  @Column('integer')
  gym_id: number;

  @Column({ type: 'text', collation: 'und-x-icu' })
  name: string;

  @Column('numeric', { precision: 12, scale: 2 })
  price: number;

  @Column('text')
  kind: PlanKind;

  @Column('integer', { nullable: true })
  duration_days: number | null;

  @Column('integer', { nullable: true })
  session_count: number | null;

  @Column('boolean', { default: true })
  is_active: boolean;
}
