import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Moment } from '../../database/entities/rows.js';
import { Session } from './session.entity.js';

/** Whose hours a page may show that has not sent its token yet. */
@Entity('viewer_cookies')
@Index('viewer_cookies_session_id_idx', ['session_id'])
@Index('viewer_cookies_expires_at_idx', ['expires_at'])
export class ViewerCookie {
  /** The cookie itself is in the browser alone. */
  @PrimaryColumn('bytea')
  token_hash: Buffer;

  @ManyToOne(() => Session, { onDelete: 'CASCADE' })
  @JoinColumn()
  session: Relation<Session>;

  @Column('integer')
  session_id: number;

  @Moment()
  expires_at: Date;
}
