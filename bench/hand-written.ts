// What Spotter is measured against: the same answers from one file, as one would write it who needs only these
// routes. The same libraries (Fastify, pg, jsonwebtoken, bcryptjs in piscina), the same checks, no framework.
import { createSecretKey } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import helmet from '@fastify/helmet';
import Fastify, { type FastifyRequest } from 'fastify';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import { Piscina } from 'piscina';

const { DATABASE_URL, PORT = '0' } = process.env;
const JWT_SECRET = createSecretKey(Buffer.from(process.env.JWT_SECRET!));
const ROLES_OF_STAFF = new Set(['admin', 'manager', 'reception', 'accountant', 'trainer']);
const USER = `u.id, u.email, u.username, u.full_name, u.document_id, u.phone_number, u.role, u.gym_id,
  CASE WHEN g.id IS NOT NULL THEN json_build_object('id', g.id, 'name', g.name) END AS gym,
  u.is_active, u.created_at, u.updated_at`;
const PLAN = `json_build_object('id', p.id, 'name', p.name, 'price', p.price, 'kind', p.kind, 'duration_days', p.duration_days,
  'session_count', p.session_count, 'gym_id', p.gym_id, 'is_active', p.is_active)`;
const membership = (gym: string) => `(
  SELECT json_build_object('id', up.id, 'plan_id', up.plan_id, 'plan', ${PLAN}, 'purchased_price', up.purchased_price,
    'status', 'active', 'remaining_sessions', up.remaining_sessions, 'starts_at', up.starts_at, 'expires_at', up.expires_at)
  FROM user_plans up JOIN plans p ON p.id = up.plan_id
  WHERE up.user_id = u.id AND up.gym_id = ${gym} AND up.ended_at IS NULL AND up.frozen_at IS NULL AND up.starts_at <= now()
    AND (up.expires_at IS NULL OR up.expires_at > now()) LIMIT 1)`;
const USER_WITH_PLAN = `${USER}, ${membership('u.gym_id')} AS active_plan`;

interface Session {
  user_id: number;
  role: string;
  gym_id: number | null;
}

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 20 });
const here = path.dirname(fileURLToPath(import.meta.url));
const bcrypt = new Piscina({
  filename: path.join(here, '../src/auth/password-worker.js'),
  minThreads: 2,
  maxThreads: 2,
});
const sessions = new Map<number, Session>();
const app = Fastify({ logger: { level: 'warn' } });
await app.register(helmet);
app.addHook('onRequest', async (request, reply) => void reply.header('x-request-id', request.id));

async function authenticate(request: FastifyRequest): Promise<Session> {
  const token = request.headers.authorization?.slice('Bearer '.length) ?? '';
  const { sid } = jwt.verify(token, JWT_SECRET) as unknown as { sid: number };
  const known = sessions.get(sid);
  if (known) return known;
  const { rows } = await pool.query<Session>(
    `SELECT s.user_id, u.role, u.gym_id FROM sessions s JOIN users u ON u.id = s.user_id
     WHERE s.id = $1 AND s.ended_at IS NULL AND u.is_active AND u.deleted_at IS NULL`,
    [sid],
  );
  if (!rows[0]) throw Object.assign(new Error('session ended'), { statusCode: 401 });
  sessions.set(sid, rows[0]);
  return rows[0];
}

async function staff(request: FastifyRequest): Promise<Session> {
  const session = await authenticate(request);
  if (!ROLES_OF_STAFF.has(session.role)) throw Object.assign(new Error('role'), { statusCode: 403 });
  return session;
}

const credentials = {
  type: 'object',
  required: ['email', 'password'],
  properties: { email: { type: 'string', maxLength: 254 }, password: { type: 'string', minLength: 1, maxLength: 200 } },
};

