import { GymTime } from '../common/http/gym-time.js';
import { describe, expect, it } from '@jest/globals';
import { isRepetition, isSale, isUpgrade, mayReplace } from './plans.rules.js';

const days = (length: number | null, price: number) => ({ duration_days: length, price });

describe('an upgrade', () => {
  it.each([
    ['costs more', days(30, 30), days(30, 31), true],
    ['costs more, though shorter', days(90, 30), days(30, 31), true],
    ['longer, though cheaper', days(30, 30), days(31, 1), true],
    ['the same', days(30, 30), days(30, 30), false],
    ['cheaper', days(30, 30), days(30, 1), false],
    ['without an end, and costs no more', days(30, 30), days(null, 30), false],
    ['with an end instead of none, and costs no more', days(null, 30), days(90, 30), false],
  ])('is, or is not, a plan that is %s', (_, sold, next, expected) => {
    expect(isUpgrade(sold, next)).toBe(expected);
  });

  it('is asked of reception and trainer only', () => {
    const as = (role: string) => ({ is: (...roles: string[]) => roles.includes(role) });
    const sellsLess = (role: string) => mayReplace(as(role), days(30, 30), days(30, 1));
    expect(['admin', 'manager', 'reception', 'trainer'].map(sellsLess)).toEqual([true, true, false, false]);
  });
});

describe('a PUT', () => {
  it.each([
    [{}, 'active', false],
    [{ plan_id: 1 }, 'active', false],
    [{ plan_id: 1 }, 'frozen', false],
    [{ plan_id: 2 }, 'active', true],
    [{ plan_id: 2 }, 'scheduled', true],
    [{ plan_id: 1 }, 'expired', true],
    [{ plan_id: 1 }, 'cancelled', true],
    [{ plan_id: 1, status: 'expired' }, 'expired', false],
    [{ plan_id: 1, expires_at: new GymTime('2026-01-01T00:00:00Z') }, 'cancelled', false],
    [{ plan_id: 2, status: 'expired' }, 'expired', true],
  ] as const)('with %j sells, or does not, instead of plan 1 that is %s', (asked, status, expected) => {
    expect(isSale(asked, { plan_id: 1, status })).toBe(expected);
  });

  it('is a repetition when it asks for what was sold', () => {
    const sold = { plan_id: 2, purchased_price: 80 };
    expect(isRepetition({ plan_id: 2 }, sold)).toBe(true);
    expect(isRepetition({ plan_id: 2, purchased_price: 80 }, sold)).toBe(true);
    expect(isRepetition({ plan_id: 2, purchased_price: 70 }, sold)).toBe(false);
    expect(isRepetition({ plan_id: 3 }, sold)).toBe(false);
  });
});
