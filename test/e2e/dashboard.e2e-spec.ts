import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Actor } from '../../src/common/actor/actor.js';
import type { Role } from '../../src/common/actor/roles.js';
import { FieldsInvalid, OtherGym, RoleNotAllowed } from '../../src/common/errors/common.errors.js';
import { DashboardService } from '../../src/dashboard/dashboard.service.js';
import { Random } from '../../src/demo/random.js';
import { times } from '../support/answers.js';
import { startApp, type TestApp } from '../support/app.js';
import { ownDatabase } from '../support/database.js';
import { type ProductRow, type SignedIn, unique } from '../support/factory.js';
import { daysLater, localDate, localHour, startOf } from '../support/local-days.js';
import { CLOCK_CHANGES, NEW_YORK } from '../support/new-york.js';

/** 12:45 or 13:45 ahead of UTC. */
const CHATHAM = 'Pacific/Chatham';
const NOTHING = { sales_amount: 0, sale_count: 0, plans_amount: 0, plans_sold: 0, check_ins: 0 };

const cents = (amount: number) => Math.round(amount * 100);
const sum = (amounts: number[]) => amounts.reduce((total, amount) => total + cents(amount), 0) / 100;
const values = (series: { value: number }[]) => series.map(({ value }) => value);

describe('the dashboard', () => {
  let t: TestApp;
  let admin: SignedIn;
  beforeAll(async () => {
    t = await startApp({ DATABASE_URL: await ownDatabase('dashboard') });
    admin = await t.make.signedIn('admin', null, { full_name: 'Ada' });
  });
  afterAll(() => t.close());

  const person = (fields: object = {}) => {
    const name = unique('p');
    return { email: `${name}@example.com`, full_name: name, document_id: name, phone_number: '+1 555 0100', ...fields };
  };

  describe('after a busy day in Chatham', () => {
    let gym: { id: number };
    let manager: SignedIn;
    let reception: SignedIn;
    let trainer: SignedIn;
    let leaver: SignedIn;
    /** When each member was added; some were deleted since. */
    const joined: string[] = [];
    let facts: {
      sales: { total_amount: number; sale_date: string; sold_by_id: number }[];
      plans: { purchased_price: number; purchased_at: string; created_by_id: number; status: string }[];
      visits: { check_in_time: string; check_out_time: string | null; recorded_by_id: number }[];
      members: { id: number; is_active: boolean }[];
    };
    const on = (first: string, last: string) => (moment: string) =>
      localDate(moment, CHATHAM) >= first && localDate(moment, CHATHAM) <= last;
    let today: string;
    let thisMonth: (moment: string) => boolean;

    beforeAll(async () => {
      gym = await t.make.gym({ timezone: CHATHAM });
      manager = await t.make.signedIn('manager', gym.id, { full_name: 'Moana' });
      reception = await t.make.signedIn('reception', gym.id, { full_name: 'Rei' });
      trainer = await t.make.signedIn('trainer', gym.id, { full_name: 'Tama' });
      leaver = await t.make.signedIn('reception', gym.id, { full_name: 'Lena' });
      today = localDate(new Date(), CHATHAM);
      thisMonth = on(`${today.slice(0, 7)}-01`, today);
      await work();
      const all = (path: string) => manager.client.all(`${path}?limit=200`);
      const [sales, plans, visits, members] = await Promise.all([
        ...[all('/sales'), all('/user-plans'), all('/attendance'), all('/users/users')],
      ]);
      facts = { sales: sales!, plans: plans!, visits: visits!, members: members! };
    });

    /** All at once: sales that are corrected and deleted, plans that are replaced and deleted, people who come and go. */
    async function work(): Promise<void> {
      const random = new Random(2026);
      const sellers = [manager, reception, trainer, leaver, admin];
      const products = await Promise.all(
        [0.1, 2.55, 19.99].map((price) => t.make.product(gym.id, { price, quantity: 100_000 })),
      );
      const [cheap, dear] = [await t.make.plan(gym.id, { price: 39.9 }), await t.make.plan(gym.id, { price: 60.05 })];
      const boundaries = [today, daysLater(today, -1), `${today.slice(0, 7)}-01`, lastMonth(today)]
        .map((date) => startOf(date, CHATHAM))
        .flatMap((moment) => [moment - 1, moment]);
      const past = () => new Date(random.pick(boundaries)).toISOString();

      const sell = async () => {
        const { client } = random.pick(sellers);
        const { body } = await client.post('/sales', {
          product_id: random.pick(products).id,
          quantity: random.int(1, 9),
        });
        const chance = random.next();
        if (chance < 0.3) await admin.client.put(`/sales/${body.id}`, { sale_date: past() });
        else if (chance < 0.5) await admin.client.put(`/sales/${body.id}`, { quantity: 3 });
        else if (chance < 0.6) await admin.client.delete(`/sales/${body.id}`);
      };
      const join = async () => {
        const { client } = random.pick([manager, reception, trainer, admin]);
        const member = { ...person(), role: 'user', plan_id: cheap.id, gym_id: gym.id };
        const { body } = await client.post('/users/with-plan', member);
        joined.push(body.created_at);
        const chance = random.next();
        if (chance < 0.3) await manager.client.put(`/user-plans/${body.active_plan.id}`, { plan_id: dear.id });
        else if (chance < 0.4) await admin.client.delete(`/user-plans/${body.active_plan.id}`);
        else if (chance < 0.5)
          await manager.client.post('/user-plans', { user_id: body.id, plan_id: dear.id, start: 'after_current' });
        else if (chance < 0.6) await manager.client.put(`/user-plans/${body.active_plan.id}`, { status: 'frozen' });
        else if (chance < 0.7) await manager.client.put(`/users/${body.id}`, { is_active: false });
        if (chance > 0.6) return;
        const then = random.next();
        const visit = await random.pick(sellers).client.post('/attendance', { user_id: body.id });
        if (then < 0.2) await trainer.client.post(`/attendance/${visit.body.id}/check-out`);
        else if (then < 0.3) await admin.client.put(`/attendance/${visit.body.id}`, { check_in_time: past() });
        else if (then < 0.4) await admin.client.delete(`/attendance/${visit.body.id}`);
        else if (then < 0.5) await admin.client.delete(`/users/${body.id}`);
      };
      await Promise.all([times(60, sell), times(50, join)]);
      await t.db.pool.query(
        `UPDATE user_plans SET purchased_at = moment FROM unnest($2::timestamptz[]) WITH ORDINALITY m (moment, n)
         WHERE gym_id = $1 AND id % 12 = n`,
        [gym.id, boundaries.map((moment) => new Date(moment).toISOString())],
      );
      await admin.client.delete(`/users/${leaver.id}`);
    }

    const lastMonth = (date: string) => `${daysLater(`${date.slice(0, 7)}-01`, -1).slice(0, 7)}-01`;
    const money = (counts: (moment: string) => boolean) => ({
      sales: sum(facts.sales.filter((sale) => counts(sale.sale_date)).map((sale) => sale.total_amount)),
      plans: sum(facts.plans.filter((plan) => counts(plan.purchased_at)).map((plan) => plan.purchased_price)),
    });

    it('is what the sales, plans and visits come to', async () => {
      const { body } = await manager.client.get('/dashboard');
      const last = on(lastMonth(today), daysLater(`${today.slice(0, 7)}-01`, -1));
      const [day, month, before] = [money(on(today, today)), money(thisMonth), money(last)];
      expect(body.revenue).toEqual({
        today: sum([day.sales, day.plans]),
        this_month: sum([month.sales, month.plans]),
        last_month: sum([before.sales, before.plans]),
        sales_this_month: month.sales,
        plans_this_month: month.plans,
      });
      expect(before.sales * before.plans * day.sales * day.plans).toBeGreaterThan(0);
      const visits = facts.visits.filter((visit) => localDate(visit.check_in_time, CHATHAM) === today);
      const hours = visits.map((visit) => localHour(visit.check_in_time, CHATHAM));
      expect(body.visits).toEqual({
        inside_now: facts.visits.filter((visit) => visit.check_out_time === null).length,
        today: visits.length,
        by_hour: Array.from({ length: 24 }, (_, hour) => hours.filter((one) => one === hour).length),
      });
      expect(body.members).toEqual({
        total: facts.members.length,
        active: facts.members.filter((member) => member.is_active).length,
        new_today: joined.length,
        new_this_month: joined.length,
      });
      expect(facts.members.length).toBeLessThan(joined.length);
      const having = (status: string) => facts.plans.filter((plan) => plan.status === status).length;
      expect(body.subscriptions).toMatchObject({ active: having('active'), frozen: having('frozen') });
      expect(having('frozen') * having('cancelled') * having('scheduled')).toBeGreaterThan(0);
    });

    it('compares the gyms, over all time or the days of a period, with the same sums', async () => {
      const service = t.app.get(DashboardService);
      const of = (who: SignedIn, role: Role, gymId: number | null = gym.id) => new Actor(who.id, role, gymId, 1);
      const counted = (counts: (moment: string) => boolean) => {
        const { sales, plans } = money(counts);
        return {
          ...{ sales_amount: sales, plans_amount: plans, revenue: sum([sales, plans]) },
          sale_count: facts.sales.filter((sale) => counts(sale.sale_date)).length,
          plans_sold: facts.plans.filter((plan) => counts(plan.purchased_at)).length,
          visits: facts.visits.filter((visit) => counts(visit.check_in_time)).length,
        };
      };
      const now = {
        ...{ gym_id: gym.id, is_active: true, members: facts.members.length },
        active_plans: facts.plans.filter((plan) => plan.status === 'active').length,
      };
      const yesterday = daysLater(today, -1);
      for (const [from, to] of [
        [undefined, undefined],
        [lastMonth(today), yesterday],
        [daysLater(today, -6), undefined],
        [undefined, yesterday],
        [today, today],
      ]) {
        const days = on(from ?? '0000', to ?? '9999');
        const expected = { ...now, ...counted(days) };
        const own = await service.branches(of(manager, 'manager'), { from, to });
        expect(own).toEqual([{ name: expect.any(String), ...expected }]);
        const all = await service.branches(of(admin, 'admin', null), { from, to });
        expect(all).toContainEqual(own[0]);
        expect(all.map(({ gym_id }) => gym_id)).toContain(1);
        expect(await service.branches(of(admin, 'admin', null), { gym_id: gym.id, from, to })).toEqual(own);
      }
      const idle = await t.make.gym();
      const nothing = { members: 0, active_plans: 0, revenue: 0, visits: 0, sale_count: 0, plans_sold: 0 };
      expect(await service.branches(of(admin, 'admin', null), { gym_id: idle.id })).toMatchObject([nothing]);
      const [unpaid] = await service.branches(of(reception, 'reception'), {});
      const hidden = { sales_amount: null, plans_amount: null, revenue: null };
      expect(unpaid).toMatchObject({ ...now, ...hidden, visits: facts.visits.length });
      await expect(service.branches(of(trainer, 'trainer'), {})).rejects.toThrow(RoleNotAllowed);
      await expect(service.branches(of(manager, 'manager'), { gym_id: idle.id })).rejects.toThrow(OtherGym);
      for (const wrong of [{ from: today, to: yesterday }, { gym_id: 2_000_000_000 }])
        await expect(service.branches(of(admin, 'admin', null), wrong)).rejects.toThrow(FieldsInvalid);
    });

    it('says of each of the staff what they did, and of all others who did something', async () => {
      const { body } = await manager.client.get('/dashboard');
      const people = [
        ...[admin, manager, reception, trainer].map(({ id }, n) => [id, ['Ada', 'Moana', 'Rei', 'Tama'][n]] as const),
        [leaver.id, 'Deleted'] as const,
      ];
      const expected = people.map(([id, name]) => {
        const sales = facts.sales.filter((sale) => sale.sold_by_id === id && thisMonth(sale.sale_date));
        const plans = facts.plans.filter((plan) => plan.created_by_id === id && thisMonth(plan.purchased_at));
        const visits = facts.visits.filter((visit) => visit.recorded_by_id === id && thisMonth(visit.check_in_time));
        return {
          id,
          full_name: name,
          sales_amount: sum(sales.map((sale) => sale.total_amount)),
          sale_count: sales.length,
          plans_amount: sum(plans.map((plan) => plan.purchased_price)),
          plans_sold: plans.length,
          check_ins: visits.length,
        };
      });
      const byName = expected.toSorted((a, b) => a.full_name!.localeCompare(b.full_name!));
      expect(body.staff).toEqual(byName);
      const { sales_this_month: sales, plans_this_month: plans } = body.revenue;
      expect(sum(expected.map((line) => line.sales_amount))).toBe(sales);
      expect(sum(expected.map((line) => line.plans_amount))).toBe(plans);
    });

    it.each(['day', 'week', 'month'])(
      'has the same sums by %s, in the series, the summary and the report',
      async (by) => {
        const from = lastMonth(today);
        const series = async (metric: string) =>
          (await manager.client.get(`/dashboard/series?metric=${metric}&interval=${by}&from=${from}`)).body;
        const { body } = await manager.client.get('/dashboard');
        const { body: summary } = await manager.client.get(`/sales/summary?start_date=${from}&end_date=${today}`);
        const revenue = await series('revenue');
        expect(sum(values(revenue))).toBe(sum([body.revenue.this_month, body.revenue.last_month]));
        expect(sum(values(revenue))).toBe(sum([summary.total_amount, money(on(from, today)).plans]));
        const counted = facts.visits.filter((visit) => localDate(visit.check_in_time, CHATHAM) >= from);
        expect(sum(values(await series('visits')))).toBe(counted.length);
        expect(sum(values(await series('members')))).toBe(body.members.new_this_month);
        if (by === 'month')
          expect(revenue.map(({ date }: { date: string }) => date)).toEqual([from, `${today.slice(0, 7)}-01`]);
        if (by !== 'day') return;
        expect(revenue.map(({ date, value }: { date: string; value: number }) => [date, value])).toEqual(
          revenue.map(({ date }: { date: string }) => [date, sum(Object.values(money(on(date, date))))]),
        );
        expect(revenue).toHaveLength((Date.parse(today) - Date.parse(from)) / 86_400_000 + 1);
        const { body: report } = await manager.client.get(`/dashboard/report.csv?from=${from}`);
        const lines = report
          .trim()
          .split('\r\n')
          .slice(1)
          .map((line: string) => line.split(','));
        expect(lines).toEqual(
          revenue.map(({ date }: { date: string }) =>
            [
              ...[
                date,
                money(on(date, date)).sales,
                facts.sales.filter((sale) => on(date, date)(sale.sale_date)).length,
              ],
              ...[money(on(date, date)).plans, facts.plans.filter((plan) => on(date, date)(plan.purchased_at)).length],
              facts.visits.filter((visit) => on(date, date)(visit.check_in_time)).length,
              joined.filter(on(date, date)).length,
            ].map(String),
          ),
        );
      },
    );

    it('shows reception no money, a trainer what they did themselves, and a member nothing', async () => {
      const { body: whole } = await manager.client.get('/dashboard');
      const accountant = await t.make.signedIn('accountant', gym.id, { full_name: 'Zoe' });
      const line = { id: accountant.id, full_name: 'Zoe', ...NOTHING };
      const all = { ...whole, staff: [...whole.staff, line] };
      expect((await accountant.client.get('/dashboard')).body).toEqual(all);
      expect((await admin.client.get(`/dashboard?gym_id=${gym.id}`)).body).toEqual(all);
      const staff = all.staff.map((one: object) => ({ ...one, sales_amount: null, plans_amount: null }));
      expect((await reception.client.get('/dashboard')).body).toEqual({ ...all, revenue: null, staff });
      const own = all.staff.filter(({ id }: { id: number }) => id === trainer.id);
      const sections = { members: null, subscriptions: null, revenue: null, visits: null, low_stock: null };
      expect((await trainer.client.get('/dashboard')).body).toEqual({ ...sections, staff: own });
      expect(own[0].sales_amount).toBeGreaterThan(0);

      expect(await reception.client.get('/dashboard/series?metric=revenue')).toBeRefused(403, 'money_not_shown');
      expect(await reception.client.get('/dashboard/series?metric=members')).toHaveStatus(200);
      expect(await reception.client.get('/dashboard/report.csv')).toBeRefused(403, 'role_not_allowed');
      const member = await t.make.signedIn('user', gym.id);
      expect(await member.client.get('/dashboard')).toBeRefused(403, 'role_not_allowed');
    });
  });

  it('of all gyms is the sum of each by its own clock', async () => {
    // Here it is another day than there for most of the day.
    const gyms = [
      await t.make.gym({ timezone: 'Pacific/Kiritimati' }),
      await t.make.gym({ timezone: 'Pacific/Pago_Pago' }),
    ];
    for (const { id } of gyms) {
      const product = await t.make.product(id, { price: 1.1, quantity: 2 });
      const member = await t.make.person('user', id);
      for (let hours = 0; hours < 72; hours++) {
        const moment = new Date(Date.now() - hours * 3600_000).toISOString();
        await t.make.sale(product, admin, moment);
        await t.make.visit(member, moment, moment);
      }
    }
    const { body: all } = await admin.client.get('/gyms?limit=200');
    const each = await Promise.all(
      all.map(async ({ id }: { id: number }) => (await admin.client.get(`/dashboard?gym_id=${id}`)).body),
    );
    const { body: whole } = await admin.client.get('/dashboard');
    for (const section of ['members', 'subscriptions', 'revenue'] as const) {
      for (const [name, value] of Object.entries(whole[section])) {
        expect(value).toEqualFor([section, name], sum(each.map((one) => one[section][name])));
      }
    }
    expect(whole.visits.today).toBe(sum(each.map((one) => one.visits.today)));
    expect(whole.visits.by_hour).toEqual(
      whole.visits.by_hour.map((_: number, hour: number) => sum(each.map((one) => one.visits.by_hour[hour]))),
    );
    const did = (staff: any[]) => staff.find(({ id }) => id === admin.id) ?? NOTHING;
    for (const name of Object.keys(NOTHING)) {
      expect(did(whole.staff)[name]).toEqualFor(name, sum(each.map((one) => did(one.staff)[name])));
    }
    for (const metric of ['revenue', 'visits', 'members']) {
      const last = localDate(new Date(), 'Pacific/Kiritimati');
      const series = async (filter: string) =>
        values((await admin.client.get(`/dashboard/series?metric=${metric}&to=${last}${filter}`)).body);
      const ofEach = await Promise.all(all.map(({ id }: { id: number }) => series(`&gym_id=${id}`)));
      const together = await series('');
      expect(together).toEqual(together.map((_, n) => sum(ofEach.map((one) => one[n]!))));
      expect(sum(together)).toBeGreaterThan(0);
    }
  });

  it('of an empty gym is there, and all of it is 0', async () => {
    const gym = await t.make.gym();
    const manager = await t.make.signedIn('manager', gym.id, { full_name: 'Mia' });
    await t.make.person('trainer', gym.id, { is_active: false });
    expect((await manager.client.get('/dashboard')).body).toEqual({
      members: { total: 0, active: 0, new_today: 0, new_this_month: 0 },
      subscriptions: { active: 0, expiring_3_days: 0, expiring_7_days: 0, expiring_30_days: 0, frozen: 0 },
      revenue: { today: 0, this_month: 0, last_month: 0, sales_this_month: 0, plans_this_month: 0 },
      visits: { inside_now: 0, today: 0, by_hour: Array<number>(24).fill(0) },
      low_stock: [],
      staff: [{ id: manager.id, full_name: 'Mia', ...NOTHING }],
    });
    const { body } = await manager.client.get('/dashboard/series?metric=revenue');
    expect(values(body)).toEqual(Array<number>(31).fill(0));
    expect(await admin.client.get('/dashboard?gym_id=2000000000')).toHaveWrongFields('gym_id');
    for (const path of ['series?metric=visits&', 'report.csv?', 'members.csv?']) {
      expect(await admin.client.get(`/dashboard/${path}gym_id=2000000000`)).toHaveWrongFields('gym_id');
    }
  });

  it('counts plans as their lists do, and those that expire within days', async () => {
    const gym = await t.make.gym();
    const { client } = await t.make.signedIn('manager', gym.id);
    const plan = await t.make.plan(gym.id);
    const coins = await t.make.plan(gym.id, { session_count: 5 });
    const hour = 3600;
    const ends = [
      -hour,
      hour,
      72 * hour - 60,
      72 * hour + 60,
      168 * hour - 60,
      168 * hour + 60,
      720 * hour - 60,
      720 * hour + 60,
    ];
    for (const seconds of ends) {
      const { id } = await t.make.userPlan(await t.make.person('user', gym.id), plan);
      await t.db.pool.query(
        `UPDATE user_plans SET starts_at = now() - interval '1 year', expires_at = now() + $2 * interval '1 second'
         WHERE id = $1`,
        [id, seconds],
      );
    }
    await t.make.userPlan(await t.make.person('user', gym.id), coins);
    const frozen = await t.make.userPlan(await t.make.person('user', gym.id), plan);
    expect(await client.put(`/user-plans/${frozen.id}`, { status: 'frozen' })).toHaveStatus(200);
    const waiting = await t.make.userPlan(await t.make.person('user', gym.id), plan);
    await t.db.pool.query(`UPDATE user_plans SET starts_at = now() + interval '1 day' WHERE id = $1`, [waiting.id]);
    const { subscriptions } = (await client.get('/dashboard')).body;
    expect(subscriptions).toEqual({
      active: 8,
      expiring_3_days: 2,
      expiring_7_days: 4,
      expiring_30_days: 6,
      frozen: 1,
    });
    for (const status of ['active', 'frozen'] as const) {
      const { headers } = await client.get(`/user-plans?status=${status}&count=true`);
      expect(headers.get('x-total-count')).toBe(String(subscriptions[status]));
    }
  });

  it('tells of a change at once', async () => {
    const gym = await t.make.gym();
    const { client } = await t.make.signedIn('manager', gym.id);
    const now = async () => (await client.get('/dashboard')).body;
    const product = await t.make.product(gym.id, { quantity: 11 });
    expect((await now()).low_stock).toEqual([]);
    const { body: sale } = await client.post('/sales', { product_id: product.id, quantity: 1 });
    const { name } = product;
    expect(await now()).toMatchObject({
      revenue: { today: 2.5 },
      low_stock: [{ id: product.id, name, quantity: 10, gym_id: gym.id }],
    });
    await admin.client.delete(`/sales/${sale.id}`);
    expect(await now()).toMatchObject({ revenue: { today: 0 }, low_stock: [] });
    const member = await t.make.person('user', gym.id);
    const { body: visit } = await client.post('/attendance', { user_id: member.id });
    expect(await now()).toMatchObject({ members: { total: 1 }, visits: { inside_now: 1, today: 1 } });
    await client.post(`/attendance/${visit.id}/check-out`);
    expect((await now()).visits).toMatchObject({ inside_now: 0, today: 1 });
  });

  it('shows the fifty scarcest products, as their list does', async () => {
    const gym = await t.make.gym();
    const { client } = await t.make.signedIn('manager', gym.id);
    await t.db.pool.query(
      `INSERT INTO products (gym_id, name, price, quantity, is_active)
       SELECT $1, 'P' || n, 1, n % 13, n % 5 > 0 FROM generate_series(1, 100) n`,
      [gym.id],
    );
    const { body } = await client.get('/dashboard');
    const { body: list } = await client.get('/products/low-stock?limit=50');
    expect(body.low_stock).toEqual(
      list.map(({ id, name, quantity, gym_id }: ProductRow) => ({ id, name, quantity, gym_id })),
    );
    expect(list).toHaveLength(50);
  });

  describe('as a series', () => {
    it('counts the days that are asked for, in intervals that begin where the calendar says', async () => {
      const gym = await t.make.gym({ timezone: CHATHAM });
      const { client, ...manager } = await t.make.signedIn('manager', gym.id);
      const product = await t.make.product(gym.id, { price: 1 });
      // From a Wednesday to a Tuesday; the first and the last moment of each day.
      for (let date = '2026-01-01'; date <= '2026-02-15'; date = daysLater(date, 1)) {
        for (const moment of [startOf(date, CHATHAM), startOf(daysLater(date, 1), CHATHAM) - 1]) {
          await t.make.sale(product, manager, new Date(moment).toISOString());
        }
      }
      const series = async (interval: string) =>
        (await client.get(`/dashboard/series?metric=revenue&interval=${interval}&from=2026-01-07&to=2026-02-03`)).body;
      expect(await series('day')).toEqual(
        Array.from({ length: 28 }, (_, n) => ({ date: daysLater('2026-01-07', n), value: 2 })),
      );
      expect(await series('week')).toEqual([
        { date: '2026-01-05', value: 10 },
        ...['2026-01-12', '2026-01-19', '2026-01-26'].map((date) => ({ date, value: 14 })),
        { date: '2026-02-02', value: 4 },
      ]);
      expect(await series('month')).toEqual([
        { date: '2026-01-01', value: 50 },
        { date: '2026-02-01', value: 6 },
      ]);
    });

    it.each(CLOCK_CHANGES)('counts all $hours hours of $date in New York', async ({ date, moments }) => {
      const gym = await t.make.gym({ timezone: NEW_YORK });
      const { client, ...manager } = await t.make.signedIn('manager', gym.id);
      const [product, member] = [await t.make.product(gym.id), await t.make.person('user', gym.id)];
      for (const moment of moments) {
        await t.make.sale(product, manager, moment);
        await t.make.visit(member, moment, moment);
      }
      const days = `from=${daysLater(date, -1)}&to=${daysLater(date, 1)}`;
      for (const [metric, expected] of [
        ['revenue', [2.5, 5, 2.5]],
        ['visits', [1, 2, 1]],
      ] as const) {
        const { body } = await client.get(`/dashboard/series?metric=${metric}&${days}`);
        expect(values(body)).toEqual(expected);
      }
    });

    it('refuses what is no period, no metric or too long, and says so', async () => {
      for (const [query, field] of [
        ['', 'metric'],
        ['metric=money', 'metric'],
        ['metric=visits&interval=year', 'interval'],
        ['metric=visits&from=2026-02-30', 'from'],
        ['metric=visits&to=tomorrow', 'to'],
        ['metric=visits&from=2026-02-02&to=2026-02-01', 'from'],
        ['metric=visits&from=2199-01-01', 'from'],
        ['metric=visits&from=2020-01-01&to=2026-01-01', 'from'],
      ]) {
        expect(await admin.client.get(`/dashboard/series?${query}`)).toHaveWrongFields(field!);
      }
      const { body } = await admin.client.get('/dashboard/series?metric=visits&from=2020-01-01&to=2026-01-01');
      expect(body.detail).toContain('at most 1000 days');
      const weeks = '/dashboard/series?metric=visits&from=2020-01-01&to=2026-01-01&interval=week';
      expect(await admin.client.get(weeks)).toHaveStatus(200);
    });
  });
});

