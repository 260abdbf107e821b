import { Check, Column, Entity, Index, JoinColumn, ManyToOne, type Relation } from 'typeorm';
import { Moment } from '../../database/entities/rows.js';
import { MemberRow } from '../../people/entities/member-row.js';
import { User } from '../../people/entities/user.entity.js';

const Size = () => Column('numeric', { precision: 6, scale: 2, nullable: true });

/** Centimetres; weight in kilograms. */
@Entity('measurements')
@Check(
  'measurements_something_check',
  `num_nonnulls(height, weight, chest, shoulders, biceps_left, biceps_right, forearms_left, forearms_right, abdomen,
    hips,
    thighs_left, thighs_right, calves_left, calves_right) > 0`,
)
@Index('measurements_user_id_idx', ['user_id', 'measurement_date', 'id'])
@Index('measurements_gym_id_idx', ['gym_id', 'measurement_date', 'id'])
@Index('measurements_measurement_date_idx', ['measurement_date', 'id'])
export class Measurement extends MemberRow {
  @Moment({ default: () => 'now()' })
  measurement_date: Date;

  @Size() height: number | null;
  @Size() weight: number | null;
  @Size() chest: number | null;
  @Size() shoulders: number | null;
  @Size() biceps_left: number | null;
  @Size() biceps_right: number | null;
  @Size() forearms_left: number | null;
  @Size() forearms_right: number | null;
  @Size() abdomen: number | null;
  @Size() hips: number | null;
  @Size() thighs_left: number | null;
  @Size() thighs_right: number | null;
  @Size() calves_left: number | null;
  @Size() calves_right: number | null;

  @Column('text', { nullable: true })
  notes: string | null;

  @ManyToOne(() => User)
  @JoinColumn()
  recorded_by: Relation<User> | null;

  @Column('integer', { nullable: true })
  recorded_by_id: number | null;
}
