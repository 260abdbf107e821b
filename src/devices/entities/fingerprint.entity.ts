import { Check, Column, Entity, JoinColumn, ManyToOne, type Relation, Unique } from 'typeorm';
import { ChangingRow } from '../../database/entities/rows.js';
import { User } from '../../people/entities/user.entity.js';

/** One of a member's two fingers. */
@Entity('fingerprints')
@Unique('fingerprints_finger_key', ['user_id', 'finger'])
@Check('fingerprints_finger_check', 'finger IN (1, 2)')
export class Fingerprint extends ChangingRow {
  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn()
  user: Relation<User>;

  @Column('integer')
  user_id: number;

  @Column('smallint')
  finger: number;

  /** Encrypted, with the id of its key; bound to this member and finger. */
  @Column('text')
  template: string;
}
