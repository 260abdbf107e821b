import { FieldsInvalid } from '../common/errors/common.errors.js';
import type { DomainError } from '../common/errors/domain-error.js';
import { GymInactive } from '../gyms/gyms.errors.js';
import type { Product } from '../inventory/entities/product.entity.js';
import { ProductInactive } from '../inventory/inventory.errors.js';
import { type Movement, notEnough } from '../inventory/inventory.rules.js';
import type { Sale } from './entities/sale.entity.js';

// What can be sold, at which price, and what a correction means for the stock.

/** What decides whether a product can be sold. */
export interface Offered extends Pick<Product, 'is_active' | 'quantity'> {
  is_gym_active: boolean;
}

/** Why a product could not be sold. @param product what was asked for, among those of the actor's gyms */
export function refusalOfSale(product: Offered | undefined): DomainError {
  if (!product) return FieldsInvalid.of('product_id', 'is not a product of the gym');
  if (!product.is_active) return new ProductInactive();
  return product.is_gym_active ? notEnough(product) : new GymInactive();
}

type Sold = Pick<Sale, 'product_id' | 'quantity' | 'unit_price'>;

/**
 * What a sale is after a correction. The same product keeps the price at which it was sold; another one comes at its
 * price of today, if it is sold at all.
 * @param product what was sold, as it stands in the shop now
 * @throws FieldsInvalid, ProductInactive
 */
export function corrected(
  before: Sold,
  quantity: number,
  product: Pick<Product, 'id' | 'price' | 'is_active'> | undefined,
): Sold {
  if (!product) throw refusalOfSale(undefined);
  if (product.id === before.product_id) return { ...before, quantity };
  if (!product.is_active) throw new ProductInactive();
  return { product_id: product.id, quantity, unit_price: product.price };
}

const moved = (change: number): Movement => ({ change, reason: change > 0 ? 'reversal' : 'sale' });

/** What moves in stock, by product, when `before` becomes `after`: what was taken too much comes back. */
export function movementsOf(before: Sold, after: Sold): [productId: number, Movement][] {
  if (before.product_id !== after.product_id) {
    return [
      [before.product_id, moved(before.quantity)],
      [after.product_id, moved(-after.quantity)],
    ];
  }
  const back = before.quantity - after.quantity;
  return back === 0 ? [] : [[before.product_id, moved(back)]];
}
