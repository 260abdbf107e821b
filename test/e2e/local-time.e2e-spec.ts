import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { ScopedGymId } from '../../src/common/actor/actor.js';
import { GymTime } from '../../src/common/http/gym-time.js';
import { everyGym } from '../../src/database/sql.js';
import { dayOf, localDayAmong } from '../../src/gyms/local-time.js';
import { startApp, type TestApp } from '../support/app.js';
import { patientClient } from '../support/database.js';
import type { PlanRow, ProductRow, SignedIn } from '../support/factory.js';

// The server is in another zone than any gym, one that shifts by half an hour.
process.env.TZ = 'Australia/Lord_Howe';

/** Zones with a region, as a gym may have them. */
const ZONES = `SELECT name AS zone FROM pg_timezone_names WHERE name ~ '^[A-Z][A-Za-z]*/' OR name = 'UTC'`;
/** The last three years and the next three. */
const DAYS = `SELECT current_date + n AS day FROM generate_series(-3 * 366, 3 * 366) n`;
/** The days around each change of a clock: on all others a day has 24 hours and nothing to get wrong. */
const CHANGES = `
  zones AS MATERIALIZED (${ZONES}), days AS MATERIALIZED (${DAYS}),
  offsets AS (
    SELECT zone, day, (day::timestamp AT TIME ZONE 'UTC') AT TIME ZONE zone - day::timestamp AS shift FROM zones, days
  ),
  changes AS (
    SELECT zone, day FROM (SELECT *, lag(shift) OVER (PARTITION BY zone ORDER BY day) AS was FROM offsets) o WHERE was <> shift
  ),
  odd AS MATERIALIZED (SELECT DISTINCT zone, day + n AS day FROM changes, generate_series(-2, 2) n)`;