app.post<{ Body: { email: string; password: string } }>(
  '/api/v1/auth/login',
  { schema: { body: credentials } },
  async (request) => {
    const { email, password } = request.body;
    const { rows } = await pool.query(
      `SELECT id, password_hash, EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = u.id AND s.ip_address = $2) AS known
       FROM users u WHERE email = $1 AND is_active AND deleted_at IS NULL`,
      [email.toLowerCase(), request.ip],
    );
    const [person] = rows;
    const budget = `sign_in ${person?.id} from ${request.ip}`;
    const { rows: budgets } = await pool.query(
      'SELECT drained_at > now() AS full FROM attempt_budgets WHERE key = $1',
      [budget],
    );
    if (budgets[0]?.full) throw Object.assign(new Error('slow down'), { statusCode: 429 });
    if (!person || !(await bcrypt.run({ password, hash: person.password_hash }))) {
      throw Object.assign(new Error('wrong'), { statusCode: 401 });
    }
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE', [person.id]);
      const opened = await client.query(
        `INSERT INTO sessions (user_id, ip_address, user_agent, expires_at)
         VALUES ($1, $2, $3, now() + interval '2 days') RETURNING id`,
        [person.id, request.ip, request.headers['user-agent']],
      );
      await client.query(
        `UPDATE sessions SET ended_at = now(), end_reason = 'replaced' WHERE id IN (
           SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND expires_at > now() ORDER BY id DESC OFFSET 5)`,
        [person.id],
      );
      await client.query('COMMIT');
      const account = await pool.query(
        `SELECT ${USER} FROM users u LEFT JOIN gyms g ON g.id = u.gym_id WHERE u.id = $1`,
        [person.id],
      );
      const claims = { sub: String(person.id), sid: opened.rows[0].id };
      return {
        access_token: jwt.sign({ ...claims, typ: 'access' }, JWT_SECRET, { expiresIn: 3600 }),
        refresh_token: jwt.sign({ ...claims, typ: 'refresh', gen: 0 }, JWT_SECRET, { expiresIn: '2d' }),
        token_type: 'bearer',
        expires_in: 3600,
        role: account.rows[0].role,
        account: account.rows[0],
      };
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
  },
);

app.get<{ Params: { document_id: string } }>('/api/v1/users/search/document/:document_id', async (request) => {
  const { gym_id } = await staff(request);
  const { rows } = await pool.query(
    `SELECT ${USER_WITH_PLAN} FROM users u LEFT JOIN gyms g ON g.id = u.gym_id
     WHERE u.deleted_at IS NULL AND u.document_id = $1 AND u.gym_id = $2`,
    [request.params.document_id, gym_id],
  );
  if (!rows[0]) throw Object.assign(new Error('not found'), { statusCode: 404 });
  return rows[0];
});

const page = { type: 'object', properties: { limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 } } };

app.get<{ Querystring: { limit: number } }>(
  '/api/v1/users',
  { schema: { querystring: page } },
  async (request, reply) => {
    const { gym_id } = await staff(request);
    const { limit } = request.query;
    const { rows } = await pool.query(
      `SELECT ${USER_WITH_PLAN} FROM users u LEFT JOIN gyms g ON g.id = u.gym_id
     WHERE u.deleted_at IS NULL AND u.gym_id = $1 ORDER BY u.full_name, u.id LIMIT $2`,
      [gym_id, limit + 1],
    );
    if (rows.length > limit) {
      const last = rows[limit - 1];
      const cursor = Buffer.from(JSON.stringify([last.full_name, last.id])).toString('base64url');
      void reply.header('link', `</api/v1/users?limit=${limit}&cursor=${cursor}>; rel="next"`);
    }
    return rows.slice(0, limit);
  },
);

const person = {
  type: 'object',
  required: ['email', 'full_name', 'document_id', 'phone_number', 'gym_id'],
  properties: {
    email: { type: 'string', format: 'email', maxLength: 254 },
    full_name: { type: 'string', minLength: 1, maxLength: 200 },
    document_id: { type: 'string', minLength: 1, maxLength: 50 },
    phone_number: { type: 'string', pattern: '^[-+().\\d\\s/]{3,40}$' },
    gym_id: { type: 'integer' },
  },
};

app.post<{ Body: Record<string, unknown> }>(
  '/api/v1/users/regular',
  { schema: { body: person } },
  async (request, reply) => {
    const { role } = await staff(request);
    if (role !== 'admin') throw Object.assign(new Error('role'), { statusCode: 403 });
    const { email, full_name, document_id, phone_number, gym_id } = request.body;
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      const { rows } = await client.query(
        `WITH u AS (
         INSERT INTO users (email, full_name, document_id, phone_number, role, gym_id)
         SELECT $1, $2, $3, $4, 'user', id FROM gyms WHERE id = $5 AND is_active RETURNING *)
       SELECT ${USER_WITH_PLAN} FROM u LEFT JOIN gyms g ON g.id = u.gym_id`,
        [email, full_name, document_id, phone_number, gym_id],
      );
      await client.query('COMMIT');
      void reply.status(201);
      return rows[0];
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
  },
);

