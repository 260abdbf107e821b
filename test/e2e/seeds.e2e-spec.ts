import { execFile } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import bcrypt from 'bcryptjs';
import pg from 'pg';
import { KeyRing } from '../../src/common/crypto/key-ring.js';
import { ConfigError } from '../../src/config/config-error.js';
import { dayOf, HOUR, openingHours } from '../../src/demo/demo-clock.js';
import { seedDemo } from '../../src/demo/seed-demo.js';
import { firstStart } from '../../src/first-start.js';
import { testConfig } from '../support/app.js';
import { ownDatabase } from '../support/database.js';

let client: pg.Client;
const all = async <Row extends object>(sql: string): Promise<Row[]> => (await client.query<Row>(sql)).rows;
/** One row, with counts as numbers. */
const one = async (sql: string): Promise<Record<string, number>> =>
  (await all<{ row: Record<string, number> }>(`SELECT to_json(r) AS row FROM (${sql}) r`))[0]!.row;

async function connect(url: string): Promise<void> {
  client = new pg.Client(url);
  await client.connect();
}

/** Products whose stock is not the sum of its movements, and movements that do not say what was left after them. */
const wrongStocks = () =>
  all(`
    SELECT p.name FROM products p
    LEFT JOIN LATERAL (SELECT sum(change) AS quantity FROM stock_movements WHERE product_id = p.id) m ON TRUE
    WHERE p.quantity <> coalesce(m.quantity, 0)
    UNION ALL
    SELECT 'movement ' || id FROM (
      SELECT id, quantity_after, sum(change) OVER (PARTITION BY product_id ORDER BY id) AS left_over FROM stock_movements) m
    WHERE quantity_after <> left_over`);
/** Sales without their movement, and movements of a sale that there is not. */
const unexplainedSales = () =>
  all(`
    SELECT s.id, m.id FROM sales s FULL JOIN (SELECT * FROM stock_movements WHERE reason = 'sale') m ON m.sale_id = s.id
    WHERE (s.product_id, s.quantity) IS DISTINCT FROM (m.product_id, -m.change)`);

