import { Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { UserPlan } from '../../plans/entities/user-plan.entity.js';

/** A member was reminded that a plan ends at this moment: once, so many days before. */
@Entity('plan_reminders')
export class PlanReminder {
  @ManyToOne(() => UserPlan, { onDelete: 'CASCADE' })
  @JoinColumn()
  user_plan: Relation<UserPlan>;

  @PrimaryColumn('integer')
  user_plan_id: number;

  @PrimaryColumn('integer')
  days: number;

  @PrimaryColumn({ type: 'timestamptz', precision: 3 })
  expires_at: Date;
}
