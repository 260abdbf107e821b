import { describe, expect, it } from '@jest/globals';
import { datesOf, MOST_DATES, periodOf } from './dashboard.rules.js';

describe('the days that are asked for', () => {
  it.each([
    [{}, { from: '2026-02-01', to: '2026-03-03' }],
    [{ to: '2024-03-30' }, { from: '2024-02-29', to: '2024-03-30' }],
    [{ from: '2025-12-31' }, { from: '2025-12-31', to: '2026-03-03' }],
    [
      { from: '2026-03-04', to: '2026-03-04' },
      { from: '2026-03-04', to: '2026-03-04' },
    ],
  ])('%j, on the third of March, are %j', (query, period) => {
    expect(periodOf(query, '2026-03-03')).toEqual(period);
  });

  it('may not end before they begin', () => {
    expect(() => periodOf({ from: '2026-03-02', to: '2026-03-01' }, '2026-03-03')).toThrow(
      'must not be after the last day',
    );
    expect(() => periodOf({ from: '2026-03-04' }, '2026-03-03')).toThrow('must not be after today');
  });
});

describe('the intervals of a period', () => {
  it.each([
    ['day', '2024-02-28', '2024-03-01', ['2024-02-28', '2024-02-29', '2024-03-01']],
    // A Wednesday, and a Sunday and a Monday.
    ['week', '2026-01-07', '2026-01-07', ['2026-01-05']],
    ['week', '2026-01-04', '2026-01-12', ['2025-12-29', '2026-01-05', '2026-01-12']],
    ['month', '2025-12-31', '2026-02-01', ['2025-12-01', '2026-01-01', '2026-02-01']],
    ['month', '2026-01-31', '2026-03-31', ['2026-01-01', '2026-02-01', '2026-03-01']],
  ] as const)('by %s from %s to %s begin on %j', (interval, from, to, dates) => {
    expect(datesOf({ from, to }, interval)).toEqual(dates);
  });

  it('are not more than anyone reads', () => {
    expect(datesOf({ from: '2024-01-01', to: '2026-09-26' }, 'day')).toHaveLength(MOST_DATES);
    expect(() => datesOf({ from: '2024-01-01', to: '2026-09-27' }, 'day')).toThrow('at most 1000 days');
    expect(() => datesOf({ from: '1900-01-01', to: '2199-12-31' }, 'month')).toThrow('at most 1000 months');
    expect(datesOf({ from: '2020-01-01', to: '2026-09-27' }, 'week')).toHaveLength(352);
  });
});
