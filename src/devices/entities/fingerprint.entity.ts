import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
  Unique,
  UpdateDateColumn,
} from 'typeorm';
import { User } from '../../people/entities/user.entity.js';

/** One of a member's two fingers. */
@Entity('fingerprints')
@Unique('fingerprints_finger_key', ['user_id', 'finger'])
@Check('fingerprints_finger_check', 'finger IN (1, 2)')
export class Fingerprint {
  @PrimaryGeneratedColumn('identity')
  id: number;

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

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  created_at: Date;

  @UpdateDateColumn({ type: 'timestamptz', precision: 3 })
  updated_at: Date;
}