describe('the demo', () => {
  const gymClock = (column: string) => `extract(epoch FROM ${column} AT TIME ZONE g.timezone)::float8 * 1000`;

  beforeAll(async () => {
    await connect(await ownDatabase('demo'));
    await firstStart(client, testConfig());
    await seedDemo(client, testConfig());
  });
  afterAll(() => client.end());

  it('is added once', async () => {
    const counts = 'SELECT (SELECT count(*) FROM users) AS people, (SELECT count(*) FROM attendance) AS visits';
    const before = await one(counts);
    expect(await seedDemo(client, testConfig())).toMatch('is there already');
    expect(await one(counts)).toEqual(before);
  });

  it('has 150 members in two gyms, the five of the tutorials among them, who sign in by what is written there', async () => {
    const members = await all<Record<string, string>>(
      `SELECT id, gym_id, full_name, phone_number, qr_code, password_hash, temporary_password, must_change_password
       FROM users WHERE role = 'user' ORDER BY id`,
    );
    expect(members).toHaveLength(150);
    const keys = new KeyRing(testConfig().ENCRYPTION_KEYS);
    const passwordOf = (stored: string, id: string) =>
      keys.decrypt(stored, `users.temporary_password ${id}`).toString();
    for (const { id, qr_code, must_change_password, password_hash, temporary_password } of members) {
      expect(qr_code).toMatch(new RegExp(`^GYM-${id}-[0-9A-F]{8}$`));
      expect(qr_code!.split('-').at(-1)!.replace(/\D/g, '')).toBe(String(id));
      expect(must_change_password).toBe(true);
      const password = passwordOf(temporary_password!, id!);
      expect(password).toMatch(/^[A-Z]{2}\d\d[A-Z]{2}$/);
      expect(await bcrypt.compare(password, password_hash!)).toBe(true);
    }
    const known = members
      .map(({ id, gym_id, full_name, phone_number, temporary_password }) =>
        [gym_id, full_name, phone_number, keys.decrypt(temporary_password!, `users.temporary_password ${id}`)].join(
          ' ',
        ),
      )
      .filter((line) => / 010\d{8} (RX04AF|SI19IC|PS02HC|PE71JZ|RK94GG)$/.test(line));
    expect(known.toSorted()).toEqual([
      '1 Ibrahim Hassan 01041244663 PS02HC',
      '1 Layla Rashad 01022981052 SI19IC',
      '1 Mohamed Salem 01077827638 RX04AF',
      '2 Hadeer Youssef 01095899313 PE71JZ',
      '2 Somaya Hassan 01085345555 RK94GG',
    ]);
  });

  it('is the same everywhere', async () => {
    const people = `SELECT id, full_name, email, phone_number, document_id, gym_id,
      CASE WHEN role = 'user' THEN qr_code END FROM users ORDER BY id`;
    const [here, elsewhere] = [await all(people), await ownDatabase('demo_elsewhere')];
    const other = new pg.Client(elsewhere);
    await other.connect();
    await firstStart(other, testConfig());
    await seedDemo(other, testConfig());
    const { rows: there } = await other.query(people);
    await other.end();
    expect(there).toEqual(here);
  });

  it('does not come among the data of others', async () => {
    const theirs = new pg.Client(await ownDatabase('not_demo'));
    await theirs.connect();
    await firstStart(theirs, testConfig());
    await theirs.query(`INSERT INTO users (email, full_name, gym_id) VALUES ('real@example.com', 'Real Person', 1)`);
    const refusal = await seedDemo(theirs, testConfig()).catch((error: Error) => error);
    const { rowCount } = await theirs.query('SELECT 1 FROM users');
    await theirs.end();
    expect(rowCount).toBe(3);
    expect(refusal).toBeInstanceOf(ConfigError);
    expect(String(refusal)).toMatch('holds other data');
  });

  it('has visits, sales, new members and plans in every week of half a year, in both gyms', async () => {
    for (const [table, column] of [
      ['attendance', 'check_in_time'],
      ['sales', 'sale_date'],
      ['user_plans', 'purchased_at'],
      ['users', 'created_at'],
    ]) {
      const weeks = await all<{ gym_id: number; weeks: string }>(`
        SELECT gym_id, count(DISTINCT floor(extract(epoch FROM now() - ${column}) / 604800)) AS weeks FROM ${table}
        WHERE ${column} > now() - interval '182 days' GROUP BY gym_id ORDER BY gym_id`);
      expect(weeks.map(({ gym_id }) => gym_id)).toEqualFor(table, [1, 2]);
      for (const { weeks: count } of weeks) expect(Number(count)).toBeGreaterThanOrEqual(24);
    }
  });

  it('has courses of each of its trainers, which members take as trainees', async () => {
    const courses = await all<Record<string, unknown>>(`
      SELECT t.full_name, c.title, c.is_archived, count(e.id)::int AS taken,
        bool_and(e.created_at >= c.created_at AND e.created_at >= u.created_at AND e.created_at <= now()) AS is_in_order,
        bool_and(EXISTS (SELECT FROM profiles WHERE account_id = u.id AND profile_type = 'trainee')) AS by_trainees
      FROM courses c JOIN profiles p ON p.id = c.trainer_profile_id JOIN users t ON t.id = p.account_id
      LEFT JOIN course_enrolments e ON e.course_id = c.id LEFT JOIN users u ON u.id = e.user_id
      GROUP BY c.id, t.id ORDER BY c.id`);
    const trainers = courses.map(({ full_name }) => full_name);
    expect(new Set(trainers)).toEqual(new Set(['Tiago Moreira', 'Sara Lindqvist', 'Omar Lotfy', 'Salma Nassar']));
    expect(courses.map(({ taken }) => taken)).toEqual([9, 6, 0, 11, 7, 9, 6, 0, 11, 7]);
    for (const { taken, is_in_order, by_trainees } of courses) {
      expect([is_in_order, by_trainees]).toEqual(taken ? [true, true] : [null, false]);
    }
    expect(courses.filter(({ is_archived }) => is_archived)).toHaveLength(2);
  });

  it('can explain its stock by deliveries and sales', async () => {
    expect(await wrongStocks()).toEqual([]);
    expect(await unexplainedSales()).toEqual([]);
    const { deliveries, sales } = await one(`
      SELECT count(*) FILTER (WHERE reason = 'delivery') AS deliveries, count(*) FILTER (WHERE reason = 'sale') AS sales
      FROM stock_movements`);
    expect(deliveries).toBeGreaterThan(30);
    expect(sales).toBeGreaterThan(1000);
  });

  it('has members in every state, and few without a plan', async () => {
    const found = await all<{ status: string }>(
      'SELECT user_plan_status(up) AS status FROM user_plans up GROUP BY 1 ORDER BY 1',
    );
    expect(found.map(({ status }) => status)).toEqual(['active', 'cancelled', 'expired', 'frozen', 'scheduled']);
    const { members, active, expiring } = await one(`
      SELECT count(DISTINCT user_id) AS members, count(*) FILTER (WHERE user_plan_status(up) = 'active') AS active,
        count(*) FILTER (WHERE user_plan_status(up) = 'active' AND expires_at < now() + interval '7 days') AS expiring
      FROM user_plans up`);
    expect(members).toBeGreaterThanOrEqual(145);
    expect(active).toBeGreaterThan(75);
    expect(expiring).toBeGreaterThan(0);
  });

  it('never took more sessions for visits than a plan had', async () => {
    const wrong = await all(`
      SELECT up.id FROM user_plans up JOIN plans p ON p.id = up.plan_id JOIN attendance v ON v.user_plan_id = up.id
      GROUP BY up.id, p.id HAVING count(*) > p.session_count - up.remaining_sessions`);
    expect(wrong).toEqual([]);
  });

  it('has no one inside while it is closed, by its own clock, and no one from the future', async () => {
    const visits = await all<{ came: number; went: number | null; is_auto_closed: boolean; is_past: boolean }>(`
      SELECT ${gymClock('check_in_time')} AS came, ${gymClock('check_out_time')} AS went, is_auto_closed,
        greatest(check_in_time, check_out_time) <= now() AS is_past
      FROM attendance v JOIN gyms g ON g.id = v.gym_id`);
    const wrong = visits.filter(({ came, went, is_auto_closed, is_past }) => {
      const { opens, closes } = openingHours(came);
      const leaves = went === null || is_auto_closed ? came : went;
      return !is_past || came < dayOf(came) + opens * HOUR || leaves > dayOf(came) + closes * HOUR;
    });
    expect(wrong).toEqual([]);
    expect(visits.length).toBeGreaterThan(3000);
    expect(visits.filter(({ went }) => went === null).length).toBeGreaterThanOrEqual(3);
  });

  it('sells while it is open, at the price of the product', async () => {
    const sales = await all<{ sold: number; is_right: boolean }>(`
      SELECT ${gymClock('s.created_at')} AS sold,
        s.total_amount = s.quantity * p.price AND u.role IN ('manager', 'reception', 'trainer') AS is_right
      FROM sales s JOIN gyms g ON g.id = s.gym_id JOIN products p ON p.id = s.product_id JOIN users u ON u.id = s.sold_by_id`);
    const wrong = sales.filter(({ sold, is_right }) => {
      const { opens, closes } = openingHours(sold);
      return !is_right || sold < dayOf(sold) + opens * HOUR || sold > dayOf(sold) + closes * HOUR;
    });
    expect(wrong).toEqual([]);
  });
});

