import { Check, Column, Entity, Index, JoinColumn, ManyToOne, type Relation } from 'typeorm';
import { Moment } from '../../database/entities/rows.js';
import { MemberRow } from '../../people/entities/member-row.js';
import { User } from '../../people/entities/user.entity.js';
import { UserPlan } from '../../plans/entities/user-plan.entity.js';

/** A member was in a gym from check-in to check-out. */
@Entity('attendance')
@Check('attendance_times_check', 'check_out_time >= check_in_time')
@Index('attendance_one_open_visit', ['user_id'], { unique: true, where: 'check_out_time IS NULL' })
@Index('attendance_gym_id_current_idx', ['gym_id', 'check_in_time', 'id'], { where: 'check_out_time IS NULL' })
@Index('attendance_current_idx', ['check_in_time', 'id'], { where: 'check_out_time IS NULL' })
@Index('attendance_gym_id_idx', { synchronize: false }) // gym_id, check_in_time, id, and who recorded it
@Index('attendance_user_id_idx', ['user_id', 'check_in_time', 'id'])
@Index('attendance_check_in_time_idx', ['check_in_time', 'id'])
@Index('attendance_user_plan_id_idx', ['user_plan_id'], { where: 'user_plan_id IS NOT NULL' })
export class Visit extends MemberRow {
  @Moment({ default: () => 'now()' })
  check_in_time: Date;

  @Moment({ nullable: true })
  check_out_time: Date | null;

  /** There was no check-out: it was closed overnight, and its length says nothing. */
  @Column('boolean', { default: false })
  is_auto_closed: boolean;

  @Column('text', { nullable: true })
  location: string | null;

  @Column('text', { nullable: true })
  notes: string | null;

  /** The plan from which a session was deducted for this visit. */
  @ManyToOne(() => UserPlan, { onDelete: 'SET NULL' })
  @JoinColumn()
  user_plan: Relation<UserPlan> | null;

  @Column('integer', { nullable: true })
  user_plan_id: number | null;

  @ManyToOne(() => User)
  @JoinColumn()
  recorded_by: Relation<User> | null;

  @Column('integer', { nullable: true })
  recorded_by_id: number | null;
}
