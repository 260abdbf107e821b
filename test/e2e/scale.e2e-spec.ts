import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';
import { ownDatabase } from '../support/database.js';
import type { SignedIn } from '../support/factory.js';
import { plansOf, sequentialScans } from '../support/plans.js';

const PEOPLE = 30_000;

/** Queries on tables that grow use an index, and a request costs the queries it must. */
describe('at scale', () => {
  let t: TestApp;
  let admin: SignedIn;
  let desk: SignedIn;

  beforeAll(async () => {
    t = await startApp({ DATABASE_URL: await ownDatabase('scale') });
    const { pool } = t.db;
    await pool.query(`INSERT INTO gyms (name, timezone) SELECT 'Gym ' || n, 'UTC' FROM generate_series(1, 20) n`);
    await pool.query(
      `INSERT INTO users (email, full_name, document_id, phone_number, gym_id, password_hash)
       SELECT 'm' || n || '@example.com', 'Member ' || md5(n::text), 'DOC' || n, '+1 555 ' || 1000000 + n * 7, 1 + n % 20,
         CASE WHEN n % 3 > 0 THEN 'x' END
       FROM generate_series(1, $1::int) n`,
      [PEOPLE],
    );
    await pool.query(
      `INSERT INTO sessions (user_id, ip_address, ended_at, expires_at)
       SELECT id, '203.0.113.' || id % 250, CASE WHEN n > 1 THEN now() END, now() + interval '1 day'
       FROM users, generate_series(1, 3) n`,
    );
    await pool.query(
      `INSERT INTO idempotency_keys (user_id, route, key, fingerprint)
       SELECT id, 'POST /api/v1/sales', 'key', '' FROM users`,
    );
    await pool.query(`INSERT INTO attempt_budgets (key, drained_at) SELECT 'sign_in ' || id, now() FROM users`);
    admin = await t.make.signedIn('admin', null);
    desk = await t.make.signedIn('reception', 3);
    await pool.query('VACUUM ANALYZE');
  }, 60_000);
  afterAll(() => t.close());

  const requests: [string, number][] = [
    ['/auth/me', 1],
    ['/auth/sessions', 1],
    ['/gyms', 1],
    ['/users', 1],
    ['/users?limit=200', 1],
    ['/users?role=user&is_active=true', 1],
    ['/users/trainers', 1],
    ['/users/users', 1],
    ['/users/77', 1],
    ['/users/search?q=member%20abc', 1],
    ['/users/search?q=ab12', 1],
    ['/users/search?q=m77@example.com', 1],
    ['/users/search?q=5551234', 1],
    ['/users/search/document/DOC77', 1],
    ['/users/search/phone/55512', 1],
  ];

  it.each(requests)('%s reads by index, in %d query', async (path, queries) => {
    for (const { client } of [admin, desk]) {
      await client.get('/auth/me'); // so that the session is known
      const plans = await plansOf(t, () => client.get(path));
      expect(sequentialScans(plans)).toEqual([]);
      expect(plans).toHaveLength(queries);
    }
  });

  it('a page far behind costs what the first does', async () => {
    const far = Buffer.from(JSON.stringify(['Member f', 1])).toString('base64url');
    const plans = await plansOf(t, () => desk.client.get(`/users?cursor=${far}`));
    expect(plans[0]!.plan).toMatch(/Index (Only )?Scan using users_gym_id_full_name_idx/);
    expect(plans[0]!.plan).toContain('ROW(full_name, id) > ROW(');
    expect(plans[0]!.plan).not.toMatch(/Sort/);
  });

  it('signing in, refreshing and signing out read by index', async () => {
    const plans = await plansOf(t, async () => {
      const { client, refresh_token } = await t.make.signIn(desk);
      await t.nobody.post('/auth/refresh', { refresh_token });
      await client.post('/auth/logout');
    });
    expect(sequentialScans(plans)).toEqual([]);
    expect(plans.length).toBeLessThanOrEqual(11);
  });

  it('adding and changing people reads by index', async () => {
    const person = {
      email: 'new@example.com',
      full_name: 'New',
      document_id: 'NEW',
      phone_number: '+1 555 0001',
      gym_id: 3,
    };
    const plans = await plansOf(t, async () => {
      const { body } = await admin.client.post('/users/regular', person, { 'idempotency-key': 'once' });
      await desk.client.put(`/users/${body.id}`, { full_name: 'Newer' });
      await admin.client.delete(`/users/${body.id}`);
    });
    expect(sequentialScans(plans)).toEqual([]);
  });
});
