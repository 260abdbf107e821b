import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn, type Relation } from 'typeorm';
import { Moment } from '../../database/entities/rows.js';
import { User } from '../../people/entities/user.entity.js';
import { Conversation } from './conversation.entity.js';

/** Ids rise in a conversation, and a message is seen after those before it. A deleted one is kept for a week. */
@Entity('messages')
@Index(['conversation_id', 'id'])
@Index(['sender_id'])
@Index('messages_deleted_at_idx', ['deleted_at'], { where: 'deleted_at IS NOT NULL' })
export class ChatMessage {
  @PrimaryGeneratedColumn('identity')
  id: number;

  @ManyToOne(() => Conversation, { onDelete: 'CASCADE' })
  @JoinColumn()
  conversation: Relation<Conversation>;

  @Column('integer')
  conversation_id: number;

  @ManyToOne(() => User)
  @JoinColumn()
  sender: Relation<User>;

  @Column('integer')
  sender_id: number;

  /** null: it is an attachment alone. */
  @Column('text', { nullable: true })
  content: string | null;

  @Moment()
  timestamp: Date;

  /** When the other read it. */
  @Moment({ nullable: true })
  read_at: Date | null;

  @Moment({ nullable: true })
  edited_at: Date | null;

  @Moment({ nullable: true })
  deleted_at: Date | null;
}
