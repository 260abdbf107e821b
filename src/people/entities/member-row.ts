import { Column, JoinColumn, ManyToOne, type Relation } from 'typeorm';
import { ChangingRow } from '../../database/entities/rows.js';
import { Gym } from '../../gyms/entities/gym.entity.js';
import { User } from './user.entity.js';

/** What a member has in a gym: also after the member has moved to another one. */
export abstract class MemberRow extends ChangingRow {
  @ManyToOne(() => User)
  @JoinColumn()
  user: Relation<User>;

  @Column('integer')
  user_id: number;

  @ManyToOne(() => Gym)
  @JoinColumn()
  gym: Relation<Gym>;

  @Column('integer')
  gym_id: number;
}
