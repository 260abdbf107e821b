import { Check, Column, Entity, Index, JoinColumn, ManyToOne, type Relation } from 'typeorm';
import { Row } from '../../database/entities/rows.js';
import { User } from '../../people/entities/user.entity.js';
import { Product } from './product.entity.js';

export type MovementReason = 'delivery' | 'correction' | 'sale' | 'reversal';

/** Why the stock of a product changed. The movements of a product add up to its stock. */
@Entity('stock_movements')
@Check('stock_movements_reason_check', `reason IN ('delivery', 'correction', 'sale', 'reversal')`)
@Index('stock_movements_product_id_idx', ['product_id', 'id'])
export class StockMovement extends Row {
  @ManyToOne(() => Product)
  @JoinColumn()
  product: Relation<Product>;

  @Column('integer')
  product_id: number;

  @Column('integer')
  change: number;

  @Column('integer')
  quantity_after: number;

  @Column('text')
  reason: MovementReason;

  /** The sale that took it or gave it back; it may have been deleted since. */
  @Column('integer', { nullable: true })
  sale_id: number | null;

  @Column('text', { nullable: true })
  note: string | null;

  @ManyToOne(() => User)
  @JoinColumn()
  moved_by: Relation<User> | null;

  @Column('integer', { nullable: true })
  moved_by_id: number | null;
}
