import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Actor } from '../../src/common/actor/actor.js';
import type { Role } from '../../src/common/actor/roles.js';
import { NoSessionsLeft, UserPlanNotFound } from '../../src/plans/plans.errors.js';
import { UserPlansService } from '../../src/plans/user-plans.service.js';
import { tally, times } from '../support/answers.js';
import { startApp, type TestApp } from '../support/app.js';
import type { Answer } from '../support/http-client.js';
import { type PlanRow, type SignedIn, unique } from '../support/factory.js';
import { type GymWorld, makeWorld } from '../support/world.js';

const DAY = 24 * 3600 * 1000;
const daysFromNow = (days: number) => new Date(Date.now() + days * DAY).toISOString();

describe('plans', () => {
  let t: TestApp;
  let own: GymWorld;
  let other: GymWorld;
  let as: Record<Role, SignedIn>;
  /** 30 days for 30; 90 for 80; 30 for 20; and 10 sessions for 50. */
  let monthly: PlanRow;
  let quarterly: PlanRow;
  let cheap: PlanRow;
  let sessions: PlanRow;
  beforeAll(async () => {
    t = await startApp();
    ({ own, other } = await makeWorld(t));
    as = own.people;
    monthly = await t.make.plan(own.gym.id);
    quarterly = await t.make.plan(own.gym.id, { price: 80, duration_days: 90 });
    cheap = await t.make.plan(own.gym.id, { price: 20 });
    sessions = await t.make.plan(own.gym.id, { price: 50, session_count: 10 });
  });
  afterAll(() => t.close());

  const offer = (body: object, client = as.manager.client) =>
    client.post('/plans', { name: unique('Plan'), price: 10, duration_days: 30, ...body });

  describe('what is sold', () => {
    it('is time, sessions or coins, and says what it holds', async () => {
      expect((await offer({})).body).toMatchObject({ kind: 'time', duration_days: 30, session_count: null });
      expect((await offer({ session_count: 8 })).body).toMatchObject({ kind: 'sessions', session_count: 8 });
      expect((await offer({ kind: 'coins', session_count: 8, duration_days: null })).body).toMatchObject({
        kind: 'coins',
        session_count: 8,
        duration_days: null,
      });
      expect((await offer({ kind: 'time', session_count: 8 })).body.session_count).toBeNull();
      for (const incomplete of [{ kind: 'time', duration_days: null }, { kind: 'sessions' }, { kind: 'coins' }]) {
        const answer = await offer(incomplete);
        expect(answer).toBeRefused(422, 'plan_incomplete');
        expect(answer).toHaveWrongFields(incomplete.kind === 'time' ? 'duration_days' : 'session_count');
      }
    });

    it('stays complete when its kind changes, and time counts no sessions', async () => {
      const { id } = await t.make.plan(own.gym.id, { session_count: 8 });
      const change = (body: object) => as.manager.client.put(`/plans/${id}`, body);
      expect(await change({ kind: 'time' })).toBeRefused(422, 'plan_incomplete');
      const byTime = { kind: 'time', duration_days: 30, session_count: null };
      expect((await change({ kind: 'time', duration_days: 30 })).body).toMatchObject(byTime);
      expect((await change({ session_count: 5 })).body).toMatchObject(byTime);
      expect(await change({ kind: 'sessions' })).toBeRefused(422, 'plan_incomplete');
      expect((await change({ kind: 'sessions', session_count: 5 })).body.session_count).toBe(5);
    });

    it('costs an amount with two decimals', async () => {
      for (const [price, kept] of [
        [0, 0],
        [0.1, 0.1],
        ['39.90', 39.9],
        [9_999_999_999.99, 9_999_999_999.99],
      ]) {
        expect((await offer({ price })).body.price).toBe(kept);
      }
      for (const price of [-1, 0.001, 1e-7, 10_000_000_000, 'ten', '1e3', null, Number.MAX_VALUE]) {
        expect(await offer({ price })).toHaveWrongFields('price');
      }
    });

    it('is seen by members while it is sold', async () => {
      const gone = await t.make.plan(own.gym.id, { is_active: false });
      const ids = async (role: Role, path: string) => (await as[role].client.all(path)).map(({ id }: PlanRow) => id);
      for (const role of ['user', 'trainer'] as const) {
        expect(await ids(role, '/plans')).toContain(monthly.id);
        expect((await ids(role, '/plans')).includes(gone.id)).toBe(role === 'trainer');
        expect(await ids(role, '/plans/active')).not.toContain(gone.id);
        expect((await as[role].client.get(`/plans/${gone.id}`)).status).toBe(role === 'trainer' ? 200 : 404);
      }
    });

    it('is listed by kind, and page by page by name', async () => {
      const gym = await t.make.gym();
      const { client } = await t.make.signedIn('manager', gym.id);
      for (const name of ['b2', 'a1', 'c', 'b1', 'b3', 'a2']) await t.make.plan(gym.id, { name });
      await t.make.plan(gym.id, { name: 'd', session_count: 3 });
      const pages = await client.all('/plans?limit=2');
      expect(pages.map(({ name }: PlanRow) => name)).toEqual(['a1', 'a2', 'b1', 'b2', 'b3', 'c', 'd']);
      expect(new Set(pages.map(({ id }: PlanRow) => id)).size).toBe(7);
      expect(await client.all('/plans?kind=sessions')).toMatchObject([{ name: 'd' }]);
      expect((await client.get('/plans?count=true&limit=1')).headers.get('x-total-count')).toBe('7');
    });

    it('belongs to an open gym', async () => {
      const homeless = await t.make.signedIn('admin', null);
      expect(await offer({}, homeless.client)).toHaveWrongFields('gym_id');
      expect((await offer({}, as.admin.client)).body.gym_id).toBe(own.gym.id);
      expect(await offer({ gym_id: 2_000_000_000 }, as.admin.client)).toHaveWrongFields('gym_id');
      const closed = await t.make.gym({ is_active: false });
      expect(await offer({ gym_id: closed.id }, as.admin.client)).toBeRefused(409, 'gym_inactive');
    });

    it('is deleted if no one bought it, and not sold any more otherwise', async () => {
      const [unsold, sold] = [await t.make.plan(own.gym.id), await t.make.plan(own.gym.id)];
      await t.make.userPlan(await member(), sold);
      expect(await as.manager.client.delete(`/plans/${unsold.id}`)).toHaveStatus(204);
      expect(await as.manager.client.get(`/plans/${unsold.id}`)).toBeRefused(404, 'plan_not_found');
      const kept = await as.manager.client.delete(`/plans/${sold.id}`);
      expect(kept).toMatchObject({ status: 200, body: { id: sold.id, is_active: false } });
      expect(await assign(await member(), sold)).toBeRefused(409, 'plan_inactive');
    });

    it('is either deleted or sold, never both', async () => {
      for (let round = 0; round < 10; round++) {
        const plan = await t.make.plan(own.gym.id);
        const { id } = await member();
        const [removed, sold] = await Promise.all([
          as.manager.client.delete(`/plans/${plan.id}`),
          assign({ id }, plan),
        ]);
        expect(['204 422', '200 201', '200 409']).toContain(`${removed.status} ${sold.status}`);
      }
    });
  });

  const member = () => t.make.person('user', own.gym.id);
  const assign = (to: { id: number }, plan: { id: number }, more: object = {}, role: Role = 'admin') =>
    as[role].client.post('/user-plans', { user_id: to.id, plan_id: plan.id, ...more });
  const change = (id: number, body: object, role: Role = 'manager') => as[role].client.put(`/user-plans/${id}`, body);
  const deduct = (id: number) => as.reception.client.post(`/user-plans/${id}/deduct`);
  const read = async (id: number) => (await as.manager.client.get(`/user-plans/${id}`)).body;
  const active = async ({ id }: { id: number }) => (await as.manager.client.get(`/user-plans/user/${id}/active`)).body;
  const codeOf = async (answer: Promise<Answer>) => (await answer).body.code;

  /** As if so many days had passed since; plan by plan, the earliest first, because they may never overlap. */
  async function age({ id }: { id: number }, days: number): Promise<void> {
    const { rows } = await t.db.pool.query('SELECT id FROM user_plans WHERE user_id = $1 ORDER BY starts_at', [id]);
    for (const row of rows) {
      await t.db.pool.query(
        `UPDATE user_plans SET starts_at = starts_at - $2 * interval '1 day', expires_at = expires_at - $2 * interval '1 day',
           frozen_at = frozen_at - $2 * interval '1 day' WHERE id = $1`,
        [row.id, days],
      );
    }
  }

  describe('assigning', () => {
    it('sells the plan to a member, at its price or another, by any of the desk', async () => {
      const buyer = await member();
      const sold = await assign(buyer, sessions, {}, 'trainer');
      expect(sold).toHaveStatus(201);
      expect(sold.body).toMatchObject({
        user_id: buyer.id,
        user: { id: buyer.id },
        gym_id: own.gym.id,
        plan: sessions,
        purchased_price: 50,
        status: 'active',
        remaining_sessions: 10,
        expires_at: null,
        frozen_at: null,
        created_by_id: as.trainer.id,
      });
      expect((await assign(await member(), monthly, { purchased_price: 12.34 })).body.purchased_price).toBe(12.34);
      expect((await assign(await member(), monthly, { purchased_price: 0 })).body.purchased_price).toBe(0);
      expect(await assign(buyer, monthly, { purchased_price: -1, start: 'soon' })).toHaveWrongFields(
        'purchased_price',
        'start',
      );
    });

    it('keeps price and terms whatever becomes of the plan', async () => {
      const plan = await t.make.plan(own.gym.id, { price: 50, session_count: 10, duration_days: 60 });
      const { body: bought } = await assign(await member(), plan);
      const cheaper = { price: 1, session_count: 1, duration_days: 1, kind: 'coins', name: 'Other' };
      expect(await as.manager.client.put(`/plans/${plan.id}`, cheaper)).toHaveStatus(200);
      const { purchased_price, remaining_sessions, expires_at } = bought;
      expect(await read(bought.id)).toMatchObject({ purchased_price, remaining_sessions, expires_at });
      expect(await change(bought.id, { purchased_price: 1 })).toHaveWrongFields('purchased_price');
      expect((await change(bought.id, { ...bought, plan: undefined })).body.purchased_price).toBe(50);
    });

    it('lasts so many days by the clock of the gym, across the days when it changes', async () => {
      const gym = await t.make.gym({ timezone: 'America/New_York' });
      const localTime = new Intl.DateTimeFormat('en', {
        timeZone: 'America/New_York',
        hour: 'numeric',
        minute: 'numeric',
      });
      const hours = new Set<number>();
      for (const days of [60, 120, 180, 240, 300]) {
        const plan = await t.make.plan(gym.id, { duration_days: days });
        const { body } = await assign(await t.make.person('user', gym.id), plan);
        const [starts, expires] = [new Date(body.starts_at), new Date(body.expires_at)];
        expect(localTime.format(expires)).toBe(localTime.format(starts));
        const length = (expires.getTime() - starts.getTime()) / 3_600_000;
        expect(Math.round(length / 24)).toBe(days);
        hours.add(length % 24);
      }
      // Some of them cross such a day, and have an hour more or less.
      expect(hours.size).toBeGreaterThan(1);
    });

    it('is for members of the gym and plans of the gym', async () => {
      for (const anonymous of [as.trainer, other.people.user, { id: 2_000_000_000 }]) {
        expect(await assign(anonymous, monthly, {}, 'manager')).toHaveWrongFields('user_id');
      }
      for (const plan of [other.plan, { id: 2_000_000_000 }]) {
        expect(await assign(await member(), plan)).toHaveWrongFields('plan_id');
      }
      const closed = await t.make.gym();
      const [person, plan] = [await t.make.person('user', closed.id), await t.make.plan(closed.id)];
      await t.db.pool.query('UPDATE gyms SET is_active = FALSE WHERE id = $1', [closed.id]);
      expect(await assign(person, plan)).toBeRefused(409, 'gym_inactive');
    });

    it('replaces the current plan: admin and manager may always, reception and trainer with a plan that is longer or costs more', async () => {
      const longer = await t.make.plan(own.gym.id, { price: 10, duration_days: 31 });
      const costlier = await t.make.plan(own.gym.id, { price: 30.01, duration_days: 1 });
      for (const role of ['admin', 'manager', 'reception', 'trainer'] as const) {
        const isFree = role === 'admin' || role === 'manager';
        for (const next of [longer, costlier, cheap, monthly]) {
          const buyer = await member();
          const { body: first } = await assign(buyer, monthly);
          const isUpgrade = next === longer || next === costlier;
          const answer = await assign(buyer, next, {}, role);
          const isSold = isFree || isUpgrade;
          if (isSold) expect(answer).toHaveStatus(201);
          else expect(answer).toBeRefused(409, 'not_an_upgrade');
          expect((await read(first.id)).status).toBe(isSold ? 'cancelled' : 'active');
          expect((await active(buyer)).id).toBe(isSold ? answer.body.id : first.id);
        }
      }
    });

    it('is no upgrade by what the seller types, nor by what was paid before', async () => {
      const buyer = await member();
      const { body: first } = await assign(buyer, monthly, { purchased_price: 10 });
      const dear = { purchased_price: 500 };
      for (const role of ['reception', 'trainer'] as const) {
        for (const next of [monthly, cheap]) {
          expect(await assign(buyer, next, dear, role)).toBeRefused(409, 'not_an_upgrade');
        }
        expect(await change(first.id, { plan_id: cheap.id, ...dear }, role)).toBeRefused(409, 'not_an_upgrade');
      }
      const { body: waiting } = await assign(buyer, monthly, { start: 'after_current' });
      const instead = { plan_id: cheap.id, ...dear };
      expect(await change(waiting.id, instead, 'reception')).toBeRefused(409, 'not_an_upgrade');
      // One that costs more is an upgrade, also at a discount, which is what is paid.
      const costlier = await t.make.plan(own.gym.id, { price: 30.01 });
      const { body: sold } = await assign(buyer, costlier, { purchased_price: 1 }, 'reception');
      expect(sold).toMatchObject({ status: 'active', purchased_price: 1 });
    });

    it('may wait for the current plan to end, one at a time', async () => {
      const buyer = await member();
      const later = { start: 'after_current' };
      const { body: first } = await assign(buyer, monthly, later, 'reception');
      expect(first.status).toBe('active');
      const { body: second } = await assign(buyer, cheap, later, 'reception');
      expect(second).toMatchObject({ status: 'scheduled', starts_at: first.expires_at, purchased_price: 20 });
      expect(await assign(buyer, cheap, later)).toBeRefused(409, 'already_scheduled');
      expect((await active(buyer)).id).toBe(first.id);
      await age(buyer, 31);
      expect([(await read(first.id)).status, (await active(buyer)).id]).toEqual(['expired', second.id]);
      expect((await assign(buyer, cheap, later)).body.status).toBe('scheduled');
    });

    it('keeps the waiting plan behind the one that replaces the current', async () => {
      const buyer = await member();
      await assign(buyer, monthly);
      const { body: waiting } = await assign(buyer, cheap, { start: 'after_current' });
      const { body: next } = await assign(buyer, quarterly);
      expect(await read(waiting.id)).toMatchObject({ status: 'scheduled', starts_at: next.expires_at });
    });

    it('waits for sessions too: it begins when they are used up, with all its days', async () => {
      const buyer = await member();
      const { body: first } = await assign(buyer, await t.make.plan(own.gym.id, { session_count: 1 }));
      const { body: waiting } = await assign(buyer, monthly, { start: 'after_current' });
      expect(waiting).toMatchObject({ status: 'scheduled', starts_at: null, expires_at: null });
      expect((await deduct(first.id)).body).toMatchObject({ status: 'expired', remaining_sessions: 0 });
      const begun = await active(buyer);
      expect(begun.id).toBe(waiting.id);
      expect(Date.parse(begun.expires_at) - Date.parse(begun.starts_at)).toBe(30 * DAY);
    });

    it('with an Idempotency-Key sells once, also 20 times at once, and tells all of them the same', async () => {
      const [buyer, key] = [await member(), { 'idempotency-key': unique('key') }];
      const sell = (plan: PlanRow) => as.admin.client.post('/user-plans', { user_id: buyer.id, plan_id: plan.id }, key);
      const answers = await times(20, () => sell(monthly));
      expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
      expect(answers[0]!).toHaveStatus(201);
      expect(await as.admin.client.all(`/user-plans/user/${buyer.id}`)).toHaveLength(1);
      expect(await sell(cheap)).toBeRefused(422, 'idempotency_key_reused');
    });

    it('20 times at once leaves one active plan and one waiting', async () => {
      const buyer = await member();
      expect(tally(await times(20, () => assign(buyer, monthly)))).toEqual({ 201: 20 });
      expect(tally(await times(20, () => assign(buyer, cheap, { start: 'after_current' })))).toEqual({
        201: 1,
        409: 19,
      });
      const all = await as.admin.client.all(`/user-plans/user/${buyer.id}`);
      expect(all.filter(({ status }) => status === 'active')).toHaveLength(1);
      expect(all.filter(({ status }) => status === 'scheduled')).toHaveLength(1);
      expect(all).toHaveLength(21);
    });
  });

  describe('deducting', () => {
    it('of a member is refused for the plan of another, and takes nothing then', async () => {
      const [person, another] = [await t.make.person('user', own.gym.id), await t.make.person('user', own.gym.id)];
      const { id } = await t.make.userPlan(person, await t.make.plan(own.gym.id, { session_count: 2 }));
      const actor = new Actor(as.reception.id, 'reception', own.gym.id, 1);
      const deductOf = (memberId: number) => t.app.get(UserPlansService).deduct(actor, id, null, memberId);
      await expect(deductOf(another.id)).rejects.toThrow(UserPlanNotFound);
      expect(await deductOf(person.id)).toMatchObject({ id, remaining_sessions: 1 });
      expect(await deductOf(person.id)).toMatchObject({ remaining_sessions: 0, status: 'expired' });
      await expect(deductOf(person.id)).rejects.toThrow(NoSessionsLeft);
    });

    it('takes one, and 100 at once on a plan of 10 take 10', async () => {
      const { body: bought } = await assign(await member(), sessions);
      const answers = await times(100, () => deduct(bought.id));
      expect(tally(answers)).toEqual({ 200: 10, 409: 90 });
      const left = answers.filter(({ status }) => status === 200).map(({ body }) => body.remaining_sessions);
      expect(left.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(new Set(answers.filter(({ status }) => status === 409).map(({ body }) => body.code))).toEqual(
        new Set(['no_sessions_left']),
      );
      expect(await read(bought.id)).toMatchObject({ remaining_sessions: 0, status: 'expired' });
    });

    it('with an Idempotency-Key takes one, also 20 times at once', async () => {
      const { body: bought } = await assign(await member(), sessions);
      const key = { 'idempotency-key': unique('key') };
      // No body is the same as an empty one.
      const answers = await times(20, (n) =>
        as.trainer.client.post(`/user-plans/${bought.id}/deduct`, n % 2 ? {} : undefined, key),
      );
      expect(new Set(answers.map(({ body }) => body.remaining_sessions))).toEqual(new Set([9]));
      expect((await read(bought.id)).remaining_sessions).toBe(9);
    });

    it('needs an active plan with sessions', async () => {
      const limited = await t.make.plan(own.gym.id, { session_count: 10, duration_days: 30 });
      const buy = async (plan: PlanRow) => (await assign(await member(), plan)).body;
      const [byTime, frozen, cancelled, expired] = [
        await buy(monthly),
        await buy(limited),
        await buy(limited),
        await buy(limited),
      ];
      await change(frozen.id, { status: 'frozen' });
      await change(cancelled.id, { status: 'cancelled' });
      await age({ id: expired.user_id }, 31);
      expect(await codeOf(deduct(byTime.id))).toBe('sessions_not_counted');
      for (const { id } of [frozen, cancelled, expired]) {
        expect(await deduct(id)).toBeRefused(409, 'plan_not_active');
        expect((await read(id)).remaining_sessions).toBe(10);
      }
    });
  });

  describe('freezing', () => {
    it('stops the time, and gives it back', async () => {
      const buyer = await member();
      const { body: bought } = await assign(buyer, monthly);
      const { body: waiting } = await assign(buyer, cheap, { start: 'after_current' });
      expect((await change(bought.id, { status: 'frozen' })).body).toMatchObject({ status: 'frozen' });
      expect((await active(buyer)).code).toBe('no_active_plan');
      expect(await read(waiting.id)).toMatchObject({ status: 'scheduled', starts_at: null });
      await age(buyer, 40);
      expect((await read(bought.id)).status).toBe('frozen');
      const { body: thawed } = await change(bought.id, { status: 'active' });
      // It has as long to go as when it was frozen, the moments of this test aside.
      const left = Date.parse(thawed.expires_at) - Date.now();
      expect([thawed.status, Math.round(left / DAY)]).toEqual(['active', 30]);
      expect((await read(waiting.id)).starts_at).toBe(thawed.expires_at);
    });

    it('ends when that is said together with its end', async () => {
      const buyer = await member();
      const { body: bought } = await assign(buyer, monthly);
      const { body: waiting } = await assign(buyer, cheap, { start: 'after_current' });
      await change(bought.id, { status: 'frozen' });
      await age(buyer, 10);
      const thawed = { expires_at: daysFromNow(5), status: 'active' };
      expect((await change(bought.id, thawed)).body).toMatchObject({ ...thawed, frozen_at: null });
      expect((await read(waiting.id)).starts_at).toBe(thawed.expires_at);
    });

    it('gives its time back once, also if the whole object that was read is sent twice', async () => {
      const buyer = await member();
      const { body: bought } = await assign(buyer, monthly);
      await change(bought.id, { status: 'frozen' });
      await age(buyer, 10);
      const asked = { ...(await read(bought.id)), status: 'active' };
      const { body: first } = await change(bought.id, asked);
      expect(Math.round((Date.parse(first.expires_at) - Date.now()) / DAY)).toBe(30);
      expect((await change(bought.id, asked)).body).toEqual(first);
      // A correction is one, still.
      const corrected = { ...first, expires_at: daysFromNow(7) };
      expect((await change(bought.id, corrected)).body.expires_at).toBe(corrected.expires_at);
    });

    it('is for admin and manager, and for an active plan', async () => {
      const buyer = await member();
      const { body: bought } = await assign(buyer, monthly);
      expect(await codeOf(change(bought.id, { status: 'frozen' }, 'reception'))).toBe('correction_not_allowed');
      const { body: waiting } = await assign(buyer, cheap, { start: 'after_current' });
      expect(await codeOf(change(waiting.id, { status: 'frozen' }))).toBe('plan_not_active');
      await age(buyer, 31);
      expect(await codeOf(change(bought.id, { status: 'frozen' }))).toBe('plan_not_active');
    });
  });

  describe('changing', () => {
    it('lets the desk sell another plan instead if this one is over or the other is an upgrade', async () => {
      for (const role of ['reception', 'trainer'] as const) {
        const buyer = await member();
        const { body: bought } = await assign(buyer, monthly);
        expect(await codeOf(change(bought.id, { plan_id: cheap.id }, role))).toBe('not_an_upgrade');
        const { body: upgraded } = await change(bought.id, { plan_id: quarterly.id, purchased_price: 70 }, role);
        expect(upgraded).toMatchObject({ status: 'active', purchased_price: 70, created_by_id: as[role].id });
        expect(await read(bought.id)).toMatchObject({ status: 'cancelled', purchased_price: 30 });
        await age(buyer, 91);
        expect((await change(upgraded.id, { plan_id: cheap.id }, role)).body).toMatchObject({ status: 'active' });
      }
    });

    it('sells it at its own price, also if the whole object that was read comes back with another plan', async () => {
      for (const price of [undefined, 0, 99]) {
        const { body: bought } = await assign(await member(), monthly, { purchased_price: price });
        const whole = { ...bought, plan_id: quarterly.id };
        const sold = await as.reception.client.put(`/user-plans/${bought.id}`, whole);
        expect(sold).toHaveStatus(200);
        expect(sold.body).toMatchObject({ plan_id: quarterly.id, purchased_price: 80 });
        expect((await as.reception.client.put(`/user-plans/${bought.id}`, whole)).body.id).toBe(sold.body.id);
      }
    });

    it('of a waiting plan puts another one in its place', async () => {
      const buyer = await member();
      const { body: bought } = await assign(buyer, monthly);
      const { body: waiting } = await assign(buyer, monthly, { start: 'after_current' });
      expect(await codeOf(change(waiting.id, { plan_id: cheap.id }, 'reception'))).toBe('not_an_upgrade');
      const { body: better } = await change(waiting.id, { plan_id: quarterly.id }, 'reception');
      expect(better).toMatchObject({ status: 'scheduled', starts_at: bought.expires_at, purchased_price: 80 });
      expect([(await read(waiting.id)).status, (await active(buyer)).id]).toEqual(['cancelled', bought.id]);
      expect(await change(better.id, { expires_at: daysFromNow(500) })).toHaveWrongFields('expires_at');
    });

    describe('again', () => {
      const plansOf = (buyer: { id: number }) => as.manager.client.all(`/user-plans/user/${buyer.id}`);

      it('answers what was sold, and sells nothing', async () => {
        const buyer = await member();
        const { body: bought } = await assign(buyer, monthly);
        const upgrade = () => change(bought.id, { plan_id: quarterly.id }, 'reception');
        const first = await upgrade();
        const before = await plansOf(buyer);
        for (const repeated of [await upgrade(), await upgrade()]) {
          expect(repeated).toHaveStatus(200);
          expect(repeated.body.id).toBe(first.body.id);
        }
        expect(await plansOf(buyer)).toEqual(before);
        expect(await read(bought.id)).toMatchObject({ status: 'cancelled', replaced_by_id: first.body.id });
        // The price that was paid is part of it.
        expect((await change(bought.id, { plan_id: quarterly.id, purchased_price: 80 })).body.id).toBe(first.body.id);
        const cheaper = await change(bought.id, { plan_id: quarterly.id, purchased_price: 1 });
        const cheapest = await change(bought.id, { plan_id: cheap.id });
        for (const answer of [cheaper, cheapest]) {
          expect(answer).toBeRefused(409, 'plan_replaced');
          expect(answer.body.detail).toContain(String(first.body.id));
        }
        expect(await plansOf(buyer)).toEqual(before);
      });

      it('renews once what is over, also 20 times at once', async () => {
        const buyer = await member();
        const { body: bought } = await assign(buyer, monthly);
        await age(buyer, 31);
        const answers = await times(20, () => change(bought.id, { plan_id: monthly.id }, 'reception'));
        expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1);
        expect(await plansOf(buyer)).toMatchObject([
          { id: answers[0]!.body.id, status: 'active', replaced_by_id: null },
          { id: bought.id, status: 'expired', replaced_by_id: answers[0]!.body.id },
        ]);
      });

      it('of a waiting one, too, also 20 times at once', async () => {
        const buyer = await member();
        const { body: bought } = await assign(buyer, monthly);
        const { body: waiting } = await assign(buyer, monthly, { start: 'after_current' });
        const answers = await times(20, () => change(waiting.id, { plan_id: quarterly.id }, 'reception'));
        expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1);
        expect(await read(waiting.id)).toMatchObject({ status: 'cancelled', replaced_by_id: answers[0]!.body.id });
        expect(await read(bought.id)).toMatchObject({ status: 'active', replaced_by_id: null });
        expect(await plansOf(buyer)).toHaveLength(3);
      });

      it('follows a chain link by link, and what was cancelled since', async () => {
        const buyer = await member();
        const { body: first } = await assign(buyer, monthly);
        const { body: second } = await change(first.id, { plan_id: quarterly.id });
        const { body: third } = await change(second.id, { plan_id: sessions.id });
        expect((await change(first.id, { plan_id: quarterly.id })).body).toMatchObject({
          ...{ id: second.id, status: 'cancelled', replaced_by_id: third.id },
        });
        await change(third.id, { status: 'cancelled' });
        expect((await change(second.id, { plan_id: sessions.id })).body).toMatchObject({
          ...{ id: third.id, status: 'cancelled' },
        });
        expect(await plansOf(buyer)).toHaveLength(3);
      });

      it('sells again when the sale was taken back', async () => {
        const { body: bought } = await assign(await member(), monthly);
        const { body: mistake } = await change(bought.id, { plan_id: quarterly.id });
        await as.manager.client.delete(`/user-plans/${mistake.id}`);
        expect(await read(bought.id)).toMatchObject({ replaced_by_id: null });
        const { body: sold } = await change(bought.id, { plan_id: quarterly.id });
        expect([sold.id === mistake.id, sold.status]).toEqual([false, 'active']);
      });

      it('with the whole object as it was read changes nothing, whatever became of it', async () => {
        const buyer = await member();
        const { body: bought } = await assign(buyer, monthly);
        const { body: waiting } = await assign(buyer, cheap, { start: 'after_current' });
        const { body: byCount } = await assign(await member(), sessions);
        const { body: frozen } = await assign(await member(), monthly);
        await change(frozen.id, { status: 'frozen' });
        const unlimited = await t.make.plan(own.gym.id, { session_count: 3, duration_days: null });
        const { body: endless } = await assign(await member(), unlimited);
        const { body: replaced } = await assign(await member(), monthly);
        await change(replaced.id, { plan_id: quarterly.id });
        const old = await member();
        const { body: over } = await assign(old, monthly);
        await age(old, 31);
        const { body: renewed } = await assign(old, monthly);
        await change(renewed.id, { status: 'cancelled' });
        for (const { id } of [bought, waiting, byCount, frozen, endless, replaced, over, renewed]) {
          const whole = await read(id);
          for (const role of ['manager', 'reception'] as const) {
            expect((await change(id, whole, role)).body).toEqualFor(whole.status, whole);
          }
          expect(await read(id)).toEqual(whole);
        }
      });
    });

    it('names what POST sold instead, too', async () => {
      const buyer = await member();
      const { body: bought } = await assign(buyer, monthly);
      const { body: better } = await assign(buyer, quarterly);
      expect((await read(bought.id)).replaced_by_id).toBe(better.id);
      const { body: waiting } = await assign(buyer, cheap, { start: 'after_current' });
      expect([(await read(better.id)).replaced_by_id, waiting.status]).toEqual([null, 'scheduled']);
    });

    it('compares the days that were sold, and the prices of the list', async () => {
      const alike = await t.make.plan(own.gym.id, { price: 30 });
      const costlier = await t.make.plan(own.gym.id, { price: 60 });
      const buyer = await member();
      await assign(buyer, alike);
      // The days that were sold stay as they were, whatever the list says now.
      await as.manager.client.put(`/plans/${alike.id}`, { price: 100, duration_days: 300 });
      const longer = await t.make.plan(own.gym.id, { price: 1, duration_days: 31 });
      const { body: waiting } = await assign(buyer, cheap, { start: 'after_current' });
      await as.manager.client.put(`/plans/${cheap.id}`, { price: 100, duration_days: 300 });
      expect((await change(waiting.id, { plan_id: longer.id }, 'reception')).body).toMatchObject({
        status: 'scheduled',
      });
      await as.manager.client.put(`/plans/${cheap.id}`, { price: 20, duration_days: 30 });
      expect(await assign(buyer, costlier, {}, 'reception')).toBeRefused(409, 'not_an_upgrade');
      await as.manager.client.put(`/plans/${alike.id}`, { price: 59.99 });
      expect((await assign(buyer, costlier, {}, 'reception')).body).toMatchObject({ status: 'active' });
    });

    it('gives no session back that was used since the plan was read', async () => {
      const { body: bought } = await assign(await member(), sessions);
      expect((await deduct(bought.id)).body.remaining_sessions).toBe(9);
      const later = { expires_at: daysFromNow(90) };
      expect(await change(bought.id, { ...bought, ...later })).toBeRefused(409, 'changed_since_read');
      expect(await read(bought.id)).toMatchObject({ remaining_sessions: 9, expires_at: bought.expires_at });
      const corrected = { ...(await read(bought.id)), remaining_sessions: 7, ...later };
      // Also sent twice.
      for (let n = 0; n < 2; n++) {
        expect((await change(bought.id, corrected)).body).toMatchObject({ remaining_sessions: 7, ...later });
      }
    });

    it('corrects sessions and expiry, for admin and manager', async () => {
      const { body: bought } = await assign(await member(), sessions);
      expect(await codeOf(change(bought.id, { remaining_sessions: 3 }, 'trainer'))).toBe('correction_not_allowed');
      expect((await change(bought.id, { remaining_sessions: 3 })).body).toMatchObject({ remaining_sessions: 3 });
      const used = await change(bought.id, { remaining_sessions: 0, status: 'expired' });
      expect(used.body).toMatchObject({ remaining_sessions: 0, status: 'expired' });
      expect((await change(bought.id, { remaining_sessions: 2 })).body).toMatchObject({ status: 'active' });
      const limited = { expires_at: daysFromNow(3), status: 'active' };
      expect((await change(bought.id, limited)).body).toMatchObject(limited);
      expect(await change(bought.id, { expires_at: '2020-01-01T00:00:00Z' })).toHaveWrongFields('expires_at');
      expect(await change(bought.id, { expires_at: '2030-01-01T00:00:00+23:00' })).toHaveWrongFields('expires_at');
      expect(await codeOf(change((await assign(await member(), monthly)).body.id, { remaining_sessions: 1 }))).toBe(
        'sessions_not_counted',
      );
    });

    it('gives more days to one that is over, but not beside another', async () => {
      const buyer = await member();
      const { body: bought } = await assign(buyer, monthly);
      await age(buyer, 31);
      const longer = { expires_at: daysFromNow(5), status: 'active' };
      expect((await change(bought.id, longer)).body).toMatchObject(longer);
      await age(buyer, 6);
      await assign(buyer, monthly);
      const refusal = await change(bought.id, { expires_at: daysFromNow(5) });
      expect(refusal).toBeRefused(409, 'plans_overlap');
      expect(refusal.body.detail).toContain('cancel or delete the one in that time');
    });

    it('moves the waiting plan with the end of the current one', async () => {
      const buyer = await member();
      const { body: bought } = await assign(buyer, monthly);
      const { body: waiting } = await assign(buyer, cheap, { start: 'after_current' });
      const end = daysFromNow(3);
      await change(bought.id, { expires_at: end });
      expect((await read(waiting.id)).starts_at).toBe(end);
      expect((await change(bought.id, { status: 'cancelled' })).body.status).toBe('cancelled');
      expect((await active(buyer)).id).toBe(waiting.id);
      expect(await as.manager.client.delete(`/user-plans/${waiting.id}`)).toHaveStatus(204);
      expect(await as.manager.client.get(`/user-plans/${waiting.id}`)).toBeRefused(404, 'user_plan_not_found');
    });

    it('shows the last plan that counted, and not one that never began', async () => {
      const buyer = await member();
      const { body: last } = await assign(buyer, await t.make.plan(own.gym.id, { session_count: 1 }));
      const { body: waiting } = await assign(buyer, sessions, { start: 'after_current' });
      await as.manager.client.post(`/user-plans/${waiting.id}/cancel`, {});
      expect((await deduct(last.id)).body.status).toBe('expired');
      const { body: visit } = await as.reception.client.post('/attendance', { user_id: buyer.id });
      expect(visit.member.membership).toMatchObject({ user_plan_id: last.id, status: 'expired' });
      await as.reception.client.post(`/attendance/${visit.id}/check-out`);
      const charged = { user_id: buyer.id, action: 'check_in_with_deduction' };
      expect(await as.reception.client.post('/attendance', charged)).toBeRefused(409, 'no_sessions_left');
    });

    describe('and of those that are over the one that counted last', () => {
      const atTheDoor = async ({ id }: { id: number }) =>
        (await as.reception.client.post('/devices/access', { user_id: id })).body;

      it('is not the one that was sold last', async () => {
        const [buyer, single] = [await member(), await t.make.plan(own.gym.id, { session_count: 1 })];
        await assign(buyer, monthly);
        const { body: waiting } = await assign(buyer, single, { start: 'after_current' });
        const { body: mistake } = await assign(buyer, monthly);
        await change(mistake.id, { status: 'cancelled' });
        const entered = await atTheDoor(buyer);
        expect(entered).toMatchObject({ allowed: true, user_plan: { id: waiting.id, remaining_sessions: 0 } });
        expect(await atTheDoor(buyer)).toEqual(entered);
        await as.reception.client.post(`/attendance/${entered.attendance_id}/check-out`);
        expect(await atTheDoor(buyer)).toMatchObject({ reason: 'no_sessions', user_plan: { id: waiting.id } });
      });

      it('is one that was given sessions again, and used up again', async () => {
        const buyer = await member();
        const { body: first } = await assign(buyer, sessions);
        await change(first.id, { remaining_sessions: 0 });
        const { body: second } = await assign(buyer, monthly);
        await change(second.id, { status: 'cancelled' });
        expect(await atTheDoor(buyer)).toMatchObject({ reason: 'no_plan', user_plan: { id: second.id } });
        await change(first.id, { remaining_sessions: 1 });
        await deduct(first.id);
        expect(await atTheDoor(buyer)).toMatchObject({ reason: 'no_sessions', user_plan: { id: first.id } });
        const charged = { user_id: buyer.id, action: 'check_in_with_deduction' };
        expect(await as.reception.client.post('/attendance', charged)).toBeRefused(409, 'no_sessions_left');
      });

      it('is one that ended by time, also if another is corrected after that', async () => {
        const buyer = await member();
        await assign(buyer, monthly);
        const { body: waiting } = await assign(buyer, monthly, { start: 'after_current' });
        const { body: used } = await assign(buyer, sessions);
        await change(used.id, { remaining_sessions: 0 });
        await change(waiting.id, { expires_at: new Date().toISOString() });
        expect(await atTheDoor(buyer)).toMatchObject({ reason: 'expired', user_plan: { id: waiting.id } });
        const limited = await t.make.plan(own.gym.id, { session_count: 10, duration_days: 30 });
        const another = await member();
        const { body: over } = await assign(another, limited);
        await change(over.id, { expires_at: new Date().toISOString() });
        const { body: next } = await assign(another, monthly);
        await change(next.id, { status: 'cancelled' });
        await change(over.id, { remaining_sessions: 0 });
        expect(await atTheDoor(another)).toMatchObject({ reason: 'no_plan', user_plan: { id: next.id } });
      });

      it('is not one that would have begun later, and ended when its member left the gym', async () => {
        const buyer = await member();
        const { body: first } = await assign(buyer, monthly);
        await assign(buyer, monthly, { start: 'after_current' });
        for (const { id } of [other.gym, own.gym]) await as.admin.client.put(`/users/${buyer.id}`, { gym_id: id });
        await t.db.pool.query(
          `UPDATE user_plans SET starts_at = starts_at - d, expires_at = expires_at - d, ended_at = ended_at - d
           FROM make_interval(days => 40) d WHERE user_id = $1`,
          [buyer.id],
        );
        expect(await atTheDoor(buyer)).toMatchObject({ reason: 'no_plan', user_plan: { id: first.id } });
      });
    });

    it('charges a visit to the plan that counts, also if it is sold at the same moment', async () => {
      const better = await t.make.plan(own.gym.id, { price: 90, session_count: 20 });
      const answers = await times(8, async () => {
        const buyer = await member();
        const { body: bought } = await assign(buyer, sessions);
        const charged = { user_id: buyer.id, action: 'check_in_with_deduction' };
        return Promise.all([
          change(bought.id, { plan_id: better.id }, 'manager'),
          as.reception.client.post('/attendance', charged),
        ]);
      });
      expect(tally(answers.flat())).toEqual({ 200: 8, 201: 8 });
    });

    it('opens no plan again that would wait beside another', async () => {
      const buyer = await member();
      const endless = await t.make.plan(own.gym.id, { session_count: 10 });
      await assign(buyer, endless);
      const { body: used } = await assign(buyer, sessions, { start: 'after_current' });
      const correct = (left: number) => as.manager.client.put(`/user-plans/${used.id}`, { remaining_sessions: left });
      expect((await correct(0)).body.status).toBe('expired');
      const { body: waiting } = await assign(buyer, sessions, { start: 'after_current' });
      expect(await correct(10)).toBeRefused(409, 'already_scheduled');
      expect((await as.manager.client.post(`/user-plans/${waiting.id}/cancel`, {})).body.status).toBe('cancelled');
      expect((await correct(10)).body.status).toBe('scheduled');
    });

    it('leaves a cancelled plan cancelled', async () => {
      const { body: bought } = await assign(await member(), sessions);
      await change(bought.id, { status: 'cancelled' });
      for (const more of [{ status: 'active' }, { remaining_sessions: 0 }, { expires_at: daysFromNow(3) }]) {
        expect(await codeOf(change(bought.id, more))).toBe('plan_not_active');
      }
      expect(await read(bought.id)).toMatchObject({ status: 'cancelled', remaining_sessions: 10 });
    });

    it('deletes an assignment as if it had never been, and the waiting plan begins', async () => {
      const buyer = await member();
      const { body: bought } = await assign(buyer, monthly);
      const { body: waiting } = await assign(buyer, cheap, { start: 'after_current' });
      expect(await as.manager.client.delete(`/user-plans/${bought.id}`)).toHaveStatus(204);
      expect(await as.manager.client.all(`/user-plans/user/${buyer.id}`)).toMatchObject([{ id: waiting.id }]);
      expect((await active(buyer)).id).toBe(waiting.id);
    });

    describe('deletes one that had replaced another', () => {
      const remove = async (...ids: number[]) => {
        const removed = await Promise.all(ids.map((id) => as.manager.client.delete(`/user-plans/${id}`)));
        for (const answer of removed) expect(answer).toHaveStatus(204);
      };
      const sell = async (buyer: { id: number }, plan: PlanRow, more = {}) => (await assign(buyer, plan, more)).body;

      it('and gives that one back, with what waits for it', async () => {
        const buyer = await member();
        const bought = await sell(buyer, quarterly);
        const waiting = await sell(buyer, cheap, { start: 'after_current' });
        const mistake = await sell(buyer, monthly);
        expect((await read(waiting.id)).starts_at).toBe(mistake.expires_at);
        await remove(mistake.id);
        const { updated_at: _, ...before } = bought;
        expect(await read(bought.id)).toMatchObject(before);
        expect(await read(waiting.id)).toMatchObject({ status: 'scheduled', starts_at: bought.expires_at });
        const next = await sell(buyer, monthly);
        await change(next.id, { status: 'cancelled' });
        expect((await active(buyer)).id).toBe(waiting.id);
      });

      it('also if it was cancelled first, or has used up its sessions', async () => {
        for (const end of [{ status: 'cancelled' }, { remaining_sessions: 0 }]) {
          const buyer = await member();
          const bought = await sell(buyer, quarterly);
          const mistake = await sell(buyer, sessions);
          await change(mistake.id, end);
          expect((await read(bought.id)).status).toBe('cancelled');
          await remove(mistake.id);
          expect((await active(buyer)).id).toBe(bought.id);
        }
      });

      it('frozen, if it was, and expired, if its end is past', async () => {
        for (const freeze of [{}, { days: 60 }]) {
          const buyer = await member();
          const bought = await sell(buyer, monthly);
          const { body: frozen } = await as.manager.client.post(`/user-plans/${bought.id}/freeze`, freeze);
          const mistake = await sell(buyer, monthly);
          await remove(mistake.id);
          expect(await read(bought.id)).toEqual({ ...frozen, updated_at: expect.anything() });
        }
        const buyer = await member();
        const bought = await sell(buyer, monthly);
        const mistake = await sell(buyer, quarterly);
        await age(buyer, 31);
        await remove(mistake.id);
        expect(await read(bought.id)).toMatchObject({ status: 'expired', replaced_by_id: null });
      });

      it('link by link of a chain, in any order, also at once', async () => {
        for (const order of [[[2], [1]], [[1], [2]], [[1, 2]], [[2, 2, 1, 1]]]) {
          const buyer = await member();
          const chain = [await sell(buyer, monthly), await sell(buyer, cheap), await sell(buyer, quarterly)];
          for (const links of order) await remove(...links.map((link) => chain[link]!.id));
          expect(await active(buyer)).toMatchObject({ id: chain[0].id, replaced_by_id: null });
        }
        const buyer = await member();
        const [first, middle, last] = [await sell(buyer, monthly), await sell(buyer, cheap), await sell(buyer, cheap)];
        await remove(middle.id);
        expect(await read(first.id)).toMatchObject({ status: 'cancelled', replaced_by_id: last.id });
        expect((await active(buyer)).id).toBe(last.id);
      });

      it('and lets a waiting one wait again', async () => {
        const buyer = await member();
        const bought = await sell(buyer, monthly);
        const waiting = await sell(buyer, cheap, { start: 'after_current' });
        const { body: mistake } = await change(waiting.id, { plan_id: quarterly.id });
        expect(await read(waiting.id)).toMatchObject({ status: 'cancelled', replaced_by_id: mistake.id });
        await remove(mistake.id);
        expect(await read(waiting.id)).toMatchObject({ status: 'scheduled', starts_at: bought.expires_at });
        const { body: cancelled } = await change(waiting.id, { plan_id: quarterly.id });
        await as.manager.client.post(`/user-plans/${cancelled.id}/cancel`);
        const instead = await sell(buyer, cheap, { start: 'after_current' });
        await remove(cancelled.id);
        expect([(await read(waiting.id)).status, (await read(instead.id)).status]).toEqual(['cancelled', 'scheduled']);
      });

      it('but nothing that was over before, whose place another has, or whose member is gone', async () => {
        for (const end of [{ status: 'cancelled' }, { remaining_sessions: 0 }]) {
          const bought = await sell(await member(), sessions);
          const { body: over } = await change(bought.id, end);
          const { body: renewed } = await change(bought.id, { plan_id: sessions.id });
          await remove(renewed.id);
          expect(await read(bought.id)).toEqual({ ...over, updated_at: expect.anything() });
        }
        const buyer = await member();
        const bought = await sell(buyer, quarterly);
        const mistake = await sell(buyer, monthly);
        await change(mistake.id, { status: 'cancelled' });
        const next = await sell(buyer, cheap);
        await remove(mistake.id);
        expect((await read(bought.id)).status).toBe('cancelled');
        expect((await active(buyer)).id).toBe(next.id);
        const mover = await member();
        const left = await sell(mover, quarterly);
        const replaced = await sell(mover, monthly);
        await as.admin.client.put(`/users/${mover.id}`, { gym_id: other.gym.id });
        await remove(replaced.id);
        expect((await read(left.id)).status).toBe('cancelled');
      });
    });
  });

  describe('lists', () => {
    it('filter by status, and page by page show each plan once', async () => {
      const gym = await t.make.gym();
      const { client } = await t.make.signedIn('manager', gym.id);
      const [plan, byCount] = [await t.make.plan(gym.id), await t.make.plan(gym.id, { session_count: 1 })];
      const people = await times(7, () => t.make.person('user', gym.id));
      const bought: number[] = [];
      for (const [index, { id }] of people.entries()) {
        const { body } = await client.post('/user-plans', { user_id: id, plan_id: index < 6 ? plan.id : byCount.id });
        bought.push(body.id);
      }
      const [first, frozen, cancelled, expired, waited, last, used] = bought;
      await client.put(`/user-plans/${frozen}`, { status: 'frozen' });
      await client.put(`/user-plans/${cancelled}`, { status: 'cancelled' });
      await age(people[3]!, 31);
      const later = { user_id: people[4]!.id, plan_id: plan.id, start: 'after_current' };
      const { body: waiting } = await client.post('/user-plans', later);
      await client.post(`/user-plans/${used}/deduct`);
      const ids = async (query: string) => (await client.all(`/user-plans?limit=2${query}`)).map(({ id }) => id);
      expect(await ids('')).toEqual([waiting.id, ...bought.toReversed()]);
      expect(await ids('&status=frozen')).toEqual([frozen]);
      expect(await ids('&status=cancelled')).toEqual([cancelled]);
      expect(await ids('&status=expired')).toEqual([used, expired]);
      expect(await ids('&status=scheduled')).toEqual([waiting.id]);
      expect(await ids('&status=active')).toEqual([last, waited, first]);
      expect(await ids(`&user_id=${people[4]!.id}`)).toEqual([waiting.id, waited]);
      expect(await ids(`&user_id=${people[4]!.id}&status=active`)).toEqual([waited]);
      expect(await ids('&user_id=1')).toEqual([]);
      expect(await client.get('/user-plans?status=gone')).toHaveWrongFields('status');
      expect(await client.all(`/user-plans/user/${people[4]!.id}?limit=1`)).toHaveLength(2);
    });

    it('show what expires before a local day or a moment, the first first', async () => {
      const gym = await t.make.gym({ timezone: 'America/New_York' });
      const { client } = await t.make.signedIn('manager', gym.id);
      const plan = await t.make.plan(gym.id, { duration_days: 1000 });
      // The local day 2036-03-09 begins at 05:00 in UTC.
      const ends = ['2036-03-09T05:00:00.000Z', '2036-03-09T04:59:59.999Z', '2036-03-08T05:00:00.000Z'];
      const bought: number[] = [];
      for (const end of [...ends, ends[2]!]) {
        const { id } = await t.make.userPlan(await t.make.person('user', gym.id), plan);
        await client.put(`/user-plans/${id}`, { expires_at: end });
        bought.push(id);
      }
      await client.put(`/user-plans/${bought[3]}`, { status: 'frozen' });
      const before = async (moment: string, who = client) =>
        (await who.all(`/user-plans?gym_id=${gym.id}&limit=1&expiring_before=${moment}`)).map(({ id }) => id);
      for (const who of [client, as.admin.client]) {
        expect(await before('2036-03-09', who)).toEqual([bought[2], bought[1]]);
        expect(await before('2036-03-10', who)).toEqual([bought[2], bought[1], bought[0]]);
        expect(await before('2036-03-09T00:00:00-05:00', who)).toEqual([bought[2], bought[1]]);
      }
      expect(await before('2036-03-08')).toEqual([]);
      for (const wrong of ['0000-01-01', '2036-02-30', '2036-01-01T10Z', '2036-01-01T10:00:00%2B23:00', 'soon']) {
        expect(await client.get(`/user-plans?expiring_before=${wrong}`)).toHaveWrongFields('expiring_before');
      }
    });

    it('show a member their own plans and no other’s', async () => {
      const { client, id } = as.user;
      const { body: theirs } = await assign(await member(), monthly);
      expect(await client.all('/user-plans')).toMatchObject([{ id: own.userPlan.id, user_id: id }]);
      expect((await client.get(`/user-plans/user/${id}/active`)).body.id).toBe(own.userPlan.id);
      expect(await client.get(`/user-plans/${theirs.id}`)).toHaveStatus(404);
      expect(await client.get(`/user-plans/user/${theirs.user_id}`)).toHaveStatus(404);
      expect(await client.get(`/user-plans/user/${theirs.user_id}/active`)).toHaveStatus(404);
    });
  });

  it('are in every answer about a person: the active one with its plan, or null', async () => {
    const buyer = await t.make.person('user', own.gym.id, { phone_number: '+1 555 7319' });
    const shown = async () => {
      const { client } = as.reception;
      const answers = await Promise.all([
        client.get(`/users/${buyer.id}`),
        client.get(`/users/search/document/${buyer.document_id}`),
        client.get(`/users/search?q=${buyer.document_id}`),
        client.get('/users/search/phone/5557319'),
      ]);
      const people = [...answers.flatMap(({ body }) => body), ...(await client.all('/users/users'))];
      const same = people.filter(({ id }) => id === buyer.id).map(({ active_plan }) => active_plan);
      expect(same).toHaveLength(5);
      for (const plan of same) expect(plan).toEqual(same[0]);
      return same[0];
    };
    expect(await shown()).toBeNull();
    const { body } = await assign(buyer, monthly, { purchased_price: 25.5 });
    await assign(buyer, cheap, { start: 'after_current' });
    const { user: _user, cancel_reason: _note, ...asBought } = body;
    expect(await shown()).toEqual(asBought);
    await change(body.id, { status: 'frozen' });
    expect(await shown()).toBeNull();
  });

  describe('a member with a plan', () => {
    const newcomer = () => {
      const name = unique('new');
      return { email: `${name}@example.com`, full_name: name, document_id: name, phone_number: '+1 555 0123' };
    };
    const add = (body: object, role: Role = 'reception') => as[role].client.post('/users/with-plan', body);
    const exists = async ({ document_id }: { document_id: string }) =>
      (await as.admin.client.get(`/users/search/document/${document_id}`)).status === 200;

    it('is added by the desk in one step', async () => {
      const added = await add({ ...newcomer(), role: 'member', plan_id: sessions.id, purchased_price: 45 });
      expect(added).toHaveStatus(201);
      const { body } = added;
      expect(body).toMatchObject({ role: 'user', gym: own.gym, active_plan: { purchased_price: 45, plan: sessions } });
      expect(await as.manager.client.all(`/user-plans/user/${body.id}`)).toMatchObject([
        { created_by_id: as.reception.id },
      ]);
      const byAdmin = { ...newcomer(), plan_id: monthly.id };
      expect(await add({ ...byAdmin, gym_id: other.gym.id }, 'admin')).toHaveWrongFields('plan_id');
      expect((await add(byAdmin, 'admin')).body.active_plan.purchased_price).toBe(30);
    });

    it('is added with the plan or not at all', async () => {
      const person = newcomer();
      const gone = await t.make.plan(own.gym.id, { is_active: false });
      expect(await codeOf(add({ ...person, plan_id: gone.id }))).toBe('plan_inactive');
      expect(await add({ ...person, plan_id: other.plan.id })).toHaveWrongFields('plan_id');
      expect(await add(person)).toHaveWrongFields('plan_id');
      expect(await exists(person)).toBe(false);
      const sold = async () => (await as.admin.client.get('/user-plans?count=true')).headers.get('x-total-count');
      const before = await sold();
      expect(await codeOf(add({ ...person, email: as.user.email, plan_id: monthly.id }))).toBe('email_taken');
      expect([await exists(person), await sold()]).toEqual([false, before]);
    });

    it('is added once under an Idempotency-Key, also 20 times at once', async () => {
      const [body, key] = [{ ...newcomer(), plan_id: monthly.id }, { 'idempotency-key': unique('key') }];
      const answers = await times(20, () => as.trainer.client.post('/users/with-plan', body, key));
      expect(tally(answers)).toEqual({ 201: 20 });
      expect(new Set(answers.map(({ body: { id } }) => id)).size).toBe(1);
    });
  });
});
