import { Check, Column, Entity, Index, JoinColumn, ManyToOne, type Relation } from 'typeorm';
import { ChangingRow, Moment } from '../../database/entities/rows.js';
import { Gym } from '../../gyms/entities/gym.entity.js';
import { Product } from '../../inventory/entities/product.entity.js';
import { User } from '../../people/entities/user.entity.js';

@Entity('sales')
@Check('sales_quantity_check', 'quantity > 0')
@Index('sales_gym_id_sale_date_idx', { synchronize: false }) // gym_id, sale_date, id, and what is summed up
@Index('sales_sale_date_idx', ['sale_date', 'id'])
@Index('sales_sold_by_id_idx', ['sold_by_id', 'sale_date', 'id'])
@Index('sales_product_id_idx', ['product_id', 'sale_date', 'id'])
export class Sale extends ChangingRow {
  @ManyToOne(() => Gym)
  @JoinColumn()
  gym: Relation<Gym>;

  @Column('integer')
  gym_id: number;

  @ManyToOne(() => Product)
  @JoinColumn()
  product: Relation<Product>;

  @Column('integer')
  product_id: number;

  @Column('integer')
  quantity: number;

  /** The product's price at that moment. */
  @Column('numeric', { precision: 12, scale: 2 })
  unit_price: number;

  @Column('numeric', { precision: 12, scale: 2 })
  total_amount: number;

  @ManyToOne(() => User)
  @JoinColumn()
  sold_by: Relation<User>;

  @Column('integer')
  sold_by_id: number;

  /** When it counts for the sums: when it was recorded, unless an admin corrects it. */
  @Moment({ default: () => 'now()' })
  sale_date: Date;
}
