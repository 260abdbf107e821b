import type pg from 'pg';
import { DEMO_PASSWORD } from './demo-people.js';
import { addLoadGyms } from './load-gyms.js';
import { FIRST, LAST } from './names.js';

/** How many of each to add. */
export interface Figures {
  gyms: number;
  members: number;
  visits: number;
  sales: number;
}

/** Told after every statement how far one kind of rows is. */
export type Progress = (what: string, done: number, of: number) => void;

/** Rows of one statement: enough to be fast, few enough to show progress. */
const CHUNK = 20_000;
/** The last year, one row after the other, at the hours of the gym's clock when people come; nothing in the future. */
const MOMENT = `
  CROSS JOIN LATERAL (
    SELECT ((now() AT TIME ZONE g.timezone)::date - floor(365 * (1 - d.progress))::int
      + make_interval(secs => 3600 * CASE WHEN d.peak < 0.4 THEN 6.5 + 3 * d.hour ELSE 15 + 6 * d.hour END)
      ) AT TIME ZONE g.timezone AS moment) local
  CROSS JOIN LATERAL (
    SELECT CASE WHEN local.moment > now() - interval '2 hours' THEN local.moment - interval '1 day'
      ELSE local.moment END AS at) t`;
const AT_THE_DESK = 'g.desk[1 + floor(cardinality(g.desk) * random())::int]';

/**
 * Adds gyms full of people, for load tests and EXPLAIN: all of it or, if it is stopped, nothing. PostgreSQL makes the
 * rows itself, which is the fastest, with the same numbers every time.
 * @returns the sign-in of a manager, in the largest of the gyms
 */
