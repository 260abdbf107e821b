import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Moment } from '../../database/entities/rows.js';
import { User } from '../../people/entities/user.entity.js';

/** A link to a new password, good for one use. */
@Entity('password_resets')
@Index('password_resets_user_id_idx', ['user_id'])
@Index('password_resets_expires_at_idx', ['expires_at'])
export class PasswordReset {
  /** The token itself is in the mail alone. */
  @PrimaryColumn('bytea')
  token_hash: Buffer;

  @ManyToOne(() => User)
  @JoinColumn()
  user: Relation<User>;

  @Column('integer')
  user_id: number;

  /** Where the mail went: once the person has another address, who reads the old one may not use the link. */
  @Column('text')
  email: string;

  /** The one that the person has forgotten: once there is another, the link is good for nothing. */
  @Column('integer')
  password_version: number;

  @Moment()
  expires_at: Date;
}
