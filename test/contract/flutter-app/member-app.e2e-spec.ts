import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../../support/app.js';
import { ownDatabase } from '../../support/database.js';
import { PASSWORD, type Person, type PlanRow, type SignedIn, unique } from '../../support/factory.js';
import { plain } from '../../support/plain-http.js';

const NEW_PASSWORD = 'a password of my own';
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());

/** The member's app: each call with its whole answer. */
describe("the member's app of flutter-app", () => {
  let t: TestApp;
  let gym: { id: number; name: string };
  let desk: SignedIn;
  let member: Person;
  let token: string;
  let month: PlanRow;

  const client = (method: string, path: string, body?: unknown, as: string | undefined = token) =>
    plain(method, `${t.url}/api/client/${path}`, { token: as, body });
  const signIn = (phone: string, password = PASSWORD) =>
    plain('POST', `${t.url}/api/client/auth/login/`, { body: { phone, password } });

  beforeAll(async () => {
    t = await startApp({
      ...{ DATABASE_URL: await ownDatabase('flutter_member'), LEGACY_CLIENTS: 'flutter-app' },
      ACCESS_TOKEN_EXPIRE_MINUTES: '0',
    });
  });
  beforeEach(async () => {
    gym = await t.make.gym({ timezone: 'Pacific/Auckland' });
    desk = await t.make.signedIn('reception', gym.id);
    member = await t.make.person('user', gym.id, { full_name: 'Layla Rashad' });
    month = await t.make.plan(gym.id, { name: 'Month' });
    token = (await signIn(member.email)).body.data.access_token;
  });
  afterAll(() => t.close());

  describe('sign-in', () => {
    it('is by a phone in whatever form, or an email', async () => {
      const typed = `+20 10 ${String(Date.now()).slice(-8)}`;
      const person = await t.make.person('user', gym.id, { phone_number: typed, full_name: 'Mohamed Salem' });
      for (const phone of [typed, typed.replace(/\D/g, ''), person.email.toUpperCase()]) {
        const { status, body } = await signIn(phone);
        expect(status).toEqualFor(phone, 200);
        expect(body).toEqual({
          success: true,
          message: 'Login successful',
          data: {
            access_token: expect.any(String),
            refresh_token: expect.any(String),
            password_changed: true,
            customer: {
              id: person.id,
              full_name: 'Mohamed Salem',
              phone: typed,
              email: person.email,
              qr_code: await t.make.qrCode(person),
              branch_id: gym.id,
              branch_name: gym.name,
              has_active_subscription: false,
              preferred_language: 'en',
            },
          },
        });
      }
    });

    it('gives tokens that expire, whatever the settings say', async () => {
      const { data } = (await signIn(member.email)).body;
      const now = Date.now() / 1000;
      expect(claimsOf(data.access_token).exp - now).toBeGreaterThan(3500);
      expect(claimsOf(data.access_token).exp - now).toBeLessThanOrEqual(3600);
      expect(claimsOf(data.refresh_token).exp - now).toBeGreaterThan(2 * 86_400 - 60);
    });

    it('is refused for what is wrong, in the same words', async () => {
      const wrong = {
        status: 401,
        body: {
          ...{ success: false, error: 'Invalid credentials' },
          ...{ detail: 'Invalid credentials', message: 'Invalid credentials' },
        },
      };
      expect(await signIn(member.email, 'wrong')).toMatchObject(wrong);
      expect(await signIn('01000000000')).toMatchObject(wrong);
      expect(await signIn(desk.email)).toMatchObject(wrong);
      for (const body of [{}, undefined, { phone: member.email }, { password: PASSWORD }]) {
        const answer = await plain('POST', `${t.url}/api/client/auth/login`, { body });
        expect(answer).toMatchObject({ status: 400, body: { success: false } });
      }
    });

    it('is refreshed again and again with the first refresh token, until sign-out', async () => {
      const { data } = (await signIn(member.email)).body;
      const body = { refresh_token: data.refresh_token };
      for (let again = 0; again < 3; again++) {
        const answer = await client('POST', 'auth/refresh', body, undefined);
        expect(answer).toMatchObject({
          status: 200,
          body: { success: true, data: { access_token: expect.any(String) } },
        });
        expect(Object.keys(answer.body.data)).toEqual(['access_token']);
        expect((await client('GET', 'me', undefined, answer.body.data.access_token)).status).toBe(200);
      }
      expect((await client('POST', 'auth/refresh', { refresh_token: data.access_token }, undefined)).status).toBe(401);
      expect((await client('POST', 'auth/refresh', {}, undefined)).status).toBe(401);
      expect((await t.anonymous.post('/auth/refresh', body)).status).toBe(401);
      const out = await client('POST', 'auth/logout', {}, data.access_token);
      expect(out).toMatchObject({ status: 200, body: { success: true, data: null } });
      expect((await client('POST', 'auth/refresh', body, undefined)).status).toBe(401);
      expect((await client('GET', 'me', undefined, data.access_token)).status).toBe(401);
    });

    it('is one session for this app and the public API', async () => {
      const me = await t.anonymous.withToken(token).get('/auth/me');
      expect(me.body.id).toBe(member.id);
      const { access_token } = (await t.anonymous.post('/auth/login', { email: member.email, password: PASSWORD }))
        .body;
      expect((await client('GET', 'me', undefined, access_token)).status).toBe(200);
    });
  });

  it('shows oneself', async () => {
    const { status, body } = await client('GET', 'me');
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      message: 'Success',
      data: {
        id: member.id,
        full_name: 'Layla Rashad',
        phone: null,
        email: member.email,
        qr_code: await t.make.qrCode(member),
        branch_id: gym.id,
        branch_name: gym.name,
        has_active_subscription: false,
        preferred_language: 'en',
        active_subscription: null,
      },
    });
    expect((await client('GET', 'subscription')).body).toEqual({ success: true, message: 'Success', data: null });
  });

  it('shows a subscription by time with the days that are left', async () => {
    const { id } = await t.make.userPlan(member, month);
    await t.db.pool.query(
      `UPDATE user_plans SET starts_at = '2026-01-10T20:00:00Z', expires_at = moment() + interval '36 hours' WHERE id = $1`,
      [id],
    );
    const { data } = (await client('GET', 'subscription')).body;
    expect(data).toEqual({
      id,
      subscription_type: 'monthly',
      service_name: 'Month',
      start_date: '2026-01-11',
      end_date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      status: 'active',
      display_metric: 'time',
      display_value: 2,
      display_label: 'Days remaining',
    });
    const me = (await client('GET', 'me')).body.data;
    expect(me).toMatchObject({ has_active_subscription: true, active_subscription: data });
  });

  it('shows what is left of coins and sessions', async () => {
    const coins = await t.make.plan(gym.id, { kind: 'coins', session_count: 20 });
    const { id } = await t.make.userPlan(member, coins);
    const byCoins = (await client('GET', 'subscription')).body.data;
    expect(byCoins).toMatchObject({
      ...{ id, subscription_type: 'coins', remaining_coins: 20, end_date: null },
      ...{ display_metric: 'coins', display_value: 20, display_label: 'Coins remaining' },
    });
    expect(byCoins).not.toHaveProperty('remaining_sessions');
    const other = await t.make.signedIn('user', gym.id);
    await t.make.userPlan(other, await t.make.plan(gym.id, { session_count: 8 }));
    const bySessions = (await client('GET', 'subscription', undefined, other.access_token)).body.data;
    expect(bySessions).toMatchObject({
      ...{ subscription_type: 'sessions', remaining_sessions: 8 },
      ...{ display_metric: 'sessions', display_value: 8, display_label: 'Sessions remaining' },
    });
    expect(bySessions).not.toHaveProperty('remaining_coins');
  });

  it("lists the visits by the gym's clock, the newest first", async () => {
    const coins = await t.make.plan(gym.id, { name: 'Coins', kind: 'coins', session_count: 20 });
    await t.make.userPlan(member, coins);
    const early = await t.make.visit(member, '2025-06-14T20:05:06Z', '2025-06-14T21:00:00Z');
    await plain('POST', `${t.url}/api/attendance`, {
      token: desk.access_token,
      body: { customer_id: member.id, action: 'check_in_with_deduction' },
    });
    await t.make.visit(await t.make.person('user', gym.id));
    const { status, body } = await client('GET', 'entry-history');
    expect(status).toBe(200);
    expect(body).toMatchObject({ success: true, message: 'Success' });
    expect(body.data).toEqual([
      {
        id: expect.any(Number),
        date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
        time: expect.stringMatching(/^\d\d:\d\d:\d\d$/),
        branch: gym.name,
        service: 'Coins',
        coins_used: 1,
      },
      { id: early.id, date: '2025-06-15', time: '08:05:06', branch: gym.name, service: '', coins_used: 0 },
    ]);
  });

  it.each(['qr/refresh', 'refresh-qr'])('shows the current code at %s, which stays as it is', async (path) => {
    const { status, body } = await client('POST', path);
    expect(status).toBe(200);
    const code = await t.make.qrCode(member);
    expect(body).toEqual({
      success: true,
      status: 'success',
      data: { qr_code: code, expires_at: expect.stringMatching(/Z$/) },
    });
    const minutes = (new Date(body.data.expires_at).getTime() - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(58);
    expect(minutes).toBeLessThanOrEqual(60);
    expect((await client('POST', path)).body.data.qr_code).toBe(code);
  });

  it('works under a temporary password, which nothing else does, until it is changed', async () => {
    const phone = `010${String(Date.now()).slice(-8)}`;
    const created = await plain('POST', `${t.url}/api/customers/register`, {
      token: desk.access_token,
      body: { full_name: unique('New'), phone },
    });
    const { id, customer } = created.body.data;
    expect((await signIn(phone, customer.temp_password)).status).toBe(403);
    await desk.client.post('/user-plans', { user_id: id, plan_id: month.id });

    const signedIn = await signIn(phone, customer.temp_password);
    expect(signedIn.body.data).toMatchObject({
      password_changed: false,
      customer: { id, has_active_subscription: true },
    });
    const { access_token } = signedIn.body.data;
    for (const path of ['me', 'subscription', 'entry-history']) {
      expect((await client('GET', path, undefined, access_token)).status).toEqualFor(path, 200);
    }
    expect((await client('POST', 'refresh-qr', {}, access_token)).body.data.qr_code).toBe(customer.qr_code);
    expect((await t.anonymous.withToken(access_token).get('/slots/mine')).status).toBe(403);
    const wrong = { current_password: 'wrong', new_password: NEW_PASSWORD };
    expect((await client('POST', 'change-password', wrong, access_token)).status).toBe(400);
    const right = { current_password: customer.temp_password, new_password: NEW_PASSWORD };
    expect((await client('POST', 'change-password', { ...right, new_password: 'short' }, access_token)).status).toBe(
      400,
    );

    const changed = await client('POST', 'change-password', right, access_token);
    expect(changed).toMatchObject({ status: 200, body: { success: true } });
    expect(Object.keys(changed.body.data)).toEqual(['access_token']);
    expect(claimsOf(changed.body.data.access_token).sid).toBe(claimsOf(access_token).sid);
    expect((await client('GET', 'me', undefined, access_token)).status).toBe(200);
    expect((await t.anonymous.withToken(changed.body.data.access_token).get('/slots/mine')).status).toBe(200);
    expect((await signIn(phone, NEW_PASSWORD)).body.data.password_changed).toBe(true);
    const shown = await plain('GET', `${t.url}/api/customers/${id}`, { token: desk.access_token });
    expect(shown.body.data).toMatchObject({ temp_password: null, password_changed: true });
  });

  it('is not for staff, nor for what it does not have', async () => {
    expect((await client('GET', 'me', undefined, desk.access_token)).status).toBe(403);
    for (const path of ['payments', 'complaints', 'classes']) {
      const { status, body } = await client('GET', path);
      expect({ status, body }).toMatchObject({ status: 404, body: { success: false, message: 'Not found' } });
    }
  });
});
