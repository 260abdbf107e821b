import { Check, Column, Entity, Index, JoinColumn, ManyToOne, type Relation, Unique } from 'typeorm';
import { ChangingRow, Moment } from '../../database/entities/rows.js';
import type { Role } from '../../common/actor/roles.js';
import type { Language } from '../dto/account.dto.js';
import { Gym } from '../../gyms/entities/gym.entity.js';

/** A person: staff or member. A deleted one keeps its row, without personal data, because sales and visits name it. */
@Entity('users')
@Unique(['qr_code'])
@Check('users_role_check', `role IN ('admin', 'manager', 'reception', 'accountant', 'trainer', 'user')`)
@Check('users_gym_check', `gym_id IS NOT NULL OR role = 'admin'`)
@Check('users_email_check', `email IS NOT NULL OR role = 'user' OR deleted_at IS NOT NULL`)
@Check('users_language_check', `language IN ('en', 'es', 'ar')`)
@Index('users_gym_id_full_name_idx', ['gym_id', 'full_name', 'id'], { where: 'deleted_at IS NULL' })
@Index('users_full_name_idx', ['full_name', 'id'], { where: 'deleted_at IS NULL' })
@Index('users_staff_idx', ['gym_id', 'full_name', 'id'], { where: `deleted_at IS NULL AND role <> 'user'` })
@Index('users_accounts_idx', ['gym_id', 'id'], { where: 'deleted_at IS NULL AND is_active' })
@Index('users_trainers_idx', ['id'], { where: `role = 'trainer' AND deleted_at IS NULL AND is_active` })
@Index('users_sign_in_phone_idx', ['phone_digits'], { where: 'password_hash IS NOT NULL' })
@Index('users_newest_members_idx', ['created_at', 'id'], { where: `role = 'user' AND deleted_at IS NULL` })
@Index('users_members_idx', { synchronize: false }) // gym_id, created_at, id of members, and what is counted of them
@Index('users_email_key', { synchronize: false }) // unique on fold(email)
@Index('users_username_key', { synchronize: false }) // unique on fold(username)
@Index('users_document_id_key', { synchronize: false }) // unique on fold(document_id)
@Index('users_phone_digits_idx', { synchronize: false }) // GIN (gym_id, phone_digits gin_trgm_ops)
@Index('users_search_text_idx', { synchronize: false }) // GIN (gym_id, search_text gin_trgm_ops)
export class User extends ChangingRow {
  /** As it was typed; unique whatever the case. Staff have one. */
  @Column('text', { nullable: true })
  email: string | null;

  /** As it was typed; unique whatever the case. */
  @Column('text', { nullable: true })
  username: string | null;

  @Column({ type: 'text', collation: 'und-x-icu' })
  full_name: string;

  @Column('text', { nullable: true })
  document_id: string | null;

  @Column('text', { nullable: true })
  phone_number: string | null;

  @Column('text', { default: 'user' })
  role: Role;

  /** What they are written to in: en, es or ar. */
  @Column('text', { default: 'en' })
  language: Language;

  @ManyToOne(() => Gym)
  @JoinColumn()
  gym: Relation<Gym> | null;

  /** An admin's is their home gym, and may be null: they act in all. */
  @Column('integer', { nullable: true })
  gym_id: number | null;

  @Column('boolean', { default: true })
  is_active: boolean;

  /** A member who was added without a plan: inactive until the first one is assigned. */
  @Column('boolean', { default: false })
  awaits_first_plan: boolean;

  /** bcrypt; null: this person cannot sign in. */
  @Column('text', { nullable: true })
  password_hash: string | null;

  /** Rises with each new password; kept by a trigger. */
  @Column('integer', { default: 0 })
  password_version: number;

  /** The password was given by staff and must be changed at the first sign-in. */
  @Column('boolean', { default: false })
  must_change_password: boolean;

  /** Encrypted, until it is changed. */
  @Column('text', { nullable: true })
  temporary_password: string | null;

  /** The digits of phone_number; kept by a trigger. */
  @Column('text', { nullable: true })
  phone_digits: string | null;

  /** Name, email, username, document and phone, as searchable() writes them; kept by a trigger. */
  @Column('text', { default: '' })
  search_text: string;

  /** `GYM-{id}-{8 hex}`: lets its holder in. Given by a trigger, unless it is said; a new one kills the old. */
  @Column('text', { nullable: true })
  qr_code: string | null;

  @Moment({ nullable: true })
  deleted_at: Date | null;
}
