import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Role } from '../../src/common/actor/roles.js';
import { tally, times } from '../support/answers.js';
import { startApp, type TestApp } from '../support/app.js';
import { type ProductRow, type SignedIn, unique } from '../support/factory.js';
import { CLOCK_CHANGES, localMidnight, NEW_YORK } from '../support/new-york.js';
import { type GymWorld, makeWorld } from '../support/world.js';

describe('the shop', () => {
  let t: TestApp;
  let own: GymWorld;
  let other: GymWorld;
  let as: Record<Role, SignedIn>;
  beforeAll(async () => {
    t = await startApp();
    ({ own, other } = await makeWorld(t));
    as = own.people;
  });
  afterAll(() => t.close());

  const product = (fields: Partial<ProductRow> = {}) => t.make.product(own.gym.id, fields);
  const sell = ({ id }: { id: number }, quantity: unknown = 1, role: Role = 'reception') =>
    as[role].client.post('/sales', { product_id: id, quantity });
  const correct = (saleId: number, body: object) => as.admin.client.put(`/sales/${saleId}`, body);
  const changeStock = (id: number, body: object) => as.manager.client.put(`/products/${id}/stock`, body);
  const movements = (id: number) => as.manager.client.all(`/products/${id}/movements?limit=200`);

  /** The stock, after seeing that its movements explain it, each from the one before. */
  async function stockOf({ id }: { id: number }): Promise<number> {
    let explained = 0;
    for (const { change, quantity_after } of (await movements(id)).toReversed()) {
      explained += change;
      expect(quantity_after).toBe(explained);
    }
    const { quantity } = (await as.manager.client.get(`/products/${id}`)).body;
    expect(quantity).toBe(explained);
    return quantity;
  }

  describe('products', () => {
    it('begin with what there is, and every change of it is explained', async () => {
      const add = (body: object) => as.manager.client.post('/products', { name: unique('P'), price: 2.5, ...body });
      const { body: added } = await add({ quantity: 24, description: 'Lemon' });
      expect(added).toMatchObject({
        quantity: 24,
        price: 2.5,
        description: 'Lemon',
        gym_id: own.gym.id,
        is_active: true,
      });
      expect((await add({ quantity: 3 })).body.quantity).toBe(3);
      expect((await add({})).body.quantity).toBe(0);
      expect(await add({ quantity: -1, price: 0.001 })).toHaveWrongFields('quantity', 'price');
      expect((await changeStock(added.id, { change: 12, note: 'Note 4711' })).body.quantity).toBe(36);
      expect((await changeStock(added.id, { change: -1 })).body.quantity).toBe(35);
      expect((await changeStock(added.id, { quantity: 30, change: null })).body.quantity).toBe(30);
      expect((await changeStock(added.id, { quantity: 30 })).body.quantity).toBe(30);
      expect(await movements(added.id)).toMatchObject([
        { change: -5, quantity_after: 30, reason: 'correction', moved_by_id: as.manager.id },
        { change: -1, quantity_after: 35, reason: 'correction' },
        { change: 12, quantity_after: 36, reason: 'delivery', note: 'Note 4711' },
        { change: 24, quantity_after: 24, reason: 'delivery', note: null, sale_id: null },
      ]);
      expect(await stockOf(added)).toBe(30);
    });

    it('keep their stock when it is not said how it changes, or would go below zero', async () => {
      const { id } = await product({ quantity: 5 });
      for (const unclear of [{}, { quantity: null }, { change: null }, { quantity: 1, change: 1 }, { quantity: -1 }]) {
        expect(await changeStock(id, unclear)).toHaveWrongFields('quantity');
      }
      expect(await changeStock(id, { change: 1_000_001 })).toHaveWrongFields('change');
      expect(await changeStock(id, { change: -6 })).toMatchObject({
        status: 409,
        body: { code: 'insufficient_stock', detail: 'There are 5 left.' },
      });
      expect(await stockOf({ id })).toBe(5);
    });

    it('change but for their stock', async () => {
      const { id, quantity } = await product();
      const changed = await as.manager.client.put(`/products/${id}`, { name: ' Tea ', price: '1.20', quantity: 999 });
      expect(changed.body).toMatchObject({ name: 'Tea', price: 1.2, quantity });
      for (const wrong of [{ name: '' }, { price: -1 }, { is_active: 'yes' }]) {
        expect(await as.manager.client.put(`/products/${id}`, wrong)).toHaveWrongFields(...Object.keys(wrong));
      }
    });

    it('are deleted if they were never in stock, and not sold any more otherwise', async () => {
      const { client } = as.manager;
      const { body: empty } = await client.post('/products', { name: 'Empty', price: 1 });
      expect(await client.delete(`/products/${empty.id}`)).toHaveStatus(204);
      expect(await client.get(`/products/${empty.id}/movements`)).toBeRefused(404, 'product_not_found');
      const full = await product();
      expect(await client.delete(`/products/${full.id}`)).toMatchObject({ status: 200, body: { is_active: false } });
      expect(await sell(full)).toBeRefused(409, 'product_inactive');
    });

    it('are listed by name, by what is sold and by what runs out', async () => {
      const gym = await t.make.gym();
      const { client } = await t.make.signedIn('manager', gym.id);
      const stocks = { b: 10, a: 0, c: 11, d: 3, e: 3 };
      for (const [name, quantity] of Object.entries(stocks)) await t.make.product(gym.id, { name, quantity });
      const gone = await t.make.product(gym.id, { name: 'f', quantity: 1 });
      await client.delete(`/products/${gone.id}`);
      const names = async (path: string) => (await client.all(path)).map(({ name }: ProductRow) => name).join('');
      expect(await names('/products?limit=2')).toBe('abcdef');
      expect(await names('/products/active?limit=2')).toBe('abcde');
      expect(await names('/products/low-stock?limit=1')).toBe('adeb');
      expect(await names('/products/low-stock?threshold=3')).toBe('ade');
      expect(await client.get('/products/low-stock?threshold=few')).toHaveWrongFields('threshold');
    });

    it('belong to an open gym', async () => {
      const add = (gymId?: number) => as.admin.client.post('/products', { name: 'P', price: 1, gym_id: gymId });
      expect((await add()).body.gym_id).toBe(own.gym.id);
      expect(await add(2_000_000_000)).toHaveWrongFields('gym_id');
      expect(await add((await t.make.gym({ is_active: false })).id)).toBeRefused(409, 'gym_inactive');
    });

    it('with a history keep their gym from being deleted', async () => {
      const [untouched, used] = [await t.make.gym(), await t.make.gym()];
      await as.admin.client.post('/products', { name: 'P', price: 1, gym_id: untouched.id });
      await t.make.product(used.id);
      expect(await as.admin.client.delete(`/gyms/${untouched.id}`)).toHaveStatus(204);
      expect(await as.admin.client.delete(`/gyms/${used.id}`)).toMatchObject({
        status: 200,
        body: { is_active: false },
      });
    });
  });

  describe('a sale', () => {
    it('takes the price of its moment and lowers the stock', async () => {
      const drink = await product({ price: 2.5, quantity: 10 });
      const sold = await sell(drink, 3);
      expect(sold).toHaveStatus(201);
      expect(sold.body).toMatchObject({
        gym_id: own.gym.id,
        product_id: drink.id,
        product: { id: drink.id, name: drink.name },
        quantity: 3,
        unit_price: 2.5,
        total_amount: 7.5,
        sold_by_id: as.reception.id,
        sold_by: { id: as.reception.id, full_name: `reception ${own.mark}` },
      });
      await as.manager.client.put(`/products/${drink.id}`, { price: 3 });
      expect((await sell(drink)).body.total_amount).toBe(3);
      expect((await as.reception.client.get(`/sales/${sold.body.id}`)).body).toEqual(sold.body);
      expect(await stockOf(drink)).toBe(6);
      expect((await movements(drink.id))[1]).toMatchObject({
        change: -3,
        reason: 'sale',
        sale_id: sold.body.id,
        moved_by_id: as.reception.id,
      });
    });

    it('is exact to the cent', async () => {
      const gum = await product({ price: 0.07, quantity: 10_000 });
      expect((await sell(gum, 3)).body.total_amount).toBe(0.21);
      expect((await sell(gum, 9_997)).body.total_amount).toBe(699.79);
      const gold = await product({ price: 9_999_999_999.99, quantity: 2 });
      expect((await sell(gold)).body.total_amount).toBe(9_999_999_999.99);
      expect(await sell(await product({ price: 5_000_000_000, quantity: 9 }), 2)).toHaveWrongFields('quantity');
    });

    it('is refused without a trace if it cannot be', async () => {
      const drink = await product({ quantity: 2 });
      expect(await sell(drink, 3)).toMatchObject({ status: 409, body: { detail: 'There are 2 left.' } });
      for (const quantity of [0, -1, 1.5, 10_001, 'two', null]) {
        expect(await sell(drink, quantity)).toHaveWrongFields('quantity');
      }
      const { body } = await sell(drink, '1');
      expect(body.errors).toEqual([{ field: 'quantity', message: 'must be a whole number from 1 to 10000' }]);
      for (const foreign of [other.product, { id: 2_000_000_000 }]) {
        expect(await sell(foreign)).toHaveWrongFields('product_id');
      }
      expect(await as.admin.client.all(`/sales?product_id=${drink.id}`)).toEqual([]);
      expect(await stockOf(drink)).toBe(2);
      const gym = await t.make.gym();
      const closed = await t.make.product(gym.id);
      await t.db.pool.query('UPDATE gyms SET is_active = FALSE WHERE id = $1', [gym.id]);
      expect(await sell(closed, 1, 'admin')).toBeRefused(409, 'gym_inactive');
    });

    it('200 at once from a stock of 50 are 50, and no piece is lost', async () => {
      const drink = await product({ quantity: 50 });
      const answers = await times(200, () => sell(drink));
      expect(tally(answers)).toEqual({ 201: 50, 409: 150 });
      const refusals = answers.filter(({ status }) => status === 409).map(({ body }) => body.code);
      expect(new Set(refusals)).toEqual(new Set(['insufficient_stock']));
      expect(await stockOf(drink)).toBe(0);
      expect(await as.manager.client.all(`/sales?product_id=${drink.id}`)).toHaveLength(50);
    });

    it('with an Idempotency-Key happens once, also 20 times at once, and all are told of it', async () => {
      const [drink, key] = [await product({ quantity: 10 }), { 'idempotency-key': unique('key') }];
      const once = (quantity: number) => as.reception.client.post('/sales', { product_id: drink.id, quantity }, key);
      const answers = await times(20, () => once(2));
      expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
      expect(answers[0]).toMatchObject({ status: 201, body: { quantity: 2 } });
      expect(await once(1)).toBeRefused(422, 'idempotency_key_reused');
      expect(await stockOf(drink)).toBe(8);
    });
  });

  describe('a correction', () => {
    it('gives back or takes the difference, at the price of the sale', async () => {
      const drink = await product({ price: 2.5, quantity: 10 });
      const { body: sale } = await sell(drink, 4);
      await as.manager.client.put(`/products/${drink.id}`, { price: 99 });
      expect((await correct(sale.id, { quantity: 1 })).body).toMatchObject({ quantity: 1, total_amount: 2.5 });
      expect(await stockOf(drink)).toBe(9);
      expect((await correct(sale.id, { quantity: 10 })).body).toMatchObject({ unit_price: 2.5, total_amount: 25 });
      expect(await stockOf(drink)).toBe(0);
      expect(await correct(sale.id, { quantity: 11 })).toBeRefused(409, 'insufficient_stock');
      expect((await correct(sale.id, {})).body).toMatchObject({ quantity: 10, sold_by_id: as.reception.id });
      expect((await movements(drink.id)).map(({ change, reason }) => [change, reason])).toEqual([
        [-9, 'sale'],
        [3, 'reversal'],
        [-4, 'sale'],
        [10, 'delivery'],
      ]);
    });

    it('of the product gives one back and takes the other, at its price of today', async () => {
      const [tea, coffee] = [await product({ quantity: 5 }), await product({ price: 1.1, quantity: 5 })];
      const { body: sale } = await sell(tea, 3);
      expect((await correct(sale.id, { product_id: coffee.id })).body).toMatchObject({
        product: { id: coffee.id, name: coffee.name },
        unit_price: 1.1,
        total_amount: 3.3,
      });
      expect([await stockOf(tea), await stockOf(coffee)]).toEqual([5, 2]);
      expect(await correct(sale.id, { product_id: tea.id, quantity: 6 })).toBeRefused(409, 'insufficient_stock');
      expect([await stockOf(tea), await stockOf(coffee)]).toEqual([5, 2]);
    });

    it('names a product that the gym sells, and a quantity', async () => {
      const { body: sale } = await sell(await product());
      for (const foreign of [other.product.id, 2_000_000_000]) {
        expect(await correct(sale.id, { product_id: foreign })).toHaveWrongFields('product_id');
      }
      for (const quantity of [0, 'two']) expect(await correct(sale.id, { quantity })).toHaveWrongFields('quantity');
      const gone = await product();
      await as.manager.client.delete(`/products/${gone.id}`);
      expect(await correct(sale.id, { product_id: gone.id })).toBeRefused(409, 'product_inactive');
    });

    it('that deletes gives everything back, once', async () => {
      const drink = await product({ quantity: 5 });
      const { body: sale } = await sell(drink, 5);
      expect(tally(await times(5, () => as.admin.client.delete(`/sales/${sale.id}`)))).toEqual({ 204: 1, 404: 4 });
      expect(await stockOf(drink)).toBe(5);
      expect(await as.admin.client.get(`/sales/${sale.id}`)).toBeRefused(404, 'sale_not_found');
    });

    it('by two admins between two products, in opposite directions, has no loser', async () => {
      const [tea, coffee] = [await product({ quantity: 100 }), await product({ quantity: 100 })];
      const second = await t.make.signedIn('admin', null);
      const [mine, theirs] = [await times(10, () => sell(tea, 2)), await times(10, () => sell(coffee, 3))];
      for (let round = 0; round < 4; round++) {
        const [to, back] = round % 2 === 0 ? [coffee, tea] : [tea, coffee];
        const answers = await times(20, (index) => {
          const [client, sale, { id }] = index % 2 ? [as.admin.client, mine, to] : [second.client, theirs, back];
          return client.put(`/sales/${sale[index >> 1]!.body.id}`, { product_id: id });
        });
        expect(tally(answers)).toEqual({ 200: 20 });
      }
      expect([await stockOf(tea), await stockOf(coffee)]).toEqual([80, 70]);
    });
  });

  describe('what is told of sales', () => {
    it('is one’s own to reception and trainer, and all of the gym to manager and accountant', async () => {
      const gym = await t.make.gym();
      const drink = await t.make.product(gym.id);
      const staff = {} as Record<Role, SignedIn>;
      for (const role of ['manager', 'reception', 'accountant', 'trainer'] as const) {
        staff[role] = await t.make.signedIn(role, gym.id);
        if (role !== 'accountant') await t.make.sale(drink, staff[role]);
      }
      for (const [role, count] of [
        ['manager', 3],
        ['accountant', 3],
        ['reception', 1],
        ['trainer', 1],
      ] as const) {
        const { client, id } = staff[role];
        const lists = [await client.all('/sales'), await client.all('/sales/daily')];
        for (const list of lists) expect(list.length).toEqualFor(role, count);
        expect((await client.get('/sales/summary')).body).toMatchObject({ sale_count: count });
        const mine = lists[0]!.filter(({ sold_by_id }) => sold_by_id === id);
        expect(mine).toHaveLength(role === 'accountant' ? 0 : 1);
      }
      const admin = await t.make.signedIn('admin', null);
      expect(await admin.client.get('/sales/summary?gym_id=2000000000')).toHaveWrongFields('gym_id');
      for (const [period, message] of [
        ['start_date=2100-01-01', 'must not be after today'],
        ['start_date=2026-10-30T10:00:00Z&end_date=2026-10-29', 'must not be after end_date'],
      ]) {
        // Of one gym: in another zone the day of that moment may be the one before.
        const { status, body } = await staff.manager.client.get(`/sales/summary?${period}`);
        expect([status, body.errors]).toEqualFor(period, [422, [{ field: 'start_date', message }]]);
      }
      const byManager = (await staff.manager.client.all(`/sales?sold_by_id=${staff.manager.id}`))[0];
      expect(await staff.reception.client.get(`/sales/${byManager.id}`)).toHaveStatus(404);
      expect(await staff.reception.client.all(`/sales?sold_by_id=${staff.manager.id}`)).toEqual([]);
      expect(await staff.accountant.client.get(`/sales/${byManager.id}`)).toHaveStatus(200);
    });

    it('is listed page by page, each sale once, also those of the same moment', async () => {
      const [tea, coffee] = [await product(), await product()];
      const moments = ['2026-02-01T12:00:00.000Z', '2026-02-02T12:00:00.000Z', '2026-02-02T12:00:00.001Z'];
      for (const moment of moments) {
        for (let count = 0; count < 3; count++) await t.make.sale(tea, as.trainer, moment);
      }
      await t.make.sale(coffee, as.reception, moments[0]);
      const list = async (query: string) => as.manager.client.all(`/sales?limit=2&${query}`);
      const all = await list(`product_id=${tea.id}`);
      expect(all).toHaveLength(9);
      expect(new Set(all.map(({ id }) => id)).size).toBe(9);
      expect(all.map(({ sale_date }) => sale_date)).toEqual(
        moments.toReversed().flatMap((moment) => [moment, moment, moment]),
      );
      expect(await list('start_date=2026-02-01&end_date=2026-02-01')).toHaveLength(4);
      expect(await list(`end_date=2026-02-01&sold_by_id=${as.reception.id}`)).toMatchObject([
        { product_id: coffee.id },
      ]);
      expect(await list(`start_date=2026-02-02&product_id=${tea.id}`)).toHaveLength(6);
      for (const [query, field] of [
        ['start_date=2026-02-30', 'start_date'],
        ['product_id=x', 'product_id'],
      ] as const) {
        expect(await as.manager.client.get(`/sales?${query}`)).toHaveWrongFields(field);
      }
      expect(await as.manager.client.get('/sales/daily?date=today')).toHaveWrongFields('date');
    });

    it('adds up to the cent, by product, seller and day', async () => {
      const gym = await t.make.gym();
      const { client, id: managerId } = await t.make.signedIn('manager', gym.id);
      const trainer = await t.make.person('trainer', gym.id);
      const [dime, cent] = [
        await t.make.product(gym.id, { price: 0.1 }),
        await t.make.product(gym.id, { price: 0.01 }),
      ];
      // 0.1 + 0.1 + ... as doubles: 333.3000000000073.
      await t.db.pool.query(
        `INSERT INTO sales (gym_id, product_id, quantity, unit_price, total_amount, sold_by_id, sale_date)
         SELECT $1::int, $2::int, 1, 0.10, 0.10, $3::int, timestamptz '2026-05-01Z' + n % 3 * interval '1 day'
         FROM generate_series(0, 3332) n
         UNION ALL SELECT $1, $4::int, 7, 0.01, 0.07, $5::int, '2026-05-03Z' FROM generate_series(1, 33)`,
        [gym.id, dime.id, managerId, cent.id, trainer.id],
      );
      const { body } = await client.get('/sales/summary?start_date=2026-05-01&end_date=2026-05-31');
      const [dimes, cents] = [
        { sale_count: 3333, total_quantity: 3333, total_amount: 333.3 },
        { sale_count: 33, total_quantity: 231, total_amount: 2.31 },
      ];
      expect(body).toMatchObject({
        start_date: '2026-05-01',
        end_date: '2026-05-31',
        sale_count: 3366,
        total_quantity: 3564,
        total_amount: 335.61,
        by_product: [
          { product_id: dime.id, name: dime.name, ...dimes },
          { product_id: cent.id, name: cent.name, ...cents },
        ],
        by_seller: [
          { sold_by_id: managerId, ...dimes },
          { sold_by_id: trainer.id, ...cents },
        ],
        by_day: [
          { date: '2026-05-01', sale_count: 1111, total_amount: 111.1 },
          { date: '2026-05-02', sale_count: 1111, total_amount: 111.1 },
          { date: '2026-05-03', sale_count: 1144, total_amount: 113.41 },
        ],
      });
      const nothing = { sale_count: 0, total_quantity: 0, total_amount: 0, by_product: [], by_seller: [], by_day: [] };
      expect((await client.get('/sales/summary?start_date=2026-06-01&end_date=2026-06-30')).body).toMatchObject(
        nothing,
      );
    });
  });

  describe('in New York, on a server in UTC', () => {
    it.each(CLOCK_CHANGES)('the day $date has $hours hours', async ({ date, moments }) => {
      const gym = await t.make.gym({ timezone: NEW_YORK });
      const manager = await t.make.signedIn('manager', gym.id);
      const bagel = await t.make.product(gym.id);
      const ids: number[] = [];
      for (const moment of moments) ids.push((await t.make.sale(bagel, manager, moment)).id);
      const [, first, last] = ids;
      for (const { client } of [manager, as.admin]) {
        const sold = async (path: string) =>
          (await client.all(path)).filter(({ gym_id }) => gym_id === gym.id).map(({ id }) => id);
        expect(await sold(`/sales/daily?date=${date}`)).toEqual([last, first]);
        expect(await sold(`/sales?start_date=${date}&end_date=${date}`)).toEqual([last, first]);
        const { body } = await client.get(`/sales/summary?start_date=${date}&end_date=${date}`);
        const sums = body.by_product.find(({ product_id }: { product_id: number }) => product_id === bagel.id);
        expect([sums.sale_count, body.by_day.map((day: { date: string }) => day.date)]).toEqual([2, [date]]);
      }
    });

    it.each([
      ['day', '/sales/daily'],
      ['month', '/sales/summary'],
    ] as const)('this %s begins at local midnight', async (unit, path) => {
      const gym = await t.make.gym({ timezone: NEW_YORK });
      const { client, id } = await t.make.signedIn('manager', gym.id);
      const bagel = await t.make.product(gym.id);
      const midnight = (await localMidnight(t, unit)).getTime();
      await t.make.sale(bagel, { id }, new Date(midnight - 1).toISOString());
      const inside = await t.make.sale(bagel, { id }, new Date(midnight).toISOString());
      const { body } = await client.get(path);
      if (unit === 'day') expect(body).toMatchObject([inside]);
      else expect(body).toMatchObject({ sale_count: 1, start_date: expect.stringMatching(/-01$/) });
    });
  });
});
