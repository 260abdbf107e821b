import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../../support/app.js';
import { ownDatabase } from '../../support/database.js';
import { PASSWORD, type Person, type PlanRow, type SignedIn, unique } from '../../support/factory.js';
import { plain } from '../../support/plain-http.js';
import { SocketClient } from '../../support/socket-client.js';

const NOT_THERE = (text: string) => ({ success: false, error: text, detail: text, message: text });

/** The staff app: each call with its whole answer. */
describe('the staff app of flutter-app', () => {
  let t: TestApp;
  let gym: { id: number; name: string };
  let other: { id: number; name: string };
  let desk: SignedIn;
  let manager: SignedIn;
  let trainer: SignedIn;
  let accountant: SignedIn;
  let admin: SignedIn;
  let sessions: PlanRow;
  let month: PlanRow;
  let coins: PlanRow;

  const ask = (who: { access_token: string }, method: string, path: string, body?: unknown) =>
    plain(method, `${t.url}/api/${path}`, { token: who.access_token, body });
  const get = (path: string, who = desk) => ask(who, 'GET', path);
  const post = (path: string, body?: unknown, who = desk) => ask(who, 'POST', path, body);
  const subscribed = async (plan: PlanRow, fields = {}) => {
    const member = await t.make.person('user', plan.gym_id, fields);
    return { member, subscription: await t.make.userPlan(member, plan) };
  };

  beforeAll(async () => {
    t = await startApp({ DATABASE_URL: await ownDatabase('flutter_staff'), LEGACY_CLIENTS: 'flutter-app' });
    other = await t.make.gym();
    admin = await t.make.signedIn('admin', other.id);
  });
  beforeEach(async () => {
    gym = await t.make.gym();
    [desk, manager, trainer, accountant] = (await Promise.all(
      (['reception', 'manager', 'trainer', 'accountant'] as const).map((role) => t.make.signedIn(role, gym.id)),
    )) as [SignedIn, SignedIn, SignedIn, SignedIn];
    sessions = await t.make.plan(gym.id, { name: 'Ten visits', session_count: 10, price: 120.5 });
    month = await t.make.plan(gym.id, { name: 'Month', price: 30 });
    coins = await t.make.plan(gym.id, { name: 'Coins', kind: 'coins', session_count: 2, duration_days: 60 });
  });
  afterEach(() => SocketClient.closeAll());
  afterAll(() => t.close());

  describe('customers', () => {
    it('are listed, the newest first, with what hangs on their pass', async () => {
      const first = await t.make.person('user', gym.id, { full_name: 'Mona Adel', phone_number: '010 7782 7638' });
      const { member } = await subscribed(month);
      const { status, body } = await get('customers');
      expect(status).toBe(200);
      expect(body).toEqual({
        success: true,
        message: 'Success',
        data: {
          items: [
            expect.objectContaining({ id: member.id, has_active_subscription: true }),
            {
              id: first.id,
              full_name: 'Mona Adel',
              phone: '010 7782 7638',
              email: first.email,
              temp_password: null,
              password_changed: true,
              qr_code: await t.make.qrCode(first),
              branch_id: gym.id,
              has_active_subscription: false,
              created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
            },
          ],
          pagination: { total: 2, pages: 1, current_page: 1, per_page: 10_000 },
        },
      });
    });

    it('come as many as are asked for: per_page, else limit, else all; a bad number is as good as none', async () => {
      for (let count = 0; count < 5; count++) await t.make.person('user', gym.id);
      const read = async (query: string) => {
        const { status, body } = await get(`customers${query}`);
        expect(status).toEqualFor(query, 200);
        return [body.data.items.length, ...Object.values(body.data.pagination)];
      };
      expect(await read('')).toEqual([5, 5, 1, 1, 10_000]);
      expect(await read('?per_page=2')).toEqual([2, 5, 3, 1, 2]);
      expect(await read('?limit=2&page=3')).toEqual([1, 5, 3, 3, 2]);
      expect(await read('?per_page=2&limit=1000&page=2')).toEqual([2, 5, 3, 2, 2]);
      expect(await read('?limit=1000')).toEqual([5, 5, 1, 1, 1000]);
      expect(await read('?per_page=99999')).toEqual([5, 5, 1, 1, 10_000]);
      expect(await read('?page=9&per_page=2')).toEqual([0, 5, 3, 9, 2]);
      for (const bad of ['abc', '0', '-1', '1.5', '']) {
        expect(await read(`?page=${bad}&per_page=${bad}&limit=${bad}`)).toEqualFor(bad, [5, 5, 1, 1, 10_000]);
      }
    });

    it('are 10,000 at most', async () => {
      await t.db.pool.query(
        `INSERT INTO users (email, full_name, role, gym_id)
         SELECT 'many' || $1 || '-' || n || '@example.com', 'Many ' || n, 'user', $1::int
         FROM generate_series(1, 10010) n`,
        [gym.id],
      );
      const { body } = await get('customers');
      expect(body.data.pagination).toEqual({ total: 10_010, pages: 2, current_page: 1, per_page: 10_000 });
      expect(new Set(body.data.items.map(({ id }: Person) => id)).size).toBe(10_000);
      expect((await get('customers?page=2')).body.data.items).toHaveLength(10);
    });

    it('are found by name, phone, email, document and code', async () => {
      const found = await t.make.person('user', gym.id, { full_name: 'Nour El Din', phone_number: '01099 887 766' });
      await t.make.person('user', gym.id);
      for (const search of ['nour', '01099887766', found.email, found.document_id, await t.make.qrCode(found)]) {
        const { body } = await get(`customers?search=${encodeURIComponent(search)}`);
        expect(body.data.items.map(({ id }: Person) => id)).toEqualFor(search, [found.id]);
      }
    });

    it('show a temporary password until it is changed, to those who hand it out', async () => {
      const created = await post('customers/register', { full_name: 'Laila', phone: '01022981052' });
      const { id } = created.body.data;
      const of = async (who: SignedIn) => (await get(`customers/${id}`, who)).body.data;
      expect(await of(desk)).toMatchObject({
        temp_password: expect.stringMatching(/^[A-Z]{2}\d\d[A-Z]{2}$/),
        password_changed: false,
      });
      expect(await of(trainer)).toMatchObject({ temp_password: null, password_changed: false });
      expect(await of(accountant)).toMatchObject({ temp_password: null });
    });

    it('are one by one under their id', async () => {
      const member = await t.make.person('user', gym.id);
      const { status, body } = await get(`customers/${member.id}/`);
      expect(status).toBe(200);
      expect(body).toEqual({ success: true, message: 'Success', data: expect.objectContaining({ id: member.id }) });
    });

    it('are not there under another id', async () => {
      const foreign = await t.make.person('user', other.id);
      for (const id of [foreign.id, desk.id, 2_000_000_000, '99999999999', 'abc', '1.5', '-1', '0']) {
        const { status, body } = await get(`customers/${id}`);
        expect({ status, body }).toEqualFor(id, { status: 404, body: NOT_THERE('Customer not found') });
      }
    });

    it('get another code', async () => {
      const member = await t.make.person('user', gym.id);
      const before = await t.make.qrCode(member);
      const { status, body } = await post(`customers/${member.id}/regenerate-qr`);
      const code = await t.make.qrCode(member);
      expect(status).toBe(200);
      expect(body).toEqual({
        success: true,
        message: 'QR code regenerated',
        qr_code: code,
        data: { qr_code: code },
      });
      expect(code).not.toBe(before);
    });

    it('get one also with a JSON type and nothing behind it, and a slash at the end', async () => {
      const member = await t.make.person('user', gym.id);
      const answer = await plain('POST', `${t.url}/api/customers/${member.id}/regenerate-qr/`, {
        token: desk.access_token,
        headers: { 'content-type': 'application/json' },
      });
      expect(answer.status).toBe(200);
    });
  });

  describe('the branch', () => {
    it('is one’s own; another is refused', async () => {
      await t.make.person('user', other.id);
      for (const path of ['customers', 'subscriptions', 'customers/search', 'dashboards/overview', 'users']) {
        const own = await get(`${path}?branch_id=${gym.id}&q=a&role=trainer`);
        expect(own.status).toEqualFor(path, 200);
        const foreign = await get(`${path}?branch_id=${other.id}&q=a&role=trainer`);
        expect(foreign.status).toEqualFor(path, 403);
        expect(foreign.body).toMatchObject({ success: false, error: expect.any(String) });
      }
    });

    it('of an admin is each, or the one that is asked for', async () => {
      const here = await t.make.person('user', gym.id);
      const there = await t.make.person('user', other.id);
      const ids = async (query: string) =>
        (await get(`customers?${query}`, admin)).body.data.items.map(({ id }: Person) => id);
      expect(await ids('')).toEqual(expect.arrayContaining([here.id, there.id]));
      expect(await ids(`branch_id=${gym.id}`)).toEqual([here.id]);
      for (const none of ['', 'null']) {
        expect(await ids(`branch_id=${none}`)).toEqual(expect.arrayContaining([here.id, there.id]));
      }
    });
  });

  describe('subscriptions', () => {
    it('are listed as they were sold', async () => {
      const { member, subscription } = await subscribed(sessions, { full_name: 'Omar' });
      const { status, body } = await get('subscriptions');
      const today = new Date().toISOString().slice(0, 10);
      expect(status).toBe(200);
      expect(body.data).toEqual({
        items: [
          {
            id: subscription.id,
            customer_id: member.id,
            customer_name: 'Omar',
            service_id: sessions.id,
            service_name: 'Ten visits',
            branch_id: gym.id,
            status: 'active',
            amount: 120.5,
            remaining_sessions: 10,
            subscription_type: 'sessions',
            type: 'sessions',
            start_date: today,
            end_date: null,
          },
        ],
        pagination: { total: 1, pages: 1, current_page: 1, per_page: 10_000 },
      });
    });

    it('have the days of the branch’s clock and the types that the app knows', async () => {
      const auckland = await t.make.gym({ timezone: 'Pacific/Auckland' });
      const there = await t.make.signedIn('reception', auckland.id);
      const bought = await subscribed(await t.make.plan(auckland.id));
      await t.db.pool.query(
        `UPDATE user_plans SET starts_at = '2026-01-10T20:00:00Z', expires_at = '2126-02-09T20:00:00Z' WHERE id = $1`,
        [bought.subscription.id],
      );
      await subscribed(await t.make.plan(auckland.id, { kind: 'coins', session_count: 5 }));
      const [byCoins, byTime] = (await get('subscriptions', there)).body.data.items;
      expect(byTime).toMatchObject({
        ...{ start_date: '2026-01-11', end_date: '2126-02-10', remaining_sessions: null },
        ...{ subscription_type: 'monthly', type: 'time' },
      });
      expect(byCoins).toMatchObject({ subscription_type: 'coins', type: 'coins', remaining_sessions: 5 });
    });

    it('are filtered by customer and by status in any letters', async () => {
      const { member, subscription } = await subscribed(month);
      const { subscription: stopped } = await subscribed(month);
      await manager.client.post(`/user-plans/${stopped.id}/cancel`, {});
      const ids = async (query: string) =>
        (await get(`subscriptions?${query}`)).body.data.items.map(({ id }: { id: number }) => id);
      expect(await ids(`customer_id=${member.id}`)).toEqual([subscription.id]);
      expect(await ids('status=ACTIVE')).toEqual([subscription.id]);
      expect(await ids('status=Stopped&limit=1000')).toEqual([stopped.id]);
      expect(await ids('status=')).toEqual([stopped.id, subscription.id]);
      for (const status of ['scheduled', 'frozen', 'expired']) expect(await ids(`status=${status}`)).toEqual([]);
      for (const none of [2_000_000_000, 'abc', '99999999999']) expect(await ids(`customer_id=${none}`)).toEqual([]);
      expect((await get('subscriptions?status=cancelled')).status).toBe(400);
      expect((await get('subscriptions?status=all')).body).toMatchObject({ success: false });
    });

    it.each(['deduct', 'deduct-session', 'use-coins'])('lose one by %s, until none is left', async (end) => {
      const { member, subscription } = await subscribed(coins);
      const path = `subscriptions/${subscription.id}/${end}`;
      expect(await post(path, { customer_id: member.id, amount: 1 })).toMatchObject({
        status: 200,
        body: {
          success: true,
          message: 'Session deducted successfully',
          data: { remaining_sessions: 1, status: 'active' },
        },
      });
      expect((await post(path)).body.data).toEqual({ remaining_sessions: 0, status: 'expired' });
      const none = { status: 400, body: NOT_THERE('No sessions remaining') };
      expect(await post(path, {})).toMatchObject(none);
      const byTime = await subscribed(month);
      expect(await post(`subscriptions/${byTime.subscription.id}/${end}`)).toMatchObject(none);
    });

    it('lose nothing by what is wrong', async () => {
      const { member, subscription } = await subscribed(sessions);
      const foreign = await subscribed(await t.make.plan(other.id, { session_count: 3 }));
      const path = `subscriptions/${subscription.id}/deduct`;
      for (const amount of [2, 0, -1, 1.5, 'all']) {
        expect((await post(path, { amount })).status).toEqualFor(amount, 400);
      }
      const missing = { status: 404, body: NOT_THERE('Subscription not found') };
      for (const id of [member.id + 1, foreign.member.id, 'abc', 99_999_999_999]) {
        expect(await post(path, { customer_id: id })).toMatchObject(missing);
      }
      for (const id of [foreign.subscription.id, 2_000_000_000, 'abc', '99999999999']) {
        expect(await post(`subscriptions/${id}/deduct`, {})).toMatchObject(missing);
      }
      const [left] = (await get(`subscriptions?customer_id=${member.id}`)).body.data.items;
      expect(left.remaining_sessions).toBe(10);
      expect((await post(path, { amount: '1', customer_id: String(member.id) })).body.data.remaining_sessions).toBe(9);
    });

    it('lose one, however often the same is sent with one Idempotency-Key', async () => {
      const { subscription } = await subscribed(sessions);
      for (let again = 0; again < 3; again++) {
        const { body } = await plain('POST', `${t.url}/api/subscriptions/${subscription.id}/deduct`, {
          token: desk.access_token,
          body: {},
          headers: { 'idempotency-key': `deduct-${subscription.id}` },
        });
        expect(body.data.remaining_sessions).toBe(9);
      }
    });

    it('are sold once, with the same answer each time, with one Idempotency-Key', async () => {
      const member = await t.make.person('user', gym.id);
      const sell = async (path: string, body: object) => {
        const headers = { 'idempotency-key': `${path}-${member.id}` };
        const once = () =>
          plain('POST', `${t.url}/api/subscriptions/${path}`, { token: desk.access_token, body, headers });
        const first = await once();
        expect(first.status).toBeLessThan(300);
        expect(await once()).toMatchObject({ status: first.status, body: first.body });
        return first.body.data;
      };
      const empty = { amount: '', coins: '', sessions: '' };
      const { id } = await sell('activate', { customer_id: member.id, service_id: sessions.id, ...empty });
      await sell('renew', { subscription_id: id, amount: '' });
    });

    it('lose one for each of many at once, and no more', async () => {
      const { subscription } = await subscribed(await t.make.plan(gym.id, { session_count: 3 }));
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => post(`subscriptions/${subscription.id}/deduct`)),
      );
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
        ...Array<number>(3).fill(200),
        ...Array<number>(7).fill(400),
      ]);
    });
  });

  describe('attendance', () => {
    it('is recorded by the id, whatever code stands beside it', async () => {
      const { member } = await subscribed(sessions, { full_name: 'Salma Adel' });
      const watcher = await SocketClient.connect(t.url, '/checkins', { token: desk.access_token });
      const { status, body } = await post('attendance', {
        ...{ customer_id: member.id, qr_code: `customer_id:${member.id}`, action: 'check_in_only' },
        ...{ branch_id: gym.id, check_in_time: '2024-01-01T08:00:00.000' },
      });
      expect(status).toBe(200);
      expect(body).toEqual({
        success: true,
        message: 'Check-in recorded successfully',
        data: {
          attendance_id: expect.any(Number),
          customer_name: 'Salma Adel',
          check_in_time: expect.stringMatching(/Z$/),
          remaining_sessions: 10,
        },
      });
      expect(Date.now() - new Date(body.data.check_in_time).getTime()).toBeLessThan(60_000);
      // Others of the gym see it at once, whatever they use.
      expect(await watcher.next('member_checked_in')).toMatchObject({
        id: body.data.attendance_id,
        member: { id: member.id },
      });
      // And the other way round.
      const { member: next } = await subscribed(sessions);
      expect((await watcher.ask('check_in', { member_id: next.id })).code).toBeUndefined();
      expect((await post('attendance', { customer_id: next.id })).status).toBe(409);
    });

    it('by the code needs the current one', async () => {
      const member = await t.make.person('user', gym.id);
      const old = await t.make.qrCode(member);
      await post(`customers/${member.id}/regenerate-qr`);
      for (const code of [old, `customer_id:${member.id}`, String(member.id), 'nonsense']) {
        expect(await post('attendance', { qr_code: code })).toMatchObject({
          status: 404,
          body: NOT_THERE('Customer not found'),
        });
      }
      expect(await post('attendance', { qr_code: await t.make.qrCode(member) })).toMatchObject({
        status: 200,
        body: { data: { remaining_sessions: null } },
      });
    });

    it('with deduction takes one', async () => {
      const { member, subscription } = await subscribed(coins);
      const body = { customer_id: member.id, action: 'check_in_with_deduction' };
      const once = () =>
        plain('POST', `${t.url}/api/attendance`, {
          ...{ token: desk.access_token, body, headers: { 'idempotency-key': `visit-${member.id}` } },
        });
      expect((await once()).body.data.remaining_sessions).toBe(1);
      await post(`subscriptions/${subscription.id}/deduct`);
      expect((await once()).body.data.remaining_sessions).toBe(1);
      const [visit] = (await desk.client.get(`/attendance/user/${member.id}`)).body;
      expect(visit.user_plan_id).toBe(subscription.id);
    });

    it('with deduction takes none when the app has deducted by itself', async () => {
      const { member, subscription } = await subscribed(coins);
      await post(`subscriptions/${subscription.id}/use-coins`, { customer_id: member.id, amount: 1 });
      const used = await post(`subscriptions/${subscription.id}/use-coins`, { customer_id: member.id, amount: 1 });
      expect(used.body.data).toEqual({ remaining_sessions: 0, status: 'expired' });
      const answer = await post('attendance', {
        ...{ customer_id: member.id, action: 'check_in_with_deduction', subscription_id: subscription.id },
      });
      expect(answer).toMatchObject({ status: 200, body: { data: { remaining_sessions: 0 } } });
      const [visit] = (await desk.client.get(`/attendance/user/${member.id}`)).body;
      expect(visit.user_plan_id).toBe(subscription.id);
    });

    it('with deduction needs something to take', async () => {
      const bare = await t.make.person('user', gym.id);
      const body = { customer_id: bare.id, action: 'check_in_with_deduction' };
      expect((await post('attendance', body)).status).toBe(400);
      const { member, subscription } = await subscribed(await t.make.plan(gym.id, { session_count: 1 }));
      await post(`subscriptions/${subscription.id}/deduct`);
      expect(await post('attendance', { ...body, customer_id: member.id })).toMatchObject({
        status: 400,
        body: NOT_THERE('No sessions remaining'),
      });
      const byTime = await subscribed(month);
      expect((await post('attendance', { ...body, customer_id: byTime.member.id })).body.data).toMatchObject({
        remaining_sessions: null,
      });
    });

    it('is refused to one who is inside, and deducts nothing', async () => {
      const { member, subscription } = await subscribed(sessions, { full_name: 'Hana' });
      const body = { customer_id: member.id, action: 'check_in_with_deduction' };
      expect((await post('attendance', body)).status).toBe(200);
      const { status, body: again } = await post('attendance', body);
      expect(status).toBe(409);
      expect(again).toMatchObject({ success: false, message: expect.stringContaining('already') });
      const [left] = (await get(`subscriptions?customer_id=${member.id}`)).body.data.items;
      expect(left).toMatchObject({ id: subscription.id, remaining_sessions: 9 });
      // Also if their plan is used up by now.
      await manager.client.put(`/user-plans/${subscription.id}`, { remaining_sessions: 0 });
      expect(await post('attendance', body)).toMatchObject({ status: 409, body: { success: false } });
    });

    it('is refused for what is wrong', async () => {
      const { member } = await subscribed(sessions);
      const foreign = await subscribed(await t.make.plan(other.id, { session_count: 3 }));
      const customerNotFound = { status: 404, body: NOT_THERE('Customer not found') };
      for (const id of [foreign.member.id, desk.id, 2_000_000_000, 'abc', 99_999_999_999]) {
        expect(await post('attendance', { customer_id: id })).toMatchObject(customerNotFound);
      }
      for (const id of [foreign.subscription.id, 2_000_000_000, 'abc']) {
        expect(await post('attendance', { customer_id: member.id, subscription_id: id })).toMatchObject({
          status: 404,
          body: NOT_THERE('Subscription not found'),
        });
      }
      expect((await post('attendance', {})).status).toBe(400);
      expect((await post('attendance', { customer_id: '', qr_code: '' })).status).toBe(400);
      expect((await post('attendance', { customer_id: member.id, action: 'leave' })).status).toBe(400);
      expect((await post('attendance', { customer_id: member.id, branch_id: other.id })).status).toBe(403);
      const elsewhere = { customer_id: member.id, branch_id: other.id };
      expect(await post('attendance', elsewhere, admin)).toMatchObject(customerNotFound);
      expect((await post('attendance', '{', desk)).status).toBe(415);
    });
  });

  describe('branches', () => {
    it('are those one works in', async () => {
      await t.make.person('user', gym.id);
      const { status, body } = await get('branches');
      expect(status).toBe(200);
      expect(body).toEqual({
        success: true,
        message: 'Success',
        data: {
          items: [
            {
              ...{ id: gym.id, name: gym.name, location: null, address: null, phone: null, is_active: true },
              ...{ staff_count: 4, customer_count: 1 },
            },
          ],
        },
      });
      expect((await get('branches', admin)).body.data.items.length).toBeGreaterThan(1);
    });

    it('are compared, with what came in within the days', async () => {
      await subscribed(month);
      const sale = await t.make.product(gym.id, { price: 2.5 });
      await t.make.sale(sale, desk, '2025-06-15T12:00:00Z');
      const rows = async (query: string, who = manager) =>
        (await get(`reports/branch-comparison${query}`, who)).body.data;
      expect(await rows('')).toEqual([
        {
          ...{ id: gym.id, name: gym.name, location: null, address: null, phone: null, is_active: true },
          ...{ staff_count: 4, customer_count: 1, branch_id: gym.id, branch_name: gym.name },
          ...{ customers: 1, active_subscriptions: 1, revenue: 32.5 },
        },
      ]);
      expect(await rows('?start_date=2025-06-15&end_date=2025-06-15')).toMatchObject([{ revenue: 2.5 }]);
      expect(await rows('?start_date=2025-06-16T00:00:00.000&end_date=2025-06-17T00:00:00.000')).toMatchObject([
        { revenue: 0 },
      ]);
      expect(await rows('', desk)).toMatchObject([{ branch_id: gym.id, revenue: null }]);
      expect((await get('reports/branch-comparison?start_date=soon', manager)).status).toBe(400);
      const all = await rows('', admin);
      expect(all.map(({ branch_id }: { branch_id: number }) => branch_id)).toEqual(
        expect.arrayContaining([gym.id, other.id]),
      );
    });

    it('are one overview', async () => {
      await subscribed(month);
      await subscribed(sessions);
      const figures = { active_subscriptions: 2, total_customers: 2, total_branches: 1 };
      const data = async (who: SignedIn, query = '') => (await get(`dashboards/overview${query}`, who)).body.data;
      expect(await data(manager)).toEqual({ total_revenue: 150.5, ...figures });
      expect(await data(accountant)).toEqual({ total_revenue: 150.5, ...figures });
      expect(await data(desk)).toEqual({ total_revenue: null, ...figures });
      expect(await data(admin, `?branch_id=${gym.id}`)).toEqual({ total_revenue: 150.5, ...figures });
      expect((await data(admin)).total_branches).toBeGreaterThan(1);
      expect(await get('dashboards/overview?branch_id=2000000000', admin)).toMatchObject({
        status: 404,
        body: NOT_THERE('Branch not found'),
      });
    });
  });

  describe('people', () => {
    it('are the staff without admins, for managers', async () => {
      await t.make.person('admin', gym.id);
      await t.make.person('user', gym.id);
      const { status, body } = await get('staff', manager);
      expect(status).toBe(200);
      expect(body.data.items).toHaveLength(4);
      expect(body.data.items).toContainEqual({
        id: trainer.id,
        username: trainer.email,
        full_name: expect.stringMatching(/^Test trainer/),
        name: expect.stringMatching(/^Test trainer/),
        role: 'trainer',
        branch_id: gym.id,
        is_active: true,
      });
      const byAdmin = await get(`staff?branch_id=${gym.id}`, admin);
      expect(byAdmin.body.data.items).toEqual(body.data.items);
    });

    it.each(['users', 'users/employees', 'users/staff'])('are a bare list at %s', async (path) => {
      const ids = async (query: string, who: SignedIn) => {
        const { body } = await get(path + query, who);
        return body.data.map(({ id }: Person) => id);
      };
      const sorted = (...people: Person[]) => people.map(({ id }) => id).toSorted((a, b) => a - b);
      expect((await ids('', manager)).toSorted((a: number, b: number) => a - b)).toEqual(
        sorted(desk, manager, trainer, accountant),
      );
      expect(await ids('?role=reception', manager)).toEqual([desk.id]);
      expect(await ids('?role=chef', manager)).toEqual([]);
      for (const who of [desk, trainer, accountant]) {
        expect(await ids('?role=trainer', who)).toEqual([trainer.id]);
        expect((await get(path, who)).status).toBe(403);
        expect((await get(`${path}?role=reception`, who)).status).toBe(403);
      }
    });
  });

  it('tells of what it does not have as not found, and signs no one out', async () => {
    for (const [method, path] of [
      ['GET', 'complaints'],
      ['POST', 'payments'],
      ['GET', 'notifications/unread'],
      ['PUT', 'customers/1/photo'],
      ['GET', 'attendance'],
    ] as const) {
      for (const token of [desk.access_token, undefined]) {
        const { status, body } = await plain(method, `${t.url}/api/${path}`, { token });
        expect({ status, body }).toEqualFor(path, { status: 404, body: NOT_THERE('Not found') });
      }
    }
    expect((await plain('GET', `${t.url}/api/customers`)).status).toBe(401);
    expect((await get('customers', { ...desk, access_token: 'dead' })).status).toBe(401);
  });

  it('is refused to members', async () => {
    const member = await t.make.signedIn('user', gym.id);
    for (const path of ['customers', 'subscriptions', 'branches', 'services', `customers/${member.id}`]) {
      expect((await get(path, member)).status).toEqualFor(path, 403);
    }
  });

  it('is there for a day at the desk', async () => {
    const signIn = await plain('POST', `${t.url}/api/auth/login`, {
      body: { username: desk.email, password: PASSWORD },
    });
    const { access_token, user } = signIn.body.data;
    expect(user).toMatchObject({ id: desk.id, role: 'reception', branch_id: gym.id });
    desk = { ...desk, access_token };
    const service = (await get('services')).body.data[0];
    const { id } = (await post('customers/register', { full_name: unique('Day'), phone: '01099 111 222' })).body.data;
    expect((await get(`customers/${id}`)).body.data.has_active_subscription).toBe(false);
    const sold = await post('subscriptions/activate', { customer_id: id, service_id: service.id, amount: 25 });
    expect(sold.body.data).toMatchObject({ customer_id: id, amount: 25, status: 'active' });
    const found = (await get(`customers?search=${encodeURIComponent('01099111222')}`)).body.data.items[0];
    expect(found).toMatchObject({ id, has_active_subscription: true });
    const scanned = found.qr_code.split('-').at(-1).replace(/\D/g, '');
    expect((await get(`customers/${scanned}`)).body.data.id).toBe(id);
    expect((await post('attendance', { customer_id: id, action: 'check_in_only' })).status).toBe(200);
    const [visit] = (await desk.client.get(`/attendance/user/${id}`)).body;
    expect(visit.status).toBe('checked_in');
    const overview = (await get('dashboards/overview', manager)).body.data;
    expect(overview).toMatchObject({ total_revenue: 25, active_subscriptions: 1, total_customers: 1 });
    expect((await post('auth/logout')).status).toBe(205);
    expect((await get('customers')).status).toBe(401);
  });
});
