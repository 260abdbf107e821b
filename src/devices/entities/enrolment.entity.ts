import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from '../../members/entities/user.entity.js';

/** A reader that enrols a member's fingers, for a console. One row a reader: so it has one console and one member. */
@Entity('enrolments')
@Index('enrolments_console_socket_idx', ['console_socket'])
@Index('enrolments_user_id_idx', ['user_id'])
export class Enrolment {
  /** `device:5`, or the connection of a reader that staff signed in. */
  @PrimaryColumn('text')
  reader: string;

  /** The reader's newest connection when it was chosen. */
  @Column('text')
  reader_socket: string;

  /** null: the reader began by itself. */
  @Column('text', { nullable: true })
  console_socket: string | null;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn()
  user: Relation<User>;

  @Column('integer')
  user_id: number;

  /** The reader has said that it waits for the finger. */
  @Column('boolean', { default: false })
  is_started: boolean;

  @Column({ type: 'timestamptz', precision: 3 })
  expires_at: Date;
}