describe('npm run seed:load', () => {
  const settings = {
    JWT_SECRET: 'a secret that only the tests know, of some length',
    ENCRYPTION_KEYS: 'test:dGVzdC1rZXktdGVzdC1rZXktdGVzdC1rZXktdGVzdC0=',
    FINGERPRINT_KEYS: 'test:dGVzdC1rZXktdGVzdC1rZXktdGVzdC1rZXktdGVzdC0=',
  };
  let DATABASE_URL: string;
  const run = (options: string[], others: Record<string, string> = {}) =>
    new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      const program = path.resolve('dist/src/cli/seed-load.js');
      const env = { PATH: process.env.PATH, HOME: process.env.HOME, DATABASE_URL, ...settings, ...others };
      execFile(process.execPath, [program, ...options], { env, cwd: os.tmpdir() }, (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stdout, stderr }),
      );
    });
  const FIGURES = ['--gyms', '3', '--members', '200', '--visits', '1000', '--sales', '900'];
  const COUNTS = `
    SELECT (SELECT count(*) FROM gyms WHERE name LIKE 'Load gym %') AS gyms,
      (SELECT count(*) FROM users WHERE role = 'user') AS members, (SELECT count(*) FROM attendance) AS visits,
      (SELECT count(*) FROM sales) AS sales`;

  beforeAll(async () => {
    DATABASE_URL = await ownDatabase('load');
    await connect(DATABASE_URL);
  });
  afterAll(() => client.end());

  it('adds as many as it is asked for, again at every run, and says how to sign in', async () => {
    const first = await run(FIGURES);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/Sales: 900\n[^]*Sign in as .* manager@load-\d+\.example \/ demo1234\n$/);
    expect(await one(COUNTS)).toEqual({ gyms: 3, members: 200, visits: 1000, sales: 900 });
    expect(await run(FIGURES)).toMatchObject({ code: 0 });
    expect(await one(COUNTS)).toEqual({ gyms: 6, members: 400, visits: 2000, sales: 1800 });
  });

  it('can explain its stock by deliveries and sales, and nothing is in the future', async () => {
    expect(await wrongStocks()).toEqual([]);
    expect(await unexplainedSales()).toEqual([]);
    const future = await one(`
      SELECT (SELECT count(*) FROM attendance WHERE greatest(check_in_time, check_out_time) > now()) AS visits,
        (SELECT count(*) FROM sales WHERE created_at > now()) AS sales`);
    expect(future).toEqual({ visits: 0, sales: 0 });
  });

  it.each([
    [['--gym', '3'], /^Unknown option '--gym': seed:load takes --gyms, --members, --visits and --sales, .*\.\n$/],
    [['--gyms'], /^Option '--gyms <value>' argument missing: seed:load takes .*\.\n$/],
    [['--members', '0'], /^--members must be a whole number from 1 to \d+, but is "0"\.\n$/],
    [['--visits', 'many'], /^--visits must be a whole number from 0 to \d+, but is "many"\.\n$/],
    [['20'], /^Unexpected argument '20': seed:load takes .*\.\n$/],
  ])('refuses %j in one sentence', async (options, sentence) => {
    const { code, stderr } = await run(options);
    expect(code).toBe(1);
    expect(stderr).toMatch(sentence);
  });

  it('refuses in production', async () => {
    const { code, stderr } = await run([], { NODE_ENV: 'production' });
    expect(code).toBe(1);
    expect(stderr).toBe('seed:load adds made-up people: it does not run with NODE_ENV=production.\n');
  });
});
