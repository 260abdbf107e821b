// The database that both servers are asked about: what `npm run seed:load` makes, and accounts with a known password.
// It stays from run to run, because making it takes minutes; `tidy` makes it as it was.
import bcrypt from 'bcryptjs';
import pg from 'pg';
import { ProgressBar } from '../src/cli/progress.js';
import { connection } from '../src/database/connection.js';
import { startEmbeddedPostgres } from '../src/database/embedded/embedded-postgres.js';
import { migrate } from '../src/database/migrate.js';
import { type Figures, seedLoad } from '../src/demo/seed-load.js';
import { parentOf } from './cpu.js';

export const PASSWORD = 'a password to measure';
/** Accounts that only sign in: the sixth sign-in of one ends its first, and none of these is needed for another row. */
export const SIGN_INS = 50;
/** Who wants the same hour. */
export const BOOKERS = 16;
/** Days ahead on which the gym's hours can be booked. */
export const DAYS_AHEAD = 366;
const PRODUCTS_IN_STOCK = 100_000_000;

export const figures = (scale: number): Figures => ({
  gyms: 20,
  members: 100_000 * scale,
  visits: 1_000_000 * scale,
  sales: 500_000 * scale,
});

/** What the requests name. */
export interface Facts {
  /** The largest gym. */
  gym_id: number;
  /** A local day, some time ago, with its visits. */
  day: string;
  /** The first and last day of a whole month of sales. */
  month: [string, string];
  products: number[];
  /** Members of the gym, a thousand of them, each as found at the desk. */
  members: { document_id: string; full_name: string; phone_number: string }[];
  /** Members of all gyms who are not inside. */
  outside: number[];
  /** The day after today in the gym: the first of which all hours are free. */
  tomorrow: string;
}

export interface Data {
  url: string;
  /** The process of PostgreSQL, or null where this cannot be known. */
  postmaster: number | null;
  facts: Facts;
  /** A connection for what is not measured. */
  client: pg.Client;
  close(): Promise<void>;
}

/** Starts PostgreSQL in the folder, and fills the database of these figures if it is not there. */
export async function openData(folder: string, wanted: Figures, isFresh: boolean): Promise<Data> {
  const database = `bench_${Object.values(wanted).join('_')}`;
  if (isFresh) await drop(folder, database);
  const postgres = await startEmbeddedPostgres(folder, database);
  await migrate(postgres.url);
  const client = new pg.Client(connection(postgres.url, 'spotter bench', 'long'));
  await client.connect();
  const { rowCount: isFilled } = await client.query(`SELECT FROM gyms WHERE name = 'Load gym 1'`);
  if (!isFilled) {
    const bar = new ProgressBar();
    await seedLoad(client, wanted, bar.show.bind(bar)).finally(() => bar.stop());
  }
  await addAccounts(client);
  await tidy(client);
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const close = async () => {
    await client.end();
    await postgres.release();
  };
  return { url: postgres.url, postmaster: parentOf(rows[0]!.pid), facts: await readFacts(client), client, close };
}

async function drop(folder: string, database: string): Promise<void> {
  const postgres = await startEmbeddedPostgres(folder, 'postgres');
  const client = new pg.Client(postgres.url);
  await client.connect();
  await client.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  await client.end();
  await postgres.release();
}

const LARGEST = `(SELECT id FROM gyms WHERE name = 'Load gym 1')`;

/** Staff and members of the largest gym who can sign in, and one admin. */
async function addAccounts(client: pg.Client): Promise<void> {
  await client.query(
    `INSERT INTO users (email, full_name, document_id, phone_number, role, gym_id, password_hash)
     SELECT name || '@bench.example', 'Bench ' || name, 'BENCH-' || name, '+1 555 0100', role, ${LARGEST}, $1
     FROM (
       SELECT role AS name, role FROM unnest('{admin,manager,reception}'::text[]) role
       UNION ALL SELECT 'desk' || n, 'reception' FROM generate_series(1, $2::int) n
       UNION ALL SELECT 'member' || n, 'user' FROM generate_series(1, $3::int) n) account
     ON CONFLICT DO NOTHING`,
    [await bcrypt.hash(PASSWORD, 10), SIGN_INS, BOOKERS],
  );
  // Hours that are over, so that the table is as long as in use: PostgreSQL reads an empty one in another way.
  await client.query(`
    INSERT INTO slot_bookings (gym_id, date, slot_id, seat, user_id, starts_at, ends_at, booked_at, booked_by_id)
    SELECT g.id, d.day, slot, 1, u.id, t.at, t.at + interval '1 hour', t.at - interval '1 day', u.id
    FROM gyms g CROSS JOIN LATERAL (
      SELECT array_agg(id) AS ids FROM (
        SELECT id FROM users WHERE gym_id = g.id AND email LIKE 'member.%@load.example' ORDER BY id LIMIT 100) u) m
    CROSS JOIN generate_series(1, 60) ago CROSS JOIN generate_series(6, 22) slot
    CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE g.timezone)::date - ago AS day) d
    CROSS JOIN LATERAL (SELECT (d.day + slot * interval '1 hour') AT TIME ZONE g.timezone AS at) t
    CROSS JOIN LATERAL (SELECT m.ids[1 + (ago * 17 + slot) % cardinality(m.ids)] AS id) u
    WHERE g.name LIKE 'Load gym %' AND u.id IS NOT NULL AND NOT EXISTS (SELECT FROM slot_bookings)`);
  await client.query(`INSERT INTO slot_settings (gym_id, days_ahead) VALUES (${LARGEST}, $1) ON CONFLICT DO NOTHING`, [
    DAYS_AHEAD,
  ]);
}

