import { Check, Column, Entity, Index, JoinColumn, ManyToOne, type Relation } from 'typeorm';
import { ChangingRow } from '../../database/entities/rows.js';
import { Profile } from '../../people/entities/profile.entity.js';

/** What a trainer offers, in all gyms. */
@Entity('courses')
@Check('courses_price_check', 'price >= 0')
@Index('courses_trainer_profile_id_idx', ['trainer_profile_id', 'id'])
@Index('courses_open_idx', ['id'], { where: 'NOT is_archived' })
@Index('courses_search_text_idx', { synchronize: false }) // GIN (search_text gin_trgm_ops)
export class Course extends ChangingRow {
  @ManyToOne(() => Profile)
  @JoinColumn()
  trainer_profile: Relation<Profile>;

  @Column('integer')
  trainer_profile_id: number;

  @Column('text')
  title: string;

  @Column('text', { nullable: true })
  description: string | null;

  @Column('numeric', { precision: 12, scale: 2 })
  price: number;

  /** It takes no one new, and is not listed. */
  @Column('boolean', { default: false })
  is_archived: boolean;

  /** Title and description, as searchable() writes them; kept by a trigger. */
  @Column('text', { default: '' })
  search_text: string;
}
