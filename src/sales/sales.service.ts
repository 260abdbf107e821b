import { Injectable } from '@nestjs/common';
import type { Actor, ScopedGymId } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import { GymTime } from '../common/http/gym-time.js';
import type { IdempotencyKey } from '../common/http/idempotency.js';
import type { ListQuery, Page } from '../common/http/list.js';
import { Database, type Queryable, type Transaction } from '../database/database.js';
import { onceInOne } from '../database/idempotency.js';
import { listPage } from '../database/keyset.js';
import { isTooLarge } from '../database/postgres-errors.js';
import { assignments, empty, inGym, type ScopedSql, sql } from '../database/sql.js';
import {
  between,
  dayOf,
  fromDay,
  localDayAmong,
  monthOf,
  named,
  onDay,
  pastMomentOf,
  requireOrder,
  since,
  today,
  toDay,
  until,
} from '../gyms/local-time.js';
import { noGym } from '../gyms/gyms.js';
import type { Product } from '../inventory/entities/product.entity.js';
import { InventoryService } from '../inventory/inventory.service.js';
import { changingStock, notingMovement } from '../inventory/inventory.sql.js';
import type {
  CreateSaleDto,
  DailySalesQuery,
  SaleDto,
  SaleListQuery,
  SalesSummaryDto,
  SumDto,
  SummaryQuery,
  UpdateSaleDto,
} from './dto/sale.dto.js';
import type { Sale } from './entities/sale.entity.js';
import { SaleNotFound } from './sales.errors.js';
import { corrected, movementsOf, type Offered, refusalOfSale } from './sales.rules.js';
import { SALE_COLUMNS, SALES, SHOWN_WITH, visibleSales } from './sales.sql.js';

/** The shop's sales. A sale, its money and its stock are one transaction. */
@Injectable()
export class SalesService {
  constructor(
    private readonly db: Database,
    private readonly inventory: InventoryService,
  ) {}

  /** The newest first. @throws OtherGym */
  list(actor: Actor, query: SaleListQuery): Promise<Page<SaleDto>> {
    const scope = actor.scope(query.gym_id);
    const from = sql`FROM ${SALES} WHERE ${visibleSales(actor, scope)} ${between(scope, 's.sale_date', query)}
      ${query.product_id ? sql`AND s.product_id = ${query.product_id}` : empty}
      ${query.sold_by_id ? sql`AND s.sold_by_id = ${query.sold_by_id}` : empty}`;
    return this.page(query, from);
  }

  /** Those of a local day, by default today's, the newest first. @throws OtherGym */
  listDaily(actor: Actor, query: DailySalesQuery): Promise<Page<SaleDto>> {
    const scope = actor.scope(query.gym_id);
    const day = query.date ? dayOf(scope, new GymTime(query.date)) : today(scope);
    const from = sql`FROM ${SALES} WHERE ${visibleSales(actor, scope)} AND ${onDay(scope, 's.sale_date', day)}`;
    return this.page(query, from);
  }