describe('on a day of 25 hours', () => {
  // In New York it is evening, and the clock has shown the hour from one to two twice.
  const NOW = '2026-11-02T00:00:00Z';
  let t: TestApp;
  beforeAll(async () => {
    const url = await ownDatabase('clock');
    // PostgreSQL takes the first now() of the path.
    t = await startApp({ DATABASE_URL: `${url}?options=-c%20search_path%3Dclock,pg_catalog,public` });
    await t.db.pool.query(`
      CREATE SCHEMA clock;
      CREATE FUNCTION clock.now() RETURNS timestamptz STABLE LANGUAGE sql AS $$ SELECT timestamptz '${NOW}' $$`);
  });
  afterAll(() => t.close());

  it('both hours of one name count as one', async () => {
    const gym = await t.make.gym({ timezone: NEW_YORK });
    const { client } = await t.make.signedIn('manager', gym.id);
    const member = await t.make.person('user', gym.id);
    for (const moment of [
      ...['2026-11-01T03:59:59.999Z', '2026-11-01T04:00:00Z', '2026-11-01T05:30:00Z', '2026-11-01T06:30:00Z'],
      ...['2026-11-01T07:00:00Z', NOW],
    ]) {
      await t.make.visit(member, moment, moment);
    }
    const { body } = await client.get('/dashboard');
    expect(body.visits).toEqual({
      inside_now: 0,
      today: 5,
      by_hour: [1, 2, 1, ...Array<number>(16).fill(0), 1, ...Array<number>(4).fill(0)],
    });
  });
});
