import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Role } from '../../src/common/actor/roles.js';
import { tally, times } from '../support/answers.js';
import { startApp, type TestApp } from '../support/app.js';
import { type PlanRow, type SignedIn, unique } from '../support/factory.js';
import { NEW_YORK } from '../support/new-york.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/until.js';
import { type GymWorld, makeWorld } from '../support/world.js';

const DAY = 24 * 3600 * 1000;
const ms = (moment: string) => Date.parse(moment);
const after = (moment: string, days: number) => new Date(ms(moment) + days * DAY).toISOString();

describe('plans from the desk', () => {
  let t: TestApp;
  let own: GymWorld;
  let other: GymWorld;
  let as: Record<Role, SignedIn>;
  /** 30 days; 10 sessions within 30 days; 10 sessions without an end. */
  let monthly: PlanRow;
  let limited: PlanRow;
  let endless: PlanRow;

  beforeAll(async () => {
    t = await startApp();
    ({ own, other } = await makeWorld(t));
    as = own.people;
    monthly = await t.make.plan(own.gym.id);
    limited = await t.make.plan(own.gym.id, { session_count: 10, duration_days: 30 });
    endless = await t.make.plan(own.gym.id, { session_count: 10 });
  });
  afterAll(async () => {
    SocketClient.closeAll();
    await t.close();
  });

  const member = () => t.make.person('user', own.gym.id);
  const buy = async (plan: PlanRow, buyer?: { id: number }, more: object = {}) => {
    const { id } = buyer ?? (await member());
    const sold = await as.admin.client.post('/user-plans', { user_id: id, plan_id: plan.id, ...more });
    expect(sold).toHaveStatus(201);
    return sold.body;
  };
  const send = (id: number, what: string, body?: object, client = as.manager.client) =>
    client.post(`/user-plans/${id}/${what}`, body);
  const freeze = (id: number, days?: number) => send(id, 'freeze', { days });
  const unfreeze = (id: number) => send(id, 'unfreeze');
  const cancel = (id: number, reason?: string) => send(id, 'cancel', { reason });
  const put = (id: number, body: object) => as.manager.client.put(`/user-plans/${id}`, body);
  const read = async (id: number) => (await as.manager.client.get(`/user-plans/${id}`)).body;
  /** As if so many days had passed since; the earliest plan first, because they may never overlap. */
  async function age(userId: number, days: number): Promise<void> {
    const { rows } = await t.db.pool.query('SELECT id FROM user_plans WHERE user_id = $1 ORDER BY starts_at', [userId]);
    for (const { id } of rows) {
      await t.db.pool.query(
        `UPDATE user_plans SET starts_at = starts_at - d, expires_at = expires_at - d, frozen_at = frozen_at - d,
           frozen_until = frozen_until - d FROM make_interval(days => $2) d WHERE id = $1`,
        [id, days],
      );
    }
  }

  describe('a freeze for some days', () => {
    it('moves the end by days of the gym’s clock, also over a day when it changes, and back', async () => {
      const gym = await t.make.gym({ timezone: 'Europe/Madrid' });
      const boss = (await t.make.signedIn('manager', gym.id)).client;
      const plan = await t.make.plan(gym.id);
      const { id } = await t.make.person('user', gym.id);
      const { body: bought } = await boss.post('/user-plans', { user_id: id, plan_id: plan.id });
      // The clock goes back in the last week of October.
      const year = new Date().getUTCFullYear() + 1;
      const { body: before } = await boss.put(`/user-plans/${bought.id}`, { expires_at: `${year}-10-20` });
      expect(before.expires_at).toBe(`${year}-10-19T22:00:00.000Z`);
      const frozen = await boss.post(`/user-plans/${bought.id}/freeze`, { days: 30 });
      expect(frozen.body.expires_at).toBe(`${year}-11-18T23:00:00.000Z`);
      const { body: back } = await boss.post(`/user-plans/${bought.id}/unfreeze`);
      expect(ms(back.expires_at) - ms(before.expires_at)).toBeLessThan(60_000);
      expect(ms(back.expires_at)).toBeGreaterThan(ms(before.expires_at));
    });

    it('moves the end at once by what it will take, and what waits for it', async () => {
      const buyer = await member();
      const bought = await buy(monthly, buyer);
      const waiting = await buy(limited, buyer, { start: 'after_current' });
      const frozen = await freeze(bought.id, 14);
      expect(frozen).toHaveStatus(200);
      const { frozen_at, frozen_until, expires_at } = frozen.body;
      expect(frozen.body).toMatchObject({ id: bought.id, status: 'frozen', is_active: false });
      expect(frozen_until).toBe(after(frozen_at, 14));
      expect(expires_at).toBe(after(bought.expires_at, 14));
      expect(await read(bought.id)).toEqual(frozen.body);
      expect(await read(waiting.id)).toMatchObject({
        ...{ status: 'scheduled', starts_at: expires_at, expires_at: after(expires_at, 30) },
      });
      const desk = as.reception.client;
      expect((await desk.get(`/users/${buyer.id}`)).body.active_plan).toBeNull();
      const asked = { user_id: buyer.id, action: 'check_in_with_deduction' };
      expect(await desk.post('/attendance', asked)).toBeRefused(409, 'plan_not_active');
      expect((await desk.post('/devices/access', { user_id: buyer.id })).body.reason).toBe('frozen');
      expect((await desk.post('/attendance', { user_id: buyer.id })).body.member.membership).toMatchObject({
        ...{ user_plan_id: bought.id, status: 'frozen', expires_at },
      });
    });

    it('ends by itself: to the millisecond, for the plan, the door, the lists and what waits', async () => {
      const buyer = await member();
      const bought = await buy(limited, buyer);
      const waiting = await buy(monthly, buyer, { start: 'after_current' });
      const { body: frozen } = await freeze(bought.id, 14);
      await age(buyer.id, 13);
      expect((await read(bought.id)).status).toBe('frozen');
      expect(await send(bought.id, 'deduct')).toBeRefused(409, 'plan_not_active');
      await age(buyer.id, 1);
      const { body: running } = await as.manager.client.get(`/user-plans/user/${buyer.id}/active`);
      expect(running).toMatchObject({ id: bought.id, status: 'active', frozen_at: null, frozen_until: null });
      expect(running.expires_at).toBe(after(frozen.expires_at, -14));
      const { user: _user, cancel_reason: _note, ...plan } = running;
      expect((await as.reception.client.get(`/users/${buyer.id}`)).body.active_plan).toEqual(plan);
      expect((await as.reception.client.post('/devices/access', { user_id: buyer.id })).body.allowed).toBe(true);
      expect((await read(bought.id)).remaining_sessions).toBe(9);
      await age(buyer.id, 30);
      expect((await read(bought.id)).status).toBe('expired');
      expect(await read(waiting.id)).toMatchObject({ status: 'active', starts_at: after(running.expires_at, -30) });
    });

    it('is over at the moment it names, while nothing runs', async () => {
      const bought = await buy(monthly);
      await freeze(bought.id, 1);
      const { rows } = await t.db.pool.query(
        `UPDATE user_plans SET frozen_until = moment() + interval '400 ms' WHERE id = $1 RETURNING frozen_until`,
        [bought.id],
      );
      const statusAt = async () => {
        const { rows: found } = await t.db.pool.query(
          `SELECT statement_timestamp() AS at, user_plan_status(up) AS status FROM user_plans up WHERE id = $1`,
          [bought.id],
        );
        return found[0];
      };
      const seen = [await statusAt()];
      await until(async () => seen.push(await statusAt()) && seen.at(-1).status === 'active');
      expect(seen[0].status).toBe('frozen');
      for (const { at, status } of seen) expect(status).toBe(at >= rows[0].frozen_until ? 'active' : 'frozen');
    });

    it('is in the lists as what it is, before and after', async () => {
      const gym = await t.make.gym();
      const { client } = await t.make.signedIn('manager', gym.id);
      const plan = await t.make.plan(gym.id);
      const bought: any[] = [];
      for (let one = 0; one < 4; one++) {
        const { id } = await t.make.person('user', gym.id);
        bought.push((await client.post('/user-plans', { user_id: id, plan_id: plan.id })).body);
      }
      const [open, short, long, over] = bought;
      await send(open.id, 'freeze', undefined, client);
      for (const { id } of [short, over]) await send(id, 'freeze', { days: 3 }, client);
      await send(long.id, 'freeze', { days: 365 }, client);
      await age(short.user_id, 4);
      await age(over.user_id, 34);
      const ids = async (query: string) => (await client.all(`/user-plans?${query}`)).map(({ id }) => id);
      expect(await ids('status=frozen')).toEqual([long.id, open.id]);
      expect(await ids('status=active')).toEqual([short.id]);
      expect(await ids('status=expired')).toEqual([over.id]);
      expect(await ids('status=scheduled')).toEqual([]);
      expect(await ids(`expiring_before=${after(new Date().toISOString(), 400)}`)).toEqual([short.id]);
    });

    it('unfrozen earlier gives the rest back, also to what waits', async () => {
      const buyer = await member();
      const bought = await buy(monthly, buyer);
      const waiting = await buy(limited, buyer, { start: 'after_current' });
      const { body: frozen } = await freeze(bought.id, 14);
      await age(buyer.id, 4);
      const asked = Date.now();
      const { body: running } = await unfreeze(bought.id);
      expect(running).toMatchObject({ status: 'active', frozen_at: null, frozen_until: null });
      // It has as long to go as when it was frozen.
      const left = ms(bought.expires_at) - ms(frozen.frozen_at);
      expect(ms(running.expires_at) - asked - left).toBeGreaterThanOrEqual(-20);
      expect(ms(running.expires_at) - Date.now() - left).toBeLessThanOrEqual(20);
      expect((await read(waiting.id)).starts_at).toBe(running.expires_at);
      // And again, now until it is unfrozen.
      const { body: again } = await freeze(bought.id);
      expect(again).toMatchObject({ status: 'frozen', frozen_until: null, expires_at: running.expires_at });
      expect(await read(waiting.id)).toMatchObject({ status: 'scheduled', starts_at: null });
      await age(buyer.id, 100);
      expect(Math.round((ms((await unfreeze(bought.id)).body.expires_at) - Date.now()) / DAY)).toBe(30);
    });

    it('counts days of the gym: it ends at the hour at which it began, and gives what it took', async () => {
      const gym = await t.make.gym({ timezone: NEW_YORK });
      const { client } = await t.make.signedIn('manager', gym.id);
      const plan = await t.make.plan(gym.id, { duration_days: 400 });
      const hour = (moment: number) =>
        new Date(moment).toLocaleTimeString('en', { timeZone: NEW_YORK, hour12: false, timeStyle: 'short' });
      // So many days from now the clock shows another time than so many times 24 hours from now.
      const days = [100, 150, 200, 250].find((count) => hour(Date.now() + count * DAY) !== hour(Date.now()))!;
      const { id } = await t.make.userPlan(await t.make.person('user', gym.id), plan);
      const { body: before } = await client.get(`/user-plans/${id}`);
      const { body: frozen } = await send(id, 'freeze', { days }, client);
      const taken = ms(frozen.frozen_until) - ms(frozen.frozen_at);
      expect(hour(ms(frozen.frozen_until))).toBe(hour(ms(frozen.frozen_at)));
      expect(Math.abs(taken - days * DAY)).toBe(DAY / 24);
      expect(ms(frozen.expires_at) - ms(before.expires_at)).toBe(taken);
      expect((await send(id, 'freeze', { days }, client)).body).toEqual(frozen);
    });

    it('of a plan without an end has one itself', async () => {
      const bought = await buy(endless);
      expect((await freeze(bought.id, 2)).body).toMatchObject({ status: 'frozen', expires_at: null });
      expect((await unfreeze(bought.id)).body).toMatchObject({ status: 'active', expires_at: null });
      await freeze(bought.id, 2);
      await age(bought.user_id, 2);
      expect((await send(bought.id, 'deduct')).body).toMatchObject({ status: 'active', remaining_sessions: 9 });
    });

    it('has 1 to 365 days', async () => {
      const bought = await buy(monthly);
      for (const days of [0, -1, 366, 1.5, 'ten', [], {}, true, 1e9]) {
        expect(await send(bought.id, 'freeze', { days })).toHaveWrongFields('days');
      }
      expect(await read(bought.id)).toEqual(bought);
      expect((await freeze(bought.id, 365)).body.expires_at).toBe(after(bought.expires_at, 365));
      const shortest = await buy(monthly);
      expect((await freeze(shortest.id, 1)).body.expires_at).toBe(after(shortest.expires_at, 1));
    });

    it('may not be outlived by a correction of the end', async () => {
      const bought = await buy(monthly);
      const { body: frozen } = await freeze(bought.id, 10);
      for (const end of [after(bought.starts_at, 5), frozen.frozen_until]) {
        expect(await put(bought.id, { expires_at: end })).toHaveWrongFields('expires_at');
      }
      const { body: corrected } = await put(bought.id, { expires_at: after(frozen.frozen_until, 3) });
      expect(corrected).toMatchObject({ status: 'frozen', frozen_until: frozen.frozen_until });
      const { body: running } = await unfreeze(bought.id);
      expect(Math.round((ms(running.expires_at) - Date.now()) / DAY)).toBe(3);
      await freeze(bought.id, 10);
      const ending = { status: 'active', expires_at: after(bought.starts_at, 5) };
      expect((await put(bought.id, ending)).body).toMatchObject({ ...ending, frozen_at: null, frozen_until: null });
    });
  });

  describe('sent twice', () => {
    it('does nothing twice', async () => {
      const bought = await buy(monthly);
      const { body: frozen } = await freeze(bought.id, 7);
      expect(await freeze(bought.id, 7)).toMatchObject({ status: 200, body: frozen });
      const { body: running } = await unfreeze(bought.id);
      expect(await unfreeze(bought.id)).toMatchObject({ status: 200, body: running });
      const { body: open } = await freeze(bought.id);
      for (const body of [undefined, {}, { days: null }]) {
        expect(await send(bought.id, 'freeze', body)).toMatchObject({ status: 200, body: open });
      }
      const { body: gone } = await cancel(bought.id, 'Moves away');
      for (const reason of ['Moves away', 'Another one', undefined]) {
        expect(await cancel(bought.id, reason)).toMatchObject({ status: 200, body: gone });
      }
    });

    it('with other days is refused, and says what to do', async () => {
      const bought = await buy(monthly);
      const { body: frozen } = await freeze(bought.id, 7);
      for (const days of [8, undefined]) {
        const refusal = await freeze(bought.id, days);
        expect(refusal).toBeRefused(409, 'already_frozen');
        expect(refusal.body.detail).toBe(
          `This plan is frozen until ${frozen.frozen_until}. Unfreeze it first, and then freeze it again.`,
        );
      }
      expect(await read(bought.id)).toEqual(frozen);
      await unfreeze(bought.id);
      await freeze(bought.id);
      const refusal = await freeze(bought.id, 7);
      expect(refusal).toBeRefused(409, 'already_frozen');
      expect(refusal.body.detail).toContain('until it is unfrozen');
    });

    it('with a key answers the first answer, also 20 times at once and after what came then', async () => {
      const bought = await buy(monthly);
      const key = { 'idempotency-key': unique('key') };
      const ask = () => as.manager.client.post(`/user-plans/${bought.id}/freeze`, { days: 7 }, key);
      const answers = await times(20, ask);
      expect(new Set(answers.map(({ status, body }) => `${status} ${body.frozen_at}`)).size).toBe(1);
      await unfreeze(bought.id);
      expect((await ask()).body).toEqual(answers[0]!.body);
      expect((await read(bought.id)).status).toBe('active');
    });

    it('20 times at once moves the end once', async () => {
      const bought = await buy(monthly);
      expect(tally(await times(20, () => freeze(bought.id, 7)))).toEqual({ 200: 20 });
      const frozen = await read(bought.id);
      expect(frozen.expires_at).toBe(after(bought.expires_at, 7));
      expect(tally(await times(20, () => unfreeze(bought.id)))).toEqual({ 200: 20 });
      const { expires_at } = await read(bought.id);
      expect(ms(expires_at) - ms(bought.expires_at)).toBeLessThan(DAY / 24);
      expect(ms(expires_at)).toBeGreaterThan(ms(bought.expires_at));
    });
  });

  describe('what a plan can become', () => {
    it('follows from what it is: only an active one is frozen, only a frozen one unfrozen, and one that is over not cancelled', async () => {
      const buyer = await member();
      const bought = await buy(monthly, buyer);
      const waiting = await buy(limited, buyer, { start: 'after_current' });
      for (const what of ['freeze', 'unfreeze']) {
        expect(await send(waiting.id, what)).toBeRefused(409, 'plan_not_active');
      }
      expect((await cancel(waiting.id)).body.status).toBe('cancelled');
      await age(buyer.id, 31);
      for (const what of ['freeze', 'unfreeze', 'cancel']) {
        expect(await send(bought.id, what)).toBeRefused(409, 'plan_not_active');
      }
      for (const what of ['freeze', 'unfreeze']) {
        expect(await send(waiting.id, what)).toBeRefused(409, 'plan_not_active');
      }
      const used = await buy(await t.make.plan(own.gym.id, { session_count: 1 }));
      await send(used.id, 'deduct');
      expect(await cancel(used.id)).toBeRefused(409, 'plan_not_active');
    });

    it('is the same for a PUT', async () => {
      const bought = await buy(monthly);
      const { body: frozen } = await freeze(bought.id, 7);
      expect((await put(bought.id, frozen)).body).toEqual(frozen);
      const thaw = { ...frozen, status: 'active' };
      const { body: running } = await put(bought.id, thaw);
      expect(running).toMatchObject({ status: 'active', frozen_until: null });
      expect(ms(running.expires_at) - ms(bought.expires_at)).toBeLessThan(DAY / 24);
      expect((await put(bought.id, thaw)).body).toEqual(running);
      const refused = await put(bought.id, { status: 'frozen', frozen_until: after(new Date().toISOString(), 7) });
      expect(refused).toHaveWrongFields('frozen_until');
      const noted = await put(bought.id, { cancel_reason: 'Moves away' });
      expect(noted).toHaveWrongFields('cancel_reason');
      const gone = { status: 'cancelled', cancel_reason: 'Moves away' };
      for (let time = 0; time < 2; time++) expect((await put(bought.id, gone)).body).toMatchObject(gone);
      expect((await cancel(bought.id)).body).toMatchObject(gone);
    });

    it('is not what it was when a PUT was read, if another desk has changed it since', async () => {
      const bought = await buy(limited);
      const refuse = async (stale: object, now: object) => {
        expect(await put(bought.id, stale)).toBeRefused(409, 'changed_since_read');
        expect(await read(bought.id)).toEqual(now);
      };
      const { body: frozen } = await freeze(bought.id, 14);
      await refuse(bought, frozen);
      const { body: running } = await unfreeze(bought.id);
      await refuse(frozen, running);
      const { body: open } = await freeze(bought.id);
      await refuse(running, open);
      const { body: again } = await unfreeze(bought.id);
      await refuse(open, again);
      const longer = { ...again, expires_at: after(again.expires_at, 7) };
      const { body: corrected } = await put(bought.id, longer);
      await refuse(again, corrected);
      // What changes nothing any more, and what names no reading.
      expect((await put(bought.id, longer)).body).toEqual(corrected);
      const { updated_at: _, ...meant } = bought;
      expect((await put(bought.id, meant)).body).toMatchObject({ status: 'active', expires_at: bought.expires_at });
    });

    it('is not frozen again by what was read before its freeze ended', async () => {
      const bought = await buy(limited);
      await freeze(bought.id, 7);
      await age(bought.user_id, 6);
      const frozen = await read(bought.id);
      await t.db.pool.query('UPDATE user_plans SET frozen_until = moment() WHERE id = $1', [bought.id]);
      const { rows } = await t.db.pool.query('SELECT frozen_until FROM user_plans WHERE id = $1', [bought.id]);
      const stale = { ...frozen, frozen_until: rows[0].frozen_until.toISOString() };
      const corrected = { ...stale, remaining_sessions: 4 };
      expect((await put(bought.id, stale)).body).toMatchObject({ status: 'active', remaining_sessions: 10 });
      expect((await put(bought.id, corrected)).body).toMatchObject({ status: 'active', remaining_sessions: 4 });
      await t.db.pool.query('UPDATE user_plans SET expires_at = moment() WHERE id = $1', [bought.id]);
      const { status, frozen_until } = stale;
      expect((await put(bought.id, { status, frozen_until })).body.status).toBe('expired');
    });
  });

  describe('cancelling', () => {
    it('notes a reason for the staff, keeps what was paid, and lets what waits begin', async () => {
      const buyer = await t.make.signedIn('user', own.gym.id);
      const bought = await buy(monthly, buyer, { purchased_price: 25.5 });
      const waiting = await buy(limited, buyer, { start: 'after_current' });
      await freeze(bought.id, 7);
      const gone = await cancel(bought.id, '  Moves to Cairo ');
      expect(gone).toHaveStatus(200);
      expect(gone.body).toMatchObject({
        ...{ status: 'cancelled', cancel_reason: 'Moves to Cairo', purchased_price: 25.5 },
        ...{ frozen_at: null, frozen_until: null },
      });
      expect((await read(waiting.id)).status).toBe('active');
      const path = `/user-plans/user/${buyer.id}`;
      for (const role of ['admin', 'reception', 'accountant', 'trainer'] as const) {
        expect((await as[role].client.all(path))[1].cancel_reason).toBe('Moves to Cairo');
      }
      const mine = [
        (await buyer.client.get(`/user-plans/${bought.id}`)).body,
        (await buyer.client.all(path))[1],
        (await buyer.client.all('/user-plans'))[1],
      ];
      for (const plan of mine) expect(plan).toMatchObject({ status: 'cancelled', cancel_reason: null });
      await as.admin.client.delete(`/users/${buyer.id}`);
      expect(await read(bought.id)).toMatchObject({ cancel_reason: null, purchased_price: 25.5 });
    });

    it('takes a reason of up to 500 characters, or none', async () => {
      for (const [reason, kept] of [
        ['x'.repeat(500), 'x'.repeat(500)],
        ['   ', null],
        ['', null],
        [null, null],
        [undefined, null],
      ]) {
        const bought = await buy(monthly);
        const gone = await send(bought.id, 'cancel', { reason });
        expect([gone.status, gone.body.status, gone.body.cancel_reason]).toEqual([200, 'cancelled', kept]);
      }
      const bought = await buy(monthly);
      for (const reason of ['x'.repeat(501), 7, {}, []]) {
        expect(await send(bought.id, 'cancel', { reason })).toHaveWrongFields('reason');
      }
      expect(await send(bought.id, 'cancel')).toMatchObject({ body: { status: 'cancelled', cancel_reason: null } });
    });

    it('leaves out, when a member goes, what was over before', async () => {
      const [goes, stays] = [await buy(monthly), await buy(monthly)];
      for (const { id } of [goes, stays]) await freeze(id, 3);
      await age(goes.user_id, 5);
      await age(stays.user_id, 34);
      for (const { user_id } of [goes, stays]) {
        await as.admin.client.put(`/users/${user_id}`, { gym_id: other.gym.id });
      }
      expect([(await read(goes.id)).status, (await read(stays.id)).status]).toEqual(['cancelled', 'expired']);
    });
  });

  describe('at once', () => {
    it('freezing and deducting: no session is taken while it is frozen', async () => {
      for (let round = 0; round < 5; round++) {
        const bought = await buy(limited);
        const [frozen, ...deducted] = await Promise.all([
          freeze(bought.id, 7),
          ...Array.from({ length: 8 }, () => send(bought.id, 'deduct')),
        ]);
        expect(frozen).toHaveStatus(200);
        const taken = deducted.filter(({ status }) => status === 200).length;
        const now = await read(bought.id);
        expect(now.remaining_sessions).toBe(10 - taken);
        for (const answer of deducted) {
          if (answer.status !== 200) expect(answer).toBeRefused(409, 'plan_not_active');
        }
        // What was frozen first lets nothing through behind it.
        expect(frozen.body.remaining_sessions).toBe(now.remaining_sessions);
      }
    });

    it('freezing and cancelling: it ends cancelled, and what waits begins', async () => {
      for (let round = 0; round < 8; round++) {
        const buyer = await member();
        const bought = await buy(monthly, buyer);
        const waiting = await buy(limited, buyer, { start: 'after_current' });
        const [frozen, gone] = await Promise.all([freeze(bought.id, 7), cancel(bought.id, 'Moves away')]);
        expect([200, 409]).toContain(frozen.status);
        expect(gone).toHaveStatus(200);
        expect(await read(bought.id)).toMatchObject({ status: 'cancelled', cancel_reason: 'Moves away' });
        expect((await read(waiting.id)).status).toBe('active');
      }
    });

    it('freezing and coming in: one who is let in has paid, and nothing is taken after', async () => {
      for (let round = 0; round < 8; round++) {
        const bought = await buy(limited);
        const [frozen, visit, entry] = await Promise.all([
          freeze(bought.id, 7),
          as.reception.client.post('/attendance', { user_id: bought.user_id, action: 'check_in_with_deduction' }),
          as.reception.client.post('/devices/access', { user_id: bought.user_id }),
        ]);
        expect(frozen).toHaveStatus(200);
        const taken = [visit.status === 201, entry.body.allowed].filter(Boolean).length;
        expect(taken).toBeLessThanOrEqual(1);
        expect((await read(bought.id)).remaining_sessions).toBe(10 - taken);
        expect(frozen.body.remaining_sessions).toBe(10 - taken);
      }
    });

    it('different things leave one plan at most that counts', async () => {
      const buyer = await member();
      const bought = await buy(monthly, buyer);
      await buy(limited, buyer, { start: 'after_current' });
      const answers = await times(24, (n) =>
        [() => freeze(bought.id, 3), () => unfreeze(bought.id), () => freeze(bought.id)][n % 3]!(),
      );
      for (const { status } of answers) expect([200, 409]).toContain(status);
      const plans = await as.manager.client.all(`/user-plans/user/${buyer.id}`);
      expect(['active', 'frozen']).toContain(plans[1].status);
      expect(plans[0].status).toBe('scheduled');
      const isOpen = plans[1].status === 'frozen' && plans[1].frozen_until === null;
      expect(plans[0].starts_at).toBe(isOpen ? null : plans[1].expires_at);
    });
  });

  describe('the screens of the gym', () => {
    it('are told of each change once, with what counts then', async () => {
      const screen = await SocketClient.connect(t.url, '/checkins', { token: as.trainer.access_token });
      const everywhere = await SocketClient.connect(t.url, '/checkins', { token: as.admin.access_token });
      const elsewhere = await SocketClient.connect(t.url, '/checkins', { token: other.people.trainer.access_token });
      const buyer = await t.make.person('user', own.gym.id, { full_name: 'Ana' });
      const told = (membership: object | null) => ({ user_id: buyer.id, full_name: 'Ana', membership });
      const heard = async () => {
        const next = await screen.next('membership_changed', ({ user_id }) => user_id === buyer.id);
        expect(await everywhere.next('membership_changed', ({ user_id }) => user_id === buyer.id)).toEqual(next);
        return next;
      };
      const bought = await buy(monthly, buyer);
      const shown = {
        ...{ user_plan_id: bought.id, plan_id: monthly.id, plan_name: monthly.name, status: 'active' },
        ...{ expires_at: bought.expires_at, remaining_sessions: null },
      };
      expect(await heard()).toEqual(told(shown));
      const { body: frozen } = await freeze(bought.id, 7);
      expect(await heard()).toEqual(told({ ...shown, status: 'frozen', expires_at: frozen.expires_at }));
      const { body: running } = await unfreeze(bought.id);
      expect(await heard()).toEqual(told({ ...shown, expires_at: running.expires_at }));
      // Another plan instead of two that run and wait: three rows change.
      await buy(limited, buyer, { start: 'after_current' });
      expect(await heard()).toMatchObject({ membership: { user_plan_id: bought.id } });
      const { body: sold } = await put(bought.id, { plan_id: limited.id });
      expect(await heard()).toMatchObject({ membership: { user_plan_id: sold.id, remaining_sessions: 10 } });
      await put(sold.id, { remaining_sessions: 5 });
      expect(await heard()).toMatchObject({ membership: { user_plan_id: sold.id, remaining_sessions: 5 } });
      await send(sold.id, 'deduct');
      expect(await heard()).toMatchObject({ membership: { user_plan_id: sold.id, remaining_sessions: 4 } });
      // The newest first: what it had replaced counts again.
      const counted = [];
      for (const { id } of await as.manager.client.all(`/user-plans/user/${buyer.id}`)) {
        await as.manager.client.delete(`/user-plans/${id}`);
        counted.push((await heard()).membership?.user_plan_id);
      }
      expect(counted).toEqual([bought.id, bought.id, undefined]);
      expect(screen.all('membership_changed').at(-1)).toEqual(told(null));
      const last = await buy(endless, buyer);
      await heard();
      // What changes nothing, what is refused, and what a check-in takes is not told.
      await put(last.id, last);
      await unfreeze(last.id);
      expect(await send(last.id, 'freeze', { days: 0 })).toHaveStatus(422);
      const visit = { user_id: buyer.id, action: 'check_in_with_deduction' };
      expect(await as.reception.client.post('/attendance', visit)).toHaveStatus(201);
      await screen.next('member_checked_in', ({ user_id }) => user_id === buyer.id);
      await cancel(last.id);
      expect(await heard()).toMatchObject({ membership: { user_plan_id: last.id, status: 'cancelled' } });
      await cancel(last.id);
      const name = unique('new');
      const newcomer = {
        email: `${name}@example.com`,
        full_name: name,
        document_id: name,
        phone_number: '+1 555 0123',
      };
      const { body } = await as.reception.client.post('/users/with-plan', { ...newcomer, plan_id: monthly.id });
      await screen.next('membership_changed', ({ user_id }) => user_id === body.id);
      const aboutAna = screen.all('membership_changed').filter(({ user_id }) => user_id === buyer.id);
      expect(aboutAna).toHaveLength(7 + 3 + 1 + 1);
      expect(elsewhere.all('membership_changed')).toEqual([]);
    });
  });
});
