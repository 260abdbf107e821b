import { Column, Entity, Index, JoinColumn, ManyToOne, type Relation } from 'typeorm';
import { Row } from '../../database/entities/rows.js';
import { User } from './user.entity.js';

/** The address that a person had until another was put in its place, kept for a week: a mail tells its reader. */
@Entity('former_emails')
@Index('former_emails_user_id_idx', ['user_id', 'created_at'])
@Index('former_emails_created_at_idx', ['created_at'])
export class FormerEmail extends Row {
  @ManyToOne(() => User)
  @JoinColumn()
  user: Relation<User>;

  @Column('integer')
  user_id: number;

  @Column('text')
  email: string;
}