const OURS = `IN (SELECT id FROM users WHERE email LIKE '%@bench.example')`;

/** Takes away what the runs before have made. */
export async function tidy(client: pg.Client): Promise<void> {
  await removeVisits(client);
  await removeBookings(client);
  await removeUsers(client);
  await remove(client, `stock_movements WHERE moved_by_id ${OURS}`, `sales WHERE sold_by_id ${OURS}`);
  await client.query(`
    UPDATE products SET quantity = ${PRODUCTS_IN_STOCK} WHERE gym_id = ${LARGEST};
    DELETE FROM sessions WHERE user_id ${OURS};
    -- Our server alone would remind thousands of members while it is measured.
    INSERT INTO plan_reminders (user_plan_id, days, expires_at)
      SELECT id, days, expires_at FROM user_plans, unnest(ARRAY[1, 7]) days
      WHERE expires_at BETWEEN now() AND now() + interval '10 days' ON CONFLICT DO NOTHING;
    DELETE FROM attempt_budgets;
    DELETE FROM socket_messages;
    CREATE UNLOGGED TABLE IF NOT EXISTS hand_written_messages (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message json NOT NULL);
    DELETE FROM hand_written_messages`);
  const tables =
    'attendance, slot_bookings, stock_movements, sales, products, users, sessions, socket_messages, ' +
    'hand_written_messages, attempt_budgets';
  await client.query(`VACUUM (ANALYZE) ${tables}`);
}

/** Deletes what nothing refers to, so that PostgreSQL need not look for it in tables of millions. */
async function remove(client: pg.Client, ...statements: string[]): Promise<void> {
  const deletes = statements.map((statement) => `DELETE FROM ${statement};`).join(' ');
  await client.query(`BEGIN; SET LOCAL session_replication_role = replica; ${deletes} COMMIT`);
}

/** Those whom the bench has checked in are outside again. */
export const removeVisits = (client: pg.Client) => remove(client, `attendance WHERE recorded_by_id ${OURS}`);

/** The hours that the bench has booked are free again. */
export const removeBookings = (client: pg.Client) => remove(client, `slot_bookings WHERE booked_by_id ${OURS}`);

/** The members that the bench has made are unknown again. */
export const removeUsers = (client: pg.Client) =>
  remove(client, `users WHERE fold(email) LIKE 'person%@new.bench.example'`);

async function readFacts(client: pg.Client): Promise<Facts> {
  // The data ends when it was made: the last whole day and month before that are always the same.
  const { rows } = await client.query<Omit<Facts, 'month'> & { first: string; last: string }>(`
    SELECT g.id AS gym_id, (made - interval '2 days')::date::text AS day,
      (date_trunc('month', made) - interval '1 month')::date::text AS first,
      (date_trunc('month', made) - interval '1 day')::date::text AS last,
      ((now() AT TIME ZONE g.timezone)::date + 1)::text AS tomorrow,
      ARRAY(SELECT id FROM products WHERE gym_id = g.id ORDER BY id) AS products,
      ARRAY(
        SELECT json_build_object('document_id', document_id, 'full_name', full_name, 'phone_number', phone_number)
        FROM users WHERE gym_id = g.id AND email LIKE 'member.%@load.example' ORDER BY id LIMIT 1000) AS members,
      ARRAY(
        SELECT id FROM users u WHERE role = 'user' AND is_active AND email LIKE 'member.%@load.example'
          AND NOT EXISTS (SELECT FROM attendance v WHERE v.user_id = u.id AND v.check_out_time IS NULL)
        ORDER BY id) AS outside
    FROM gyms g, LATERAL (SELECT max(sale_date) AT TIME ZONE g.timezone AS made FROM sales WHERE gym_id = g.id) m
    WHERE g.name = 'Load gym 1'`);
  const { first, last, ...facts } = rows[0]!;
  return { ...facts, month: [first, last] };
}
