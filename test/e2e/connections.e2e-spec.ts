import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { everyGym } from '../../src/database/sql.js';
import { tally, times } from '../support/answers.js';
import { startApp, type TestApp } from '../support/app.js';
import { type GymWorld, makeWorld } from '../support/world.js';

let t: TestApp;
let own: GymWorld;
beforeAll(async () => {
  t = await startApp();
  ({ own } = await makeWorld(t));
});
afterAll(() => t.close());

describe('writes that share connections', () => {
  const sell = ({ id }: { id: number }) => own.people.reception.client.post('/sales', { product_id: id, quantity: 1 });
  const left = async ({ id }: { id: number }): Promise<number> =>
    (await own.people.manager.client.get(`/products/${id}`)).body.quantity;

  it('are not held up by those that wait for a lock, which are done once', async () => {
    const [wanted, other] = await times(2, () => t.make.product(own.gym.id, { quantity: 200 }));
    let answered = 0;
    let waiting: ReturnType<typeof sell>[] = [];
    await t.db.transaction(async (tx) => {
      await tx.query(everyGym`SELECT 1 FROM products WHERE id = ${wanted!.id} FOR UPDATE`);
      waiting = [1, 2, 3].map(() => sell(wanted!).finally(() => answered++));
      for (let round = 0; round < 3; round++) {
        for (const sale of await times(40, () => sell(other!))) expect(sale).toHaveStatus(201);
      }
      expect(answered).toBe(0);
    });
    for (const sale of await Promise.all(waiting)) expect(sale).toHaveStatus(201);
    expect([await left(wanted!), await left(other!)]).toEqual([197, 80]);
  });
});

describe('two queries that are sent as one transaction', () => {
  it('wait for a lock like any other, and are done once', async () => {
    const { client, id } = own.people.user;
    let answered = 0;
    const date = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10);
    const book = (slot: number) => client.post(`/slots/${slot}/book`, { date }).finally(() => answered++);
    let waiting: ReturnType<typeof book>[] = [];
    await t.db.transaction(async (tx) => {
      await tx.query(everyGym`SELECT 1 FROM users WHERE id = ${id} FOR UPDATE`);
      waiting = [9, 10, 10].map(book);
      await setTimeout(500);
      expect(answered).toBe(0);
    });
    const answers = await Promise.all(waiting);
    expect(tally(answers)).toEqual({ 201: 2, 409: 1 });
    const { body: mine } = await client.get('/slots/mine');
    expect(mine.map(({ slot_id }: { slot_id: number }) => slot_id).toSorted((a: number, b: number) => a - b)).toEqual([
      9, 10,
    ]);
  });
});

describe('two queries that are sent as one transaction, at the database', () => {
  const note = (key: string) => everyGym`INSERT INTO attempt_budgets (key, drained_at) VALUES (${key}, now())`;
  const noted = async () => (await t.db.query(everyGym`SELECT FROM attempt_budgets WHERE key LIKE 'noted %'`)).length;
  const failing = everyGym`SELECT ('x' || random())::int`;
  const both = (first: ReturnType<typeof note>, second: ReturnType<typeof note>) =>
    t.db.statement((unit) => unit.together(first, second));

  it('are done both, and the second sees what the first did', async () => {
    const name = 'noted together';
    const seen = await both(note(name), everyGym`SELECT key FROM attempt_budgets WHERE key = ${name}`);
    expect(seen).toEqual([[], [{ key: name }]]);
    await t.db.change(everyGym`DELETE FROM attempt_budgets WHERE key = ${name}`);
  });

  it('are done neither if one of them fails, and the connection serves others', async () => {
    for (const [first, second] of [
      [note('noted first'), failing],
      [failing, note('noted second')],
    ] as const) {
      const answers = await Promise.allSettled(Array.from({ length: 20 }, () => both(first, second)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['rejected']));
    }
    expect(await noted()).toBe(0);
    const kept = await Promise.all([1, 2, 3, 4, 5].map((n) => both(note(`noted ${n}`), everyGym`SELECT 1 AS one`)));
    expect(kept).toEqual(kept.map(() => [[], [{ one: 1 }]]));
    expect(await noted()).toBe(5);
  });
});

describe('a query that cannot be sent', () => {
  it('fails alone: those before and behind it on its connection are answered', async () => {
    const endless: Record<string, unknown> = {};
    endless.self = endless;
    const ask = (value: unknown) => t.db.query(everyGym`SELECT ${value}::json AS value`);
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.allSettled([1, endless, 2, endless, endless, 3].map(ask));
      expect(answers.map(({ status }) => status[0])).toEqual(['f', 'r', 'f', 'r', 'r', 'f']);
    }
  });
});

describe('rows', () => {
  // The lengths of a value stand between them in binary: 128 and more are no ASCII.
  const texts = ['', 'Ann', 'é', '小明', '🏋️', ...[127, 128, 195, 255, 256].map((length) => 'x'.repeat(length))];
  const values = [...texts, null, ...texts.map((text) => `${text}é${text}`), 'x'.repeat(300_000), 'é'.repeat(300_000)];

  it('are read as they were sent, whatever is in them', async () => {
    // Each beside others, in a row and in a column.
    const rows = await t.db.query<{ first: string | null; mark: string; last: string | null }>(everyGym`
      SELECT v AS first, ${'ß'}::text AS mark, v AS last FROM unnest(${values}::text[]) WITH ORDINALITY q (v, n) ORDER BY n`);
    expect(rows).toEqual(values.map((value) => ({ first: value, mark: 'ß', last: value })));
    const plain = values.filter((value) => value === null || /^x*$/.test(value));
    expect(await t.db.query(everyGym`SELECT v, ${plain}::text[] AS all FROM unnest(${plain}::text[]) v`)).toEqual(
      plain.map((v) => ({ v, all: plain })),
    );
  });
});
