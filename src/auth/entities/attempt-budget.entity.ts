import { Entity, Index, PrimaryColumn } from 'typeorm';
import { Moment } from '../../database/entities/rows.js';

/** A leaky bucket: every attempt moves `drained_at` into the future; it may be only so far ahead. */
@Entity('attempt_budgets')
@Index(['drained_at'])
export class AttemptBudget {
  /** What is limited: `sign_in address 203.0.113.7`. */
  @PrimaryColumn('text')
  key: string;

  @Moment()
  drained_at: Date;
}
