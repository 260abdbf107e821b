import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn, type Relation } from 'typeorm';
import { Moment } from '../../database/entities/rows.js';
import { Gym } from '../../gyms/entities/gym.entity.js';
import { User } from '../../people/entities/user.entity.js';

/**
 * A person has an hour: the moments from `starts_at` to `ends_at`. `date` and `slot_id` are what the gym's clock called
 * it when it was booked. A seat is taken once: that, and no counting, prevents overbooking.
 */
@Entity('slot_bookings')
@Check('slot_bookings_slot_check', 'slot_id BETWEEN 0 AND 23 AND seat > 0 AND ends_at > starts_at')
@Check('slot_bookings_cancel_check', '(cancelled_at IS NULL) = (cancelled_by_id IS NULL)')
// With another clock the hours move one by one, to where another may still be: so their names are in the keys.
@Index('slot_bookings_seat', ['gym_id', 'starts_at', 'date', 'slot_id', 'seat'], {
  unique: true,
  where: 'cancelled_at IS NULL',
})
@Index('slot_bookings_once', ['user_id', 'gym_id', 'starts_at', 'date', 'slot_id'], {
  unique: true,
  where: 'cancelled_at IS NULL',
})
@Index('slot_bookings_user_id_idx', ['user_id', 'starts_at', 'id'])
export class SlotBooking {
  @PrimaryGeneratedColumn('identity')
  id: number;

  @ManyToOne(() => Gym)
  @JoinColumn()
  gym: Relation<Gym>;

  @Column('integer')
  gym_id: number;

  /** The gym's local day. */
  @Column('date')
  date: string;

  /** The local hour, 0 to 23. */
  @Column('smallint')
  slot_id: number;

  @Column('smallint')
  seat: number;

  @ManyToOne(() => User)
  @JoinColumn()
  user: Relation<User>;

  @Column('integer')
  user_id: number;

  @Moment()
  starts_at: Date;

  @Moment()
  ends_at: Date;

  /** When the gym last got another clock while it was to come. */
  @Moment({ nullable: true })
  moved_at: Date | null;

  @Moment()
  booked_at: Date;

  @ManyToOne(() => User)
  @JoinColumn()
  booked_by: Relation<User>;

  @Column('integer')
  booked_by_id: number;

  @Moment({ nullable: true })
  cancelled_at: Date | null;

  @ManyToOne(() => User)
  @JoinColumn()
  cancelled_by: Relation<User> | null;

  @Column('integer', { nullable: true })
  cancelled_by_id: number | null;
}
