import { describe, expect, it } from '@jest/globals';
import type { VisitDto } from '../../attendance/dto/visit.dto.js';
import type { UserPlanDto } from '../../plans/dto/user-plan.dto.js';
import {
  framesOf,
  readCard,
  readMembershipNumber,
  toCheckIn,
  toExpiration,
  toHistory,
  toMember,
} from './av-checkins.wire.js';

const membership = { user_plan_id: 1, plan_id: 2, plan_name: 'Monthly', expires_at: null, remaining_sessions: null };
const visit = {
  ...{
    id: 12,
    user_id: 42,
    gym_id: 2,
    location: null,
    notes: null,
    status: 'checked_in',
    attendance_date: '2026-01-31',
  },
  member: { id: 42, full_name: 'María López', email: null, membership: { ...membership, status: 'active' } },
  ...{ check_in_time: new Date('2026-01-31T10:00:00Z'), check_out_time: null },
} as unknown as VisitDto;

it.each([
  [42, { id: 42 }],
  ['42', { id: 42 }],
  [' 0042 ', { id: 42 }],
  ['GYM00042', { id: 42 }],
  ['gym00042', { id: 42 }],
  ['GYM1234567', { id: 1_234_567 }],
  ['GYM-42-A4CFE2BD', { code: 'GYM-42-A4CFE2BD' }],
  ['GYM0042', null],
  ['GYM-42', null],
  ['1e3', null],
  [0, null],
  [-1, null],
  [4.2, null],
  [2_147_483_648, null],
  ['2147483648', null],
  ['9b2f9d0e-7f5b-4d7e-9d1a-0f4a3c2b1a00', null],
  [null, null],
  [undefined, null],
  [{ id: 42 }, null],
  [[42], null],
])('the card %j is that of %j', (typed, card) => {
  expect(readCard(typed)).toEqual(card);
});

it.each([
  ['GYM00042', 42],
  ['gym42', 42],
  ['GYM-00042', 42],
  ['42', null],
  ['GYM-42-A4CFE2BD', null],
  ['Gymnast', null],
  ['GYM9999999999', null],
])('what was typed, %s, is the membership number of %j', (typed, id) => {
  expect(readMembershipNumber(typed)).toBe(id);
});

describe('a check-in', () => {
  it('has strings where nothing is known, and null for no time alone', () => {
    expect(toCheckIn(visit)).toEqual({
      id: '12',
      member: { id: '42', full_name: 'María López', email: '', membership_type: 'Monthly' },
      ...{ check_in_time: '2026-01-31T10:00:00.000Z', check_out_time: null },
      ...{ location: '', notes: '', status: 'checked_in' },
    });
  });

  it.each(['expired', 'frozen', 'cancelled'])('names no plan that is %s', (status) => {
    const member = { ...visit.member, membership: { ...membership, status } } as VisitDto['member'];
    expect(toCheckIn({ ...visit, member }).member.membership_type).toBe('');
    expect(toCheckIn({ ...visit, member: { ...member, membership: null } }).member.membership_type).toBe('');
  });

  it('is told to three screens in one frame', () => {
    const stats = { currentlyIn: 1, todayTotal: 2, averageStayMinutes: 3, timestamp: '2026-01-31T10:00:00.100Z' };
    const frames = framesOf('check_out', visit, stats);
    expect(framesOf('check_out', visit, null)).toEqual(frames.slice(0, 1));
    expect(frames).toEqual([
      { type: 'member_checked_out', payload: toCheckIn(visit) },
      { type: 'check_in_stats', payload: stats },
      {
        type: 'check_in_update',
        payload: {
          ...{ ...toCheckIn(visit), ...stats, type: 'check_out' },
          checkIn: {
            id: '12',
            member: { id: '42', fullName: 'María López' },
            ...{ checkInTime: '2026-01-31T10:00:00.000Z', checkOutTime: null },
          },
        },
      },
    ]);
  });

  it('stands in a history twice, for the page and for scripts', () => {
    const history = toHistory([visit], 21, 1, 10);
    expect(history).toMatchObject({ total: 21, totalCount: 21, page: 1, per_page: 10, total_pages: 3 });
    expect(history.results).toEqual([toCheckIn(visit)]);
    expect(history.checkIns.map(({ id }) => id)).toEqual(['12']);
    expect(toHistory([], 0, 0, 10)).toMatchObject({ total: 0, total_pages: 0, checkIns: [] });
  });
});

it('a member has strings only, and a number of at least five figures', () => {
  const times = { created_at: new Date(0), updated_at: new Date(0) };
  const member = { id: 42, full_name: 'María', phone_number: null, email: null, is_active: false, ...times };
  expect(toMember(member)).toEqual({
    ...{ id: '42', full_name: 'María', phone: '', address: '', membership_number: 'GYM00042', status: 'inactive' },
    ...{ email: '', notes: '', image_url: null },
    ...{ created_at: '1970-01-01T00:00:00.000Z', updated_at: '1970-01-01T00:00:00.000Z' },
  });
  expect(toMember({ ...member, id: 1_234_567 }).membership_number).toBe('GYM1234567');
});

it.each([
  ['UTC', '2026-02-02', 2],
  ['Asia/Tokyo', '2026-02-03', 2],
  ['America/New_York', '2026-02-02', 2],
])('a plan ends on a day of the clock in %s', (timezone, end, left) => {
  const plan = {
    ...{ id: 31, user: { id: 42, full_name: 'María' }, plan: { id: 3, name: 'Monthly' }, status: 'active' },
    expires_at: new Date('2026-02-02T20:00:00Z'),
  } as UserPlanDto;
  expect(toExpiration(plan, timezone, new Date('2026-01-31T16:00:00Z'))).toEqual({
    ...{ id: '31', member: { id: '42', name: 'María' }, plan: { id: '3', name: 'Monthly' } },
    ...{ end_date: end, days_remaining: left, status: 'active' },
  });
});
