import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { VisitNumbers } from '../../../src/attendance/visit-numbers.js';
import { Unavailable } from '../../../src/common/errors/common.errors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { ownDatabase } from '../../support/database.js';
import { type Person, type SignedIn, unique } from '../../support/factory.js';
import { PlainClient } from '../../support/plain-client.js';
import { plain } from '../../support/plain-http.js';
import { SocketClient } from '../../support/socket-client.js';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);

describe('/ws/checkins/ of av-checkins', () => {
  let t: TestApp;
  let second: TestApp;
  let gymId: number;
  let desk: SignedIn;

  beforeAll(async () => {
    const DATABASE_URL = await ownDatabase('av_sockets');
    t = await startApp({ DATABASE_URL });
    second = await startApp({ DATABASE_URL });
    await t.make.gym();
  });
  // A gym of its own for each test: what others do in theirs is not heard.
  async function newDesk(): Promise<void> {
    gymId = (await t.make.gym()).id;
    desk = await t.make.signedIn('reception', gymId);
  }
  beforeAll(newDesk);
  afterEach(async () => {
    PlainClient.closeAll();
    SocketClient.closeAll();
    await newDesk();
  });
  afterAll(() => Promise.all([t.close(), second.close()]));

  const open = async ({ app = t, who = desk } = {}): Promise<PlainClient> => {
    const socket = await PlainClient.open(`${app.url}/ws/checkins/?token=${who.access_token}`);
    await socket.next('initial_stats');
    return socket;
  };
  const member = async (fields: object = {}) => {
    const person = { full_name: unique('Member'), ...fields };
    return { ...(await t.make.person('user', gymId, person)), ...person };
  };
  const numbers = (currentlyIn: number, todayTotal: number, averageStayMinutes = 0) => ({
    ...{ currentlyIn, todayTotal, averageStayMinutes, timestamp: TIME },
  });
  const checkInOf = (person: Person & { full_name: string }, rest: object = {}) => ({
    id: expect.stringMatching(/^\d+$/),
    member: { id: String(person.id), full_name: person.full_name, email: person.email, membership_type: '' },
    ...{ check_in_time: TIME, check_out_time: null, location: '', notes: '', status: 'checked_in', ...rest },
  });
  const cardNumber = ({ id }: { id: number }) => `GYM${String(id).padStart(5, '0')}`;

  describe('signing in', () => {
    it('by the address: the numbers are the first frame', async () => {
      await t.make.visit(await member());
      const socket = await open();
      expect(socket.frames).toEqual([{ type: 'initial_stats', payload: numbers(1, 1) }]);
      const without = await PlainClient.open(`${t.url}/ws/checkins?token=${desk.access_token}`);
      expect((await without.next('initial_stats')).payload).toEqual(numbers(1, 1));
    });

    it('by a frame: first that it went well, then the numbers', async () => {
      for (const key of ['payload', 'data']) {
        // Of the gym before news may still come.
        await newDesk();
        const socket = await PlainClient.open(`${t.url}/ws/checkins/`);
        expect(await socket.ask({ type: 'check_in', payload: { memberId: '1' } }, 'error')).toEqual({
          ...{ type: 'error', message: 'Authenticate first' },
        });
        socket.send({ type: 'authenticate', [key]: { token: desk.access_token } });
        await socket.next('initial_stats');
        expect(socket.frames.slice(1)).toEqual([
          { type: 'authentication_success', message: expect.any(String) },
          { type: 'initial_stats', payload: numbers(0, 0) },
        ]);
        const person = await member();
        const success = await socket.ask({ type: 'check_in', payload: { memberId: person.id } }, 'check_in_success');
        socket.send({ type: 'check_out', payload: { checkInId: success.payload.id } });
        await socket.next('check_out_success');
      }
    });

    it('again on the same socket, as a page does that sends its token twice', async () => {
      const socket = await open();
      socket.send({ type: 'authenticate', payload: { token: desk.access_token } });
      await socket.next('authentication_success');
      await socket.next('initial_stats');
      await desk.client.post('/attendance', { user_id: (await member()).id });
      await socket.next('check_in_update');
      expect(socket.types.filter((type) => type === 'member_checked_in')).toHaveLength(1);
    });

    it('is refused with 4001, and with 4003 for a role that may not', async () => {
      const at = (token: string) => PlainClient.open(`${t.url}/ws/checkins/?token=${token}`);
      expect(await (await at('rubbish')).closed).toBe(4001);
      expect(await (await at('null')).closed).toBe(4001);
      for (const role of ['user', 'accountant'] as const) {
        const { access_token: token } = await t.make.signedIn(role, gymId);
        expect(await (await at(token)).closed).toBe(4003);
        const later = await PlainClient.open(`${t.url}/ws/checkins/`);
        later.send({ type: 'authenticate', payload: { token } });
        expect(await later.closed).toBe(4003);
      }
      const later = await PlainClient.open(`${t.url}/ws/checkins/`);
      later.send({ type: 'authenticate', payload: { token: 'rubbish' } });
      expect(await later.closed).toBe(4001);
      const nothing = await PlainClient.open(`${t.url}/ws/checkins/`);
      nothing.send({ type: 'authenticate' });
      expect(await nothing.closed).toBe(4001);
      expect(await PlainClient.status(`${t.url}/ws/checkin/`)).toBe(404);
    });

    it('ends with the session, and with the role', async () => {
      const socket = await open();
      await desk.client.post('/auth/logout', {});
      expect(await socket.closed).toBe(4001);
      const trainer = await t.make.signedIn('trainer', gymId);
      const other = await open({ who: trainer });
      const admin = await t.make.signedIn('admin', gymId);
      await admin.client.put(`/users/${trainer.id}`, { is_active: false });
      expect(await other.closed).toBe(4001);
    });
  });

  it('answers heartbeats and pings, also before the sign-in', async () => {
    const socket = await PlainClient.open(`${t.url}/ws/checkins/`);
    expect(await socket.ask({ type: 'heartbeat' }, 'heartbeat_ack')).toEqual({
      type: 'heartbeat_ack',
      timestamp: TIME,
    });
    expect(await socket.ask({ type: 'ping' }, 'pong')).toEqual({ type: 'pong' });
  });

  it('lives through nonsense', async () => {
    const socket = await open();
    expect(await socket.ask('{', 'error')).toEqual({ type: 'error', message: 'Invalid JSON format' });
    for (const frame of [
      '[]',
      'null',
      '7',
      '"a"',
      {},
      { type: 'dance' },
      { type: 7 },
      { type: '__proto__' },
      { type: { toString: 1 } },
    ]) {
      expect(await socket.ask(frame, 'error')).toEqual({ type: 'error', message: expect.any(String) });
    }
    for (const batches of [
      undefined,
      null,
      [],
      {},
      { check_in: [] },
      { check_in: {} },
      { check_out: Array.from({ length: 101 }, () => ({})) },
    ]) {
      expect(await socket.ask({ type: 'batch', batches }, 'error')).toEqual({
        type: 'error',
        message: expect.any(String),
      });
    }
    for (const payload of [undefined, null, [], 7, {}, { memberId: {} }, { memberId: [1] }]) {
      const { payload: refusal } = await socket.ask({ type: 'check_in', payload }, 'check_in_error');
      expect(refusal).toEqual({ error: 'Member not found' });
    }
    expect(await socket.ask({ type: 'ping' }, 'pong')).toBeTruthy();
  });

  describe('a check-in and a check-out', () => {
    it('are told first to the sender, then to the gym, in this order and no other', async () => {
      const [sender, other, far] = [await open(), await open(), await open({ app: second })];
      const person = await member({ full_name: 'María López' });
      const payload = { memberId: String(person.id), location: 'Door 1', notes: 'with a friend' };
      sender.send({ type: 'check_in', payload });
      const visit = checkInOf(person, { location: 'Door 1', notes: 'with a friend' });
      const checkIn = {
        ...{ id: visit.id, member: { id: String(person.id), fullName: 'María López' } },
        ...{ checkInTime: TIME, checkOutTime: null },
      };
      const stats = numbers(1, 1);
      const told = [
        { type: 'member_checked_in', payload: visit },
        { type: 'check_in_stats', payload: stats },
        { type: 'check_in_update', payload: { ...visit, ...stats, type: 'check_in', checkIn } },
      ];
      for (const socket of [sender, other, far]) await socket.next('check_in_update');
      // Time for what would come too much: the numbers that are told once a second.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect(sender.frames.slice(1)).toEqual([{ type: 'check_in_success', payload: visit }, ...told]);
      expect(other.frames.slice(1)).toEqual(told);
      expect(far.frames.slice(1)).toEqual(told);
      const { id } = sender.frames[1].payload;
      sender.send({ type: 'check_out', payload: { checkInId: id, notes: 'tired' } });
      for (const socket of [sender, other, far]) {
        await socket.next(({ type, payload: news }) => type === 'check_in_update' && news.type === 'check_out');
      }
      const out = { ...visit, id, check_out_time: TIME, notes: 'with a friend\ntired', status: 'checked_out' };
      const after = numbers(0, 1);
      const toldThen = [
        { type: 'member_checked_out', payload: out },
        { type: 'check_in_stats', payload: after },
        {
          type: 'check_in_update',
          payload: { ...out, ...after, type: 'check_out', checkIn: { ...checkIn, checkOutTime: TIME } },
        },
      ];
      expect(sender.frames.slice(5)).toEqual([{ type: 'check_out_success', payload: out }, ...toldThen]);
      expect(far.frames.slice(4)).toEqual(toldThen);
    });

    it('take numbers, snake_case and `data`, and every kind of card', async () => {
      const socket = await open();
      const person = await member();
      const cards = [person.id, String(person.id), cardNumber(person), await t.make.qrCode(person)];
      for (const card of cards) {
        for (const frame of [{ payload: { memberId: card } }, { data: { member_id: card } }]) {
          const success = await socket.ask({ type: 'check_in', ...frame }, 'check_in_success');
          expect(success.payload).toEqual(checkInOf(person));
          const { id } = success.payload;
          const outFrame = 'data' in frame ? { data: { check_in_id: Number(id) } } : { payload: { checkInId: id } };
          const out = await socket.ask({ type: 'check_out', ...outFrame }, 'check_out_success');
          expect(out.payload.id).toBe(id);
        }
      }
    });

    it('are refused in the words of old', async () => {
      const socket = await open();
      const error = async (type: 'check_in' | 'check_out', payload: object) =>
        (await socket.ask({ type, payload }, `${type}_error`)).payload;
      const elsewhere = await t.make.person('user', (await t.make.gym()).id);
      const person = await member({ full_name: 'María López' });
      const old = await t.make.qrCode(person);
      await desk.client.post(`/members/${person.id}/regenerate-qr`);
      const uuid = '9b2f9d0e-7f5b-4d7e-9d1a-0f4a3c2b1a00';
      for (const memberId of [elsewhere.id, desk.id, uuid, old, 'GYM99999', '', null, 0, 2_147_483_648, -1, '1e3']) {
        expect(await error('check_in', { memberId })).toEqualFor(String(memberId), { error: 'Member not found' });
      }
      await socket.ask({ type: 'check_in', payload: { memberId: person.id } }, 'check_in_success');
      expect(await error('check_in', { memberId: person.id })).toEqual({ error: 'María López is already checked in' });
      const gone = await member({ is_active: false });
      expect(await error('check_in', { memberId: gone.id })).toEqual({ error: 'This member is deactivated' });
      const far = await t.make.visit(elsewhere);
      const ended = await t.make.visit(await member(), '2026-01-05T10:00:00Z', '2026-01-05T11:00:00Z');
      for (const checkInId of [far.id, ended.id, uuid, 0, '', undefined, 2_147_483_648]) {
        const refusal = { error: 'Check-in not found or already checked out' };
        expect(await error('check_out', { checkInId })).toEqualFor(String(checkInId), refusal);
      }
      expect((await error('check_in', { memberId: gone.id, location: 'x'.repeat(201) })).error).toContain('location');
    });

    it('of a batch are answered by themselves, check-outs first', async () => {
      const [socket, other] = [await open(), await open()];
      const people = [await member(), await member(), await member()];
      const batch = {
        check_in: [
          { memberId: people[0]!.id },
          { memberId: 'nobody' },
          { member_id: cardNumber(people[1]!) },
          { memberId: people[0]!.id },
          { memberId: people[2]!.id, location: 7 },
        ],
      };
      socket.send({ type: 'batch', batches: batch });
      await socket.next(({ payload }) => payload.error?.includes('location'));
      const answers = () =>
        socket.frames.filter(({ type }) => /_(success|error)$/.test(type)).map(({ payload }) => payload);
      expect(answers()).toEqual([
        checkInOf(people[0]!),
        { error: 'Member not found' },
        checkInOf(people[1]!),
        { error: `${people[0]!.full_name} is already checked in` },
        { error: expect.stringContaining('location') },
      ]);
      const [{ id }] = answers();
      const outs = [{ checkInId: id }, { checkInId: id }];
      socket.send({ type: 'batch', batches: { check_in: [{ memberId: people[0]!.id }], check_out: outs } });
      await socket.next(
        ({ type, payload }) =>
          type === 'check_in_success' && payload.id !== id && payload.member.id === String(people[0]!.id),
      );
      expect(answers().slice(5)).toEqual([
        { ...checkInOf(people[0]!), id, check_out_time: TIME, status: 'checked_out' },
        { error: 'Check-in not found or already checked out' },
        checkInOf(people[0]!),
      ]);
      for (let n = 0; n < 4; n++) await other.next('check_in_update');
      expect(other.types.slice(1).filter((type) => type.startsWith('member_'))).toEqual([
        ...['member_checked_in', 'member_checked_in', 'member_checked_out', 'member_checked_in'],
      ]);
    });

    it('may be a hundred in one batch', async () => {
      const socket = await open();
      const people = await Promise.all(Array.from({ length: 100 }, () => member()));
      socket.send({ type: 'batch', batches: { check_in: people.map(({ id }) => ({ memberId: String(id) })) } });
      for (let n = 0; n < 100; n++) await socket.next('check_in_success');
      for (let n = 0; n < 100; n++) await socket.next('check_in_update');
      const seen = socket.frames
        .filter(({ type }) => type === 'check_in_update')
        .map(({ payload }) => payload.member.id);
      expect(seen).toEqual(people.map(({ id }) => String(id)));
      expect(socket.frames.at(-1).payload).toMatchObject({ currentlyIn: 100, todayTotal: 100 });
    });
  });

  it('old and new see each other: the page, REST, its own and the public one, and Socket.IO', async () => {
    const page = await open({ app: second });
    const app = await SocketClient.connect(t.url, '/checkins', { token: desk.access_token });
    await app.next('initial_stats');
    const people = [await member(), await member(), await member(), await member()];
    const [a, b, c, d] = people.map(({ id }) => id);
    const sees = async (id: number | undefined) =>
      expect((await page.next('check_in_update')).payload.member.id).toBe(String(id));
    await page.ask({ type: 'check_in', payload: { memberId: a } }, 'check_in_success');
    await sees(a);
    const { body: visit } = await desk.client.post('/attendance', { user_id: b });
    await sees(b);
    await plain('POST', `${t.url}/api/checkins/`, { token: desk.access_token, body: { member: c } });
    await sees(c);
    await app.ask('check_in', { member_id: d });
    await sees(d);
    await desk.client.post(`/attendance/${visit.id}/check-out`, {});
    await sees(b);
    expect(page.types.filter((type) => type.startsWith('member_'))).toEqual([
      ...Array.from({ length: 4 }, () => 'member_checked_in'),
      'member_checked_out',
    ]);
    for (const id of [a, b, c, d]) expect((await app.next('member_checked_in')).user_id).toBe(id);
    expect((await app.next('member_checked_out')).user_id).toBe(b);
    const { body } = await plain('GET', `${t.url}/api/checkins/stats/`, { token: desk.access_token });
    const last = page.frames.findLast(({ type }) => type === 'check_in_stats');
    expect(last.payload).toMatchObject(body);
    expect(body).toMatchObject({ currentlyIn: 3, todayTotal: 4 });
  });

  it('tells the numbers when they change without a visit that begins or ends', async () => {
    const socket = await open();
    const admin = await t.make.signedIn('admin', gymId);
    const { body: visit } = await desk.client.post('/attendance', { user_id: (await member()).id });
    await socket.next('check_in_stats');
    await admin.client.delete(`/attendance/${visit.id}`);
    expect(await socket.next('check_in_stats')).toEqual({ type: 'check_in_stats', payload: numbers(0, 0) });
  });

  it('shows an admin one gym: the home gym, or else the first', async () => {
    const [nomad, admin] = [await t.make.signedIn('admin', null), await t.make.signedIn('admin', gymId)];
    const [first, home] = [await open({ who: nomad }), await open({ who: admin })];
    const person = await member();
    expect((await first.ask({ type: 'check_in', payload: { memberId: person.id } }, 'check_in_error')).payload).toEqual(
      {
        error: 'Member not found',
      },
    );
    const code = await t.make.qrCode(person);
    expect((await first.ask({ type: 'check_in', payload: { memberId: code } }, 'check_in_error')).payload).toEqual({
      error: 'Member not found',
    });
    const { payload } = await home.ask({ type: 'check_in', payload: { memberId: person.id } }, 'check_in_success');
    await home.next('check_in_update');
    const out = await first.ask({ type: 'check_out', payload: { checkInId: payload.id } }, 'check_out_error');
    expect(out.payload).toEqual({ error: 'Check-in not found or already checked out' });
    expect(first.types.filter((type) => /^member_|stats$|update/.test(type))).toEqual(['initial_stats']);
    expect(first.frames[0].payload).toEqual(numbers(0, 0));
    await home.ask({ type: 'check_out', payload: { checkInId: payload.id } }, 'check_out_success');
  });

  it('closes with 4000, after which pages come again, if the database is away while they are welcomed', async () => {
    const broken = jest.spyOn(t.app.get(VisitNumbers), 'stats').mockRejectedValue(new Unavailable());
    const socket = await PlainClient.open(`${t.url}/ws/checkins/?token=${desk.access_token}`);
    expect(await socket.closed).toBe(4000);
    broken.mockRestore();
  });

  it('counts once for many sockets and many visits', async () => {
    const sockets = await Promise.all(Array.from({ length: 30 }, () => open()));
    const counted = jest.spyOn(t.app.get(VisitNumbers), 'stats');
    const people = await Promise.all(Array.from({ length: 20 }, () => member()));
    await Promise.all(people.map(({ id }) => desk.client.post('/attendance', { user_id: id })));
    for (const socket of sockets) for (let n = 0; n < 20; n++) await socket.next('check_in_update');
    // Of each visit at most once, and once or twice more for what the public API tells each second.
    expect(counted.mock.calls.length).toBeLessThanOrEqual(24);
    counted.mockRestore();
    for (const socket of sockets) {
      const order = socket.frames.filter(({ type }) => type === 'check_in_update').map(({ payload }) => payload.id);
      expect(order).toEqual(
        sockets[0]!.frames.filter(({ type }) => type === 'check_in_update').map(({ payload }) => payload.id),
      );
      expect(socket.frames.findLast(({ type }) => type === 'check_in_stats').payload).toMatchObject({
        currentlyIn: 20,
      });
    }
  });
});
