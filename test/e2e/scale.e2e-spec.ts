import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { ProfilesService } from '../../src/accounts/profiles.service.js';
import { AttendanceService } from '../../src/attendance/attendance.service.js';
import { AuthService } from '../../src/auth/auth.service.js';
import { PasswordProof } from '../../src/auth/password-proof.service.js';
import { ConversationsService } from '../../src/chat/conversations.service.js';
import { Actor } from '../../src/common/actor/actor.js';
import { everyGym } from '../../src/database/sql.js';
import { startApp, type TestApp } from '../support/app.js';
import { ownDatabase, patientClient } from '../support/database.js';
import { PASSWORD, type SignedIn } from '../support/factory.js';
import { plansOf, sequentialScans } from '../support/plans.js';
import { book, cancel, inDays } from '../support/slots.js';

const PEOPLE = 30_000;
/** Of gym 3, where the desk is. */
const MEMBER = 82;
const CODE = `GYM-${MEMBER}-0123abcd`;
const today = new Date().toISOString().slice(0, 10);
const inAWeek = new Date(Date.now() + 7 * 24 * 3600 * 1000).toISOString().slice(0, 10);
const BOOKINGS = 200_000;

/** Queries on tables that grow use an index, and a request costs the queries it must. */
describe('at scale', () => {
  let t: TestApp;
  let database: pg.Client;
  let admin: SignedIn;
  let desk: SignedIn;

  beforeAll(async () => {
    t = await startApp({ DATABASE_URL: await ownDatabase('scale') });
    database = await patientClient(t.config.DATABASE_URL!);
    await database.query(`INSERT INTO gyms (name, timezone) SELECT 'Gym ' || n, 'UTC' FROM generate_series(1, 20) n`);
    await database.query(
      `INSERT INTO users (email, full_name, document_id, phone_number, gym_id, password_hash)
       SELECT 'm' || n || '@example.com', 'Member ' || md5(n::text), 'DOC' || n, '+1 555 ' || 1000000 + n * 7, 1 + n % 20,
         CASE WHEN n % 3 > 0 THEN 'x' END
       FROM generate_series(1, $1::int) n`,
      [PEOPLE],
    );
    await database.query(
      `INSERT INTO sessions (user_id, network, ended_at, expires_at)
       SELECT id, '203.0.113.' || id % 250, CASE WHEN n > 1 THEN now() END, now() + interval '1 day'
       FROM users, generate_series(1, 3) n`,
    );
    await database.query(
      `INSERT INTO idempotency_keys (owner, route, key, fingerprint, role, people)
       SELECT 'user:' || id, 'POST /api/v1/sales', 'key', '', role, ARRAY[id] FROM users`,
    );
    await database.query(`INSERT INTO attempt_budgets (key, drained_at) SELECT 'sign_in ' || id, now() FROM users`);
    await database.query(
      `INSERT INTO slot_bookings (gym_id, date, slot_id, seat, user_id, starts_at, ends_at, booked_at, booked_by_id,
         cancelled_at, cancelled_by_id)
       SELECT gym, day, slot, 1, person, day + make_interval(hours => slot), day + make_interval(hours => slot + 1), day, person,
         CASE WHEN n % 3 = 0 THEN day END, CASE WHEN n % 3 = 0 THEN person END
       FROM generate_series(0, $1::int - 1) n,
         LATERAL (SELECT 1 + n % 20, n / 20 % 24, current_date + 10 - n / 480, 1 + n % $2::int) v (gym, slot, day, person)`,
      [BOOKINGS, PEOPLE],
    );
    await database.query(
      `INSERT INTO devices (gym_id, name, kind, device_number, key_hash)
       SELECT 1 + n % 20, 'Board ' || n, 'board', 1 + n / 20, sha256(n::text::bytea) FROM generate_series(0, 9999) n`,
    );
    await database.query(`INSERT INTO board_outputs SELECT id, 'hello', now() FROM devices`);
    await database.query('UPDATE users SET qr_code = $1 WHERE id = $2', [CODE, MEMBER]);
    admin = await t.make.signedIn('admin', null);
    desk = await t.make.signedIn('reception', 3);
    await fillFrontDesk(desk.id);
    await database.query('VACUUM ANALYZE');
  });
  afterAll(async () => {
    await database.end();
    await t.close();
  });

  /** A year of work in every gym; a tenth of what gym 3 sold is `sellerId`'s. */
  async function fillFrontDesk(sellerId: number): Promise<void> {
    const statements = `
      INSERT INTO plans (gym_id, name, price, kind, duration_days, session_count, is_active)
      SELECT 1 + n % 20, 'Plan ' || md5(n::text), 10 + n % 90, (ARRAY['time', 'sessions', 'coins'])[1 + n % 3], 365,
        CASE WHEN n % 3 > 0 THEN 10 END, n % 5 > 0
      FROM generate_series(1, 10000) n;
      -- Of each member one that is over and one that counts, if it was not cancelled.
      INSERT INTO user_plans (user_id, gym_id, plan_id, purchased_price, duration_days, remaining_sessions, starts_at,
        expires_at, frozen_at, ended_at, end_reason)
      SELECT u.id, u.gym_id, u.gym_id - 1 + 20 * (1 + u.id % 499), 30, 365, CASE WHEN is_old THEN 3 ELSE 1000 END, starts_at,
        starts_at + interval '365 days', CASE WHEN NOT is_old AND u.id % 500 < 20 THEN now() END, ended_at,
        CASE WHEN ended_at IS NOT NULL THEN 'cancelled' END
      FROM users u CROSS JOIN (VALUES (TRUE), (FALSE)) kinds (is_old)
      CROSS JOIN LATERAL (SELECT now() - CASE WHEN is_old THEN 800 ELSE u.id % 360 END * interval '1 day' AS starts_at) s
      CROSS JOIN LATERAL (SELECT CASE WHEN is_old AND u.id / 20 % 2 = 0 OR u.id % 7 = 0 THEN now() END AS ended_at) e
      WHERE u.role = 'user';
      INSERT INTO products (gym_id, name, price, quantity, is_active)
      SELECT 1 + n % 20, 'Product ' || md5(n::text), 2.5, n * 7919 % 1000, n % 5 > 0 FROM generate_series(1, 10000) n;
      INSERT INTO stock_movements (product_id, change, quantity_after, reason, created_at)
      SELECT 1 + n % 10000, 1, 1, 'delivery', now() - n * interval '1 minute' FROM generate_series(1, 100000) n;
      INSERT INTO measurements (user_id, gym_id, weight, measurement_date)
      SELECT id, gym_id, 80, now() - (id % 300 + n * 30) * interval '1 day' FROM users, generate_series(1, 3) n WHERE role = 'user';
      -- A few of each hundred are inside.
      INSERT INTO attendance (user_id, gym_id, check_in_time, check_out_time)
      SELECT id, gym_id, check_in_time, CASE WHEN n > 1 OR id / 20 % 34 > 0 THEN check_in_time + interval '1 hour' END
      FROM users, generate_series(1, 5) n,
      LATERAL (SELECT now() - (id * 7919 % 500000 + 500000 * (n - 1)) / 7 * interval '1 minute' AS check_in_time) c
      WHERE role = 'user';
    `.split(';');
    for (const statement of statements) await database.query(statement);
    await database.query(`
      INSERT INTO password_resets (token_hash, user_id, email, password_version, expires_at)
      SELECT sha256(id::text::bytea), id, email, 1, now() + interval '30 minutes' FROM users WHERE id % 10 = 0 AND email IS NOT NULL;
      INSERT INTO former_emails (user_id, email)
      SELECT id, 'old@example.com' FROM users WHERE id % 10 = 0;
      INSERT INTO viewer_cookies (token_hash, session_id, expires_at)
      SELECT sha256(id::text::bytea), id, now() + interval '2 days' FROM sessions WHERE id % 5 = 0;
    `);
    await database.query(`
      INSERT INTO conversations (user1_id, user2_id)
      SELECT id, id + n FROM users, generate_series(1, 3) n WHERE id % 4 = 0 AND id < 29000;
      INSERT INTO participants (conversation_id, user_id, other_id, last_active_at)
      SELECT id, user1_id, user2_id, now() FROM conversations UNION ALL SELECT id, user2_id, user1_id, now() FROM conversations;
      INSERT INTO messages (conversation_id, sender_id, content, timestamp)
      SELECT id, user1_id, 'Hello', now() FROM conversations;
      INSERT INTO attachments (message_id, uploaded_by_id, storage_key, name, content_type, size)
      SELECT id, sender_id, id::text, 'a.png', 'image/png', 1 FROM messages WHERE id % 2 = 0;
    `);
    // Of a hundred people one teaches, and thirty learn.
    await database.query(`
      INSERT INTO profiles (account_id, profile_type)
      SELECT id, CASE WHEN id % 100 = 1 THEN 'trainer' ELSE 'trainee' END FROM users WHERE id % 100 <= 30;
      INSERT INTO courses (trainer_profile_id, title, description, price, is_archived)
      SELECT p.id, 'Course ' || md5(n || '-' || p.id), 'All about ' || md5(p.id || '-' || n), 49.9, n % 5 = 0
      FROM profiles p, generate_series(1, 60) n WHERE profile_type = 'trainer';
      INSERT INTO course_enrolments (course_id, user_id)
      SELECT 1 + (p.id * n * 37) % 18000, p.account_id FROM profiles p, generate_series(1, 8) n ON CONFLICT DO NOTHING;
    `);
    await database.query(
      `INSERT INTO sales (gym_id, product_id, quantity, unit_price, total_amount, sold_by_id, sale_date)
       SELECT 1 + n % 20, 1 + n % 20 + 19 + n / 20 % 400 * 20, 1, 2.5, 2.5, CASE WHEN n % 200 = 2 THEN $1 ELSE 1 + n % 20 END,
         now() - n * interval '20 minutes'
       FROM generate_series(1, 100000) n`,
      [sellerId],
    );
  }

  const requests: [string, number][] = [
    ['/auth/me', 1],
    ['/auth/sessions', 1],
    ['/gyms', 1],
    ['/branches', 1],
    ['/staff', 1],
    ['/staff?role=trainer&is_active=true', 1],
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
    [`/members/${MEMBER}/pass`, 1],
    [`/members/${MEMBER}/qr.svg`, 1],
    [`/members/by-qr/${CODE}`, 1],

    ['/chat/conversations', 1],
    ['/accounts', 1],
    ['/accounts?gym_id=3', 1],
    ['/accounts?search=member%20abc', 1],
    ['/accounts?search=m77', 1],
    [`/accounts/${MEMBER}`, 1],
    [`/accounts/${MEMBER}/profiles`, 2],
    ['/courses', 1],
    ['/courses?gym_id=3', 1],
    ['/courses?search=abc%20course', 1],
    ['/courses/mine', 1],
    ['/courses/mine?as=trainee', 1],
    ['/courses/7', 1],

    ['/plans', 1],
    ['/plans?kind=time', 1],
    ['/plans/active', 1],
    ['/plans/22', 1],
    ['/user-plans', 1],
    ['/user-plans?status=active', 1],
    ['/user-plans?status=frozen', 1],
    ['/user-plans?status=scheduled', 1],
    ['/user-plans?status=expired', 1],
    ['/user-plans?status=cancelled', 1],
    [`/user-plans?expiring_before=${inAWeek}`, 1],
    [`/user-plans?status=active&expiring_before=${inAWeek}T00:00:00Z`, 1],
    [`/user-plans/${MEMBER}`, 1],
    [`/user-plans/user/${MEMBER}`, 1],
    [`/user-plans/user/${MEMBER}/active`, 1],

    ['/products', 1],
    ['/products/active', 1],
    ['/products/low-stock', 1],
    ['/products/22', 1],
    ['/products/22/movements', 1],
    ['/sales', 1],
    ['/sales?start_date=2026-01-01&end_date=2026-12-31', 1],
    ['/sales?product_id=22', 1],
    [`/sales?sold_by_id=3`, 1],
    ['/sales/daily', 1],
    ['/sales/daily?date=2026-01-31', 1],
    ['/sales/summary', 1],
    ['/sales/2', 1],

    ['/measurements', 1],
    [`/measurements?user_id=${MEMBER}`, 1],
    [`/measurements/${MEMBER}`, 1],
    [`/measurements/user/${MEMBER}`, 1],
    [`/measurements/user/${MEMBER}/latest`, 1],
    [`/measurements/user/${MEMBER}/progress`, 2],
    [`/measurements/user/${MEMBER}/progress?start_date=2026-01-01`, 2],
    [`/measurements/user/${MEMBER}/progress.svg`, 2],

    ['/attendance', 1],
    ['/attendance?start_date=2026-01-01', 1],
    [`/attendance?user_id=${MEMBER}`, 1],
    ['/attendance/current', 1],
    [`/attendance/daily/${today}`, 1],
    [`/attendance/user/${MEMBER}`, 1],
    [`/attendance/user/${MEMBER}/summary`, 2],
    ['/slots?gym_id=3', 1],
    ['/slots?gym_id=3&date=2026-01-31', 1],
    ['/slots/current?gym_id=3', 1],
    ['/slots/settings?gym_id=3', 1],
    ['/slots/mine', 1],
    ['/slots/mine?gym_id=3', 1],
    ['/devices/7/serial-output?gym_id=3', 2],
  ];

  it.each(requests)('%s reads by index, in %d query', async (path, queries) => {
    for (const { client } of [admin, desk]) {
      await client.get('/auth/me'); // so that the session is known
      const plans = await plansOf(t, () => client.get(path));
      expect(sequentialScans(plans)).toEqual([]);
      expect(plans).toHaveLength(queries);
    }
  });

  it.each([
    ['', 6],
    ['/series?metric=revenue', 2],
    ['/series?metric=visits&interval=week&from=2026-01-01&to=2026-12-31', 2],
    ['/series?metric=members&interval=month&from=2026-01-01&to=2026-12-31', 2],
    ['/report.csv', 2],
    ['/report.csv?from=2026-01-01&to=2026-12-31', 2],
  ] as const)('/dashboard%s reads by index, in %d queries', async (path, queries) => {
    for (const { client } of [admin, await t.make.signedIn('manager', 3)]) {
      await client.get('/auth/me');
      const plans = await plansOf(t, () => client.get(`/dashboard${path}`));
      expect(sequentialScans(plans)).toEqual([]);
      expect(plans).toHaveLength(queries);
    }
  });

  it('/dashboard/members.csv reads each page by index', async () => {
    for (const [client, of] of [
      [admin.client, PEOPLE],
      [desk.client, PEOPLE / 20],
    ] as const) {
      await client.get('/auth/me');
      const plans = await plansOf(t, () => client.get('/dashboard/members.csv'));
      expect(sequentialScans(plans)).toEqual([]);
      expect(plans).toHaveLength(1 + Math.ceil(of / 200));
      expect(plans.at(-1)!.plan).toMatch(/Index Scan using users_members_idx/);
      expect(plans.at(-1)!.plan).toContain('ROW(');
    }
  });

  it('what members ask of accounts and courses is read by index', async () => {
    const { client } = await t.make.signedIn('user', 3);
    for (const [path] of requests) {
      if (!/^\/(accounts|courses)/.test(path)) continue;
      const plans = await plansOf(t, () => client.get(path));
      expect([path, ...sequentialScans(plans)]).toEqual([path]);
      if (path.includes('search=')) expect(plans[0]!.plan).toMatch(/Bitmap Index Scan on \w+_search_text_idx/);
    }
  });

  it('a page far behind costs what the first does', async () => {
    const { headers } = await desk.client.get('/users?limit=1');
    const cursor = /cursor=([\w-]+)/.exec(headers.get('link')!)![1]!;
    const [list] = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const far = Buffer.from(JSON.stringify([list, 'Member f', 1])).toString('base64url');
    const plans = await plansOf(t, () => desk.client.get(`/users?cursor=${far}`));
    expect(plans[0]!.plan).toMatch(/Index (Only )?Scan using users_gym_id_full_name_idx/);
    expect(plans[0]!.plan).toContain('ROW(full_name, id) > ROW(');
    // What is sorted are the rows of the page, when what is shown of them has been joined.
    expect(plans[0]!.plan.split('Limit')[1]).not.toMatch(/Sort/);
  });

  it('signing in, refreshing and signing out read by index', async () => {
    const plans = await plansOf(t, async () => {
      const { client, refresh_token } = await t.make.signIn(desk);
      await t.anonymous.post('/auth/refresh', { refresh_token });
      await client.post('/auth/logout');
    });
    expect(sequentialScans(plans)).toEqual([]);
    expect(plans.length).toBeLessThanOrEqual(11);
  });

  it('the people of many conversations are found by index', async () => {
    const talks = await t.db.query<{ id: number; user1_id: number }>(everyGym`
      SELECT id, user1_id FROM conversations WHERE user1_id = (SELECT min(user1_id) FROM conversations)`);
    const actor = new Actor(talks[0]!.user1_id, 'user', null, 1);
    const ids = talks.map(({ id }) => id);
    let people = 0;
    const plans = await plansOf(t, async () => {
      people = (await t.app.get(ConversationsService).parties(actor, ids)).length;
      await t.app.get(ProfilesService).holderOf(1);
    });
    expect(people).toBe(2 * ids.length);
    expect(sequentialScans(plans)).toEqual([]);
  });

  it('signing in as old clients do reads by index, whatever name is given', async () => {
    const auth = t.app.get(AuthService);
    const client = { ip_address: '127.0.0.1', user_agent: null };
    const other = await t.make.signedIn('reception', 3);
    const plans = await plansOf(t, async () => {
      const named = { identifier: other.email, password: PASSWORD };
      const { refresh_token, actor } = await auth.openFixedSession(named, client);
      await auth.renewAccess(refresh_token, client);
      await auth.tokensOf(actor);
      await auth.actorOfPassword(named, client);
      const proof = t.app.get(PasswordProof).prove({ identifier: '+1 555 1000007', password: PASSWORD }, client);
      await expect(proof).rejects.toThrow();
      await auth.logoutAll(actor);
    });
    expect(sequentialScans(plans)).toEqual([]);
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
      await desk.client.put(`/users/${body.id}`, { full_name: 'Newer', email: 'newer@example.com' });
      const pass = { full_name: 'Newest', phone_number: '+1 555 0002', issue_temporary_password: true };
      const added = await desk.client.post('/members', pass, { 'idempotency-key': 'once' });
      expect(await desk.client.post(`/members/${added.body.id}/regenerate-qr`)).toHaveStatus(200);
      expect(await desk.client.post(`/members/${added.body.id}/reset-password`)).toHaveStatus(200);
      expect(await desk.client.post('/user-plans', { user_id: added.body.id, plan_id: 22 })).toHaveStatus(201);
      await admin.client.delete(`/users/${body.id}`);
    });
    expect(sequentialScans(plans)).toEqual([]);
  });

  it('what the desk does all day reads by index, in as few queries as its rules take', async () => {
    const active = (await desk.client.get(`/user-plans/user/${MEMBER}/active`)).body.id;
    const visitor = { user_id: MEMBER };
    const actions: [string, object | undefined, number][] = [
      ['/sales', { product_id: 22, quantity: 1 }, 1],
      ['/attendance', visitor, 1],
      [`/user-plans/${active}/deduct`, undefined, 3],
      // The last tells the screens what counts meanwhile.
      ['/user-plans', { ...visitor, plan_id: 22, start: 'after_current' }, 10],
    ];
    for (const [path, body, queries] of actions) {
      const plans = await plansOf(t, async () => expect(await desk.client.post(path, body)).toSucceed());
      expect([sequentialScans(plans), plans.length]).toEqualFor(path, [[], queries]);
    }
    const [{ id }] = (await desk.client.get(`/attendance/user/${MEMBER}`)).body;
    const leaving = await plansOf(t, () => desk.client.post(`/attendance/${id}/check-out`));
    expect([sequentialScans(leaving), leaving.length]).toEqual([[], 1]);
    const entry = { ...visitor, action: 'check_in_with_deduction' };
    const entering = await plansOf(t, () => desk.client.post('/attendance', entry, { 'idempotency-key': 'entry' }));
    // The member is locked, then the plan read that counts; the session, the visit; and two for the key.
    expect([sequentialScans(entering), entering.length]).toEqual([[], 5 + 2]);
  });

  it('the night job finds open visits by index', async () => {
    const plans = await plansOf(t, () => t.app.get(AttendanceService).closeForgotten());
    expect(plans.length).toBeGreaterThan(0);
    expect(sequentialScans(plans)).toEqual([]);
  });

  it('booking and cancelling an hour, and reading a board in it, read by index', async () => {
    const member = await t.make.signedIn('user', 3);
    await database.query('VACUUM ANALYZE users');
    const plans = await plansOf(t, async () => {
      for (const hour of [5, 6]) expect(await book(member.client, hour, { date: inDays(12) })).toHaveStatus(201);
      expect(await cancel(desk.client, 5, { date: inDays(12), user_id: member.id })).toHaveStatus(200);
      expect(await member.client.get('/devices/7/serial-output')).toHaveStatus(403);
    });
    expect(sequentialScans(plans)).toEqual([]);
    const about = plans.filter(({ sql }) => /slot_bookings|FOR NO KEY UPDATE|advisory/.test(sql));
    // The booking, twice. The cancellation. Who has the hour.
    expect(about).toHaveLength(2 + 1 + 1);
  });
});
