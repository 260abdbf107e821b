import type { TestApp } from './app.js';

export const NEW_YORK = 'America/New_York';

/** The local days on which clocks change: the last moment before each, its first and last, and the first after it. */
export const CLOCK_CHANGES = [
  {
    date: '2026-03-08',
    hours: 23,
    moments: [
      ...['2026-03-08T04:59:59.999Z', '2026-03-08T05:00:00.000Z'],
      ...['2026-03-09T03:59:59.999Z', '2026-03-09T04:00:00.000Z'],
    ],
  },
  {
    date: '2026-11-01',
    hours: 25,
    moments: [
      ...['2026-11-01T03:59:59.999Z', '2026-11-01T04:00:00.000Z'],
      ...['2026-11-02T04:59:59.999Z', '2026-11-02T05:00:00.000Z'],
    ],
  },
];

/** When the local day or month began. */
export async function localMidnight(t: TestApp, unit: 'day' | 'month'): Promise<Date> {
  const { rows } = await t.db.pool.query<{ midnight: Date }>(
    'SELECT date_trunc($1, now() AT TIME ZONE $2) AT TIME ZONE $2 AS midnight',
    [unit, NEW_YORK],
  );
  return rows[0]!.midnight;
}
