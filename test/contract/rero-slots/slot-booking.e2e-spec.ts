import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { everyGym } from '../../../src/database/sql.js';
import { JobsService } from '../../../src/jobs/jobs.service.js';
import { startApp, type TestApp } from '../../support/app.js';
import { PASSWORD, unique } from '../../support/factory.js';
import { PlainClient } from '../../support/plain-client.js';
import { plain } from '../../support/plain-http.js';
import { SocketClient } from '../../support/socket-client.js';
import { until } from '../../support/until.js';
import { ORIGIN, register, type Rero, startRero } from './rero.js';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
const MASKED = 'u***@example.com';
const WRONG = 'Authentication failed. Invalid email or password.';
const MISSING = 'Missing slot_id, email, or password in booking request';

describe('/slot-booking', () => {
  let rero: Rero;
  let url: string;
  const open = (app: TestApp = rero.t, headers: Record<string, string> = {}) =>
    PlainClient.open(`${app.url}/slot-booking`, headers);
  const newPerson = () => register(url, `${unique('user')}@example.com`);
  const shows =
    (slot: number, email: string | null) =>
    ({ type, data }: any): boolean =>
      type === 'slots_update' && data.slots[slot].booked_by === email;
  const cancel = (token: string, ...slots: number[]) =>
    Promise.all(slots.map((slotId) => plain('POST', `${url}/cancel-slot`, { body: { slot_id: slotId, token } })));

  beforeAll(async () => {
    rero = await startRero('rero_sockets');
    ({ url } = rero.t);
  });
  afterEach(() => {
    PlainClient.closeAll();
    SocketClient.closeAll();
  });
  afterAll(() => rero.close());

  it('shows the day first, on connect and when asked, as GET /slots does', async () => {
    const { body: slots } = await plain('GET', `${url}/slots`);
    for (const path of ['/slot-booking', '/slot-booking/', '/slot-booking?x=1']) {
      const socket = await PlainClient.open(url + path);
      const first = await socket.next('slots_update');
      expect(socket.frames[0]).toBe(first);
      expect(first).toEqual({ type: 'slots_update', data: slots, timestamp: TIME });
      expect(await socket.ask({ type: 'get_slots', token: 'rubbish' }, 'slots_update')).toMatchObject({ data: slots });
      expect(socket.frames).toHaveLength(2);
    }
    expect(await PlainClient.status(`${url}/slot-booking/7`)).toBe(404);
  });

  it('books and cancels by a token, answers first, and shows it to all servers once', async () => {
    const me = await newPerson();
    const sockets = await Promise.all([open(), open(), open(rero.second)]);
    const [mine, ...others] = sockets;
    for (const socket of sockets) await socket.next('slots_update');
    const booked = await mine.ask({ type: 'book_slot', slot_id: 5, token: me.token }, 'booking_response');
    expect(booked).toEqual({
      ...{ type: 'booking_response', success: true, message: 'Slot 5 booked successfully', slot_id: 5 },
    });
    await mine.next(shows(5, me.email));
    for (const socket of others) await socket.next(shows(5, MASKED));
    expect(mine.types).toEqual(['slots_update', 'booking_response', 'slots_update']);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    for (const socket of others) expect(socket.types).toEqual(['slots_update', 'slots_update']);
    expect(mine.frames).toHaveLength(3);

    const answer = await mine.ask({ type: 'cancel_slot', slot_id: '5', token: me.token }, 'cancellation_response');
    expect(answer).toEqual({
      ...{ type: 'cancellation_response', success: true, message: 'Slot 5 booking cancelled successfully' },
      slot_id: 5,
    });
    for (const socket of sockets) await socket.next(shows(5, null));
  });

  it('shows one that was unknown until then the day with their hour, and not the day before it', async () => {
    const me = await newPerson();
    await cancel(me.token, 7);
    // Its frame for them is not that of all others: they have an hour.
    await plain('POST', `${url}/book-slot`, { body: { slot_id: 7, token: me.token } });
    const socket = await open();
    await socket.next(shows(7, MASKED));
    await socket.ask({ type: 'book_slot', slot_id: 8, token: me.token }, 'booking_response');
    expect(shows(8, me.email)(await socket.next('slots_update'))).toBe(true);
    await cancel(me.token, 7, 8);
  });

  it('books by email and password, which starts no session', async () => {
    const { token, email, password } = await newPerson();
    const socket = await open();
    expect(await socket.ask({ type: 'book_slot', slot_id: 6, email, password }, 'booking_response')).toMatchObject({
      success: true,
    });
    await socket.next(shows(6, email));
    const again = await socket.ask({ type: 'book_slot', slot_id: 6, email, password }, 'booking_response');
    const notAvailable = { success: false, message: 'Slot 6 is not available', slot_id: 6 };
    expect(again).toEqual({ type: 'booking_response', ...notAvailable });
    const sessions = await rero.t.anonymous.withToken(token).get('/auth/sessions');
    expect(sessions.body).toHaveLength(1);
    await socket.ask({ type: 'cancel_slot', slot_id: 6, email, password }, 'cancellation_response');
  });

  it('refuses in the words of REST', async () => {
    const me = await newPerson();
    const { token, email } = me;
    const other = await newPerson();
    const accountant = await rero.t.make.signedIn('accountant', rero.gymId);
    const foreign = await rero.t.make.signedIn('user', (await rero.t.make.gym()).id);
    const socket = await open();
    await socket.next('slots_update');
    for (const who of [
      { token: 'rubbish' },
      { email, password: 'wrong1' },
      { email: email.toUpperCase(), password: me.password },
    ]) {
      for (const [type, answer] of [
        ['book_slot', 'booking_response'],
        ['cancel_slot', 'cancellation_response'],
      ]) {
        const refused = await socket.ask({ type, slot_id: 7, ...who }, answer!);
        expect(refused).toEqual({ type: answer, success: false, message: WRONG, slot_id: 7 });
      }
    }
    for (const body of [{ slot_id: 7 }, { token }, { slot_id: 'x', token }, { slot_id: 7, email }, { slot_id: null }]) {
      expect(await socket.ask({ type: 'book_slot', ...body }, 'error')).toEqual({ type: 'error', message: MISSING });
    }
    for (const slotId of [0, 24, -3, 1e15]) {
      const refused = await socket.ask({ type: 'book_slot', slot_id: slotId, token }, 'booking_response');
      expect(refused.message).toBe(`Slot ${slotId} is not available`);
    }
    await socket.ask({ type: 'book_slot', slot_id: 7, token }, 'booking_response');
    const theirs = await socket.ask({ type: 'cancel_slot', slot_id: 7, token: other.token }, 'cancellation_response');
    expect(theirs).toMatchObject({ success: false, message: 'Slot 7 was not booked by you or does not exist' });
    for (const { access_token } of [accountant, foreign]) {
      const refused = await socket.ask({ type: 'book_slot', slot_id: 9, token: access_token }, 'booking_response');
      expect(refused).toMatchObject({ success: false, slot_id: 9 });
    }
    for (const frame of ['{', '[]', '7', 'null', '{"type":"nothing"}', '{}', '{"type":{}}']) {
      expect(await socket.ask(frame, 'error')).toEqual({ type: 'error', message: expect.any(String) });
    }
    expect(socket.isClosed).toBe(false);
    await cancel(token, 7);
  });

  it('shows one change of old and new clients to each other at once', async () => {
    const me = await newPerson();
    const old = await open();
    await old.next('slots_update');
    const modern = await SocketClient.connect(rero.second.url, '/slots', { token: rero.manager.access_token });
    await modern.next('slots_update');
    await old.ask({ type: 'book_slot', slot_id: 11, token: me.token }, 'booking_response');
    const changed = await modern.next('slot_changed', ({ slot }) => slot.id === 11);
    expect(changed.slot.booked_by.email).toBe(me.email);

    const member = await SocketClient.connect(url, '/slots', { token: rero.member.access_token });
    expect(await member.ask('book_slot', { slot_id: 12 })).toMatchObject({ success: true });
    await old.next(shows(12, 'u***@example.com'));
    await rero.member.client.post('/slots/12/cancel', {});
    await old.next(shows(12, null));
    // What the staff changes about the day is told, too.
    await rero.manager.client.put('/slots/settings', { closing_slot: 20 });
    await old.next(({ data }) => data?.booked_slots.includes(22));
    await rero.manager.client.put('/slots/settings', { closing_slot: 23 });
    await old.next(({ data }) => data?.available_slots.includes(22));
    await cancel(me.token, 11);
  });

  it('shows who has an hour to its owner and the staff of the gym, and hints at it to all others', async () => {
    const me = await newPerson();
    await plain('POST', `${url}/book-slot`, { body: { slot_id: 13 }, token: me.token });
    const socket = await open();
    await socket.next(shows(13, MASKED));
    await socket.ask({ type: 'get_slots', token: me.token }, shows(13, me.email));
    await socket.ask({ type: 'get_slots', token: rero.member.access_token }, shows(13, MASKED));
    await socket.ask({ type: 'get_slots', token: rero.manager.access_token }, shows(13, me.email));
    expect(socket.types).toEqual(Array.from({ length: 4 }, () => 'slots_update'));
    await cancel(me.token, 13);
  });

  it('ends with the session, the role or the password of who was shown on it', async () => {
    const person = await newPerson();
    const byToken = await open();
    await byToken.ask({ type: 'cancel_slot', slot_id: 14, token: person.token }, 'cancellation_response');
    const far = await open(rero.second);
    await far.ask({ type: 'cancel_slot', slot_id: 14, token: person.token }, 'cancellation_response');
    const byPassword = await open();
    const { email, password } = person;
    await byPassword.ask({ type: 'cancel_slot', slot_id: 14, email, password }, 'cancellation_response');
    await rero.t.anonymous.withToken(person.token).post('/auth/logout', {});
    expect(await byToken.closed).toBe(4001);
    expect(await far.closed).toBe(4001);
    expect(byPassword.isClosed).toBe(false);
    expect(await rero.manager.client.put(`/users/${person.id}`, { is_active: false })).toHaveStatus(200);
    expect(await byPassword.closed).toBe(4001);
  });

  it('is told that the server restarts', async () => {
    const third = await startApp({ DATABASE_URL: rero.t.config.DATABASE_URL! });
    const socket = await open(third);
    await socket.next('slots_update');
    await third.close();
    expect(await socket.closed).toBe(1012);
  });

  describe('the cookie', () => {
    const cookieOf = (socket: PlainClient): string => socket.headers['set-cookie']![0]!.split(';')[0]!;
    const here = (cookie: string, origin = ORIGIN) => ({ cookie, origin });

    it('is set by an upgrade without it, and says nothing by itself', async () => {
      const socket = await open();
      expect(socket.headers['set-cookie']).toEqual([
        expect.stringMatching(/^rero_viewer=[\w-]{43}; Max-Age=172800; Path=\/slot-booking; HttpOnly; SameSite=Lax$/),
      ]);
      const cookie = cookieOf(socket);
      const again = await open(rero.t, here(cookie));
      expect(again.headers['set-cookie']).toBeUndefined();
      expect(cookieOf(await open(rero.t, here('rero_viewer=mine')))).not.toBe(cookie);
      const secure = await startApp({ DATABASE_URL: rero.t.config.DATABASE_URL!, TRUST_PROXY_HOPS: '1' });
      const set = async (scheme: string) =>
        (await open(secure, { 'x-forwarded-proto': scheme })).headers['set-cookie']![0]!.endsWith('; Secure');
      expect([await set('https'), await set('http')]).toEqual([true, false]);
      await secure.close();
    });

    it('shows later sockets as the person whose token a frame had, from allowed origins, and books nothing', async () => {
      const me = await newPerson();
      await plain('POST', `${url}/book-slot`, { body: { slot_id: 15 }, token: me.token });
      const first = await open(rero.t, { origin: ORIGIN });
      await first.next(shows(15, MASKED));
      await first.ask({ type: 'book_slot', slot_id: 16, token: me.token }, 'booking_response');
      await first.next(shows(15, me.email));
      const cookie = cookieOf(first);
      for (const app of [rero.t, rero.second]) {
        const later = await open(app, here(`a=1; ${cookie}; b=2`));
        const shown = await later.next('slots_update');
        expect(later.frames[0]).toBe(shown);
        expect([shown.data.slots[15].booked_by, shown.data.slots[16].booked_by]).toEqual([me.email, me.email]);
        const booking = { type: 'book_slot', slot_id: 17 };
        expect(await later.ask(booking, 'error')).toEqual({ type: 'error', message: MISSING });
      }
      for (const headers of [here(cookie, 'https://evil.example'), { cookie }]) {
        const later = await open(rero.t, headers);
        expect((await later.next('slots_update')).data.slots[15].booked_by).toBe(MASKED);
      }
      const stored = await rero.t.db.query<{ row: string }>(everyGym`SELECT c::text AS row FROM viewer_cookies c`);
      expect(JSON.stringify(stored)).not.toContain(cookie.split('=')[1]);

      // When the session is over, a socket that has shown no token goes on without it.
      const later = await open(rero.second, here(cookie));
      await later.next(shows(15, me.email));
      await rero.t.anonymous.withToken(me.token).post('/auth/logout', {});
      await later.next(shows(15, MASKED));
      expect(await first.closed).toBe(4001);
      const last = await open(rero.t, here(cookie));
      await last.next(shows(15, MASKED));
      expect(later.isClosed).toBe(false);
    });

    it('is not tied by a page of another origin, nor by a password', async () => {
      const { token, email, password } = await newPerson();
      const count = async () => (await rero.t.db.query(everyGym`SELECT FROM viewer_cookies`)).length;
      const before = await count();
      const evil = await open(rero.t, { origin: 'https://evil.example' });
      await evil.ask({ type: 'get_slots', token }, 'slots_update');
      const own = await open(rero.t, { origin: ORIGIN });
      await own.ask({ type: 'get_slots', email, password }, 'slots_update');
      expect(await count()).toBe(before);
    });

    it('goes with its time, and with the person', async () => {
      const me = await newPerson();
      const old = await newPerson();
      for (const { token } of [me, old]) {
        const socket = await open();
        await socket.ask({ type: 'get_slots', token }, 'slots_update');
        socket.socket.terminate();
      }
      const of = async (id: number) =>
        (
          await rero.t.db.query(everyGym`
          SELECT FROM viewer_cookies c JOIN sessions s ON s.id = c.session_id WHERE s.user_id = ${id}`)
        ).length;
      await until(async () => (await of(me.id)) === 1 && (await of(old.id)) === 1);
      await rero.t.db.change(everyGym`
        UPDATE viewer_cookies SET expires_at = now() - interval '1 second'
        WHERE session_id IN (SELECT id FROM sessions WHERE user_id = ${old.id})`);
      await rero.t.app.get(JobsService).run('purge_sessions');
      expect([await of(me.id), await of(old.id)]).toEqual([1, 0]);
      const admin = await rero.t.make.signedIn('admin', null);
      expect(await admin.client.delete(`/users/${me.id}`)).toHaveStatus(204);
      expect(await of(me.id)).toBe(0);
    });
  });

  it('shows all emails to all where the operator opens them', async () => {
    const { DATABASE_URL, RERO_GYM_ID } = rero.t.config;
    const settings = { DATABASE_URL: DATABASE_URL!, RERO_GYM_ID: String(RERO_GYM_ID), RERO_OPEN_ADDRESSES: 'true' };
    const opened = await startApp(settings);
    const me = await newPerson();
    await plain('POST', `${url}/book-slot`, { body: { slot_id: 18 }, token: me.token });
    const socket = await open(opened);
    expect(shows(18, me.email)(await socket.next('slots_update'))).toBe(true);
    await opened.close();
    await cancel(me.token, 18);
  });

  it('is not there without its family, nor are its routes', async () => {
    const none = await startApp({ DATABASE_URL: rero.t.config.DATABASE_URL!, LEGACY_CLIENTS: 'gymgem' });
    expect(await PlainClient.status(`${none.url}/slot-booking`)).toBe(404);
    for (const path of ['/', '/slots', '/health']) expect((await plain('GET', none.url + path)).status).toBe(404);
    expect((await plain('GET', `${none.url}/health/live`)).status).toBe(200);
    await none.close();
  });

  it('takes a temporary password for none', async () => {
    const { email } = await rero.t.make.person('user', rero.gymId, { must_change_password: true });
    const socket = await open();
    const refused = await socket.ask({ type: 'book_slot', slot_id: 19, email, password: PASSWORD }, 'booking_response');
    expect(refused).toMatchObject({ success: false, slot_id: 19 });
  });
});
