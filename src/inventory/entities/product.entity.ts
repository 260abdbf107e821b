import { Check, Column, Entity, Index, JoinColumn, ManyToOne, type Relation } from 'typeorm';
import { ChangingRow } from '../../database/entities/rows.js';
import { Gym } from '../../gyms/entities/gym.entity.js';

@Entity('products')
@Check('products_price_check', 'price >= 0')
@Check('products_quantity_check', 'quantity >= 0')
@Index('products_gym_id_name_idx', ['gym_id', 'name', 'id'])
@Index('products_name_key', { synchronize: false }) // unique on gym_id, fold(name)
@Index('products_name_idx', ['name', 'id'])
@Index('products_low_stock_idx', ['gym_id', 'quantity', 'id'], { where: 'is_active' })
export class Product extends ChangingRow {
  @ManyToOne(() => Gym, { onDelete: 'CASCADE' })
  @JoinColumn()
  gym: Relation<Gym>;

  @Column('integer')
  gym_id: number;

  @Column({ type: 'text', collation: 'und-x-icu' })
  name: string;

  @Column('text', { nullable: true })
  description: string | null;

  @Column('numeric', { precision: 12, scale: 2 })
  price: number;

  /** How many are there: the sum of its movements. */
  @Column('integer', { default: 0 })
  quantity: number;

  @Column('boolean', { default: true })
  is_active: boolean;
}
