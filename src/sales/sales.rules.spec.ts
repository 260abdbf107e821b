import { describe, expect, it } from '@jest/globals';
import { corrected, movementsOf, refusalOfSale } from './sales.rules.js';

const before = { product_id: 1, quantity: 3, unit_price: 2.5 };
const tea = { id: 1, price: 9, is_active: false };
const bar = { id: 2, price: 4, is_active: true };

describe('a sale', () => {
  it.each([
    [undefined, 'FieldsInvalid'],
    [{ is_active: false, is_gym_active: false, quantity: 0 }, 'ProductInactive'],
    [{ is_active: true, is_gym_active: false, quantity: 0 }, 'GymInactive'],
    [{ is_active: true, is_gym_active: true, quantity: 0 }, 'InsufficientStock'],
  ])('of %j is refused as %s', (product, expected) => {
    expect(refusalOfSale(product).constructor.name).toBe(expected);
  });
});

describe('the correction of a sale', () => {
  it('keeps the price of the same product, also if it is not sold any more', () => {
    expect(corrected(before, 5, tea)).toEqual({ product_id: 1, quantity: 5, unit_price: 2.5 });
  });

  it('takes another product at its price of today, if it is sold', () => {
    expect(corrected(before, 3, bar)).toEqual({ product_id: 2, quantity: 3, unit_price: 4 });
    expect(() => corrected(before, 3, { ...bar, is_active: false })).toThrow('not sold any more');
    expect(() => corrected(before, 3, undefined)).toThrow('is not a product of the gym');
  });

  it.each([
    [{ quantity: 3 }, []],
    [{ quantity: 1 }, [[1, { change: 2, reason: 'reversal' }]]],
    [{ quantity: 5 }, [[1, { change: -2, reason: 'sale' }]]],
    [
      { product_id: 2, quantity: 4 },
      [
        [1, { change: 3, reason: 'reversal' }],
        [2, { change: -4, reason: 'sale' }],
      ],
    ],
  ])('to %j moves in stock %j', (after, expected) => {
    expect(movementsOf(before, { ...before, ...after })).toEqual(expected);
  });
});
