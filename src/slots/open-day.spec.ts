import { describe, expect, it } from '@jest/globals';
import { hoursOf, nextHourOf, openDay } from './open-day.js';
import type { Day, Slot } from './slots.rules.js';

describe('a day that all may see', () => {
  const at = (hour: number) => new Date(Date.UTC(2026, 0, 5, hour));
  const holder = (id: number, email: string | null = `ümit${id}@example.com`) => ({
    ...{ user: { id, full_name: 'x', email }, booked_at: at(id).toISOString() },
  });
  const BOOKINGS: Record<number, Slot['bookings']> = {
    8: [holder(1)],
    11: [holder(1), holder(2)],
    12: [holder(1)],
    14: [holder(2), holder(1)],
    15: [holder(3, null), holder(4)],
  };
  /** Capacity 2; 20 and later closed; clocks skip 2. It is half past eleven. */
  const slots: Slot[] = Array.from({ length: 24 }, (_, id) => ({
    ...{ id, start_time: '', end_time: '', starts_at: at(id), ends_at: at(id + 1), capacity: id < 20 ? 2 : 0 },
    ...{ booked: BOOKINGS[id]?.length ?? 0, bookings: BOOKINGS[id] ?? [] },
  })).filter(({ id }) => id !== 2);
  const day: Day = {
    ...{ gym_id: 7, date: '2026-01-05', now: new Date(Date.UTC(2026, 0, 5, 11, 30)), today_began_at: at(0) },
    ...{ is_gym_active: true, is_too_far: false, max_per_day: 24, slots },
  };
  const member = { user_id: 1, role: 'user', gym_id: 7 };
  const booked = (hours: ReturnType<typeof openDay>) =>
    Object.fromEntries(hours.filter(({ booked_by }) => booked_by).map(({ id, booked_by }) => [id, booked_by]));

  it('has 24 hours, those that clocks skip, too', () => {
    const hours = openDay(null, day);
    expect(hours.map(({ id }) => id)).toEqual(Array.from({ length: 24 }, (_, id) => id));
    const skipped = {
      id: 2,
      start_time: '02:00',
      end_time: '03:00',
      is_booked: true,
      booked_by: null,
      booked_at: null,
    };
    expect(hours[2]).toEqual(skipped);
    expect(hours[23]).toMatchObject({ start_time: '23:00', end_time: '00:00', is_booked: true });
    expect(hours.filter(({ is_booked }) => !is_booked).map(({ id }) => id)).toEqual([12, 13, 16, 17, 18, 19]);
  });

  it('hints at who has an hour that is full, and names them to themselves and to staff', () => {
    expect(booked(openDay(null, day))).toEqual({ 11: 'ü***@example.com', 14: 'ü***@example.com' });
    const own = 'ümit1@example.com';
    expect(booked(openDay(member, day))).toEqual({ 8: own, 11: own, 12: own, 14: own });
    expect(openDay(member, day)[12]).toMatchObject({ is_booked: true, booked_at: at(1).toISOString() });
    const full = { 11: own, 14: 'ümit2@example.com' };
    expect(booked(openDay({ user_id: 9, role: 'reception', gym_id: 7 }, day))).toEqual(full);
    expect(booked(openDay({ user_id: 9, role: 'admin', gym_id: null }, day))).toEqual(full);
    expect(booked(openDay(null, day, true))).toEqual(full);
    // Staff of another gym are anyone here.
    expect(booked(openDay({ user_id: 9, role: 'manager', gym_id: 8 }, day))).toEqual(booked(openDay(null, day)));
  });

  it('offers nothing to those who have as many hours as one may, and nothing in a closed gym', () => {
    const free = (hours: ReturnType<typeof openDay>) => hours.filter(({ is_booked }) => !is_booked);
    expect(free(openDay(member, { ...day, max_per_day: 4 }))).toEqual([]);
    expect(free(openDay(null, { ...day, is_gym_active: false }))).toEqual([]);
  });

  it('knows the hours of a person, the one that is now before those to come', () => {
    expect(hoursOf(1, day).map(({ id }) => id)).toEqual([8, 11, 12, 14]);
    expect(nextHourOf(1, day)).toMatchObject({ id: 11, booked_by: 'ümit1@example.com' });
    expect(nextHourOf(1, { ...day, now: at(13) })?.id).toBe(14);
    expect(nextHourOf(1, { ...day, now: at(15) })).toBeNull();
    expect(nextHourOf(5, day)).toBeNull();
  });
});
