import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../../support/app.js';
import { ownDatabase } from '../../support/database.js';
import { type PlanRow, type SignedIn, unique } from '../../support/factory.js';
import { daysLater, localDate, startOf } from '../../support/local-days.js';
import { plain } from '../../support/plain-http.js';

const NOT_THERE = (text: string) => ({ success: false, error: text, detail: text, message: text });
const DAY_MS = 86_400_000;

/** What later versions of the staff app ask for. */
describe('later versions of flutter-app', () => {
  let t: TestApp;
  let gym: { id: number; name: string };
  let otherPlan: PlanRow;
  let desk: SignedIn;
  let manager: SignedIn;
  let trainer: SignedIn;
  let admin: SignedIn;
  let month: PlanRow;
  let coins: PlanRow;
  let sessions: PlanRow;

  const ask = (who: SignedIn, method: string, path: string, body?: unknown) =>
    plain(method, `${t.url}/api/${path}`, { token: who.access_token, body });
  const get = (path: string, who = desk) => ask(who, 'GET', path);
  const post = (path: string, body?: unknown, who = desk) => ask(who, 'POST', path, body);
  const newMember = (fields = {}) => t.make.person('user', gym.id, fields);
  const activate = (fields: object, who = desk) => post('subscriptions/activate', fields, who);

  beforeAll(async () => {
    t = await startApp({ DATABASE_URL: await ownDatabase('flutter_later'), LEGACY_CLIENTS: 'flutter-app' });
    const other = await t.make.gym();
    admin = await t.make.signedIn('admin', other.id);
    otherPlan = await t.make.plan(other.id);
  });
  beforeEach(async () => {
    gym = await t.make.gym();
    desk = await t.make.signedIn('reception', gym.id);
    manager = await t.make.signedIn('manager', gym.id);
    trainer = await t.make.signedIn('trainer', gym.id);
    sessions = await t.make.plan(gym.id, { name: 'Training', session_count: 8, price: 80 });
    coins = await t.make.plan(gym.id, { name: 'Coins', kind: 'coins', session_count: 20, price: 55 });
    month = await t.make.plan(gym.id, { name: 'Month', price: 30 });
  });
  afterAll(() => t.close());

  it('list what is sold, by time first', async () => {
    await t.make.plan(gym.id, { is_active: false });
    const { status, body } = await get('services');
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      message: 'Success',
      data: [
        {
          ...{ id: month.id, name: 'Month', description: '', price: 30, duration_days: 30 },
          ...{ service_type: 'gym', is_active: true },
        },
        expect.objectContaining({ id: coins.id, duration_days: null, service_type: 'gym' }),
        expect.objectContaining({ id: sessions.id, service_type: 'personal_training' }),
      ],
    });
  });

  it('find customers, the best match first', async () => {
    const second = await newMember({ full_name: 'Ahmed Karim Mostafa' });
    const first = await newMember({ full_name: 'Karim Adel', phone_number: '0109 555 1234' });
    const ids = async (query: string) => {
      const { status, body } = await get(`customers/search?${query}`);
      expect(status).toEqualFor(query, 200);
      return body.data.items.map(({ id }: { id: number }) => id);
    };
    expect(await ids('q=karim')).toEqual([first.id, second.id]);
    expect(await ids('q=karim&limit=1')).toEqual([first.id]);
    expect(await ids('q=01095551234')).toEqual([first.id]);
    expect(await ids(`q=${await t.make.qrCode(second)}`)).toEqual([second.id]);
    expect(await ids('q=')).toEqual([]);
    expect(await ids('')).toEqual([]);
    expect((await get('customers/search?q=karim')).body.data.items[0]).toMatchObject({
      full_name: 'Karim Adel',
      phone: '0109 555 1234',
      branch_id: gym.id,
    });
  });

  it('register a customer who is inactive until the first subscription', async () => {
    const email = `${unique('nour')}@example.com`;
    const { status, body } = await post('customers/register', {
      ...{ full_name: 'Nour Hany', phone: '01077827638', email, branch_id: gym.id, gender: 'female' },
    });
    expect(status).toBe(201);
    expect(body).toEqual({
      success: true,
      message: 'Customer registered successfully',
      data: {
        id: expect.any(Number),
        customer: expect.objectContaining({
          ...{ full_name: 'Nour Hany', phone: '01077827638', email, branch_id: gym.id },
          ...{ has_active_subscription: false, password_changed: false },
          temp_password: expect.stringMatching(/^[A-Z]{2}\d\d[A-Z]{2}$/),
        }),
      },
    });
    const { id } = body.data;
    expect((await desk.client.get(`/users/${id}`)).body.is_active).toBe(false);
    expect((await activate({ customer_id: id, service_id: month.id })).status).toBe(201);
    expect((await desk.client.get(`/users/${id}`)).body.is_active).toBe(true);

    const again = await post('customers/register', { full_name: 'Nour Hany', phone: '01077827638', email });
    expect(again).toMatchObject({ status: 409, body: { success: false } });
    expect((await post('customers/register', { full_name: 'Nour Hany' })).status).toBe(400);
    expect((await post('customers/register', { full_name: 'Nour', phone: 'none' })).status).toBe(400);
    const badEmail = { full_name: 'Nour', phone: '0107', email: 'nour' };
    expect((await post('customers/register', badEmail)).status).toBe(400);
    const empty = { email: '', document_id: '' };
    expect((await post('customers/register', { ...badEmail, ...empty })).status).toBe(201);
    const byTrainer = await post('customers/register', { full_name: 'Rana', phone: '0109' }, trainer);
    expect(byTrainer).toMatchObject({ status: 201, body: { data: { customer: { temp_password: null } } } });
  });

  it('give another temporary password', async () => {
    const member = await newMember();
    const { status, body } = await post(`customers/${member.id}/reset-password`);
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      message: 'Password reset successfully',
      data: { temporary_password: expect.stringMatching(/^[A-Z]{2}\d\d[A-Z]{2}$/) },
    });
    expect((await get(`customers/${member.id}`)).body.data).toMatchObject({
      temp_password: body.data.temporary_password,
      password_changed: false,
    });
    expect(await post('customers/2000000000/reset-password')).toMatchObject({
      status: 404,
      body: NOT_THERE('Customer not found'),
    });
  });

  describe('sell a service', () => {
    it('as it is, at the price that was agreed on', async () => {
      const member = await newMember({ full_name: 'Omar' });
      const { status, body } = await activate({
        ...{ customer_id: member.id, service_id: month.id, amount: 25.5, duration_months: 1 },
        ...{ branch_id: gym.id, payment_method: 'cash' },
      });
      expect(status).toBe(201);
      expect(body).toEqual({
        success: true,
        message: 'Subscription activated successfully',
        data: {
          id: expect.any(Number),
          ...{ customer_id: member.id, customer_name: 'Omar', service_id: month.id, service_name: 'Month' },
          ...{ branch_id: gym.id, status: 'active', amount: 25.5, remaining_sessions: null },
          ...{ subscription_type: 'monthly', type: 'time' },
          start_date: new Date().toISOString().slice(0, 10),
          end_date: new Date(Date.now() + 30 * DAY_MS).toISOString().slice(0, 10),
        },
      });
      const withoutAmount = await activate({ customer_id: (await newMember()).id, service_id: coins.id, coins: 20 });
      expect(withoutAmount.body.data).toMatchObject({ amount: 55, remaining_sessions: 20, subscription_type: 'coins' });
    });

    it('but not of another size than it has', async () => {
      const customer = { customer_id: (await newMember()).id };
      const refused = async (fields: object, text: string) =>
        expect(await activate({ ...customer, ...fields })).toMatchObject({ status: 400, body: NOT_THERE(text) });
      await refused({ service_id: coins.id, coins: 30 }, 'This service has 20 coins');
      await refused({ service_id: sessions.id, sessions: 10 }, 'This service has 8 sessions');
      await refused({ service_id: month.id, duration_months: 2 }, 'This service has 30 days');
      await refused({ service_id: month.id, coins: 30 }, 'This service has 30 days');
      await refused({ service_id: coins.id, duration_months: 1 }, 'This service has 20 coins');
      const year = await t.make.plan(gym.id, { duration_days: 365 });
      const fits = await activate({ ...customer, service_id: year.id, duration_months: 12 });
      expect(fits.status).toBe(201);
    });

    it('but not beside an active one, for each role, and of many at once', async () => {
      const customer = { customer_id: (await newMember()).id };
      const answers = await Promise.all(
        Array.from({ length: 6 }, () => activate({ ...customer, service_id: month.id }, manager)),
      );
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409, 409, 409]);
      expect((await get(`subscriptions?customer_id=${customer.customer_id}`)).body.data.items).toHaveLength(1);
      expect(await activate({ ...customer, service_id: coins.id }, manager)).toMatchObject({
        status: 409,
        body: { success: false, message: 'The member has an active plan.' },
      });
    });

    it('but not to those, or of those, who are not of the branch', async () => {
      const customer = { customer_id: (await newMember()).id };
      const foreign = await t.make.person('user', otherPlan.gym_id);
      expect(await activate({ customer_id: foreign.id, service_id: month.id })).toMatchObject({
        status: 404,
        body: NOT_THERE('Customer not found'),
      });
      for (const id of [otherPlan.id, 2_000_000_000, 'abc']) {
        expect(await activate({ ...customer, service_id: id })).toMatchObject({
          status: 404,
          body: NOT_THERE('Service not found'),
        });
      }
      expect(await activate({ ...customer, service_id: otherPlan.id }, admin)).toMatchObject({ status: 404 });
      expect((await activate(customer)).status).toBe(400);
      const elsewhere = { ...customer, service_id: month.id, branch_id: otherPlan.gym_id };
      expect((await activate(elsewhere)).status).toBe(403);
      expect(await activate(elsewhere, admin)).toMatchObject({ status: 404, body: NOT_THERE('Service not found') });
    });
  });

  it('renew: the same again, after the current one', async () => {
    const member = await newMember();
    const { id } = await t.make.userPlan(member, month);
    const { status, body } = await post('subscriptions/renew', { subscription_id: id, amount: 20 });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      success: true,
      message: 'Subscription renewed successfully',
      data: { customer_id: member.id, service_id: month.id, amount: 20, status: 'scheduled' },
    });
    expect(body.data.id).not.toBe(id);
    expect((await post('subscriptions/renew', { subscription_id: id })).status).toBe(409);
    await post('subscriptions/stop', { subscription_id: id }, manager);
    const ended = await newMember();
    const { id: over } = await t.make.userPlan(ended, month);
    await manager.client.post(`/user-plans/${over}/cancel`, {});
    const now = await post('subscriptions/renew', { subscription_id: over });
    expect(now.body.data).toMatchObject({ status: 'active', amount: 30 });
  });

  it('renew: not of one who has moved to another gym', async () => {
    const member = await newMember();
    const bought = { subscription_id: (await t.make.userPlan(member, month)).id };
    const next = await t.make.gym();
    expect(await admin.client.put(`/users/${member.id}`, { gym_id: next.id })).toHaveStatus(200);
    const renewed = await post('subscriptions/renew', bought);
    expect(renewed).toMatchObject({ status: 404, body: NOT_THERE('Customer not found') });
    // An admin sees them there, where the service is not.
    const byAdmin = await post('subscriptions/renew', bought, admin);
    expect(byAdmin).toMatchObject({ status: 404, body: NOT_THERE('Service not found') });
  });

  it('freeze and stop', async () => {
    const { id } = await t.make.userPlan(await newMember(), month);
    const subscription = { subscription_id: id };
    const frozen = await post('subscriptions/freeze', { ...subscription, freeze_days: 7 }, manager);
    expect(frozen).toMatchObject({
      status: 200,
      body: {
        message: 'Subscription frozen successfully',
        data: {
          id,
          status: 'frozen',
          end_date: new Date(Date.now() + 37 * DAY_MS).toISOString().slice(0, 10),
        },
      },
    });
    expect((await post('subscriptions/freeze', { ...subscription, freeze_days: 0 }, manager)).status).toBe(400);
    const stopped = await post('subscriptions/stop', subscription, manager);
    expect(stopped).toMatchObject({
      status: 200,
      body: { message: 'Subscription stopped successfully', data: { id, status: 'stopped' } },
    });
    expect((await post('subscriptions/stop', subscription, manager)).status).toBe(200);
    expect((await post('subscriptions/freeze', subscription, manager)).status).toBe(409);
    for (const end of ['renew', 'freeze', 'stop']) {
      for (const none of [2_000_000_000, 'abc']) {
        expect(await post(`subscriptions/${end}`, { subscription_id: none }, manager)).toMatchObject({
          status: 404,
          body: NOT_THERE('Subscription not found'),
        });
      }
      expect((await post(`subscriptions/${end}`, {}, manager)).status).toBe(400);
    }
  });

  it('choose a language', async () => {
    const chosen = await ask(desk, 'PATCH', 'auth/language', { preferred_language: 'ar' });
    expect(chosen).toMatchObject({
      status: 200,
      body: { success: true, data: { preferred_language: 'ar' } },
    });
    expect((await desk.client.get('/auth/me')).body.language).toBe('ar');
    expect((await ask(desk, 'PATCH', 'auth/language', { preferred_language: 'xx' })).status).toBe(400);
  });

  describe('in numbers', () => {
    let today: string;
    let beforeLast: string;
    beforeEach(async () => {
      today = new Date().toISOString().slice(0, 10);
      beforeLast = `${new Date(Date.now() - 62 * DAY_MS).toISOString().slice(0, 10)}T12:00:00Z`;
      const [soon, later] = [await newMember(), await newMember()];
      const { id } = await t.make.userPlan(soon, month);
      await t.db.pool.query(`UPDATE user_plans SET expires_at = moment() + interval '2 days' WHERE id = $1`, [id]);
      const { id: inFive } = await t.make.userPlan(later, coins);
      await t.db.pool.query(`UPDATE user_plans SET expires_at = moment() + interval '5 days' WHERE id = $1`, [inFive]);
      const product = await t.make.product(gym.id, { price: 2.5 });
      await t.make.sale(product, desk);
      await t.make.sale(product, desk, beforeLast);
      await t.make.visit(soon);
    });

    it.each(['branches/%/performance', 'reports/revenue'])('at the top and in data: %s', async (path) => {
      const at = (query = '') => path.replace('%', String(gym.id)) + query;
      const figures = { total_revenue: 90, active_subscriptions: 2, total_customers: 2, check_ins_count: 1 };
      const all = await get(at(), manager);
      expect(all).toMatchObject({ status: 200 });
      expect(all.body).toEqual({ success: true, message: 'Success', ...figures, data: figures });
      expect((await get(at(`?start_date=${today}&end_date=${today}`), manager)).body.total_revenue).toBe(87.5);
      expect((await get(at(), desk)).body).toMatchObject({ total_revenue: null, data: { total_revenue: null } });
      expect((await get(at(), trainer)).status).toBe(403);
      expect((await get(at('?start_date=2026-02-02&end_date=2026-01-01'), manager)).status).toBe(400);
    });

    it('of a branch that is not there, or another’s', async () => {
      for (const id of [2_000_000_000, 'abc', '99999999999']) {
        expect(await get(`branches/${id}/performance`, admin)).toMatchObject({
          status: 404,
          body: NOT_THERE('Branch not found'),
        });
      }
      expect((await get(`branches/${otherPlan.gym_id}/performance`, manager)).status).toBe(403);
      expect((await get(`reports/revenue?branch_id=${otherPlan.gym_id}`, manager)).status).toBe(403);
      expect((await get(`branches/${gym.id}/performance`, admin)).body.total_revenue).toBe(90);
    });

    it('for an owner', async () => {
      expect((await get(`dashboards/owner?branch_id=${gym.id}`, admin)).body).toEqual({
        success: true,
        message: 'Success',
        data: {
          alerts: { expiring_subscriptions: 2, expiring_soon: 1, open_complaints: 0, pending_expenses: 0 },
        },
      });
      expect((await get('dashboards/owner', admin)).status).toBe(200);
    });

    it('for a manager', async () => {
      expect((await get('dashboards/branch-manager', manager)).body.data).toEqual({
        customers: { active: 2, total: 2 },
        revenue: { last_7_days: 87.5 },
        staff: { count: 3 },
        alerts: { expiring_subscriptions: 2, open_complaints: 0 },
      });
    });

    it('for an accountant', async () => {
      const accountant = await t.make.signedIn('accountant', gym.id);
      const { data } = (await get('dashboards/accountant', accountant)).body;
      expect(data).toEqual({
        today: { total: 87.5, count: 3 },
        current_month: { revenue: 87.5, expenses: 0, net: 87.5, pending_expenses: 0 },
        last_month: { revenue: 0 },
        comparison: { change: 87.5, percentage: 0 },
      });
      expect((await get(`dashboards/accountant?branch_id=${gym.id}`, admin)).body.data).toEqual(data);
      expect((await get('dashboards/accountant', desk)).status).toBe(403);
    });

    it('by the own days of each branch, for who sees them all', async () => {
      const numbers = async () => {
        const { today: day } = (await get('dashboards/accountant', admin)).body.data;
        const { revenue } = (await get('dashboards/branch-manager', admin)).body.data;
        return { ...day, ...revenue };
      };
      const before = await numbers();
      for (const timezone of ['Pacific/Pago_Pago', 'Pacific/Kiritimati']) {
        const product = await t.make.product((await t.make.gym({ timezone })).id, { price: 2.5 });
        const weekBegan = startOf(daysLater(localDate(Date.now(), timezone), -6), timezone);
        await t.make.sale(product, desk);
        await t.make.sale(product, desk, new Date(weekBegan).toISOString());
        await t.make.sale(product, desk, new Date(weekBegan - 1).toISOString());
      }
      const { total, count, last_7_days } = before;
      expect(await numbers()).toEqual({ total: total + 5, count: count + 2, last_7_days: last_7_days + 10 });
    });
  });
});
