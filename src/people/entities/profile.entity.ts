import { Check, Column, Entity, Index, JoinColumn, ManyToOne, type Relation, Unique } from 'typeorm';
import { Row } from '../../database/entities/rows.js';
import type { ProfileType } from '../dto/profile.dto.js';
import { User } from './user.entity.js';

/** What a person is in the community, beside their role in the gym: it gives no right of staff. */
@Entity('profiles')
@Unique(['account_id', 'profile_type'])
@Check('profiles_type_check', `profile_type IN ('gym', 'trainer', 'store', 'trainee')`)
@Index('profiles_current_key', ['account_id'], { unique: true, where: 'is_current' })
@Index('profiles_trainers_idx', ['account_id'], { where: `profile_type = 'trainer'` })
export class Profile extends Row {
  @ManyToOne(() => User)
  @JoinColumn()
  account: Relation<User>;

  @Column('integer')
  account_id: number;

  @Column('text')
  profile_type: ProfileType;

  /** The one that its person made or chose last; at most one of a person. */
  @Column('boolean', { default: false })
  is_current: boolean;
}
