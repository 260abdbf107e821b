import type { Actor } from '../common/actor/actor.js';
import { columns, pick, table } from '../database/columns.js';
import { inGym, type ScopedSql, sql } from '../database/sql.js';
import { ProductDto, StockMovementDto } from './dto/product.dto.js';
import type { Product } from './entities/product.entity.js';
import type { StockMovement } from './entities/stock-movement.entity.js';

/** Of `products p`. */
export const PRODUCT_COLUMNS = columns(
  ProductDto,
  pick(
    table<Product>('p'),
    ...(['id', 'name', 'description', 'price', 'quantity', 'gym_id', 'is_active', 'created_at', 'updated_at'] as const),
  ),
);

/** Of `stock_movements s`. */
export const MOVEMENT_COLUMNS = columns(
  StockMovementDto,
  pick(
    table<StockMovement>('s'),
    ...([
      'id',
      'product_id',
      'change',
      'quantity_after',
      'reason',
      'sale_id',
      'note',
      'moved_by_id',
      'created_at',
    ] as const),
  ),
);

/** The product `p` of this id, if it is of the actor's gyms. */
export const visibleProduct = (actor: Actor, productId: number): ScopedSql =>
  sql`p.id = ${productId} AND ${inGym(actor.scope(), 'p.gym_id')}`;
