import { GymTime } from '../common/http/gym-time.js';
import { describe, expect, it } from '@jest/globals';
import { USER_PLAN_STATUSES, type UserPlanStatus } from './dto/user-plan.dto.js';
import {
  isActiveAgain,
  isCurrent,
  isRepetition,
  isSale,
  isUpgrade,
  namesFreeze,
  type Offer,
  refusalOfPlan,
  requireCanBecome,
  requireMayCorrect,
  requireMaySell,
} from './plans.rules.js';

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
});

/** Who acts, as far as these rules ask. */
const as = (role: string) => ({ is: (...roles: readonly string[]) => roles.includes(role) });
const DESK = ['admin', 'manager', 'reception', 'trainer'];

/** The error that a rule throws, by its class; null if it is content. */
function refusal(rule: () => void): string | null {
  try {
    rule();
    return null;
  } catch (error) {
    return (error as Error).constructor.name;
  }
}

describe('selling a plan', () => {
  const refusals = (sold: Offer | undefined, next: Offer) =>
    DESK.map((role) => refusal(() => requireMaySell(as(role), sold, next)));

  it('is free once the last one has expired, or if there never was one', () => {
    expect(refusals(undefined, days(30, 1))).toEqual([null, null, null, null]);
  });

  it('instead of one that counts is an upgrade, unless an admin or a manager sells', () => {
    expect(refusals(days(30, 30), days(90, 1))).toEqual([null, null, null, null]);
    expect(refusals(days(30, 30), days(30, 1))).toEqual([null, null, 'NotAnUpgrade', 'NotAnUpgrade']);
  });
});

describe('the plan that counts', () => {
  it.each([
    [null, 'active', null],
    [null, 'active', 1],
    ['no_sessions', 'active', 0],
    ['no_sessions', 'expired', 0],
    ['expired', 'expired', 3],
    ['frozen', 'frozen', 3],
    ['no_plan', 'cancelled', 3],
    ['no_plan', 'scheduled', 3],
  ] as const)('refuses with %s if it is %s with %j sessions left', (expected, status, sessions) => {
    expect(refusalOfPlan({ id: 1, status, remaining_sessions: sessions })).toBe(expected);
  });

  it('is missed if there is none', () => {
    expect(refusalOfPlan(null)).toBe('no_plan');
  });
});

it('counts while it is active or frozen', () => {
  expect(USER_PLAN_STATUSES.filter((status) => isCurrent({ status }))).toEqual(['active', 'frozen']);
});

describe('correcting a plan', () => {
  const nothing = { status: undefined, remaining_sessions: undefined, expires_at: undefined };

  it.each([
    [null, 'manager', { status: 'active', remaining_sessions: 3 }, { remaining_sessions: 4 }],
    [null, 'admin', { status: 'expired', remaining_sessions: null }, { expires_at: '2026-02-01' }],
    [null, 'manager', { status: 'scheduled', remaining_sessions: null }, { status: 'cancelled' }],
    ['CorrectionNotAllowed', 'reception', { status: 'active', remaining_sessions: 3 }, { status: 'frozen' }],
    ['CorrectionNotAllowed', 'trainer', { status: 'cancelled', remaining_sessions: 3 }, { status: 'active' }],
    ['PlanNotActive', 'admin', { status: 'cancelled', remaining_sessions: 3 }, { remaining_sessions: 4 }],
    ['FieldsInvalid', 'admin', { status: 'scheduled', remaining_sessions: 3 }, { expires_at: '2026-02-01' }],
    ['SessionsNotCounted', 'admin', { status: 'active', remaining_sessions: null }, { remaining_sessions: 4 }],
  ] as const)('answers %s to %s: %j becomes %j', (expected, role, before, correction) => {
    const plan = { ...before, frozen_until: null };
    expect(refusal(() => requireMayCorrect(as(role), plan, { ...nothing, ...correction }))).toBe(expected);
  });

  it.each([
    ['FieldsInvalid', { expires_at: '2026-02-01T00:00:00.000Z' }],
    [null, { expires_at: '2026-02-01T00:00:00.001Z' }],
    [null, { expires_at: '2026-01-20T00:00:00.000Z', status: 'active' }],
    [null, { remaining_sessions: 2 }],
  ] as const)('answers %s for a plan that is frozen until February: %j', (expected, correction) => {
    const until = new Date('2026-02-01T00:00:00Z');
    const frozen = { status: 'frozen', remaining_sessions: 3, frozen_until: until } as const;
    expect(refusal(() => requireMayCorrect(as('manager'), frozen, { ...nothing, ...correction }))).toBe(expected);
  });

  it('freezes what is active, wakes what is frozen, and cancels what is not over', () => {
    const can = (before: UserPlanStatus) =>
      USER_PLAN_STATUSES.filter((status) => refusal(() => requireCanBecome(before, status)) === null);
    expect(Object.fromEntries(USER_PLAN_STATUSES.map((status) => [status, can(status)]))).toEqual({
      active: ['frozen', 'cancelled'],
      frozen: ['active', 'cancelled'],
      scheduled: ['cancelled'],
      expired: [],
      cancelled: [],
    });
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

  it.each([
    [true, { status: 'frozen' }, 'active'],
    [true, { status: 'frozen' }, 'expired'],
    [false, { status: 'frozen' }, 'frozen'],
    [false, { status: 'frozen' }, 'cancelled'],
    [false, { status: 'active' }, 'active'],
    [false, {}, 'active'],
  ] as const)(
    'may, or may not, send back a freeze that is over: %s for %j of one that is %s',
    (expected, asked, status) => {
      expect(namesFreeze({ ...asked, frozen_until: new GymTime('2026-01-01T00:00:00Z') }, { status })).toBe(expected);
      expect(namesFreeze(asked, { status })).toBe(false);
    },
  );

  it('that made a plan active is known again by the freeze in it', () => {
    const asked = { status: 'active', frozen_at: new GymTime('2026-01-01T00:00:00Z') } as const;
    expect(isActiveAgain(asked, { status: 'active', frozen_at: null })).toBe(true);
    expect(isActiveAgain(asked, { status: 'frozen', frozen_at: new Date() })).toBe(false);
    expect(isActiveAgain({ status: 'active' }, { status: 'active', frozen_at: null })).toBe(false);
  });

  it('is a repetition when it asks for what was sold', () => {
    const sold = { plan_id: 2, purchased_price: 80 };
    expect(isRepetition({ plan_id: 2 }, sold)).toBe(true);
    expect(isRepetition({ plan_id: 2, purchased_price: 80 }, sold)).toBe(true);
    expect(isRepetition({ plan_id: 2, purchased_price: 70 }, sold)).toBe(false);
    expect(isRepetition({ plan_id: 3 }, sold)).toBe(false);
  });
});
