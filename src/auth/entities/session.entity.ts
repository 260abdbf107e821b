import { Column, Entity, Index, JoinColumn, ManyToOne, type Relation } from 'typeorm';
import { Moment, Row } from '../../database/entities/rows.js';
import { User } from '../../people/entities/user.entity.js';

/** One sign-in of one device. An ended session stays for a while: it tells which addresses a person signs in from. */
@Entity('sessions')
@Index('sessions_live_idx', ['user_id', 'id'], { where: 'ended_at IS NULL' })
@Index('sessions_network_idx', ['user_id', 'network'])
@Index('sessions_ended_at_idx', ['ended_at'], { where: 'ended_at IS NOT NULL' })
export class Session extends Row {
  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn()
  user: Relation<User>;

  @Column('integer')
  user_id: number;

  /** How often the refresh token was rotated; the current token carries this number. */
  @Column('integer', { default: 0 })
  generation: number;

  @Column('text', { nullable: true })
  user_agent: string | null;

  @Column('text', { nullable: true })
  ip_address: string | null;

  /** Of ip_address: an IPv6 customer has a whole /64. */
  @Column('text', { nullable: true })
  network: string | null;

  @Moment({ default: () => 'now()' })
  last_used_at: Date;

  /** When the refresh token expires; null: never. */
  @Moment({ nullable: true })
  expires_at: Date | null;

  @Moment({ nullable: true })
  ended_at: Date | null;

  /** signed_out, revoked, replaced (by a sixth), token_reused, password_changed, deactivated */
  @Column('text', { nullable: true })
  end_reason: string | null;
}
