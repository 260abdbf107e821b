import { Check, Column, Entity, Exclusion, Index, JoinColumn, ManyToOne, type Relation } from 'typeorm';
import { Moment } from '../../database/entities/rows.js';
import { MemberRow } from '../../people/entities/member-row.js';
import { User } from '../../people/entities/user.entity.js';
import { Plan } from './plan.entity.js';

/**
 * A plan that a member bought. Its status is not stored but follows from these times and the clock (the function
 * user_plan_status), so that nothing has to run at midnight for a plan to be over.
 */
@Entity('user_plans')
@Check('user_plans_amounts_check', 'purchased_price >= 0 AND remaining_sessions >= 0')
@Check('user_plans_end_check', `(ended_at IS NULL) = (end_reason IS NULL) AND end_reason IN ('used_up', 'cancelled')`)
@Check('user_plans_times_check', 'expires_at > starts_at')
@Check('user_plans_freeze_check', 'frozen_until IS NULL OR (frozen_at IS NOT NULL AND frozen_until > frozen_at)')
// At most one plan at a time: those that have not ended may not overlap. One that is frozen until it is unfrozen has
// no known end.
@Exclusion(
  'user_plans_one_at_a_time',
  `USING gist (user_id WITH =, gym_id WITH =,
    tstzrange(starts_at, CASE WHEN frozen_at IS NULL OR frozen_until IS NOT NULL THEN expires_at END) WITH &&)
    WHERE (ended_at IS NULL AND starts_at IS NOT NULL)`,
)
@Index('user_plans_gym_id_idx', ['gym_id', 'id'])
@Index('user_plans_user_id_idx', ['user_id', 'id'])
@Index('user_plans_plan_id_idx', ['plan_id'])
@Index('user_plans_gym_id_expires_at_idx', { synchronize: false }) // of those that run, and what makes them active
@Index('user_plans_gym_id_purchased_at_idx', { synchronize: false }) // and what is summed up
@Index('user_plans_expires_at_idx', ['expires_at', 'id'], { where: 'ended_at IS NULL' })
@Index('user_plans_starts_at_idx', ['starts_at'], { where: 'ended_at IS NULL' })
@Index('user_plans_frozen_idx', ['gym_id', 'id'], { where: 'ended_at IS NULL AND frozen_at IS NOT NULL' })
@Index('user_plans_replaced_by_id_idx', ['replaced_by_id'], { where: 'replaced_by_id IS NOT NULL' })
@Index('user_plans_current_idx', ['user_id'], { where: 'ended_at IS NULL' })
export class UserPlan extends MemberRow {
  @ManyToOne(() => Plan)
  @JoinColumn()
  plan: Relation<Plan>;

  @Column('integer')
  plan_id: number;

  /** What was paid; never changed. */
  @Column('numeric', { precision: 12, scale: 2 })
  purchased_price: number;

  @Moment({ default: () => 'now()' })
  purchased_at: Date;

  /** The plan's at the time of purchase. */
  @Column('integer', { nullable: true })
  duration_days: number | null;

  @Column('integer', { nullable: true })
  remaining_sessions: number | null;

  /** null: when the plan before it ends, whenever that will be. */
  @Moment({ nullable: true })
  starts_at: Date | null;

  @Moment({ nullable: true })
  expires_at: Date | null;

  @Moment({ nullable: true })
  frozen_at: Date | null;

  /** When the freeze ends by itself: expires_at has its time already. null: until it is unfrozen. */
  @Moment({ nullable: true })
  frozen_until: Date | null;

  /** When it ended before its time. */
  @Moment({ nullable: true })
  ended_at: Date | null;

  @Column('text', { nullable: true })
  end_reason: 'used_up' | 'cancelled' | null;

  /** What the staff noted when it was cancelled. */
  @Column('text', { nullable: true })
  cancel_reason: string | null;

  /** What was sold instead of it. */
  @ManyToOne(() => UserPlan, { onDelete: 'SET NULL' })
  @JoinColumn()
  replaced_by: Relation<UserPlan> | null;

  @Column('integer', { nullable: true })
  replaced_by_id: number | null;

  @ManyToOne(() => User)
  @JoinColumn()
  created_by: Relation<User> | null;

  @Column('integer', { nullable: true })
  created_by_id: number | null;
}