describe('local time', () => {
  let t: TestApp;
  /** It looks at all days of all zones. */
  let database: pg.Client;
  beforeAll(async () => {
    t = await startApp();
    database = await patientClient(t.config.DATABASE_URL!);
  });
  afterAll(async () => {
    await database.end();
    await t.close();
  });
  const query = async (text: string, values: unknown[] = []) => (await database.query(text, values)).rows;

  it('begins each day of each zone at its first moment', async () => {
    // Looked for minute by minute, without the function: the first of which the clock says this day or a later one.
    const wrong = await query(`
      WITH ${CHANGES}, found AS (
        SELECT zone, day, day_start(day, zone) AS said, (
          SELECT min(t) FROM generate_series(day::timestamp AT TIME ZONE zone - interval '3 hours',
            day::timestamp AT TIME ZONE zone + interval '3 hours', interval '5 minutes') t
          WHERE (t AT TIME ZONE zone)::date >= day) AS first
        FROM odd)
      SELECT * FROM found WHERE said <> first`);
    expect(wrong).toEqual([]);
    const [{ count }] = await query(`WITH ${CHANGES} SELECT count(*)::int FROM changes`);
    expect(count).toBeGreaterThan(1000);
  });

  it('has days that follow each other, and the date of each moment is that of its day', async () => {
    const wrong = await query(`
      WITH ${CHANGES}
      SELECT zone, day FROM odd, LATERAL (SELECT day_start(day, zone) AS first, day_start(day + 1, zone) AS next) d
      WHERE first >= next OR (first AT TIME ZONE zone)::date <> day
        OR ((next - interval '1 ms') AT TIME ZONE zone)::date <> day OR (next AT TIME ZONE zone)::date <> day + 1`);
    expect(wrong).toEqual([]);
  });

  it('divides each day of each zone into hours that do not overlap and leave no gap', async () => {
    const wrong = await query(`
      WITH ${CHANGES}, hours AS (
        SELECT zone, day, h.*, lead(h.starts_at) OVER (PARTITION BY zone, day ORDER BY h.slot_id) AS next_starts_at,
          lag(h.slot_id) OVER (PARTITION BY zone, day ORDER BY h.slot_id) AS slot_before
        FROM odd, LATERAL slot_hours(day, zone) h)
      SELECT * FROM hours WHERE ends_at <= starts_at OR slot_id NOT BETWEEN 0 AND 23
        OR ends_at <> coalesce(next_starts_at, day_start(day + 1, zone))
        OR (slot_before IS NULL AND starts_at <> day_start(day, zone))
        OR extract(hour FROM starts_at AT TIME ZONE zone) <> slot_id`);
    expect(wrong).toEqual([]);
    const [{ days }] = await query(`WITH ${CHANGES} SELECT count(*)::int AS days FROM odd`);
    expect(days).toBeGreaterThan(5000);
  });

  it.each(['America/Havana', 'Pacific/Chatham', 'Atlantic/Azores', 'Africa/Cairo', 'Asia/Beirut', 'America/Asuncion'])(
    'finds the same day of a moment in %s, among few days and among many',
    async (timezone) => {
      const gym = await t.make.gym({ timezone });
      const scope = { gym_id: gym.id as ScopedGymId };
      const day = (text: string) => dayOf(scope, new GymTime(text));
      for (const first of ['2024-06-01', '2001-01-01']) {
        const among = localDayAmong(scope, 'x.t', day(first), day('2026-12-31'));
        const [found] = await t.db.query(everyGym`
          SELECT count(*) AS count, count(*) FILTER (WHERE ${among} = (x.t AT TIME ZONE ${timezone})::date) AS same
          FROM generate_series('2024-06-02 00:00Z'::timestamptz, '2026-12-30 00:00Z', interval '15 minutes') x (t)`);
        expect(found).toEqual({ count: 90_337, same: 90_337 });
      }
    },
  );

  it.each([
    ['America/Havana', '2026-11-01', '2026-11-01T04:00:00.000Z'],
    ['Atlantic/Azores', '2026-10-25', '2026-10-25T00:00:00.000Z'],
    ['America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00:00.000Z'],
    ['America/Sao_Paulo', '2018-02-18', '2018-02-18T03:00:00.000Z'],
    ['Asia/Beirut', '2026-03-29', '2026-03-28T22:00:00.000Z'],
    ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00:00.000Z'],
    ['Africa/Cairo', '2026-10-30', '2026-10-29T22:00:00.000Z'],
    ['Pacific/Apia', '2011-12-31', '2011-12-30T10:00:00.000Z'],
  ])('knows that in %s %s began at %s', async (zone, day, moment) => {
    const [{ start }] = await query('SELECT day_start($1, $2) AS start', [day, zone]);
    expect(start.toISOString()).toBe(moment);
  });

  describe('a time without a zone is the clock of the gym', () => {
    const HAVANA = 'America/Havana';
    let gym: { id: number };
    let admin: SignedIn;
    let manager: SignedIn;
    let member: SignedIn;
    let plan: PlanRow;
    let product: ProductRow;
    /** What is said, and the moment that it is in Havana. */
    const TIMES = [
      ['2026-01-15T10:30:00', '2026-01-15T15:30:00.000Z'],
      ['2026-01-15T10:30', '2026-01-15T15:30:00.000Z'],
      ['2026-01-15', '2026-01-15T05:00:00.000Z'],
      ['2026-07-15T10:30:00.25', '2026-07-15T14:30:00.250Z'],
      ['2026-01-15T10:30:00Z', '2026-01-15T10:30:00.000Z'],
      ['2026-01-15T10:30:00-03:00', '2026-01-15T13:30:00.000Z'],
      // On 8 March clocks skip from 0:00 to 1:00; on 1 November (2025: 2nd) they show the hour from 0:00 twice.
      ['2026-03-08T00:30:00', '2026-03-08T05:30:00.000Z'],
      ['2026-03-08', '2026-03-08T05:00:00.000Z'],
      ['2025-11-02T00:30:00', '2025-11-02T05:30:00.000Z'],
      ['2025-11-02', '2025-11-02T04:00:00.000Z'],
    ] as const;

    beforeAll(async () => {
      gym = await t.make.gym({ timezone: HAVANA });
      admin = await t.make.signedIn('admin', null);
      manager = await t.make.signedIn('manager', gym.id);
      member = await t.make.signedIn('user', gym.id);
      plan = await t.make.plan(gym.id);
      product = await t.make.product(gym.id);
    });

    it('in every field that takes one', async () => {
      const { body: measured } = await manager.client.post('/measurements', { user_id: member.id, weight: 80 });
      const sale = await t.make.sale(product, manager);
      const visit = await t.make.visit(member, '2025-01-01T10:00:00Z', '2025-01-01T11:00:00Z');
      const far = await t.make.visit(member, '2019-01-01T10:00:00Z', '2019-01-01T11:00:00Z');
      for (const [said, moment] of TIMES) {
        const answers = [
          (await manager.client.post('/measurements', { user_id: member.id, weight: 80, measurement_date: said })).body
            .measurement_date,
          (await manager.client.put(`/measurements/${measured.id}`, { measurement_date: said })).body.measurement_date,
          (await admin.client.put(`/sales/${sale.id}`, { sale_date: said })).body.sale_date,
          (await manager.client.put(`/attendance/${visit.id}`, { check_in_time: said, check_out_time: null })).body
            .check_in_time,
          (await manager.client.put(`/attendance/${far.id}`, { check_out_time: said })).body.check_out_time,
        ];
        expect(answers).toEqualFor(
          said,
          answers.map(() => moment),
        );
      }
    });

    it('also of a plan’s end', async () => {
      const userPlan = await t.make.userPlan(await t.make.person('user', gym.id), plan);
      for (const [said, moment] of [
        ['2030-01-15T10:30:00', '2030-01-15T15:30:00.000Z'],
        ['2030-01-15', '2030-01-15T05:00:00.000Z'],
      ] as const) {
        const { body } = await manager.client.put(`/user-plans/${userPlan.id}`, { expires_at: said });
        expect(body.expires_at).toBe(moment);
      }
    });

    it('in every filter; to an admin of each row’s own gym', async () => {
      const tokyo = await t.make.gym({ timezone: 'Asia/Tokyo' });
      const [here, there] = [await t.make.person('user', gym.id), await t.make.person('user', tokyo.id)];
      const lists = async (client: SignedIn['client'], path: string, ids: number[]) =>
        (await client.get(`${path}&limit=200`)).body
          .map(({ id }: { id: number }) => id)
          .filter((id: number) => ids.includes(id));
      // Ten in the morning of both clocks, and half an hour later.
      const visits = await Promise.all([
        ...['2024-05-01T14:00:00Z', '2024-05-01T14:30:00Z'].map((at) => t.make.visit(here, at, at)),
        ...['2024-05-01T01:00:00Z', '2024-05-01T01:30:00Z'].map((at) => t.make.visit(there, at, at)),
      ]);
      const ids = visits.map(({ id }) => id);
      const found = (client: SignedIn['client'], filter: string) => lists(client, `/attendance?${filter}`, ids);
      const late = [ids[1]!, ids[3]!].toSorted((a, b) => a - b);
      const sorted = (list: number[]) => list.toSorted((a, b) => a - b);
      expect(sorted(await found(admin.client, 'start_date=2024-05-01T10:15:00&end_date=2024-05-01'))).toEqual(late);
      expect(sorted(await found(admin.client, 'start_date=2024-05-01&end_date=2024-05-01T10:15:00'))).toEqual(
        sorted([ids[0]!, ids[2]!]),
      );
      expect(await found(manager.client, 'start_date=2024-05-01T10:15:00')).toEqual([ids[1]]);
      expect(await found(manager.client, 'start_date=2024-05-01T14:15:00Z')).toEqual([ids[1]]);
      expect(await found(manager.client, 'end_date=2024-05-01T10:15:00&start_date=2024-05-01')).toEqual([ids[0]]);
      for (const period of [
        'start_date=2024-05-01T10:15:00&end_date=2024-05-01T10:15',
        'start_date=2024-05-01T10:15:00.50&end_date=2024-05-01T10:15:00.5',
        'start_date=2024-05-01T10:15:00Z&end_date=2024-05-01T12:15%2B0200',
      ]) {
        expect(await manager.client.get(`/attendance?${period}`)).toHaveStatus(200);
      }
      for (const period of [
        'start_date=2024-05-02&end_date=2024-05-01',
        'start_date=2024-05-02T00:00&end_date=2024-05-01',
        'start_date=2024-05-01T10:16&end_date=2024-05-01T10:15:59',
        'start_date=2024-05-01T10:15:00%2B02:00&end_date=2024-05-01T08:14:59Z',
      ]) {
        for (const path of ['/attendance', '/sales', '/sales/summary', `/measurements/user/${here.id}/progress`]) {
          expect(await manager.client.get(`${path}?${period}`)).toHaveWrongFields('start_date');
        }
      }
      const summary = await manager.client.get(
        '/sales/summary?start_date=2024-05-01T10:15:00&end_date=2024-05-02T03:00:00Z',
      );
      expect(summary.body).toMatchObject({ start_date: '2024-05-01', end_date: '2024-05-01', sale_count: 0 });
      const progress = await manager.client.get(
        `/measurements/user/${here.id}/progress?start_date=2024-05-01T03:00:00Z&end_date=2024-05-02T10:00:00`,
      );
      expect(progress.body).toMatchObject({ start_date: '2024-04-30', end_date: '2024-05-02' });

      const plans = await Promise.all([
        t.make.userPlan(here, plan),
        t.make.userPlan(there, await t.make.plan(tokyo.id)),
      ]);
      const planIds = plans.map(({ id }) => id);
      await query('UPDATE user_plans SET expires_at = $2 WHERE id = $1', [planIds[0], '2030-05-01T14:00:00Z']);
      await query('UPDATE user_plans SET expires_at = $2 WHERE id = $1', [planIds[1], '2030-05-01T01:00:00Z']);
      const expiring = (end: string, gymId: number) =>
        lists(admin.client, `/user-plans?expiring_before=${end}&gym_id=${gymId}`, planIds);
      for (const [index, gymId] of [gym.id, tokyo.id].entries()) {
        expect(await expiring('2030-05-01T10:00:00', gymId)).toEqual([]);
        expect(await expiring('2030-05-01T10:00:01', gymId)).toEqual([planIds[index]]);
        expect(await expiring('2030-05-01', gymId)).toEqual([]);
        expect(await expiring('2030-05-02', gymId)).toEqual([planIds[index]]);
      }
      const all = await lists(admin.client, '/user-plans?expiring_before=2030-05-01T10:00:01', planIds);
      expect(new Set(all)).toEqual(new Set(planIds));
      expect(await lists(admin.client, '/user-plans?expiring_before=2030-05-01T10:00:00', planIds)).toEqual([]);
      // Half past midnight, and ten past when clocks have gone back.
      const twice = [planIds[0]!, (await t.make.userPlan(await t.make.person('user', gym.id), plan)).id];
      await query('UPDATE user_plans SET expires_at = $2 WHERE id = $1', [twice[0], '2030-11-03T04:30:00Z']);
      await query('UPDATE user_plans SET expires_at = $2 WHERE id = $1', [twice[1], '2030-11-03T05:10:00Z']);
      for (const client of [admin.client, manager.client]) {
        expect(await lists(client, '/user-plans?expiring_before=2030-11-03T00:20', twice)).toEqual([twice[1]]);
      }
    });

    it.each([
      [HAVANA, '2026-11-01', 0, 8],
      [HAVANA, '2026-03-08', 0, 0],
      ['Europe/Lisbon', '2026-10-25', 1, 8],
      ['Europe/Lisbon', '2026-03-29', 1, 0],
      ['Australia/Lord_Howe', '2026-04-05', 1, 6],
      ['Australia/Lord_Howe', '2026-10-04', 2, 2],
    ])('and counts each moment once: in %s, on %s, the hour %i has %i quarters', async (timezone, day, odd, count) => {
      const { id: gymId } = await t.make.gym({ timezone });
      const who = await t.make.person('user', gymId);
      const { client } = await t.make.signedIn('manager', gymId);
      const goods = await t.make.product(gymId);
      const moments = await query(
        `SELECT at FROM generate_series(day_start($1, $2), day_start($1::date + 1, $2), interval '15 minutes') at`,
        [day, timezone],
      );
      // The last is of the next day.
      for (const moment of moments) {
        const at = moment.at.toISOString();
        await t.make.sale(goods, manager, at);
        await t.make.visit(who, at, at);
      }
      const size = async (asks: SignedIn['client'], path: string, range: string) =>
        (await asks.get(`${path}?${range}&limit=200`)).body.length;
      /** The same four times: in one gym and among all. */
      const counts = async (range: string) => [
        (await client.get(`/sales/summary?${range}`)).body.sale_count,
        await size(client, '/sales', range),
        await size(client, '/attendance', range),
        await size(admin.client, '/sales', `${range}&product_id=${goods.id}`),
      ];
      const two = (number: number) => String(number).padStart(2, '0');
      const four = (number: number) => [number, number, number, number];
      for (let hour = 0; hour < 24; hour++) {
        const range = `start_date=${day}T${two(hour)}:00:00&end_date=${day}T${two(hour)}:59:59`;
        expect(await counts(range)).toEqualFor(range, four(hour === odd ? count : 4));
      }
      let inParts = 0;
      for (const minute of [0, 20, 40]) {
        const from = `start_date=${day}T${two(odd)}:${two(minute)}:00`;
        inParts += (await counts(`${from}&end_date=${day}T${two(odd)}:${minute + 19}:59`))[0];
      }
      expect(inParts).toBe(count);
      const whole = moments.length - 1;
      expect(await counts(`start_date=${day}&end_date=${day}`)).toEqual(four(whole));
      expect(await counts(`start_date=${day}T00:00:00&end_date=${day}T23:59:59`)).toEqual(four(whole));
    });

    it('and what is up to five minutes ahead of ours is now', async () => {
      const soon = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();
      const sale = await t.make.sale(product, manager);
      const visit = await t.make.visit(
        await t.make.person('user', gym.id),
        '2025-01-01T10:00:00Z',
        '2025-01-01T11:00:00Z',
      );
      const requests = [
        ['measurement_date', 'POST', '/measurements', { user_id: member.id, weight: 80 }],
        ['sale_date', 'PUT', `/sales/${sale.id}`, {}],
        ['check_out_time', 'PUT', `/attendance/${visit.id}`, {}],
        ['check_in_time', 'PUT', `/attendance/${visit.id}`, { check_out_time: null }],
      ] as const;
      for (const [field, method, path, body] of requests) {
        const send = (minutes: number) =>
          admin.client.send(method, path, JSON.stringify({ ...body, [field]: soon(minutes) }), {
            'content-type': 'application/json',
          });
        const answer = await send(4);
        expect(answer).toSucceed();
        expect(Math.abs(Date.parse(answer.body[field]) - Date.now())).toBeLessThan(60_000);
        expect(await send(6)).toHaveWrongFields(field);
      }
    });

    it('has one today of each gym, for an admin of all', async () => {
      const today = (zone: string) => new Intl.DateTimeFormat('sv', { timeZone: zone, dateStyle: 'short' }).format();
      const zones = ['Pacific/Kiritimati', 'Pacific/Pago_Pago', 'America/Havana'];
      const sales = await Promise.all(
        zones.map(async (timezone) => {
          const far = await t.make.gym({ timezone });
          return t.make.sale(await t.make.product(far.id), admin);
        }),
      );
      const daily = (await admin.client.get('/sales/daily?limit=200')).body.map(({ id }: { id: number }) => id);
      for (const { id } of sales) expect(daily).toContain(id);
      const { body } = await admin.client.get('/sales/summary');
      expect(body.end_date).toBe(today('Pacific/Kiritimati'));
      for (const zone of zones) {
        expect(body.by_day.map(({ date }: { date: string }) => date)).toContain(today(zone));
      }
      const march = await admin.client.get('/sales/summary?end_date=2026-03-20');
      expect(march.body).toMatchObject({ start_date: '2026-03-01', end_date: '2026-03-20' });
    });

    it.each([
      [HAVANA, '2025-11-02', '2025-11-02T04:10:00Z', '2025-11-03T04:50:00Z'],
      ['Atlantic/Azores', '2025-10-26', '2025-10-26T00:10:00Z', '2025-10-27T00:50:00Z'],
      ['Antarctica/Troll', '2025-10-26', '2025-10-25T22:10:00Z', '2025-10-26T23:50:00Z'],
      ['Pacific/Chatham', '2026-04-05', '2026-04-04T10:25:00Z', '2026-04-05T11:05:00Z'],
      ['Africa/Cairo', '2026-04-24', '2026-04-23T22:10:00Z', '2026-04-24T20:50:00Z'],
    ])(
      'and all that has days agrees on that of %s that began twice, late or early',
      async (timezone, day, early, late) => {
        const odd = await t.make.gym({ timezone });
        const [who, boss] = [await t.make.person('user', odd.id), await t.make.signedIn('manager', odd.id)];
        const goods = await t.make.product(odd.id);
        for (const at of [early, late]) {
          await t.make.visit(who, at, at);
          await t.make.sale(goods, boss, at);
          await t.make.measurement(who, { measurement_date: at });
        }
        const range = `start_date=${day}&end_date=${day}`;
        const get = async (path: string) => (await boss.client.get(path)).body;
        for (const path of [
          `/attendance/daily/${day}`,
          `/sales/daily?date=${day}`,
          `/attendance?${range}`,
          `/sales?${range}`,
        ])
          expect((await get(path)).length).toEqualFor(path, 2);
        expect((await get(`/attendance/daily/${day}`))[1].attendance_date).toBe(day);
        expect((await get(`/sales/summary?${range}`)).by_day).toMatchObject([{ date: day, sale_count: 2 }]);
        expect(await get(`/measurements/user/${who.id}/progress?${range}`)).toMatchObject({ measurement_count: 2 });
        expect(await get(`/measurements/user/${who.id}/progress`)).toMatchObject({ start_date: day, end_date: day });
        const slots = await get(`/slots?date=${day}`);
        const inside = (at: string) =>
          slots[0].starts_at <= new Date(at).toISOString() && new Date(at).toISOString() < slots.at(-1).ends_at;
        expect([early, late].map(inside)).toEqual([true, true]);
      },
    );
  });
});
