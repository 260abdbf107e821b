import type { Actor, GymScope } from '../common/actor/actor.js';
import { columns, json, pick, table } from '../database/columns.js';
import { empty, inGym, raw, type ScopedSql, sql } from '../database/sql.js';
import type { Product } from '../inventory/entities/product.entity.js';
import { personRef } from '../people/people.sql.js';
import { SaleDto } from './dto/sale.dto.js';
import type { Sale } from './entities/sale.entity.js';

const s = table<Sale>('s');

/** A sale as SaleDto, of SALES. */
export const SALE_COLUMNS = columns(SaleDto, {
  ...pick(s, 'id', 'gym_id', 'product_id'),
  product: json(pick(table<Product>('p'), 'id', 'name')),
  ...pick(s, 'quantity', 'unit_price', 'total_amount', 'sold_by_id'),
  sold_by: personRef('v'),
  ...pick(s, 'sale_date', 'created_at', 'updated_at'),
});

// LEFT, though each is there: what only answers show, PostgreSQL leaves out where rows are only counted.
export const SALES = raw(`sales s LEFT JOIN products p ON p.id = s.product_id LEFT JOIN users v ON v.id = s.sold_by_id
  LEFT JOIN gyms g ON g.id = s.gym_id`);

/** The sales `s` that the actor may see: reception and trainer those they made themselves. @throws OtherGym */
export const visibleSales = (actor: Actor, scope: GymScope = actor.scope()): ScopedSql =>
  sql`${inGym(scope, 's.gym_id')}
    ${actor.is('reception', 'trainer') ? sql`AND s.sold_by_id = ${actor.user_id}` : empty}`;
