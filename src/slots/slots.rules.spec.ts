import { describe, expect, it } from '@jest/globals';
import { availableTo, type Day, type Hour, refusalOf, type Slot, turnedAt } from './slots.rules.js';

const FREE: Hour = {
  ...{ is_gym_active: true, is_too_far: false, max_per_day: 2 },
  ...{ is_over: false, capacity: 2, booked: 1, has_it: false, booked_that_day: 1 },
};

describe('an hour', () => {
  it.each([
    [{}, undefined],
    [{ is_gym_active: false }, 'GymInactive'],
    [{ is_over: true }, 'SlotOver'],
    [{ is_too_far: true }, 'TooFarAhead'],
    [{ capacity: 0 }, 'SlotClosed'],
    [{ has_it: true }, 'AlreadyBooked'],
    [{ booked: 2 }, 'SlotTaken'],
    [{ booked_that_day: 2 }, 'TooManyBookings'],
  ])('that is free but for %j is refused as %s', (change, expected) => {
    expect(refusalOf({ ...FREE, ...change })?.name).toBe(expected);
  });

  it('that clocks skip does not exist', () => {
    expect(refusalOf(null)?.name).toBe('SlotNotFound');
  });
});

describe('a day', () => {
  const at = (hour: number) => new Date(Date.UTC(2026, 0, 5, hour));
  const holder = (id: number) => ({ user: { id, full_name: 'x', email: null }, booked_at: at(0).toISOString() });
  /** Capacity 2; 12 to 14 are member 1's, 14 is booked out, 20 and later closed. */
  const slots: Slot[] = Array.from({ length: 24 }, (_, id) => ({
    ...{ id, start_time: '', end_time: '', starts_at: at(id), ends_at: at(id + 1), capacity: id < 20 ? 2 : 0 },
    booked: id === 14 ? 2 : id === 12 || id === 13 ? 1 : 0,
    bookings: id === 14 ? [holder(1), holder(2)] : id === 12 || id === 13 ? [holder(1)] : [],
  }));
  const day: Day = {
    ...{ gym_id: 1, date: '2026-01-05', now: new Date(Date.UTC(2026, 0, 5, 11, 30)), today_began_at: at(0) },
    ...{ is_gym_active: true, is_too_far: false, max_per_day: 24, slots },
  };
  const member = { user_id: 1, role: 'user' };

  it('offers the hours that can be booked now', () => {
    expect(availableTo({ user_id: 3, role: 'user' }, day)).toEqual([11, 12, 13, 15, 16, 17, 18, 19]);
    expect(availableTo(member, day)).toEqual([11, 15, 16, 17, 18, 19]);
    expect(availableTo({ user_id: 1, role: 'reception' }, day)).toEqual([11, 12, 13, 15, 16, 17, 18, 19]);
    expect(availableTo(member, { ...day, max_per_day: 3 })).toEqual([]);
    expect(availableTo(member, { ...day, is_too_far: true })).toEqual([]);
    expect(availableTo(member, { ...day, is_gym_active: false })).toEqual([]);
  });

  it('has turned when its last hour ended, or when today began', () => {
    expect(turnedAt(day)).toEqual(at(11));
    expect(turnedAt({ ...day, now: at(12) })).toEqual(at(12));
    expect(turnedAt({ ...day, now: new Date(at(0).getTime() + 1) })).toEqual(at(0));
    // Of another day: what is too far ahead today may not be so tomorrow.
    expect(turnedAt({ ...day, now: at(-20), today_began_at: at(-24) })).toEqual(at(-24));
  });
});
