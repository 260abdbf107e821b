import { describe, expect, it } from '@jest/globals';
import { movementOf, requireOneWay } from './inventory.rules.js';

describe('a stock', () => {
  it.each([
    [{ quantity: 12 }, { change: 2, reason: 'correction' }],
    [{ quantity: 8 }, { change: -2, reason: 'correction' }],
    [{ quantity: 0 }, { change: -10, reason: 'correction' }],
    [{ change: 24 }, { change: 24, reason: 'delivery' }],
    [
      { change: -1, note: 'broken' },
      { change: -1, reason: 'correction', note: 'broken' },
    ],
    [{ quantity: 10 }, null],
    [{ change: 0 }, null],
  ])('of 10 that staff changes by %j moves by %j', (asked, expected) => {
    expect(movementOf(asked, 10)).toEqual(expected);
  });

  it('has a limit, above which a reversal may bring it, but no delivery', () => {
    expect(movementOf({ change: 1 }, 999_999)).toMatchObject({ change: 1 });
    expect(() => movementOf({ change: 1 }, 1_000_000)).toThrow();
    expect(movementOf({ change: -1 }, 1_000_005)).toMatchObject({ change: -1 });
  });

  it('is changed in one way', () => {
    expect(() => requireOneWay({ quantity: 0 })).not.toThrow();
    expect(() => requireOneWay({ change: 0 })).not.toThrow();
    expect(() => requireOneWay({})).toThrow();
    expect(() => requireOneWay({ quantity: 1, change: 1 })).toThrow();
  });
});
