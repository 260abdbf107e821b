import { Injectable } from '@nestjs/common';
import type { Actor } from '../common/actor/actor.js';
import type { IdempotencyKey } from '../common/http/idempotency.js';
import type { GymListQuery, Page } from '../common/http/list.js';
import { Database, type Queryable, type Transaction } from '../database/database.js';
import { once } from '../database/idempotency.js';
import { listPage } from '../database/keyset.js';
import { assignments, inGym, raw, sql } from '../database/sql.js';
import { requireActiveGym } from '../gyms/gyms.js';
import type {
  ChangeStockDto,
  CreateProductDto,
  LowStockQuery,
  ProductDto,
  StockMovementDto,
  UpdateProductDto,
} from './dto/product.dto.js';
import { ProductNotFound } from './inventory.errors.js';
import { movementOf, type Movement, notEnough, requireOneWay } from './inventory.rules.js';
import { changingStock, MOVEMENT_COLUMNS, notingMovement, PRODUCT_COLUMNS, visibleProduct } from './inventory.sql.js';

/** The shop's products and their stock, of which every number can be explained. */
@Injectable()
export class InventoryService {
  constructor(private readonly db: Database) {}

  /** By name. @throws OtherGym */
  list(actor: Actor, query: GymListQuery, onlyActive: boolean): Promise<Page<ProductDto>> {
    const from = sql`FROM products p WHERE ${inGym(actor.scope(query.gym_id), 'p.gym_id')}
      ${onlyActive ? raw('AND p.is_active') : raw('')}`;
    return listPage(this.db, query, { columns: PRODUCT_COLUMNS, from, keys: { name: 'p.name', id: 'p.id' } });
  }

  /** What is sold and runs out, the scarcest first. @throws OtherGym */
  listLowStock(actor: Actor, query: LowStockQuery): Promise<Page<ProductDto>> {
    const from = sql`FROM products p
      WHERE ${inGym(actor.scope(query.gym_id), 'p.gym_id')} AND p.is_active AND p.quantity <= ${query.threshold}`;
    return listPage(this.db, query, {
      columns: PRODUCT_COLUMNS,
      from,
      keys: { quantity: 'p.quantity', id: 'p.id' },
    });
  }

  /** @throws ProductNotFound */
  async get(actor: Actor, productId: number, db: Queryable = this.db): Promise<ProductDto> {
    const [product] = await db.query(
      sql`SELECT ${PRODUCT_COLUMNS} FROM products p WHERE ${visibleProduct(actor, productId)}`,
    );
    if (!product) throw new ProductNotFound();
    return product;
  }

  /** Why the stock of a product is what it is, the newest first. @throws ProductNotFound */
  async listMovements(actor: Actor, productId: number, query: GymListQuery): Promise<Page<StockMovementDto>> {
    const from = sql`FROM stock_movements s JOIN products p ON p.id = s.product_id
      WHERE s.product_id = ${productId} AND p.id = ${productId} AND ${inGym(actor.scope(query.gym_id), 'p.gym_id')}`;
    const source = { columns: MOVEMENT_COLUMNS, from, keys: { id: 's.id' }, direction: 'DESC' } as const;
    const page = await listPage(this.db, query, source);
    if (page.items.length === 0) await this.get(actor, productId);
    return page;
  }

  /** @throws OtherGym, GymInactive */
  create(actor: Actor, input: CreateProductDto, key: IdempotencyKey | null): Promise<ProductDto> {
    const gymId = actor.gym(input.gym_id);
    return once(this.db, actor, key, async (tx) => {
      await requireActiveGym(tx, gymId);
      const [product] = await tx.query(sql`
        INSERT INTO products AS p (gym_id, name, description, price, is_active)
        VALUES (${gymId}, ${input.name}, ${input.description}, ${input.price}, ${input.is_active ?? true})
        RETURNING ${PRODUCT_COLUMNS}`);
      if (!input.quantity) return product!;
      return this.moveStock(tx, actor, product!.id, { change: input.quantity, reason: 'delivery' });
    });
  }

  /** @throws ProductNotFound */
  async update(actor: Actor, productId: number, input: UpdateProductDto): Promise<ProductDto> {
    const [product] = await this.db.change(sql`
      UPDATE products p SET ${assignments(input, ['name', 'description', 'price', 'is_active'])} updated_at = now()
      WHERE ${visibleProduct(actor, productId)} RETURNING ${PRODUCT_COLUMNS}`);
    if (!product) throw new ProductNotFound();
    return product;
  }

  /** @throws ProductNotFound, InsufficientStock, FieldsInvalid */
  changeStock(actor: Actor, productId: number, input: ChangeStockDto, key: IdempotencyKey | null): Promise<ProductDto> {
    requireOneWay(input);
    return once(this.db, actor, key, async (tx) => {
      const [product] = await tx.query(
        sql`SELECT ${PRODUCT_COLUMNS} FROM products p WHERE ${visibleProduct(actor, productId)} FOR NO KEY UPDATE`,
      );
      if (!product) throw new ProductNotFound();
      const movement = movementOf(input, product.quantity);
      return movement ? this.moveStock(tx, actor, productId, movement) : product;
    });
  }

  /**
   * Changes the stock and records why; the only way that stock changes.
   * @throws ProductNotFound, InsufficientStock
   */
  async moveStock(tx: Transaction, actor: Actor, productId: number, movement: Movement): Promise<ProductDto> {
    const [product] = await tx.query(sql`
      WITH ${changingStock(visibleProduct(actor, productId), movement.change)}, ${notingMovement(actor, movement)}
      SELECT ${PRODUCT_COLUMNS} FROM p`);
    if (product) return product;
    throw notEnough(await this.get(actor, productId, tx));
  }

  /**
   * Deletes a product that was never moved; one with a history is not sold any more.
   * @returns the product that stays, or null if it is gone
   * @throws ProductNotFound
   */
  remove(actor: Actor, productId: number): Promise<ProductDto | null> {
    return this.db.transaction(async (tx) => {
      const [found] = await tx.query(
        sql`SELECT 1 FROM products p WHERE ${visibleProduct(actor, productId)} FOR UPDATE`,
      );
      if (!found) throw new ProductNotFound();
      const [gone] = await tx.query(sql`
        DELETE FROM products p WHERE ${visibleProduct(actor, productId)}
          AND NOT EXISTS (SELECT 1 FROM stock_movements WHERE product_id = p.id) RETURNING 1`);
      if (gone) return null;
      const [kept] = await tx.query(sql`
        UPDATE products p SET is_active = FALSE, updated_at = now() WHERE ${visibleProduct(actor, productId)}
          RETURNING ${PRODUCT_COLUMNS}`);
      return kept!;
    });
  }
}