/** What ours does around every write that may be sold or seen: one transaction on one connection. */
async function transaction<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

const sale = {
  type: 'object',
  required: ['product_id', 'quantity'],
  properties: { product_id: { type: 'integer' }, quantity: { type: 'integer', minimum: 1, maximum: 10_000 } },
};

app.post<{ Body: { product_id: number; quantity: number } }>(
  '/api/v1/sales',
  { schema: { body: sale } },
  async (request, reply) => {
    const { user_id } = await staff(request);
    const { product_id, quantity } = request.body;
    void reply.status(201);
    return transaction(async (client) => {
      const { rows } = await client.query(
        `WITH s AS (
           INSERT INTO sales (gym_id, product_id, quantity, unit_price, total_amount, sold_by_id)
           SELECT gym_id, id, $2, price, price * $2::int, $3 FROM products WHERE id = $1 AND is_active RETURNING *)
         SELECT s.*, json_build_object('id', p.id, 'name', p.name) AS product,
           json_build_object('id', v.id, 'full_name', v.full_name) AS sold_by
         FROM s JOIN products p ON p.id = s.product_id JOIN users v ON v.id = s.sold_by_id`,
        [product_id, quantity, user_id],
      );
      const moved = await client.query(
        `WITH p AS (UPDATE products SET quantity = quantity - $2::int WHERE id = $1 AND quantity >= $2::int RETURNING id, quantity)
         INSERT INTO stock_movements (product_id, change, quantity_after, reason, sale_id, moved_by_id)
         SELECT id, -$2::int, quantity, 'sale', $3, $4 FROM p`,
        [product_id, quantity, rows[0].id, user_id],
      );
      if (!moved.rowCount) throw Object.assign(new Error('stock'), { statusCode: 409 });
      return rows[0];
    });
  },
);

const changed = new Set<number>();
// The numbers of each gym with a new visit, once a second.
setInterval(() => {
  for (const gym of changed) {
    void pool.query(
      `SELECT (SELECT count(*) FROM attendance WHERE gym_id = $1 AND check_out_time IS NULL) AS currently_in, count(*) AS today_total,
         avg(check_out_time - check_in_time) AS average_stay FROM attendance
       WHERE gym_id = $1 AND check_in_time >= date_trunc('day', now()) AND check_in_time < date_trunc('day', now()) + interval '1 day'`,
      [gym],
    );
  }
  changed.clear();
}, 1000);

const checkIn = { type: 'object', required: ['user_id'], properties: { user_id: { type: 'integer' } } };

app.post<{ Body: { user_id: number } }>('/api/v1/attendance', { schema: { body: checkIn } }, async (request, reply) => {
  const { user_id } = await staff(request);
  void reply.status(201);
  const visit = await transaction(async (client) => {
    const { rows } = await client.query(
      `WITH v AS (
         INSERT INTO attendance (user_id, gym_id, recorded_by_id)
         SELECT u.id, u.gym_id, $2 FROM users u JOIN gyms g ON g.id = u.gym_id
         WHERE u.id = $1 AND u.role = 'user' AND u.is_active AND g.is_active RETURNING *)
       SELECT v.*, json_build_object('id', u.id, 'full_name', u.full_name, 'email', u.email,
         'membership', ${membership('v.gym_id')}) AS member
       FROM v JOIN users u ON u.id = v.user_id`,
      [request.body.user_id, user_id],
    );
    return rows[0];
  });
  // All who watch see it, on all servers.
  changed.add(visit.gym_id);
  const seen = JSON.stringify(['member_checked_in', visit]);
  void pool.query('SELECT publish_socket_message($1, $2, $3)', ['/none', [`gym:${visit.gym_id}`], seen]);
  return visit;
});

const url = await app.listen({ port: Number(PORT), host: '127.0.0.1' });
process.stdout.write(`running at ${url}\n`);
