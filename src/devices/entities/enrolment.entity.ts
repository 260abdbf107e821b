import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Moment } from '../../database/entities/rows.js';
import { User } from '../../people/entities/user.entity.js';

/**
 * A reader with its newest connection and the member that it enrols. One row a reader: so it has one console and one
 * member.
 */
@Entity('enrolments')
@Index('enrolments_console_socket_idx', ['console_socket'])
@Index('enrolments_user_id_idx', ['user_id'])
export class Enrolment {
  /** `device:5`, or the connection of a reader that staff signed in. */
  @PrimaryColumn('text')
  reader: string;

  /** The reader's newest connection: an older one can enrol no member. */
  @Column('text')
  reader_socket: string;

  /** null: the reader began by itself, or has not been used yet. */
  @Column('text', { nullable: true })
  console_socket: string | null;

  /** null: it has not been used yet. */
  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn()
  user: Relation<User> | null;

  @Column('integer', { nullable: true })
  user_id: number | null;

  /** The reader has said that it waits for the finger. */
  @Column('boolean', { default: false })
  is_started: boolean;

  /** The reader is free after this. */
  @Moment()
  held_until: Date;
}
