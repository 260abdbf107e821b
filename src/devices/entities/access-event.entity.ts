import { Check, Column, Entity, Index, JoinColumn, ManyToOne, type Relation } from 'typeorm';
import { Row } from '../../database/entities/rows.js';
import { Visit } from '../../attendance/entities/visit.entity.js';
import { Gym } from '../../gyms/entities/gym.entity.js';
import { User } from '../../people/entities/user.entity.js';
import { Device } from './device.entity.js';

/** A person at a door was let in (no reason) or not. */
@Entity('access_events')
@Check(
  'access_events_reason_check',
  `reason IN ('unknown', 'inactive', 'no_plan', 'expired', 'frozen', 'no_sessions', 'wrong_gym', 'already_inside')`,
)
@Index('access_events_gym_id_idx', ['gym_id', 'created_at', 'id'])
@Index('access_events_scan_idx', ['scan', 'created_at'])
@Index('access_events_user_id_idx', ['user_id'], { where: 'user_id IS NOT NULL' })
@Index('access_events_attendance_id_idx', ['attendance_id'], { where: 'attendance_id IS NOT NULL' })
export class AccessEvent extends Row {
  @ManyToOne(() => Gym)
  @JoinColumn()
  gym: Relation<Gym>;

  @Column('integer')
  gym_id: number;

  @ManyToOne(() => Device, { onDelete: 'SET NULL' })
  @JoinColumn()
  device: Relation<Device> | null;

  @Column('integer', { nullable: true })
  device_id: number | null;

  @ManyToOne(() => User)
  @JoinColumn()
  staff: Relation<User> | null;

  /** Who asked, if it was a person. */
  @Column('integer', { nullable: true })
  staff_id: number | null;

  /** The door and the person, as a hash, to recognise a repetition. */
  @Column('text')
  scan: string;

  @ManyToOne(() => User)
  @JoinColumn()
  user: Relation<User> | null;

  /** null: unknown. */
  @Column('integer', { nullable: true })
  user_id: number | null;

  /** Why not; null: allowed. */
  @Column('text', { nullable: true })
  reason: string | null;

  @ManyToOne(() => Visit, { onDelete: 'SET NULL' })
  @JoinColumn()
  attendance: Relation<Visit> | null;

  @Column('integer', { nullable: true })
  attendance_id: number | null;
}
