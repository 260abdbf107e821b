import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { STAFF } from '../../../src/common/actor/roles.js';
import { everyGym } from '../../../src/database/sql.js';
import { startApp, type TestApp } from '../../support/app.js';
import { ownDatabase } from '../../support/database.js';
import { type SignedIn, unique } from '../../support/factory.js';
import { plain, type PlainAnswer } from '../../support/plain-http.js';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);

describe('av-checkins over REST', () => {
  let t: TestApp;
  let gymId: number;
  let desk: SignedIn;
  let admin: SignedIn;
  let number = 0;

  beforeAll(async () => {
    t = await startApp({ DATABASE_URL: await ownDatabase('av_rest') });
    await t.make.gym();
    gymId = (await t.make.gym({ timezone: 'Asia/Tokyo' })).id;
    desk = await t.make.signedIn('reception', gymId);
    admin = await t.make.signedIn('admin', gymId);
  });
  afterAll(() => t.close());

  const ask = (method: string, path: string, body?: unknown, who = desk) =>
    plain(method, `${t.url}/api/${path}`, { token: who.access_token, body });
  const get = async (path: string, who = desk) => {
    const answer = await ask('GET', path, undefined, who);
    expect(answer.status).toEqualFor(path, 200);
    return answer.body;
  };
  const member = async (fields: Record<string, unknown> = {}, gym = gymId) => {
    const person = { full_name: `Member ${String(number++).padStart(3, '0')}`, phone_number: '+1 555 0100', ...fields };
    return { ...(await t.make.person('user', gym, person)), full_name: person.full_name };
  };
  const cardNumber = (id: number) => `GYM${String(id).padStart(5, '0')}`;
  const refused = ({ status, body }: PlainAnswer) => {
    const { success, error, detail, message } = body;
    expect([success, detail, message]).toEqual([false, error, error]);
    return [status, error];
  };
  const days = (count: number) => new Date(Date.now() + count * 86_400_000).toISOString();
  const idsOf = (rows: { id: string }[]) => rows.map(({ id }) => Number(id));

  it('says who is signed in, with the role in its own words', async () => {
    const roles = {
      ...{ admin: 'ADMIN', manager: 'MANAGER', reception: 'FRONT_DESK', accountant: 'STAFF', trainer: 'TRAINER' },
    };
    for (const role of STAFF) {
      const who = await t.make.signedIn(role, gymId, { full_name: 'Ana de Souza', username: unique(role) });
      expect(await get('auth/me/', who)).toEqual({
        ...{ id: String(who.id), username: expect.stringContaining(role), email: who.email },
        ...{ first_name: 'Ana de', last_name: 'Souza', role: roles[role], is_active: true, date_joined: TIME },
      });
    }
    expect((await get('auth/me')).username).toBe(desk.email);
  });

  it('lists members by name, all of them, with strings for what is not known', async () => {
    const gym = (await t.make.gym()).id;
    const who = await t.make.signedIn('trainer', gym);
    const zoe = await member({ full_name: 'Zoe', phone_number: null, email: null, is_active: false }, gym);
    const ana = await member({ full_name: 'Ana', phone_number: '+1 234 567 891' }, gym);
    const others = await Promise.all(
      Array.from({ length: 205 }, (_, n) => member({ full_name: `M ${1000 + n}` }, gym)),
    );
    const all = await get('members/', who);
    expect(all).toHaveLength(207);
    expect(all[0]).toEqual({
      ...{ id: String(ana.id), full_name: 'Ana', phone: '+1 234 567 891', address: '' },
      ...{ membership_number: cardNumber(ana.id), status: 'active', email: ana.email, notes: '', image_url: null },
      ...{ created_at: TIME, updated_at: TIME },
    });
    expect(all[206]).toMatchObject({ id: String(zoe.id), phone: '', email: '', status: 'inactive' });
    expect(new Set(idsOf(all)).size).toBe(207);
    expect(await get(`members/${others[0]!.id}/`, who)).toMatchObject({ full_name: 'M 1000' });
  });

  it('finds members by name, phone and membership number, at most 10', async () => {
    const found = async (q: string) => idsOf(await get(`members/search/?q=${encodeURIComponent(q)}`));
    const word = unique('word').replace('-', '');
    const person = await member({ full_name: `Searched ${word}`, phone_number: '+44 20 7946 0958' });
    expect(await found(word)).toEqual([person.id]);
    expect(await found('7946 0958')).toEqual([person.id]);
    expect(await found(cardNumber(person.id))).toEqual([person.id]);
    expect(await found(cardNumber(person.id).toLowerCase())).toEqual([person.id]);
    expect(await found(await t.make.qrCode(person))).toEqual([person.id]);
    for (const digits of [String(person.id), `000${person.id}`]) expect((await found(digits))[0]).toBe(person.id);
    for (let n = 0; n < 12; n++) await member({ full_name: `Many ${word}x ${n}` });
    expect(await found(`${word}x`)).toHaveLength(10);
    for (const nothing of ['', '   ', '!!', 'GYM99999999', cardNumber(desk.id)]) {
      expect(await found(nothing)).toEqualFor(nothing, []);
    }
    expect(await get('members/search/')).toEqual([]);
    const elsewhere = await member({}, (await t.make.gym()).id);
    expect(await found(cardNumber(elsewhere.id))).toEqual([]);
  });

  it('knows no other ids', async () => {
    const elsewhere = await member({}, (await t.make.gym()).id);
    for (const id of [elsewhere.id, desk.id, 0, 2_147_483_648, 'abc', '1.5', '9b2f9d0e-7f5b-4d7e-9d1a-0f4a3c2b1a00']) {
      for (const path of [`members/${id}/`, `members/${id}/checkins/`]) {
        expect(refused(await ask('GET', path))).toEqualFor(path, [404, 'Member not found']);
      }
      expect(refused(await ask('POST', 'checkins/', { member: id }))).toEqual([404, 'Member not found']);
      expect(refused(await ask('POST', `checkins/${id}/checkout/`))).toEqual([404, 'Check-in not found']);
    }
    expect(refused(await ask('GET', `members/${elsewhere.id}/`, undefined, admin))).toEqual([404, 'Member not found']);
    expect(refused(await ask('GET', 'invoices/'))).toEqual([404, 'Not found']);
    expect(refused(await plain('GET', `${t.url}/api/invoices/`))).toEqual([404, 'Not found']);
  });

  it('checks in and out, once', async () => {
    const person = await member({ full_name: 'María López' });
    const plan = await t.make.plan(gymId, { name: unique('Monthly') });
    await t.make.userPlan(person, plan);
    const { status, body: visit } = await ask('POST', 'checkins/', { member: String(person.id), location: 'Door 1' });
    expect(status).toBe(201);
    expect(visit).toEqual({
      id: expect.stringMatching(/^\d+$/),
      member: {
        ...{ id: String(person.id), full_name: 'María López', email: person.email, membership_type: plan.name },
      },
      ...{ check_in_time: TIME, check_out_time: null, location: 'Door 1', notes: '', status: 'checked_in' },
    });
    const again = await ask('POST', 'checkins', { member: person.id });
    expect(refused(again)).toEqual([400, 'María López is already checked in']);
    const path = `checkins/${visit.id}/checkout/`;
    const out = await ask('POST', path, { notes: 'Forgot the card' });
    expect(out).toMatchObject({
      status: 200,
      body: { ...visit, check_out_time: TIME, notes: 'Forgot the card', status: 'checked_out' },
    });
    const headers = { 'content-type': 'application/json' };
    const withoutBody = await plain('POST', `${t.url}/api/${path}`, { token: desk.access_token, headers });
    expect(refused(withoutBody)).toEqual([400, 'Already checked out']);
    expect(refused(await ask('POST', path))).toEqual([400, 'Already checked out']);
    expect(await get(`members/${person.id}/checkins/`)).toEqual([out.body]);
    expect(refused(await ask('POST', 'checkins/', {}))[0]).toBe(400);
    expect(refused(await ask('POST', 'checkins/', { member: person.id, location: 'x'.repeat(201) }))[0]).toBe(400);
    const gone = await member({ is_active: false });
    expect(refused(await ask('POST', 'checkins/', { member: gone.id }))).toEqual([400, 'This member is deactivated']);
  });

  it('takes a card for the member, and a repetition for one check-in', async () => {
    const person = await member();
    const code = await t.make.qrCode(person);
    for (const card of [code, cardNumber(person.id), String(person.id), person.id]) {
      const { status, body } = await ask('POST', 'checkins/', { member: card });
      expect(status).toEqualFor(String(card), 201);
      expect((await ask('POST', `checkins/${body.id}/checkout/`)).status).toBe(200);
    }
    const { body } = await desk.client.post(`/members/${person.id}/regenerate-qr`);
    expect(body.qr_code).not.toBe(code);
    expect(refused(await ask('POST', 'checkins/', { member: code }))).toEqual([404, 'Member not found']);
    const headers = { 'idempotency-key': unique('key-of-a-check-in') };
    const send = () =>
      plain('POST', `${t.url}/api/checkins/`, { token: desk.access_token, body: { member: person.id }, headers });
    const [first, second] = [await send(), await send()];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body.id).toBe(first.body.id);
  });

  describe('the lists of check-ins', () => {
    let gym: number;
    let who: SignedIn;
    let people: Awaited<ReturnType<typeof member>>[];
    const hours = (count: number) => new Date(Date.now() - count * 3_600_000).toISOString();
    const ids = (visits: { member: { id: string } }[]) => visits.map((visit) => Number(visit.member.id));

    beforeAll(async () => {
      gym = (await t.make.gym()).id;
      who = await t.make.signedIn('manager', gym);
      people = [];
      // Words that no id or email has in it.
      for (const name of ['Uma', 'Vera', 'Wim', 'Yusuf']) {
        people.push(await member({ full_name: `Listed ${name}` }, gym));
      }
      await t.make.visit(people[0]!, hours(0));
      await t.make.visit(people[1]!, hours(23), hours(22));
      await t.make.visit(people[2]!, days(-5), days(-5));
      await t.make.visit(people[3]!, days(-20), days(-20));
      await t.make.visit(people[3]!, days(-40), days(-40));
      await t.make.visit(await member({}, gymId));
    });

    it('are newest first, of a member or a day, or of the last 24 hours', async () => {
      const [a, b, c, d] = people.map(({ id }) => id);
      expect(ids(await get('checkins/', who))).toEqual([a, b, c, d, d]);
      expect(ids(await get(`checkins/?member=${d}&date=`, who))).toEqual([d, d]);
      expect(ids(await get(`checkins/?member=${cardNumber(c!)}`, who))).toEqual([c]);
      expect(ids(await get(`checkins/?date=${days(-5).slice(0, 10)}`, who))).toEqual([c]);
      expect(ids(await get(`checkins/?member=${d}&date=${days(-40).slice(0, 10)}`, who))).toEqual([d]);
      expect(await get('checkins/?member=nobody', who)).toEqual([]);
      expect(refused(await ask('GET', 'checkins/?date=31.01.2026', undefined, who))[0]).toBe(400);
      expect(ids(await get('checkins/recent/', who))).toEqual([a, b]);
    });

    it('have pages from 0, for the page and for scripts', async () => {
      const [a, b, c, d] = people.map(({ id }) => id);
      const all = await get('checkins/history/', who);
      expect(all).toEqual({
        results: await get('checkins/', who),
        ...{ total: 5, page: 0, per_page: 10, total_pages: 1, totalCount: 5 },
        checkIns: all.results.map((visit: any) => ({
          id: visit.id,
          member: { id: visit.member.id, fullName: visit.member.full_name },
          ...{ checkInTime: visit.check_in_time, checkOutTime: visit.check_out_time },
        })),
      });
      const page = await get('checkins/history/?page=1&perPage=2', who);
      expect(ids(page.checkIns)).toEqual([c, d]);
      expect(page).toMatchObject({ total: 5, page: 1, per_page: 2, total_pages: 3, totalCount: 5 });
      const found = async (query: string) => ids((await get(`checkins/history/?${query}`, who)).results);
      expect(await found('page=9')).toEqual([]);
      expect(await found('page=-1&perPage=0')).toHaveLength(5);
      expect(await found('page=x&perPage=')).toHaveLength(5);
      expect((await get('checkins/history/?perPage=1000', who)).per_page).toBe(100);
      for (const status of ['checked_in', 'in']) expect(await found(`status=${status}`)).toEqual([a]);
      for (const status of ['checked_out', 'out']) expect(await found(`status=${status}`)).toEqual([b, c, d, d]);
      expect(await found('status=all&dateRange=all&q=')).toHaveLength(5);
      expect((await found('dateRange=today')).length + (await found('dateRange=yesterday')).length).toBe(2);
      expect(await found('dateRange=week')).toEqual([a, b, c]);
      expect(await found('dateRange=month')).toEqual([a, b, c, d]);
      expect(await found('q=listed%20wim')).toEqual([c]);
      expect(await found(`q=${cardNumber(d!)}&dateRange=month`)).toEqual([d]);
      expect(await found(`q=${d}`)).toContain(d);
      for (const query of ['status=open', 'dateRange=year']) {
        expect(refused(await ask('GET', `checkins/history/?${query}`, undefined, who))[0]).toBe(400);
      }
    });

    it('agree with the numbers', async () => {
      for (let n = 0; n < 3; n++) {
        const { body } = await ask('POST', 'checkins/', { member: (await member({}, gym)).id }, who);
        if (n > 0) await ask('POST', `checkins/${body.id}/checkout/`, undefined, who);
      }
      const stats = await get('checkins/stats/', who);
      const { totalCount: inside } = await get('checkins/history/?status=in', who);
      const { results: today } = await get('checkins/history/?dateRange=today&perPage=100', who);
      const stays = today
        .filter((visit: any) => visit.check_out_time)
        .map((visit: any) => (Date.parse(visit.check_out_time) - Date.parse(visit.check_in_time)) / 60_000);
      const average = Math.round(stays.reduce((sum: number, stay: number) => sum + stay, 0) / stays.length);
      expect(stats).toEqual({ currentlyIn: inside, todayTotal: today.length, averageStayMinutes: average });
      const { checkins } = await get('admin/stats/', who);
      expect(checkins).toEqual({ today: today.length, current: inside });
    });
  });

  it('shows the gym in numbers, and no money to reception', async () => {
    const gym = (await t.make.gym()).id;
    const [manager, reception] = [await t.make.signedIn('manager', gym), await t.make.signedIn('reception', gym)];
    const plan = await t.make.plan(gym, { price: 39.9 });
    const short = await t.make.plan(gym, { price: 5.05, duration_days: 5 });
    await t.make.userPlan(await member({}, gym), plan);
    await t.make.userPlan(await member({}, gym), short);
    await t.make.visit(await member({ is_active: false }, gym));
    const expected = {
      members: { total: 3, active: 2, new_today: 3 },
      subscriptions: { active: 2, expiring_soon: 1 },
      finance: { today_revenue: 44.95, pending_payments: 0 },
      checkins: { today: 1, current: 1 },
    };
    expect(await get('admin/stats/', manager)).toEqual(expected);
    const withoutMoney = { ...expected, finance: { today_revenue: 0, pending_payments: 0 } };
    expect(await get('admin/stats/', reception)).toEqual(withoutMoney);
  });

  it('lists the plans that end in 30 days, the first to end first', async () => {
    const gym = (await t.make.gym({ timezone: 'Pacific/Auckland' })).id;
    const who = await t.make.signedIn('accountant', gym);
    const plans = await Promise.all([29, 3, 40].map((length) => t.make.plan(gym, { duration_days: length })));
    const [late, soon] = [await member({}, gym), await member({}, gym)];
    const ends = [await t.make.userPlan(late, plans[0]!), await t.make.userPlan(soon, plans[1]!)];
    await t.make.userPlan(await member({}, gym), plans[2]!);
    await t.make.userPlan(await member({}, gym), await t.make.plan(gym, { session_count: 5 }));
    const localDay = (date: string) =>
      new Intl.DateTimeFormat('en-CA', { timeZone: 'Pacific/Auckland' }).format(new Date(date));
    const answer = await get('notifications/dashboard/expiring_memberships/', who);
    expect(answer).toEqual({
      upcoming_expirations: [
        {
          ...{ id: String(ends[1]!.id), member: { id: String(soon.id), name: soon.full_name } },
          ...{ plan: { id: String(plans[1]!.id), name: plans[1]!.name }, end_date: localDay(days(3)) },
          ...{ days_remaining: expect.any(Number), status: 'active' },
        },
        expect.objectContaining({ id: String(ends[0]!.id), end_date: localDay(days(29)) }),
      ],
      total_count: 2,
    });
    const [{ days_remaining: left }] = answer.upcoming_expirations;
    expect(Number.isInteger(left) && Math.abs(left - 3) <= 1).toBe(true);
  });

  describe('later versions', () => {
    it('add a member, who is inactive until the first plan', async () => {
      const { status, body } = await ask('POST', 'members/', { full_name: ' Ana Souza ', phone: '+1 555 0142', x: 1 });
      expect(status).toBe(201);
      expect(body).toMatchObject({ full_name: 'Ana Souza', phone: '+1 555 0142', status: 'inactive', email: '' });
      expect(body.membership_number).toBe(cardNumber(Number(body.id)));
      const plan = await t.make.plan(gymId);
      expect(await desk.client.post('/user-plans', { user_id: Number(body.id), plan_id: plan.id })).toHaveStatus(201);
      expect(await get(`members/${body.id}/`)).toMatchObject({ status: 'active' });
      const phone = '+1 555 0142';
      for (const wrong of [{}, { full_name: 'Ana' }, { full_name: '', phone }, { full_name: 'A', phone: '12' }]) {
        expect(refused(await ask('POST', 'members/', wrong))[0]).toBe(400);
      }
    });

    it('change a member, and only what is sent', async () => {
      const person = await member({ phone_number: '+1 555 0100' });
      const path = `members/${person.id}/`;
      const change = async (body: object) => (await ask('PUT', path, body)).body;
      const named = { full_name: 'New Name', phone: '+1 555 0100', status: 'active' };
      expect(await change({ full_name: 'New Name' })).toMatchObject(named);
      const moved = { phone: '+1 555 0111', status: 'inactive' };
      expect(await change(moved)).toMatchObject({ ...named, ...moved });
      expect(await change({ phone: '', status: 'active' })).toMatchObject({ ...named, phone: '' });
      expect(refused(await ask('PUT', path, { status: 'gone' }))[0]).toBe(400);
      expect(refused(await ask('PUT', path, { full_name: '' }))[0]).toBe(400);
      const staff = await ask('PUT', `members/${desk.id}/`, { full_name: 'X' }, admin);
      expect(refused(staff)).toEqual([404, 'Member not found']);
    });

    it('let an admin alone delete one', async () => {
      const person = await member();
      expect(refused(await ask('DELETE', `members/${person.id}/`))[0]).toBe(403);
      expect(await ask('DELETE', `members/${person.id}/`, undefined, admin)).toMatchObject({ status: 204, body: '' });
      expect(refused(await ask('GET', `members/${person.id}/`))).toEqual([404, 'Member not found']);
      expect(refused(await ask('DELETE', `members/${desk.id}/`, undefined, admin))).toEqual([404, 'Member not found']);
    });
  });

  it('shows an admin the home gym, or else the first, and nothing of others', async () => {
    const nomad = await t.make.signedIn('admin', null);
    const [gym] = await t.db.query<{ id: number }>(everyGym`SELECT id FROM gyms WHERE is_active ORDER BY id LIMIT 1`);
    expect(gym!.id).not.toBe(gymId);
    const [here, there] = [await member({}, gym!.id), await member()];
    expect(idsOf(await get('members/', nomad))).toContain(here.id);
    expect(idsOf(await get('members/', nomad))).not.toContain(there.id);
    expect(idsOf(await get('members/', admin))).toContain(there.id);
    expect(refused(await ask('POST', 'checkins/', { member: there.id }, nomad))).toEqual([404, 'Member not found']);
    const visit = await t.make.visit(there);
    const path = `checkins/${visit.id}/checkout/`;
    expect(refused(await ask('POST', path, {}, nomad))).toEqual([404, 'Check-in not found']);
    expect((await ask('POST', path, {}, admin)).status).toBe(200);
  });
});