  /**
   * Sums over local days, by default from the first of the month to today; of an end alone, the month is its own.
   * @throws OtherGym, FieldsInvalid
   */
  async summarize(actor: Actor, query: SummaryQuery): Promise<SalesSummaryDto> {
    const scope = actor.scope(query.gym_id);
    const { start_date: start, end_date: end } = query;
    requireOrder(query);
    const last = end ? dayOf(scope, end) : today(scope);
    const first = start ? dayOf(scope, start) : monthOf(last);
    const range = sql`${start ? since(scope, 's.sale_date', start) : fromDay(scope, 's.sale_date', first)}
      AND ${end ? until(scope, 's.sale_date', end) : toDay(scope, 's.sale_date', last)}`;
    // One pass over the sales, then sums of its sums, and the names afterwards; only PostgreSQL's numeric adds up to
    // the cent.
    const rows = await this.db.query<SummaryRow>(sql`
      WITH sums AS MATERIALIZED (
        SELECT s.product_id, s.sold_by_id, d.date, count(*) AS sales, sum(s.quantity) AS quantity,
          sum(s.total_amount) AS amount
        FROM ${SALES}
        CROSS JOIN LATERAL (SELECT ${localDayAmong(scope, 's.sale_date', first, last)} AS date) d
        WHERE ${visibleSales(actor, scope)} AND ${range}
        GROUP BY GROUPING SETS ((s.product_id, s.sold_by_id), (d.date))
      )
      SELECT s.*, (SELECT name FROM products WHERE id = s.product_id) AS name,
        (SELECT full_name FROM users WHERE id = s.sold_by_id) AS full_name,
        ${named(scope, first, 'min')}::text AS start_date, ${named(scope, last, 'max')}::text AS end_date
      FROM (
        SELECT product_id, sold_by_id, NULL AS date, grouping(product_id, sold_by_id) AS grouping,
          coalesce(sum(sales), 0)::bigint AS sale_count, coalesce(sum(quantity), 0)::bigint AS total_quantity,
          coalesce(sum(amount), 0) AS total_amount
        FROM sums WHERE date IS NULL GROUP BY GROUPING SETS ((), (product_id), (sold_by_id))
        UNION ALL
        SELECT NULL, NULL, date::text, ${GROUPING.day}::int, sales, quantity, amount FROM sums WHERE date IS NOT NULL
      ) s
      ORDER BY s.date, s.total_amount DESC, s.product_id, s.sold_by_id`);
    const of = (grouping: number) => rows.filter((row) => row.grouping === grouping);
    const [total] = of(GROUPING.total) as [SummaryRow];
    if (query.gym_id !== undefined && total.start_date === null) noGym();
    if (total.start_date! > total.end_date!) {
      throw FieldsInvalid.of('start_date', `must not be after ${end ? 'end_date' : 'today'}`);
    }
    return {
      ...sumOf({ start_date: total.start_date!, end_date: total.end_date! }, total),
      by_product: of(GROUPING.product).map((row) => sumOf({ product_id: row.product_id, name: row.name }, row)),
      by_seller: of(GROUPING.seller).map((row) => sumOf({ sold_by_id: row.sold_by_id, full_name: row.full_name }, row)),
      by_day: of(GROUPING.day).map((row) => sumOf({ date: row.date }, row)),
    };
  }

  /** @throws SaleNotFound */
  get(actor: Actor, saleId: number): Promise<SaleDto> {
    return this.find(this.db, sql`s.id = ${saleId} AND ${visibleSales(actor)}`);
  }

  /**
   * Stock, sale and the reason of the change are one statement.
   * @throws FieldsInvalid, ProductInactive, GymInactive, InsufficientStock
   */
  sell(actor: Actor, { product_id, quantity }: CreateSaleDto, key: IdempotencyKey | null): Promise<SaleDto> {
    const asked = sql`p.id = ${product_id} AND ${inGym(actor.scope(), 'p.gym_id')}`;
    const isGymActive = sql`(SELECT g.is_active FROM gyms g WHERE g.id = p.gym_id)`;
    const movement = { change: -quantity, reason: 'sale', sale_id: sql`(SELECT id FROM s)` } as const;
    return onceInOne(this.db, actor, key, async (unit) => {
      const [sale] = await unit.query(sql`
        WITH ${changingStock(sql`${asked} AND p.is_active AND ${isGymActive}`, movement.change)},
        s AS (
          INSERT INTO sales (gym_id, product_id, quantity, unit_price, total_amount, sold_by_id)
          SELECT p.gym_id, p.id, ${quantity}, p.price, p.price * ${quantity}::int, ${actor.user_id} FROM p RETURNING *),
        ${notingMovement(actor, movement)}
        SELECT ${SALE_COLUMNS} FROM s JOIN p ON p.id = s.product_id JOIN users v ON v.id = s.sold_by_id`);
      if (sale) return sale;
      const [product] = await unit.query<Offered>(sql`
        SELECT is_active, quantity, ${isGymActive} AS is_gym_active FROM products p WHERE ${asked}`);
      throw refusalOfSale(product);
    }).catch(namingQuantity);
  }

