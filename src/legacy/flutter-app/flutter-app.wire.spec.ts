import { describe, expect, it } from '@jest/globals';
import type { VisitDto } from '../../attendance/dto/visit.dto.js';
import type { BranchFigures } from '../../dashboard/dashboard.service.js';
import type { DashboardDto } from '../../dashboard/dto/dashboard.dto.js';
import { FieldsInvalid, OtherGym } from '../../common/errors/common.errors.js';
import type { MemberRecord } from '../../members/records.service.js';
import type { PlanDto } from '../../plans/dto/plan.dto.js';
import { Refusal } from '../wire/refusal.js';
import {
  accountantOf,
  activeOf,
  entryOf,
  figuresOf,
  notThere,
  numbersIn,
  requireTrueSize,
  servicesOf,
  statusIn,
  statusOf,
} from './flutter-app.wire.js';

const gyms = new Map([[1, { name: 'Main Gym', timezone: 'America/New_York' }]]);
const branch = (fields: Partial<BranchFigures>) => ({
  ...{ revenue: 0, active_plans: 0, members: 0, visits: 0, sale_count: 0, plans_sold: 0 },
  ...(fields as BranchFigures),
});

describe('what flutter-app reads', () => {
  it('has the size that is asked for first', () => {
    expect(numbersIn({ page: 2, per_page: 5, limit: 9 })).toEqual({ page: 2, size: 5 });
    expect(numbersIn({ limit: 9 })).toEqual({ page: undefined, size: 9 });
    expect(numbersIn({})).toEqual({ page: undefined, size: undefined });
  });

  it('calls cancelled plans stopped', () => {
    expect(statusOf('cancelled')).toBe('stopped');
    expect(statusOf('frozen')).toBe('frozen');
    expect(statusIn(undefined)).toBeUndefined();
    expect(statusIn('ACTIVE')).toBe('active');
    expect(statusIn(' Stopped ')).toBe('cancelled');
    expect(() => statusIn('cancelled')).toThrow(Refusal);
  });

  it('finds nothing under a wrong id', () => {
    const tell = notThere({ user_id: 'Customer not found' });
    expect(() => tell(FieldsInvalid.of('user_id', 'is no member'))).toThrow(new Refusal(404, 'Customer not found'));
    const other = FieldsInvalid.of('notes', 'is too long');
    expect(() => tell(other)).toThrow(other);
    expect(() => tell(new OtherGym())).toThrow(OtherGym);
  });

  it('adds up to the cent, and hides what is hidden', () => {
    const figures = figuresOf([
      branch({ revenue: 0.1, members: 2, active_plans: 1, visits: 3 }),
      branch({ revenue: 0.2, members: 5 }),
    ]);
    expect(figures).toEqual({ total_revenue: 0.3, active_subscriptions: 1, total_customers: 7, check_ins_count: 3 });
    expect(figuresOf([branch({ revenue: null })]).total_revenue).toBeNull();
    expect(figuresOf([]).total_revenue).toBe(0);
  });

  it.each([
    [110, 100, 10, 10],
    [50.5, 100, -49.5, -49.5],
    [0.3, 0.1, 0.2, 200],
    [199.9, 200, -0.1, -0.1],
    [5, 0, 5, 0],
  ])('compares %d with %d', (now, before, change, percentage) => {
    const shown = { revenue: { today: 3, this_month: now, last_month: before } } as DashboardDto;
    expect(accountantOf(shown, [branch({ sale_count: 2, plans_sold: 1 })])).toMatchObject({
      today: { total: 3, count: 3 },
      comparison: { change, percentage },
    });
  });

  it('lists what is sold by time first', () => {
    const plans = (['coins', 'time', 'sessions', 'time'] as const).map((kind, id) => ({ id, kind }) as PlanDto);
    expect(servicesOf(plans).map(({ id, service_type }) => [id, service_type])).toEqual([
      ...[
        [1, 'gym'],
        [3, 'gym'],
        [0, 'gym'],
      ],
      [2, 'personal_training'],
    ]);
  });

  it.each<[Partial<PlanDto>, object, string | null]>([
    [{ kind: 'coins', session_count: 20 }, { coins: 20 }, null],
    [{ kind: 'coins', session_count: 20 }, {}, null],
    [{ kind: 'coins', session_count: 20 }, { coins: 21 }, 'This service has 20 coins'],
    [{ kind: 'coins', session_count: 20 }, { sessions: 20 }, 'This service has 20 coins'],
    [{ kind: 'coins', session_count: 20, duration_days: 60 }, { coins: 20, duration_months: 2 }, null],
    [
      { kind: 'sessions', session_count: 8, duration_days: 60 },
      { duration_months: 3 },
      'This service has 8 sessions and 60 days',
    ],
    [{ kind: 'time', duration_days: 30 }, { duration_months: 1, coins: 0, sessions: 0 }, null],
    [{ kind: 'time', duration_days: 35 }, { duration_months: 1 }, null],
    [{ kind: 'time', duration_days: 36 }, { duration_months: 1 }, 'This service has 36 days'],
    [{ kind: 'time', duration_days: 365 }, { duration_months: 12 }, null],
    [{ kind: 'time', duration_days: 30 }, { coins: 1 }, 'This service has 30 days'],
  ])('sells %j for %j or says its size', (plan, sent, text) => {
    const sell = () => requireTrueSize({ kind: 'time', duration_days: null, session_count: null, ...plan }, sent);
    if (text === null) expect(sell).not.toThrow();
    else expect(sell).toThrow(new Refusal(400, text));
  });

  it('shows days that are left, to the end of the last', () => {
    const now = new Date('2026-03-01T12:00:00Z');
    const shown = (end: string) =>
      activeOf(
        {
          gym_id: 1,
          membership: {
            ...{ id: 3, status: 'active', remaining_sessions: null, plan: { name: 'Month', kind: 'time' } },
            ...{ starts_at: new Date('2026-02-01T03:00:00Z'), expires_at: new Date(end) },
          },
        } as MemberRecord,
        gyms,
        now,
      );
    // 3 o'clock in UTC is the evening before in New York.
    expect(shown('2026-03-03T03:00:00Z')).toMatchObject({
      ...{ start_date: '2026-01-31', end_date: '2026-03-02', display_value: 2 },
    });
    expect(shown('2026-03-02T12:00:00Z')?.display_value).toBe(1);
    expect(activeOf({ gym_id: 1, membership: null } as MemberRecord, gyms)).toBeNull();
  });

  it('names the service of a visit', () => {
    const plan = (id: number, name: string, start: string, end: string | null) => ({
      ...{ id, plan: { name } as PlanDto, starts_at: new Date(start) },
      expires_at: end === null ? null : new Date(end),
    });
    const plans = [
      plan(2, 'Second', '2026-02-01T00:00:00Z', null),
      plan(1, 'First', '2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'),
    ];
    const entry = (time: string, planId: number | null = null) =>
      entryOf({ id: 9, gym_id: 1, check_in_time: new Date(time), user_plan_id: planId } as VisitDto, plans, gyms);
    expect(entry('2026-01-15T23:04:05Z')).toEqual({
      ...{ id: 9, date: '2026-01-15', time: '18:04:05', branch: 'Main Gym', service: 'First', coins_used: 0 },
    });
    expect(entry('2026-02-01T00:00:00Z')).toMatchObject({ service: 'Second' });
    expect(entry('2026-02-02T00:00:00Z', 1)).toMatchObject({ service: 'First', coins_used: 1 });
    expect(entry('2025-12-31T00:00:00Z')).toMatchObject({ service: '' });
  });
});
