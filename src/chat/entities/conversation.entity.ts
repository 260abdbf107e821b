import { Check, Column, Entity, Index, JoinColumn, ManyToOne, type Relation, Unique } from 'typeorm';
import { Row } from '../../database/entities/rows.js';
import { User } from '../../people/entities/user.entity.js';

/** Two people talk; one conversation for each pair. */
@Entity('conversations')
@Unique(['user1_id', 'user2_id'])
@Index('conversations_user2_id_idx', ['user2_id'])
@Check('conversations_pair_check', 'user1_id < user2_id')
export class Conversation extends Row {
  @ManyToOne(() => User)
  @JoinColumn()
  user1: Relation<User>;

  /** Of the two the one with the smaller id. */
  @Column('integer')
  user1_id: number;

  @ManyToOne(() => User)
  @JoinColumn()
  user2: Relation<User>;

  @Column('integer')
  user2_id: number;

  /** The last message that the sockets were told of. */
  @Column('integer', { default: 0 })
  told_up_to_id: number;
}
