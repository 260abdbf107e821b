import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { makeDevice, type TestDevice } from '../../support/device.js';
import { PASSWORD, unique } from '../../support/factory.js';
import { PlainClient } from '../../support/plain-client.js';
import { plain } from '../../support/plain-http.js';
import { SocketClient } from '../../support/socket-client.js';
import { register, type Rero, startRero } from './rero.js';

/** The rows of docs/legacy/rero-slots.md, asked as the old clients ask them. */
describe('ReRo over REST', () => {
  let rero: Rero;
  let url: string;
  const ask = (method: string, path: string, options: Parameters<typeof plain>[2] = {}) =>
    plain(method, url + path, options);
  const newEmail = () => `${unique('user')}@example.com`;
  const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

  beforeAll(async () => {
    rero = await startRero('rero_rest');
    ({ url } = rero.t);
  });
  afterEach(() => {
    PlainClient.closeAll();
    SocketClient.closeAll();
  });
  afterAll(() => rero.close());

  it('GET /, /health, /stats: numbers that agree with each other', async () => {
    const { body: slots } = await ask('GET', '/slots');
    const socket = await PlainClient.open(`${url}/slot-booking`);
    await socket.next('slots_update');
    for (const path of ['/', '/?', '']) {
      const { status, body, headers } = await ask('GET', path);
      expect(status).toBe(200);
      expect(headers.get('content-type')).toMatch('application/json');
      expect(body).toEqual({
        ...{ message: 'Slot Booking API is running', websocket_endpoint: '/slot-booking', active_connections: 1 },
        booked_slots: slots.booked_slots,
      });
    }
    // A person with a browser is led to the documentation.
    const browser = await ask('GET', '/', { headers: { accept: 'text/html,*/*' } });
    expect([browser.status, browser.headers.get('location')]).toEqual([302, '/docs']);
    const [booked, available] = [slots.booked_slots.length, slots.available_slots.length];
    const database = { total_slots: 24, booked_slots: booked, available_slots: available, database_path: 'postgresql' };
    expect((await ask('GET', '/health/')).body).toEqual({
      ...{ status: 'healthy', timestamp: TIME, active_connections: 1, total_slots: 24 },
      ...{ booked_slots_count: booked, available_slots_count: available, database },
    });
    expect((await ask('GET', '/stats')).body).toEqual({
      ...{ database, websocket: { active_connections: 1 }, slots: { total: 24, booked, available } },
    });
    for (const path of ['/health/live', '/health/ready']) expect((await ask('GET', path)).status).toBe(200);
  });

  it('GET /slots: always 24 of today, those that are over too', async () => {
    const { status, body } = await ask('GET', '/slots');
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(['slots', 'available_slots', 'booked_slots']);
    expect(body.slots.map(({ id }: { id: number }) => id)).toEqual(Array.from({ length: 24 }, (_, id) => id));
    const over = { id: 0, start_time: '00:00', end_time: '01:00', is_booked: true, booked_by: null, booked_at: null };
    expect(body.slots[0]).toEqual(over);
    expect(body.slots[23]).toEqual({ ...over, id: 23, start_time: '23:00', end_time: '00:00', is_booked: false });
    expect([...body.available_slots, ...body.booked_slots].toSorted((a, b) => a - b)).toHaveLength(24);
  });

  it('POST /auth/register and /auth/login: emails as typed, passwords as sent', async () => {
    const email = `Some.${unique('User')}@Example.com`;
    const registered = await ask('POST', '/auth/register', { body: { email, password: 'secret', unknown: 1 } });
    expect(registered.status).toBe(201);
    expect(registered.body).toEqual({
      ...{ success: true, message: 'User registered successfully', email, user: { email, created_at: TIME } },
    });
    const taken = await ask('POST', '/auth/register/', { body: { email: email.toLowerCase(), password: 'secret1' } });
    expect(taken.status).toBe(400);
    const text = 'User with this email already exists';
    expect(taken.body).toEqual({ detail: text, message: text });
    const short = await ask('POST', '/auth/register', { body: { email: newEmail(), password: '12345' } });
    expect(short).toMatchObject({ status: 400, body: { message: 'Password must be at least 6 characters long' } });

    const signedIn = await ask('POST', '/auth/login', { body: { email, password: 'secret' } });
    expect(signedIn.status).toBe(200);
    expect(signedIn.body).toEqual({
      ...{ success: true, message: 'Login successful', token: expect.any(String) },
      user: { id: expect.any(Number), email, created_at: TIME },
    });
    // Blanks around it count nowhere.
    const padded = { email: ` ${newEmail()} `, password: 'secret' };
    expect(await ask('POST', '/auth/register', { body: padded })).toMatchObject({ status: 201 });
    expect(await ask('POST', '/auth/login', { body: padded })).toMatchObject({
      ...{ status: 200, body: { user: { email: padded.email.trim() } } },
    });
    expect(await ask('POST', '/book-slot', { body: { slot_id: 7, ...padded } })).toMatchObject({ status: 200 });
    // The token is good at the public API, and belongs to the gym of this family.
    const me = await rero.t.anonymous.withToken(signedIn.body.token).get('/auth/me');
    expect(me.body).toMatchObject({ email, role: 'user', gym_id: rero.gymId });
    const wrong = 'Invalid email or password';
    for (const body of [
      { email, password: 'Secret' },
      { email: email.toLowerCase(), password: 'secret' },
      { email: newEmail(), password: 'secret' },
    ]) {
      const refused = await ask('POST', '/auth/login', { body });
      expect(refused.status).toBe(401);
      expect(refused.body).toEqual({ detail: wrong, message: wrong });
    }
  });

  it('POST /book-slot, /cancel-slot, /my-bookings, /slots/user: the main story', async () => {
    const me = await register(url, newEmail());
    const other = await register(url, newEmail());
    const { token } = me;
    const booked = await ask('POST', '/book-slot', { body: { slot_id: 8 }, token });
    expect(booked).toMatchObject({ status: 200 });
    expect(booked.body).toEqual({ success: true, message: 'Slot 8 booked successfully', slot_id: 8 });
    const mine = { id: 8, start_time: '08:00', end_time: '09:00', booked_at: TIME };
    const slotOf = async (id: number, as?: string) => (await ask('GET', '/slots', { token: as })).body.slots[id];
    expect(await slotOf(8, token)).toEqual({ ...mine, is_booked: true, booked_by: me.email });
    expect(await slotOf(8)).toEqual({ ...mine, is_booked: true, booked_by: 'u***@example.com' });
    expect(await slotOf(8, other.token)).toMatchObject({ booked_by: 'u***@example.com' });
    expect(await slotOf(8, rero.manager.access_token)).toMatchObject({ booked_by: me.email });

    const twice = await ask('POST', '/book-slot', { body: { slot_id: '8', token: other.token } });
    expect(twice.status).toBe(400);
    expect(twice.body).toEqual({ detail: 'Slot 8 is not available', message: 'Slot 8 is not available' });
    for (const slotId of [0, 24, -1, 2_000_000_000]) {
      const none = await ask('POST', '/book-slot', { body: { slot_id: slotId }, token });
      expect(none).toMatchObject({ status: 400, body: { message: `Slot ${slotId} is not available` } });
    }

    // By token in the body, or by email and password: that starts no session.
    const { email, password } = me;
    const byPassword = await ask('POST', '/book-slot', { body: { slot_id: 6, email, password } });
    expect(byPassword).toMatchObject({ status: 200, body: { slot_id: 6 } });
    const sessions = await rero.t.anonymous.withToken(token).get('/auth/sessions');
    expect(sessions.body).toHaveLength(1);
    const own = await ask('POST', '/my-bookings', { body: { token } });
    expect(own.body).toEqual({
      ...{ success: true, bookings: [{ ...mine, id: 6, start_time: '06:00', end_time: '07:00' }, mine] },
      total_bookings: 2,
    });
    const next = await ask('POST', '/slots/user', { body: { email, password } });
    expect(next.body).toEqual({
      ...{ success: true, has_booking: true },
      slot: { ...mine, id: 6, start_time: '06:00', end_time: '07:00', is_booked: true, booked_by: email },
    });
    expect((await ask('POST', '/slots/user', { token: other.token })).body).toEqual({
      ...{ success: true, slot: null, has_booking: false },
    });

    const stranger = await ask('POST', '/cancel-slot', { body: { slot_id: 8 }, token: other.token });
    const notYours = 'Slot 8 was not booked by you or does not exist';
    expect(stranger.status).toBe(400);
    expect(stranger.body).toEqual({ detail: notYours, message: notYours });
    const cancelled = await ask('POST', '/cancel-slot', { body: { slot_id: 8 }, token });
    expect(cancelled.body).toEqual({ success: true, message: 'Slot 8 booking cancelled successfully', slot_id: 8 });
    expect(await slotOf(8)).toMatchObject({ is_booked: false, booked_by: null });
    expect((await ask('POST', '/my-bookings', { token })).body.total_bookings).toBe(1);
    await ask('POST', '/cancel-slot', { body: { slot_id: 6 }, token });
  });

  it('refuses who shows nothing, or something wrong, and tells bad JSON and wrong fields apart', async () => {
    const member = await register(url, newEmail());
    const ended = await register(url, newEmail());
    await rero.t.anonymous.withToken(ended.token).post('/auth/logout', {});
    const accountant = await rero.t.make.signedIn('accountant', rero.gymId);
    const gym = await rero.t.make.gym();
    const foreign = await rero.t.make.signedIn('user', gym.id);
    const temporary = await rero.t.make.person('user', rero.gymId, { must_change_password: true });
    const routes: [string, object][] = [
      ['/book-slot', { slot_id: 9 }],
      ['/cancel-slot', { slot_id: 9 }],
      ['/my-bookings', {}],
      ['/slots/user', {}],
      ['/devices/upload/0', { code: 'x' }],
    ];
    for (const [path, body] of routes) {
      const nothing = await ask('POST', path, { body });
      expect(nothing.status).toEqualFor(path, 401);
      expect(Object.keys(nothing.body)).toEqual(['detail', 'message']);
      for (const who of [
        { token: 'rubbish' },
        { token: ended.token },
        { email: member.email, password: 'wrong1' },
        { email: member.email.toUpperCase(), password: member.password },
      ]) {
        const wrong = await ask('POST', path, { body: { ...body, ...who } });
        expect(wrong.status).toEqualFor(path, 401);
        expect(wrong.body.message).toBe('Invalid email or password');
      }
      const { email } = temporary;
      const early = await ask('POST', path, { body: { ...body, email, password: PASSWORD } });
      expect(early.status).toEqualFor(path, 403);
      expect((await ask('POST', path, { body: { ...body, token: 7 } })).status).toEqualFor(path, 422);
      const bad = await ask('POST', path, { body: '{', headers: { 'content-type': 'application/json' } });
      expect(bad.status).toEqualFor(path, 400);
      expect(Object.keys(bad.body)).toEqual(['detail', 'message']);
    }
    for (const token of [accountant.access_token, foreign.access_token]) {
      for (const path of ['/book-slot', '/cancel-slot', '/devices/upload/0']) {
        const refused = await ask('POST', path, { body: { slot_id: 9, code: 'x' }, token });
        expect(refused.status).toEqualFor(path, 403);
        expect(Object.keys(refused.body)).toEqual(['detail', 'message']);
      }
      expect((await ask('POST', '/my-bookings', { token })).body.total_bookings).toBe(0);
    }
    for (const [path, body] of [
      ['/book-slot', {}],
      ['/book-slot', { slot_id: 'x' }],
      ['/book-slot', { slot_id: 5.5 }],
      ['/cancel-slot', { slot_id: null }],
      ['/auth/login', { email: 'a@example.com' }],
      ['/auth/register', { password: 'secret1' }],
      ['/auth/register', { email: 'no email', password: 'secret1' }],
      ['/devices/compile', {}],
      ['/devices/upload/0', {}],
    ] as const) {
      const wrong = await ask('POST', path, { body, token: member.token });
      expect(wrong.status).toEqualFor(`${path} ${JSON.stringify(body)}`, 422);
      expect(wrong.body.detail).toBe(wrong.body.message);
    }
    expect((await ask('GET', '/slots', { token: ended.token })).status).toBe(401);
    // What is no address of this family is a problem as everywhere, in its words.
    for (const path of ['/nothing', '/slots/7', '/devices/7', '/auth']) {
      for (const method of ['GET', 'POST']) {
        const { status, headers, body } = await ask(method, path, { token: 'rubbish' });
        expect(status).toEqualFor(path, 404);
        expect(headers.get('content-type')).toMatch('application/problem+json');
        expect(body).toMatchObject({ code: 'not_found', status: 404, detail: 'Not found', message: 'Not found' });
      }
    }
    const { body } = await ask('GET', '/api/v1/nothing');
    expect([body.code, body.message]).toEqual(['not_found', undefined]);
  });

  it('a person of another gym sees hours as everyone does', async () => {
    const me = await register(url, newEmail());
    await ask('POST', '/book-slot', { body: { slot_id: 10 }, token: me.token });
    const boss = await rero.t.make.signedIn('manager', (await rero.t.make.gym()).id);
    const { body } = await ask('GET', '/slots', { token: boss.access_token });
    expect(body.slots[10].booked_by).toBe('u***@example.com');
    const admin = await rero.t.make.signedIn('admin', null);
    const seen = await ask('GET', '/slots', { token: admin.access_token });
    expect(seen.body.slots[10].booked_by).toBe(me.email);
    await ask('POST', '/cancel-slot', { body: { slot_id: 10 }, token: me.token });
  });

  describe('lab boards', () => {
    let board: TestDevice;
    const CODE = { code: 'print(1)' };

    beforeAll(async () => {
      await makeDevice(rero.manager.client, 'qr');
      board = await makeDevice(rero.manager.client, 'board');
      await makeDevice(rero.manager.client, 'fingerprint');
    });

    async function plug(result: object) {
      const socket = await SocketClient.connect(url, '/devices', { device_key: board.device_key });
      socket.socket.on('upload', (_upload, answer) => answer(result));
      await socket.ask('serial_output', { output: '' });
      return socket;
    }
    const entry = (state: string) => ({
      ...{ device_number: 1, model: 'board', port: board.name, description: `Lab board, ${state}` },
    });

    it('GET /devices: each board stands at its number', async () => {
      const { body } = await ask('GET', '/devices');
      expect(body).toEqual({
        ...{ success: true, count: 2, supported_models: ['board'] },
        devices: [
          { device_number: 0, model: 'unknown', port: '-', description: 'No lab board' },
          entry('not connected'),
        ],
      });
    });

    it('POST /devices/compile: the board does that', async () => {
      const { status, body } = await ask('POST', '/devices/compile', { body: CODE });
      expect(status).toBe(200);
      expect(body).toEqual({
        ...{ success: false, message: expect.any(String), compile_results: {}, project_id: expect.any(String) },
      });
    });

    it('POST /devices/upload/{n}: in the current hour alone', async () => {
      const me = await register(url, newEmail());
      const { token } = me;
      const early = await ask('POST', '/devices/upload/1', { body: CODE, token });
      expect(early.status).toBe(403);
      expect(early.body.message).toMatch(
        /^You must have booked the current time slot \(\d\d:00-\d\d:00\) to upload code$/,
      );
      for (const slotId of [2, 3]) await ask('POST', '/book-slot', { body: { slot_id: slotId }, token });
      const away = await ask('POST', '/devices/upload/1', { body: CODE, token });
      expect(away.status).toBe(200);
      expect(away.body).toEqual({
        ...{ success: false, message: expect.any(String), device: entry('not connected') },
        ...{ compile_output: expect.any(String), upload_output: '', project_id: expect.any(String) },
      });
      const socket = await plug({ success: true, output: 'hello', error: null });
      const { email, password } = me;
      const done = await ask('POST', '/devices/upload/1', { body: { ...CODE, email, password } });
      expect(done.body).toMatchObject({
        ...{ success: true, compile_output: '', upload_output: 'hello' },
        device: { device_number: 1, model: 'board', port: board.name },
      });
      socket.socket.disconnect();
      await plug({ success: false, output: 'half', error: 'It broke' });
      const failed = await ask('POST', '/devices/upload/1/', { body: CODE, token });
      expect(failed).toMatchObject({
        status: 200,
        body: { success: false, message: 'It broke', upload_output: 'half' },
      });
      for (const number of ['0', '2', '99', '9999999999', 'x']) {
        const none = await ask('POST', `/devices/upload/${number}`, { body: CODE, token });
        expect(none.status).toEqualFor(number, 404);
        expect(none.body.message).toBe(`Device ${number} not found or invalid`);
      }
      for (const slotId of [2, 3]) await ask('POST', '/cancel-slot', { body: { slot_id: slotId }, token });
    });
  });
});
