import bcrypt from 'bcryptjs';
import type pg from 'pg';
import { DEMO_PASSWORD, DEMO_ROUNDS } from './demo-people.js';

const PRODUCTS_PER_GYM = 25;
const ZONES = [
  ...['Europe/Lisbon', 'America/New_York', 'Asia/Tokyo', 'America/Sao_Paulo', 'Europe/Berlin', 'Asia/Kolkata'],
  ...['Australia/Sydney', 'America/Los_Angeles', 'Africa/Nairobi', 'UTC'],
];

/**
 * Adds gyms with their staff, plans and products, and tables of this transaction in which the rest finds them by
 * number.
 * @returns how many products there are
 */
export async function addLoadGyms(client: pg.Client, gyms: number): Promise<number> {
  await client.query(`
    CREATE TEMP TABLE load_gyms (n int PRIMARY KEY, id int, timezone text, manager_id int, desk int[]) ON COMMIT DROP;
    CREATE TEMP TABLE load_members (n serial PRIMARY KEY, id int, gym_id int, plan int) ON COMMIT DROP;
    CREATE TEMP TABLE load_products (n serial PRIMARY KEY, id int, gym_id int, price numeric) ON COMMIT DROP`);

  await client.query(
    `WITH known AS (SELECT coalesce(max(substr(name, 10)::int), 0) AS last FROM gyms
      WHERE name ~* '^load gym [0-9]{1,8}$'), added AS (
       INSERT INTO gyms (name, timezone)
       SELECT 'Load gym ' || known.last + n, ($2::text[])[1 + (n - 1) % cardinality($2::text[])]
       FROM known, generate_series(1, $1::int) n RETURNING id, timezone)
     INSERT INTO load_gyms (n, id, timezone) SELECT row_number() OVER (ORDER BY id), id, timezone FROM added`,
    [gyms, ZONES],
  );
  await client.query(
    `WITH staff AS (
       INSERT INTO users (email, full_name, document_id, role, gym_id, password_hash)
       SELECT s.name || '@load-' || g.id || '.example', initcap(s.name) || ' of gym ' || g.id,
         'LOAD-' || g.id || '-' || s.name,
         rtrim(s.name, '12'), g.id, $1
       FROM load_gyms g, unnest('{manager,reception1,reception2,accountant,trainer1,trainer2}'::text[]) s (name)
       RETURNING id, gym_id, role)
     UPDATE load_gyms g SET (manager_id, desk) = (
       SELECT min(id) FILTER (WHERE role = 'manager'), array_agg(id) FILTER (WHERE role <> 'accountant')
       FROM staff WHERE gym_id = g.id)`,
    [await bcrypt.hash(DEMO_PASSWORD, DEMO_ROUNDS)],
  );
  await client.query(`
    INSERT INTO plans (gym_id, name, price, kind, duration_days, session_count)
    SELECT g.id, p.* FROM load_gyms g, (VALUES ('Monthly', 39.9, 'time', 30, NULL), ('Quarterly', 99, 'time', 90, NULL),
      ('10 visits', 59, 'sessions', 180, 10), ('Annual', 349, 'time', 365, NULL)) p`);
  await client.query(
    `WITH added AS (
       INSERT INTO products (gym_id, name, price)
       SELECT g.id, 'Product ' || i, round((1 + 39 * random() ^ 3)::numeric, 1)
         FROM load_gyms g, generate_series(1, $1::int) i
       RETURNING id, gym_id, price)
     INSERT INTO load_products (id, gym_id, price) SELECT * FROM added`,
    [PRODUCTS_PER_GYM],
  );
  return gyms * PRODUCTS_PER_GYM;
}
