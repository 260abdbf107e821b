import type { Actor } from '../common/actor/actor.js';
import { columns, pick, table } from '../database/columns.js';
import { inGym, raw, type ScopedSql, type Sql, sql } from '../database/sql.js';
import { ProductDto, StockMovementDto } from './dto/product.dto.js';
import type { Product } from './entities/product.entity.js';
import type { StockMovement } from './entities/stock-movement.entity.js';
import type { Movement } from './inventory.rules.js';

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

/** `p`: the product after the change of its stock; nothing, if there is not enough. Stock changes in no other way. */
export const changingStock = (which: ScopedSql, change: number): ScopedSql => sql`
  p AS (
    UPDATE products p SET quantity = quantity + ${change}, updated_at = now()
    WHERE ${which} AND quantity + ${change} >= 0 RETURNING *)`;

/** `moved`: why the stock of `p` has changed. */
export const notingMovement = (
  actor: Actor,
  { change, reason, sale_id, note }: Omit<Movement, 'sale_id'> & { sale_id?: number | Sql },
): Sql => sql`
  moved AS (
    INSERT INTO stock_movements (product_id, change, quantity_after, reason, sale_id, note, moved_by_id)
    SELECT id, ${change}, quantity, ${reason}, ${sale_id ?? raw('NULL')}::int, ${note}, ${actor.user_id} FROM p)`;
