import { Check, Column, Entity, Index, JoinColumn, OneToOne, ManyToOne, type Relation, Unique } from 'typeorm';
import { Row } from '../../database/entities/rows.js';
import { User } from '../../people/entities/user.entity.js';
import { ChatMessage } from './chat-message.entity.js';

/**
 * A file that belongs to a message. The row is there before the first byte of the file: what has no message after an
 * hour is purged, bytes first.
 */
@Entity('attachments')
@Unique(['storage_key'])
@Check(
  'attachments_described_check',
  'message_id IS NULL OR (name IS NOT NULL AND content_type IS NOT NULL AND size IS NOT NULL)',
)
@Index('attachments_unused_idx', ['created_at'], { where: 'message_id IS NULL' })
@Index(['uploaded_by_id'])
export class Attachment extends Row {
  @OneToOne(() => ChatMessage, { nullable: true, onDelete: 'SET NULL' })
  @JoinColumn()
  message: Relation<ChatMessage> | null;

  @Column('integer', { nullable: true })
  message_id: number | null;

  @ManyToOne(() => User)
  @JoinColumn()
  uploaded_by: Relation<User>;

  @Column('integer')
  uploaded_by_id: number;

  /** Its name in the storage; random. */
  @Column('text')
  storage_key: string;

  /** As the sender called it. */
  @Column('text', { nullable: true })
  name: string | null;

  /** As its bytes say. */
  @Column('text', { nullable: true })
  content_type: string | null;

  /** In bytes. */
  @Column('integer', { nullable: true })
  size: number | null;
}
