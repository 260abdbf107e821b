import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Moment } from '../../database/entities/rows.js';
import { User } from '../../people/entities/user.entity.js';
import { Conversation } from './conversation.entity.js';

/** A conversation as one of the two sees it. What changes a conversation locks the rows of both first. */
@Entity('participants')
@Check('participants_unread_check', 'unread_count >= 0')
@Index('participants_list_idx', ['user_id', 'last_active_at', 'conversation_id'], { where: 'left_at IS NULL' })
export class Participant {
  @ManyToOne(() => Conversation, { onDelete: 'CASCADE' })
  @JoinColumn()
  conversation: Relation<Conversation>;

  @PrimaryColumn('integer')
  conversation_id: number;

  @ManyToOne(() => User)
  @JoinColumn()
  user: Relation<User>;

  @PrimaryColumn('integer')
  user_id: number;

  @ManyToOne(() => User)
  @JoinColumn()
  other: Relation<User>;

  @Column('integer')
  other_id: number;

  /** What this person calls it. */
  @Column('text', { nullable: true })
  title: string | null;

  /** Messages of the other behind last_read_id that are not deleted. */
  @Column('integer', { default: 0 })
  unread_count: number;

  /** Read up to this message. */
  @Column('integer', { default: 0 })
  last_read_id: number;

  @Moment({ nullable: true })
  last_read_at: Date | null;

  /** Messages up to this one are gone for this person, who left after it. */
  @Column('integer', { default: 0 })
  cleared_up_to_id: number;

  @Moment({ nullable: true })
  left_at: Date | null;

  /** The last message, or the start: the order of the list. */
  @Moment()
  last_active_at: Date;
}
