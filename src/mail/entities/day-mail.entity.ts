import { Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Gym } from '../../gyms/entities/gym.entity.js';

/** The managers of a gym were told how this day was, once. Kept for some days. */
@Entity('day_mails')
export class DayMail {
  @ManyToOne(() => Gym, { onDelete: 'CASCADE' })
  @JoinColumn()
  gym: Relation<Gym>;

  @PrimaryColumn('integer')
  gym_id: number;

  @PrimaryColumn('date')
  date: string;
}
