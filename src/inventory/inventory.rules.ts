import { FieldsInvalid } from '../common/errors/common.errors.js';
import { type ChangeStockDto, MOST_IN_STOCK } from './dto/product.dto.js';
import type { MovementReason } from './entities/stock-movement.entity.js';
import { InsufficientStock } from './inventory.errors.js';

/** What comes into the stock (positive) or goes, and why. */
export interface Movement {
  change: number;
  reason: MovementReason;
  sale_id?: number;
  note?: string;
}

/** Why so much cannot go. */
export const notEnough = ({ quantity }: { quantity: number }) =>
  new InsufficientStock(quantity === 1 ? 'There is 1 left.' : `There are ${quantity} left.`);

/** Staff says what was counted, or what came or went. @throws FieldsInvalid if both, or neither */
export function requireOneWay({ quantity, change }: ChangeStockDto): void {
  if ((quantity === undefined) === (change === undefined)) {
    throw FieldsInvalid.of('quantity', 'or change is required, and not both');
  }
}

/**
 * What moves, if there were `before` until now; null: nothing. What came is a delivery, all else a correction.
 * @throws FieldsInvalid
 */
export function movementOf({ quantity, change, note }: ChangeStockDto, before: number): Movement | null {
  const difference = change ?? quantity! - before;
  if (difference === 0) return null;
  if (difference > 0 && before + difference > MOST_IN_STOCK) {
    throw FieldsInvalid.of('change', `makes the stock more than ${MOST_IN_STOCK}`);
  }
  return { change: difference, reason: change !== undefined && change > 0 ? 'delivery' : 'correction', note };
}
