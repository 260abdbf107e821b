import type { Actor, GymScope } from '../common/actor/actor.js';
import { columns, part, pick, table } from '../database/columns.js';
import { empty, inGym, raw, type ScopedSql, sql } from '../database/sql.js';
import type { Product } from '../inventory/entities/product.entity.js';
import { personRef } from '../people/people.sql.js';
import { SaleDto } from './dto/sale.dto.js';
import type { Sale } from './entities/sale.entity.js';

const s = table<Sale>('s');

/** A sale `s` as SaleDto, with what is SHOWN_WITH it. */
export const SALE_COLUMNS = columns(SaleDto, {
  ...pick(s, 'id', 'gym_id', 'product_id'),
  product: part(pick(table<Product>('p'), 'id', 'name')),
  ...pick(s, 'quantity', 'unit_price', 'total_amount', 'sold_by_id'),
  sold_by: personRef('v'),
  ...pick(s, 'sale_date', 'created_at', 'updated_at'),
});

export const SHOWN_WITH = raw('JOIN products p ON p.id = s.product_id JOIN users v ON v.id = s.sold_by_id');
/** The sales, with the zone in which they were made. */
// LEFT, though each has one: where the zone is not asked for, PostgreSQL leaves it out.
export const SALES = raw('sales s LEFT JOIN gyms g ON g.id = s.gym_id');

/** The sales `s` that the actor may see: reception and trainer those they made themselves. @throws OtherGym */
export const visibleSales = (actor: Actor, scope: GymScope = actor.scope()): ScopedSql =>
  sql`${inGym(scope, 's.gym_id')}
    ${actor.is('reception', 'trainer') ? sql`AND s.sold_by_id = ${actor.user_id}` : empty}`;