  /**
   * Corrects a sale; the stock gets the difference. Another product comes at its price of today.
   * @throws SaleNotFound, FieldsInvalid, ProductInactive, InsufficientStock
   */
  update(actor: Actor, saleId: number, input: UpdateSaleDto): Promise<SaleDto> {
    return this.db
      .transaction(async (tx) => {
        const before = await this.lock(tx, actor, saleId);
        const saleDate = input.sale_date && (await pastMomentOf(tx, before.gym_id, 'sale_date', input.sale_date));
        const productId = input.product_id ?? before.product_id;
        // Always in the order of their ids, so that two corrections cannot wait for each other.
        const products = await tx.query<Pick<Product, 'id' | 'price' | 'is_active'>>(sql`
          SELECT id, price, is_active FROM products p
          WHERE id IN (${before.product_id}, ${productId}) AND gym_id = ${before.gym_id}
          ORDER BY id FOR NO KEY UPDATE`);
        const product = products.find(({ id }) => id === productId);
        const after = corrected(before, input.quantity ?? before.quantity, product);
        for (const [moved, movement] of movementsOf(before, after)) {
          await this.inventory.moveStock(tx, actor, moved, { ...movement, sale_id: saleId });
        }
        await tx.query(sql`
          UPDATE sales s SET product_id = ${after.product_id}, quantity = ${after.quantity},
            unit_price = ${after.unit_price}::numeric,
              total_amount = ${after.unit_price}::numeric * ${after.quantity}::int,
            ${assignments({ sale_date: saleDate }, ['sale_date'])} updated_at = now()
          WHERE id = ${saleId} AND ${visibleSales(actor)}`);
        return this.find(tx, sql`s.id = ${saleId} AND ${visibleSales(actor)}`);
      })
      .catch(namingQuantity);
  }

  /** Deletes a sale; what was sold is in stock again. @throws SaleNotFound */
  remove(actor: Actor, saleId: number): Promise<void> {
    return this.db.transaction(async (tx) => {
      const { product_id, quantity } = await this.lock(tx, actor, saleId);
      await this.inventory.moveStock(tx, actor, product_id, { change: quantity, reason: 'reversal', sale_id: saleId });
      await tx.query(sql`DELETE FROM sales s WHERE id = ${saleId} AND ${visibleSales(actor)}`);
    });
  }

  private async lock(tx: Transaction, actor: Actor, saleId: number): Promise<LockedSale> {
    const [sale] = await tx.query<LockedSale>(sql`
      SELECT gym_id, product_id, quantity, unit_price FROM sales s
      WHERE id = ${saleId} AND ${visibleSales(actor)} FOR UPDATE`);
    if (!sale) throw new SaleNotFound();
    return sale;
  }

  private page(query: ListQuery, from: ScopedSql): Promise<Page<SaleDto>> {
    const keys = { sale_date: 's.sale_date', id: 's.id' };
    const shown = { alias: 's', joins: SHOWN_WITH };
    return listPage(this.db, query, { columns: SALE_COLUMNS, from, shown, keys, direction: 'DESC' });
  }

  private async find(db: Queryable, condition: ScopedSql): Promise<SaleDto> {
    const [sale] = await db.query(sql`SELECT ${SALE_COLUMNS} FROM sales s ${SHOWN_WITH} WHERE ${condition}`);
    if (!sale) throw new SaleNotFound();
    return sale;
  }
}

type LockedSale = Pick<Sale, 'product_id' | 'quantity' | 'unit_price'> & { gym_id: ScopedGymId };

/** PostgreSQL's grouping(product, seller): a bit is set for what a row is not grouped by; and those of days. */
const GROUPING = { product: 0b01, seller: 0b10, total: 0b11, day: 0b100 };

interface SummaryRow {
  grouping: number;
  product_id: number;
  name: string;
  sold_by_id: number;
  full_name: string;
  date: string;
  sale_count: number;
  total_quantity: number;
  total_amount: number;
  /** null if there is no such gym. */
  start_date: string | null;
  end_date: string | null;
}

/** Not by spreading: for many rows that took longer than all else. */
function sumOf<Of extends object>(what: Of, { sale_count, total_quantity, total_amount }: SummaryRow): Of & SumDto {
  return Object.assign(what, { sale_count, total_quantity, total_amount });
}

/** A sum that cannot be stored comes from the quantity: each price can be. */
function namingQuantity(error: unknown): never {
  if (isTooLarge(error)) throw FieldsInvalid.of('quantity', 'makes the sum of the sale too large');
  throw error;
}