export async function seedLoad(client: pg.Client, figures: Figures, progress: Progress): Promise<string> {
  const { gyms, members, visits, sales } = figures;

  /** Runs `sql` for the numbers from $1 to $2, until it has done all. */
  async function fill(what: string, count: number, sql: string, values: unknown[] = [], size = CHUNK): Promise<void> {
    for (let first = 1; first <= count; first += size) {
      const last = Math.min(first + size - 1, count);
      await client.query(sql, [first, last, ...values]);
      progress(what, last, count);
    }
  }

  await client.query(`BEGIN; SET LOCAL synchronous_commit = off; SELECT setseed(0.2026)`);
  const products = await addLoadGyms(client, gyms);

  // The first gym is the largest, as in a chain where one is in the middle of the town.
  await fill(
    'Members',
    members,
    `WITH added AS (
       INSERT INTO users (id, email, full_name, document_id, phone_number, gym_id, is_active, created_at, updated_at)
       SELECT d.id, 'member.' || d.id || '@load.example', concat_ws(' ', ($4::text[])[d.first], ($5::text[])[d.last],
         ($5::text[])[d.second]), 'LOAD-' || d.id, '+1 555 ' || d.phone, g.id, random() > 0.02, d.joined, d.joined
       FROM (
         SELECT nextval('users_id_seq') AS id, 1 + floor($3 * random() ^ 1.5) AS gym,
           1 + floor(cardinality($4::text[]) * random())::int AS first,
           1 + floor(cardinality($5::text[]) * random())::int AS last,
           1 + floor(cardinality($5::text[]) * random())::int AS second,
           1000000 + floor(9000000 * random())::int AS phone, now() - random() * interval '3 years' AS joined
         FROM generate_series($1::int, $2::int)) d
       JOIN load_gyms g ON g.n = d.gym ORDER BY d.id RETURNING id, gym_id)
     INSERT INTO load_members (id, gym_id, plan) SELECT id, gym_id, floor(4 * random() ^ 2) FROM added`,
    [gyms, FIRST, LAST],
  );
  await client.query('ANALYZE load_gyms, load_members, load_products, plans');

  // One plan after the other, without a gap: 0 is the current one or lately expired, -1 the one behind it.
  await fill(
    'Members with plans',
    members,
    `INSERT INTO user_plans (user_id, gym_id, plan_id, purchased_price, duration_days, remaining_sessions, starts_at,
      expires_at,
       frozen_at, ended_at, end_reason, created_by_id, purchased_at, created_at, updated_at)
     SELECT d.user_id, g.id, d.plan_id, d.price, d.duration_days,
       CASE WHEN d.session_count IS NULL THEN NULL WHEN k = 0 THEN 1 + floor(9 * random()) ELSE floor(3 * random()) END,
       t.starts_at, t.starts_at + d.duration,
       CASE WHEN d.is_frozen THEN greatest(t.starts_at, now() - interval '10 days') END,
       CASE WHEN d.is_cancelled THEN t.starts_at + d.duration * 0.4 END, CASE WHEN d.is_cancelled THEN 'cancelled' END,
       ${AT_THE_DESK}, t.sold_at, t.sold_at, t.sold_at
     FROM (
       SELECT m.id AS user_id, m.gym_id, p.id AS plan_id, p.price, p.duration_days, p.session_count, k,
         make_interval(days => p.duration_days) AS duration, m.last_start, k > 0 AND random() < 0.05 AS is_cancelled,
         k = 0 AND m.newest = 0 AND random() < 0.01
           AND m.last_start > now() - make_interval(days => p.duration_days) AS is_frozen
       FROM (
         SELECT m.*, now() - 1.5 * random() * interval '1 day' * (ARRAY[30, 90, 180, 365])[1 + plan] AS last_start,
           CASE WHEN random() < 0.05 THEN -1 ELSE 0 END AS newest
         FROM load_members m WHERE n BETWEEN $1 AND $2) m
       JOIN plans p ON p.gym_id = m.gym_id AND p.duration_days = (ARRAY[30, 90, 180, 365])[1 + m.plan]
       CROSS JOIN generate_series(m.newest, 2) k) d
     JOIN load_gyms g ON g.id = d.gym_id
     CROSS JOIN LATERAL (
       SELECT d.last_start - k * d.duration AS starts_at, least(d.last_start - k * d.duration, now()) AS sold_at) t
     ORDER BY t.starts_at`,
  );

  const open = Math.min(members, Math.ceil(visits / 500));
  await fill(
    'Visits',
    visits - open,
    `INSERT INTO attendance (user_id, gym_id, check_in_time, check_out_time, location, recorded_by_id, created_at,
      updated_at)
     SELECT m.id, g.id, t.at, t.at + d.stay, 'Main entrance', ${AT_THE_DESK}, t.at, t.at + d.stay
     FROM (
       SELECT i, 1 + floor($3 * random() ^ 1.3) AS n, i / $4::float8 AS progress, random() AS hour, random() AS peak,
         interval '30 minutes' + random() * interval '1 hour' AS stay
       FROM generate_series($1::int, $2::int) i) d
     JOIN load_members m ON m.n = d.n JOIN load_gyms g ON g.id = m.gym_id ${MOMENT} ORDER BY i`,
    [members, visits],
  );
  await fill(
    'People inside',
    open,
    `INSERT INTO attendance (user_id, gym_id, check_in_time, location, recorded_by_id, created_at, updated_at)
     SELECT m.id, g.id, t.at, 'Main entrance', ${AT_THE_DESK}, t.at, t.at
     FROM (SELECT *, now() - random() * interval '90 minutes' AS at FROM load_members WHERE n BETWEEN $1 AND $2) m
     JOIN load_gyms g ON g.id = m.gym_id CROSS JOIN LATERAL (SELECT m.at) t ORDER BY t.at`,
  );

  await fill(
    'Sales',
    sales,
    `INSERT INTO sales (gym_id, product_id, quantity, unit_price, total_amount, sold_by_id, sale_date, created_at,
      updated_at)
     SELECT g.id, p.id, d.quantity, p.price, p.price * d.quantity, ${AT_THE_DESK}, t.at, t.at, t.at
     FROM (
       SELECT i, 1 + floor($3 * random()) AS n, 1 + floor(3 * random() ^ 3)::int AS quantity,
         i / $4::float8 AS progress,
         random() AS hour, random() AS peak
       FROM generate_series($1::int, $2::int) i) d
     JOIN load_products p ON p.n = d.n JOIN load_gyms g ON g.id = p.gym_id ${MOMENT} ORDER BY i`,
    [products, sales],
  );
  await client.query('ANALYZE sales');
  // Some to begin with, and every month what was sold in it.
  await fill(
    'Stock of products',
    products,
    `WITH sold AS (
       SELECT s.*, g.manager_id
         FROM load_products p JOIN load_gyms g ON g.id = p.gym_id JOIN sales s ON s.product_id = p.id
       WHERE p.n BETWEEN $1 AND $2
     ), moved AS (
       SELECT product_id, -quantity AS change, 'sale' AS reason, id AS sale_id, sold_by_id AS by, created_at AS at
         FROM sold
       UNION ALL
       SELECT product_id, sum(quantity), 'delivery', NULL, min(manager_id), min(created_at) - interval '1 hour'
         FROM sold
       GROUP BY product_id, date_trunc('month', created_at)
       UNION ALL
       SELECT p.id, 1 + floor(60 * random())::int, 'delivery', NULL, g.manager_id, now() - interval '400 days'
       FROM load_products p JOIN load_gyms g ON g.id = p.gym_id WHERE p.n BETWEEN $1 AND $2
     ), added AS (
       INSERT INTO stock_movements (product_id, change, quantity_after, reason, sale_id, moved_by_id, created_at)
       SELECT product_id, change, sum(change) OVER (PARTITION BY product_id ORDER BY at, sale_id NULLS FIRST), reason,
         sale_id, by, at
       FROM moved ORDER BY at, sale_id NULLS FIRST
       RETURNING product_id, change)
     UPDATE products p SET quantity = moved.quantity
     FROM (SELECT product_id, sum(change) AS quantity FROM added GROUP BY product_id) moved
       WHERE p.id = moved.product_id`,
    [],
    Math.max(1, Math.floor((CHUNK * products) / Math.max(sales, 1))),
  );

  // Every twentieth member, four times.
  await fill(
    'Measurements',
    4 * Math.floor(members / 20),
    `INSERT INTO measurements (user_id, gym_id, measurement_date, height, weight, abdomen, hips, recorded_by_id,
      created_at, updated_at)
     SELECT m.id, g.id, t.at, m.height, round((m.height * 0.46 - k + random())::numeric, 1),
       round((m.height * 0.5 - k + random())::numeric, 1), round((m.height * 0.58 - k + random())::numeric, 1),
         g.desk[1], t.at, t.at
     FROM (SELECT 20 * ((i + 3) / 4) AS n, i % 4 AS k FROM generate_series($1::int, $2::int) i) d
     JOIN (SELECT *, 155 + n / 20 % 35 AS height FROM load_members) m USING (n) JOIN load_gyms g ON g.id = m.gym_id
     CROSS JOIN LATERAL (SELECT now() - interval '1 day' * (100 - 30 * k + d.n % 9) AS at) t ORDER BY t.at`,
  );
  const { rows } = await client.query<{ email: string }>(
    'SELECT email FROM users WHERE id = (SELECT manager_id FROM load_gyms WHERE n = 1)',
  );
  await client.query('COMMIT');
  await client.query(
    'VACUUM (ANALYZE) gyms, users, plans, user_plans, products, stock_movements, sales, measurements, attendance',
  );
  return `${rows[0]!.email} / ${DEMO_PASSWORD}`;
}
