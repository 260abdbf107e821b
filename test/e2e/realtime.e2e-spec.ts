import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AttendanceService } from '../../src/attendance/attendance.service.js';
import { SessionsService } from '../../src/auth/sessions.service.js';
import { Actor } from '../../src/common/actor/actor.js';
import { everyGym } from '../../src/database/sql.js';
import { NAMESPACES } from '../../src/realtime/namespaces.js';
import { PostgresRelay } from '../../src/realtime/postgres-relay.js';
import { Sockets } from '../../src/realtime/sockets.js';
import { startApp, type TestApp } from '../support/app.js';
import { makeDevice } from '../support/device.js';
import { PASSWORD, type SignedIn, unique } from '../support/factory.js';
import type { Answer } from '../support/http-client.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/until.js';

describe('sockets', () => {
  let t: TestApp;
  let gym: { id: number };
  let trainer: SignedIn;
  let admin: SignedIn;

  beforeAll(async () => {
    t = await startApp();
    gym = await t.make.gym();
    trainer = await t.make.signedIn('trainer', gym.id);
    admin = await t.make.signedIn('admin', null);
  });
  afterAll(async () => {
    SocketClient.closeAll();
    await t.close();
  });

  const tokenOf = ({ access_token: token }: SignedIn) => ({ token });
  const connect = (namespace: string, auth?: object) => SocketClient.connect(t.url, namespace, auth);
  const refused = (namespace: string, auth?: object) => SocketClient.refused(t.url, namespace, auth);
  const member = (gymId = gym.id) => t.make.person('user', gymId);
  const checkIn = async (gymId = gym.id, desk: SignedIn = admin) => {
    const visit = await desk.client.post('/attendance', { user_id: (await member(gymId)).id });
    expect(visit).toHaveStatus(201);
    return visit.body;
  };
  /** A gym with a trainer and a socket that has had its first numbers. */
  const newDesk = async () => {
    const { id } = await t.make.gym();
    const desk = await t.make.signedIn('trainer', id);
    const socket = await connect('/checkins', tokenOf(desk));
    const stats = await socket.next('initial_stats');
    return { id, desk, socket, stats };
  };

  describe('at the handshake', () => {
    it.each(['/checkins', '/devices'])(
      '%s refuses a bad token or key, a wrong role and a temporary password',
      async (namespace) => {
        const signedOut = await t.make.signedIn('trainer', gym.id);
        await signedOut.client.post('/auth/logout');
        const bad = [
          '',
          'x',
          7,
          null,
          {},
          [],
          trainer.refresh_token,
          `${trainer.access_token}x`,
          signedOut.access_token,
        ];
        for (const token of bad) expect(await refused(namespace, { token })).toBeRefused(4001);
        for (const key of ['', 'spotter_device_x', 7, null, {}]) {
          expect(await refused(namespace, { device_key: key })).toBeRefused(4001);
        }
        // A member may read a board, but not see who comes.
        const others = namespace === '/checkins' ? (['accountant', 'user'] as const) : (['accountant'] as const);
        for (const role of others) {
          expect(await refused(namespace, tokenOf(await t.make.signedIn(role, gym.id)))).toBeRefused(4003);
        }
        const fresh = await t.make.signedIn('trainer', gym.id, { must_change_password: true });
        expect(await refused(namespace, tokenOf(fresh))).toMatchObject({ code: 4003, error: expect.any(String) });
        await connect(namespace, tokenOf(trainer));
        await connect(namespace, { token: `Bearer ${trainer.access_token}` });
      },
    );

    it('refuses a namespace that does not exist, and keeps nothing of its name', async () => {
      // What Socket.IO and our line between servers have of namespaces, which is private.
      const { _nsps: known, parentNsps: parents } = t.app.get(Sockets).io as any;
      const { adapters }: any = t.app.get(PostgresRelay);
      const kept = () =>
        [known, ...[...parents.values()].map(({ children }) => children), adapters].map(({ size }) => size);
      const before = kept();
      const ours = Object.keys(NAMESPACES).length;
      expect(before).toEqual([ours + 1, 0, ours]);
      for (const auth of [undefined, tokenOf(trainer), { pid: 'made-up', offset: '1' }]) {
        // Some at the same time, and some that are gone before they are answered.
        const names = Array.from({ length: 60 }, (_, index) => `/nothing-${index % 40}`);
        const answers = Promise.all(names.map((name) => refused(name, auth)));
        for (const name of names) {
          const hasty = new SocketClient(t.url, name, auth);
          hasty.socket.io.once('open', () => setImmediate(() => hasty.cut()));
          hasty.socket.connect();
        }
        for (const answer of await answers) expect(answer).toBeRefused(4004);
      }
      await until(() => kept().join() === before.join());
    });

    it('lets one connect first, who hears nothing and is closed after 10 s', async () => {
      const watcher = await connect('/checkins', tokenOf(trainer));
      const sockets = await Promise.all(['/checkins', '/devices'].map((namespace) => connect(namespace)));
      for (const socket of sockets) {
        expect(await socket.ask('check_in', { member_id: 1 })).toMatchObject({ error: expect.any(String) });
      }
      const { id } = await checkIn();
      await watcher.next('member_checked_in', (visit) => visit.id === id);
      for (const socket of sockets) {
        await socket.gone;
        expect(socket.received.map(({ event }) => event).filter((event) => !event.endsWith('error'))).toEqual([]);
        expect(socket.all('error').at(-1)).toMatchObject({ code: 'not_signed_in' });
      }
    });

    it('lets one sign in later by a message', async () => {
      const socket = await connect('/checkins');
      expect(await socket.ask('authenticate', { token: 'wrong' })).toBeRefused('not_signed_in');
      expect(await socket.ask('authenticate', { token: 7 })).toBeRefused('fields_invalid');
      const accountant = await t.make.signedIn('accountant', gym.id);
      expect(await socket.ask('authenticate', tokenOf(accountant))).toBeRefused('role_not_allowed');
      expect(await socket.ask('authenticate', tokenOf(trainer))).toEqual({ message: 'Authenticated' });
      await socket.next('authentication_success');
      await socket.next('initial_stats');
      const { id } = await checkIn();
      await socket.next('member_checked_in', (visit) => visit.id === id);
    });
  });

  describe('/checkins', () => {
    it('begins with the numbers of the gym', async () => {
      const { id, desk, stats } = await newDesk();
      expect(stats).toEqual({
        gym_id: id,
        currently_in: 0,
        today_total: 0,
        average_stay_minutes: 0,
        timestamp: expect.stringMatching(/Z$/),
      });
      await checkIn(id);
      const later = await connect('/checkins', tokenOf(desk));
      expect(await later.next('initial_stats')).toMatchObject({ currently_in: 1, today_total: 1 });
    });

    it('checks in and out: an acknowledgement, an event to the sender, and one to everyone of the gym', async () => {
      const { id: gymId, socket } = await newDesk();
      const everywhere = await connect('/checkins', tokenOf(admin));
      const person = await member(gymId);
      const visit = await socket.ask('check_in', { member_id: String(person.id), location: 'Door', notes: 'Late' });
      expect(visit).toMatchObject({
        user_id: person.id,
        member: { id: person.id, email: person.email, membership: null },
        check_out_time: null,
        location: 'Door',
        notes: 'Late',
        status: 'checked_in',
      });
      expect(await socket.next('check_in_success')).toEqual(visit);
      for (const one of [socket, everywhere]) {
        expect(await one.next('member_checked_in', ({ id }) => id === visit.id)).toEqual(visit);
        expect(await one.next('check_in_stats', ({ gym_id }) => gym_id === gymId)).toMatchObject({ currently_in: 1 });
      }
      const again = await socket.ask('check_in', { member_id: person.id });
      expect(again).toEqual({ code: 'already_checked_in', error: expect.any(String), event: 'check_in' });
      expect(await socket.next('check_in_error')).toEqual(again);

      const left = await socket.ask('check_out', { check_in_id: visit.id, notes: 'Tired' });
      expect(left).toMatchObject({ id: visit.id, status: 'checked_out', notes: 'Late\nTired', stay_minutes: 0 });
      expect(await socket.next('check_out_success')).toEqual(left);
      for (const one of [socket, everywhere]) {
        expect(await one.next('member_checked_out', ({ id }) => id === visit.id)).toEqual(left);
        await one.next('check_in_stats', (stats) => stats.gym_id === gymId && stats.currently_in === 0);
      }
      expect(await socket.ask('check_out', { check_in_id: visit.id })).toBeRefused('already_checked_out');
      expect(await socket.next('check_out_error')).toMatchObject({ code: 'already_checked_out' });
      // What a socket did, REST sees.
      expect((await admin.client.get(`/attendance?user_id=${person.id}`)).body).toEqual([left]);
    });

    it('deducts a session if asked to, and does neither if there is none', async () => {
      const { id: gymId, socket } = await newDesk();
      const person = await member(gymId);
      const action = 'check_in_with_deduction';
      expect(await socket.ask('check_in', { member_id: person.id, action })).toBeRefused('plan_not_active');
      const plan = { name: unique('Plan'), price: 10, kind: 'sessions', session_count: 1, gym_id: gymId };
      const { body: sold } = await admin.client.post('/plans', plan);
      const { body: mine } = await admin.client.post('/user-plans', { user_id: person.id, plan_id: sold.id });
      const visit = await socket.ask('check_in', { member_id: person.id, action });
      expect(visit).toMatchObject({ user_plan_id: mine.id });
      expect((await admin.client.get(`/user-plans/${mine.id}`)).body.remaining_sessions).toBe(0);
      await socket.ask('check_out', { check_in_id: visit.id });
      expect(await socket.ask('check_in', { member_id: person.id, action })).toMatchObject({
        code: 'no_sessions_left',
      });
      await socket.next('member_checked_in');
      expect(socket.all('member_checked_in')).toHaveLength(1);
    });

    it('answers a batch entry by entry, and a heartbeat', async () => {
      const { id: gymId, socket } = await newDesk();
      const [here, comes] = [await checkIn(gymId), await member(gymId)];
      const result = await socket.ask('batch', {
        batches: {
          check_in: [{ member_id: comes.id }, { member_id: comes.id }, { member_id: trainer.id }],
          check_out: [{ check_in_id: here.id }, { check_in_id: 2_000_000_000 }],
        },
      });
      expect(result).toMatchObject({
        check_in: [
          { visit: { user_id: comes.id } },
          { refusal: { code: 'already_checked_in', event: 'check_in' } },
          { refusal: { code: 'fields_invalid', errors: [{ field: 'member_id' }] } },
        ],
        check_out: [{ visit: { id: here.id } }, { refusal: { code: 'visit_not_found', event: 'check_out' } }],
      });
      expect(await socket.next('batch_result')).toEqual(result);
      await socket.next('member_checked_out');
      // A rule that needs no look at the database refuses its entry, too, and not the batch.
      const wrong = { member_id: 1, action: 'check_in_with_deduction', user_plan_id: 1 };
      const mixed = await socket.ask('batch', { batches: { check_in: [wrong] } });
      expect(mixed.check_in[0].refusal).toMatchObject({ code: 'fields_invalid', event: 'check_in' });
      // So does one with wrong fields, or that is no object; the good ones are carried out.
      const [goes, next] = [await checkIn(gymId), await member(gymId)];
      const malformed = await socket.ask('batch', {
        batches: {
          check_in: [{ member_id: next.id, notes: 7 }, null, 'x', [{ member_id: next.id }], { member_id: next.id }],
          check_out: [{ check_in_id: -1 }, { check_in_id: goes.id, notes: null }],
        },
      });
      const refusal = (event: string, field: string) => ({
        refusal: { code: 'fields_invalid', event, errors: [{ field }], error: expect.stringContaining(field) },
      });
      const noMember = refusal('check_in', 'member_id');
      expect(malformed).toMatchObject({
        check_in: [refusal('check_in', 'notes'), noMember, noMember, noMember, { visit: { user_id: next.id } }],
        check_out: [refusal('check_out', 'check_in_id'), { visit: { id: goes.id } }],
      });
      expect(await socket.ask('batch', { batches: { check_in: 7 } })).toBeRefused('fields_invalid');
      const strange = await socket.ask('check_in', { member_id: 2_000_000_000 });
      expect(strange.errors).toEqual([{ field: 'member_id', message: expect.any(String) }]);
      expect(await socket.ask('batch', {})).toBeRefused('fields_invalid');
      const tooMany = Array.from({ length: 101 }, () => ({ member_id: comes.id }));
      expect(await socket.ask('batch', { batches: { check_in: tooMany } })).toBeRefused('fields_invalid');
      const { timestamp } = await socket.ask('heartbeat');
      expect(Date.parse(timestamp)).not.toBeNaN();
      expect(await socket.next('heartbeat_ack')).toEqual({ timestamp });
    });

    it('shows what REST and the night job did, and nothing of what was rolled back', async () => {
      const { id: gymId, socket } = await newDesk();
      const attendance = t.app.get(AttendanceService);
      const visit = await checkIn(gymId);
      expect(await socket.next('member_checked_in')).toEqual(visit);

      const [person, actor] = [await member(gymId), new Actor(admin.id, 'admin', null, 1)];
      const rolledBack = t.db.transaction(async (tx) => {
        await attendance.enter(tx, actor, person.id, { user_plan_id: null });
        throw new Error('at the last moment');
      });
      await expect(rolledBack).rejects.toThrow('at the last moment');

      const forgotten = await member(gymId);
      await t.db.change(everyGym`
        INSERT INTO attendance (user_id, gym_id, check_in_time)
        VALUES (${forgotten.id}, ${gymId}, now() - interval '2 days')`);
      await attendance.closeForgotten();
      const closed = await socket.next('member_checked_out');
      expect(closed).toMatchObject({ user_id: forgotten.id, is_auto_closed: true, status: 'checked_out' });
      expect(socket.all('member_checked_in')).toEqual([visit]);
    });

    it('sends the numbers not more than once a second, and the last ones are right', async () => {
      const { id: gymId, socket } = await newDesk();
      const begun = Date.now();
      const visits = await Promise.all(Array.from({ length: 30 }, () => checkIn(gymId)));
      await Promise.all(visits.slice(0, 10).map(({ id }) => admin.client.post(`/attendance/${id}/check-out`, {})));
      await socket.next('check_in_stats', (stats) => stats.currently_in === 20 && stats.today_total === 30);
      const seconds = (Date.now() - begun) / 1000;
      expect(socket.all('check_in_stats').length).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
      await admin.client.delete(`/attendance/${visits[0].id}`);
      await socket.next('check_in_stats', (stats) => stats.today_total === 29);
    });

    it('sends the numbers at once when nothing has changed for a second', async () => {
      const { id: gymId, socket } = await newDesk();
      for (const inside of [1, 2]) {
        const begun = Date.now();
        await checkIn(gymId);
        await socket.next('check_in_stats', ({ currently_in }) => currently_in === inside);
        expect(Date.now() - begun).toBeLessThan(800);
        await new Promise((resolve) => setTimeout(resolve, 1100));
      }
      expect(socket.all('check_in_stats')).toHaveLength(2);
    });

    it('has the same rules for a payload as REST', async () => {
      const { id: gymId, desk, socket } = await newDesk();
      const { id } = await member(gymId);
      const bodies: Record<string, unknown>[] = [
        {},
        ...[null, 'x', '', '1.5', 1.5, -1, 0, 2 ** 31, true, [], [id], {}, '99999999999'].map((value) => ({
          user_id: value,
        })),
        ...[7, 'x'.repeat(201), '', []].map((location) => ({ user_id: id, location })),
        ...[7, 'x'.repeat(1001), {}].map((notes) => ({ user_id: id, notes })),
        ...['check_out', 7, null].map((action) => ({ user_id: id, action })),
        { user_id: trainer.id },
        { user_id: 2_000_000_000 },
      ];
      const accepted: unknown[] = [];
      for (const body of bodies) {
        const { body: rest, status } = await desk.client.post('/attendance', body);
        const { user_id, ...others } = body;
        const live = await socket.ask('check_in', { ...('user_id' in body && { member_id: user_id }), ...others });
        const fields = ({ errors = [] }: { errors?: { field: string; message: string }[] }) =>
          errors.map(({ field, message }) => `${field.replace('member_id', 'user_id')} ${message}`);
        if (status === 201) {
          accepted.push(body);
          expect(live).toBeRefused('already_checked_in');
          await desk.client.post(`/attendance/${rest.id}/check-out`, {});
        } else expect([live.code, fields(live)]).toEqualFor(body, [rest.code, fields(rest)]);
      }
      // null means the default, as everywhere.
      expect(accepted).toEqual([{ user_id: id, action: null }]);
    });
  });

  describe('a person who must go', () => {
    const change = (person: SignedIn, what: object) => admin.client.put(`/users/${person.id}`, what);
    const reasons: Record<string, (person: SignedIn) => Promise<Answer>> = {
      'signs out': ({ client }) => client.post('/auth/logout'),
      'is signed out from elsewhere': async (person) => {
        const { body } = await person.client.get('/auth/sessions');
        const { client } = await t.make.signIn(person);
        return client.delete(`/auth/sessions/${body[0].id}`);
      },
      'changes the password elsewhere': async (person) => {
        const { client } = await t.make.signIn(person);
        return client.post('/auth/change-password', { current_password: PASSWORD, new_password: 'another password' });
      },
      'gets another password': (person) => change(person, { password: 'another password' }),
      'is deactivated': (person) => change(person, { is_active: false }),
      'loses the role': (person) => change(person, { role: 'accountant' }),
      'gets another role': (person) => change(person, { role: 'reception' }),
      'moves to another gym': async (person) => change(person, { gym_id: (await t.make.gym()).id }),
      'is deleted': ({ id }) => admin.client.delete(`/users/${id}`),
    };

    it.each(Object.keys(reasons))('is disconnected at once who %s', async (reason) => {
      const person = await t.make.signedIn('trainer', gym.id);
      const sockets = await Promise.all(['/checkins', '/devices'].map((name) => connect(name, tokenOf(person))));
      await sockets[0]!.next('initial_stats');
      const bystander = await connect('/checkins', tokenOf(trainer));
      expect(await reasons[reason]!(person)).toSucceed();
      for (const socket of sockets) {
        expect(await socket.gone).toBe('io server disconnect');
        expect(socket.all('error')).toMatchObject([{ code: expect.stringMatching(/session_ended|not_signed_in/) }]);
      }
      const { id } = await checkIn();
      await bystander.next('member_checked_in', (visit) => visit.id === id);
      expect(sockets[0]!.all('member_checked_in')).toEqual([]);
    });

    it('is disconnected who sends something after the session has expired, or else by the next purge', async () => {
      const person = await t.make.signedIn('trainer', gym.id);
      await t.db.change(everyGym`
        UPDATE sessions SET expires_at = now() + interval '4 seconds' WHERE user_id = ${person.id}`);
      const [sends, listens] = await Promise.all([1, 2].map(() => connect('/checkins', tokenOf(person))));
      const answer = () => sends!.ask('heartbeat');
      expect(await answer()).toMatchObject({ timestamp: expect.any(String) });
      expect(await until(async () => (await answer()).code)).toBe('session_ended');
      expect(await sends!.gone).toBe('io server disconnect');
      await t.app.get(SessionsService).purge();
      expect(await listens!.gone).toBe('io server disconnect');
    });

    it('stays who changed something that is no one’s business', async () => {
      const person = await t.make.signedIn('trainer', gym.id);
      const socket = await connect('/checkins', tokenOf(person));
      await change(person, { full_name: 'New Name' });
      await t.make.signIn(person);
      const { id } = await checkIn();
      await socket.next('member_checked_in', (visit) => visit.id === id);
      expect(await socket.ask('heartbeat')).toMatchObject({ timestamp: expect.any(String) });
    });

    it('does not slip in while signing out', async () => {
      const people = await Promise.all(Array.from({ length: 30 }, () => t.make.signedIn('trainer', gym.id)));
      const arrived = await Promise.all(
        people.map(async (person) => {
          const socket = new SocketClient(t.url, '/checkins', tokenOf(person));
          const connected = socket.connect().catch(() => undefined);
          await Promise.all([connected, person.client.post('/auth/logout')]);
          return socket;
        }),
      );
      expect(await until(() => arrived.every(({ socket }) => !socket.connected))).toBe(true);
    });
  });

  describe('what is badly formed', () => {
    let bystander: SocketClient;
    let gymOfBystander: number;
    beforeAll(async () => ({ id: gymOfBystander, socket: bystander } = await newDesk()));

    /** What another person is told meanwhile: a check-in, an answer, and nothing of errors. */
    const bystanderIsServed = async (): Promise<boolean> => {
      const { id } = await checkIn(gymOfBystander);
      await bystander.next('member_checked_in', (visit) => visit.id === id);
      return 'timestamp' in (await bystander.ask('heartbeat')) && bystander.all('error').length === 0;
    };

    const nested = (depth: number): unknown => Array.from({ length: depth }).reduce((inner) => [inner], 'x');
    const wrong: [string, unknown[], string][] = [
      ['nothing', [], 'fields_invalid'],
      ['null', [null], 'fields_invalid'],
      ['a number', [7], 'fields_invalid'],
      ['a text', ['x'], 'fields_invalid'],
      ['true', [true], 'fields_invalid'],
      ['an empty list', [[]], 'fields_invalid'],
      ['a list', [[{ member_id: 1 }]], 'fields_invalid'],
      ['several payloads', ['x', { member_id: 1 }, 7], 'fields_invalid'],
      ['fields of the wrong type', [{ member_id: { $gt: 0 } }], 'fields_invalid'],
      ['a prototype', [JSON.parse('{"__proto__": {"member_id": 1}, "constructor": 1}')], 'fields_invalid'],
      ['a NUL', [{ member_id: 1, notes: 'a\0b' }], 'malformed'],
      ['a NUL in a name', [{ 'a\0b': 1 }], 'malformed'],
      ['deep nesting', [nested(50)], 'malformed'],
      ['very deep nesting', [nested(3000)], 'malformed'],
      ['bytes', [Buffer.alloc(10)], 'malformed'],
      ['many bytes', [{ member_id: Buffer.alloc(200_000) }], 'malformed'],
      ['1 MB', [{ member_id: 1, notes: 'x'.repeat(1_000_000) }], 'message_too_large'],
      ['1 MB of bytes', [Buffer.alloc(1_000_000)], 'message_too_large'],
    ];

    it.each(wrong)('gets an error and nothing else: %s', async (_, payload, code) => {
      const socket = await connect('/checkins', tokenOf(trainer));
      const answer = await socket.ask('check_in', ...payload);
      expect(answer).toMatchObject({ code, error: expect.any(String), event: 'check_in' });
      expect(await socket.next('check_in_error')).toEqual(answer);
      expect(await socket.ask('heartbeat')).toMatchObject({ timestamp: expect.any(String) });
      expect(await bystanderIsServed()).toBe(true);
    });

    it('gets an error for an event that does not exist', async () => {
      const socket = await connect('/checkins', tokenOf(trainer));
      for (const event of [
        'nothing',
        'x'.repeat(10_000),
        '__proto__',
        'constructor',
        'toString',
        '',
        'message',
        'é\n',
      ]) {
        expect(await socket.ask(event, {})).toBeRefused('unknown_event');
      }
      socket.sendRaw('2/checkins,[1,{"member_id":1}]');
      socket.sendRaw('2/checkins,[1e99]');
      expect(await socket.next('error', ({ event }) => event === '1')).toMatchObject({ code: 'unknown_event' });
      const { body } = await t.anonymous.get(`${t.url}/metrics`);
      expect(body).not.toContain('toString');
    });

    const frames = [
      '',
      'x',
      '2',
      '2/checkins',
      '2/checkins,',
      '2/checkins,{}',
      '2/checkins,[]',
      '2/checkins,[{}]',
      '2/checkins,["check_in"',
      '2/checkins,["disconnect"]',
      '2/checkins,["connect_error",{}]',
      '2/checkins,99999999999999999999["heartbeat"]',
      '3/checkins,7["an acknowledgement of nothing"]',
      '51-/checkins,["check_in",{"_placeholder":true,"num":0}]',
      '51-/checkins,["check_in",{"_placeholder":true,"num":9}]',
      `51-/checkins,["check_in",${'['.repeat(100_000)}${']'.repeat(100_000)}]`,
      `2/checkins,["check_in",${'['.repeat(100_000)}${']'.repeat(100_000)}]`,
      `2/checkins,["check_in",${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}]`,
      '4/checkins,"an error"',
      '1/devices,',
      '0/checkins,{"token":"again"}',
      'b'.repeat(5_000_000),
    ];

    it('does no harm, whatever is in a frame', async () => {
      for (const frame of frames) {
        const socket = await connect('/checkins', tokenOf(trainer));
        socket.sendRaw(frame);
        socket.sendRaw(Buffer.from([1, 2, 3]));
        // The connection lives, or it ends; it does not hang.
        await Promise.race([socket.gone, socket.ask('heartbeat')]);
        socket.close();
      }
      expect(await bystanderIsServed()).toBe(true);
    });

    it('may come as often as asyncapi.json says', async () => {
      const { body: events } = await t.anonymous.get(`${t.url}/asyncapi.json`);
      const said = /may send (\d+) messages at once, and then\s(\d+) a\ssecond/.exec(events.info.description)!;
      const [atOnce, aSecond] = said.slice(1).map(Number) as [number, number];
      const socket = await connect('/checkins', tokenOf(trainer));
      await socket.next('initial_stats');
      const start = Date.now();
      const answers = await Promise.all(Array.from({ length: 3 * atOnce }, () => socket.ask('heartbeat')));
      const taken = answers.filter(({ timestamp }) => timestamp).length;
      expect(taken).toBeGreaterThanOrEqual(atOnce);
      expect(taken).toBeLessThanOrEqual(atOnce + (aSecond * (Date.now() - start)) / 1000);
    });

    it('is answered once a second if it floods, and others are served meanwhile', async () => {
      const socket = await connect('/checkins', tokenOf(trainer));
      await socket.next('initial_stats');
      for (let sent = 0; sent < 3000; sent++) socket.send('heartbeat');
      expect(await bystanderIsServed()).toBe(true);
      await socket.next('error', ({ code }) => code === 'too_many_requests');
      // The bucket fills again.
      await until(async () => (await socket.ask('heartbeat')).timestamp !== undefined);
      expect(socket.all('heartbeat_ack').length).toBeLessThan(1000);
      expect(socket.all('error').length).toBeLessThan(30);
      expect(await bystanderIsServed()).toBe(true);
    });

    it('does not harm those who are not signed in, either', async () => {
      const socket = await connect('/devices');
      for (let sent = 0; sent < 300; sent++) socket.send('login', Buffer.alloc(1000));
      await socket.next('error', ({ code }) => code === 'malformed');
      await socket.next('error', ({ code }) => code === 'too_many_requests');
      expect(await bystanderIsServed()).toBe(true);
    });
  });

  describe('after a short loss of the connection', () => {
    /** Waits until the server knows that it is gone, and has stored what it was. */
    const lose = async (client: SocketClient): Promise<void> => {
      const { pid } = client.session;
      client.cut();
      const stored = everyGym`SELECT 1 FROM socket_sessions WHERE pid LIKE ${`% ${pid}`}`;
      await until(async () => (await t.db.query(stored)).length);
    };

    it('gets exactly what it missed, once and in order', async () => {
      const { id: gymId, desk, socket } = await newDesk();
      const before = await checkIn(gymId);
      await socket.next('member_checked_in', ({ id }) => id === before.id);
      await socket.next('check_in_stats');
      await lose(socket);
      const missed = [await checkIn(gymId), await checkIn(gymId), await checkIn(gymId)];
      await checkIn(); // of another gym
      const witness = await connect('/checkins', tokenOf(desk));
      const last = await checkIn(gymId);
      await witness.next('member_checked_in', ({ id }) => id === last.id);
      await socket.connect();
      expect(socket.socket.recovered).toBe(true);
      const after = await checkIn(gymId);
      await socket.next('member_checked_in', ({ id }) => id === after.id);
      const ids = socket.all('member_checked_in').map(({ id }) => id);
      expect(ids).toEqual([before, ...missed, last, after].map(({ id }) => id));
      expect(socket.all('initial_stats')).toHaveLength(1);
      expect(await socket.ask('heartbeat')).toMatchObject({ timestamp: expect.any(String) });

      // And a second time.
      await lose(socket);
      const again = await checkIn(gymId);
      await socket.connect();
      await socket.next('member_checked_in', ({ id }) => id === again.id);
      expect(socket.all('member_checked_in')).toHaveLength(7);
    });

    it('gets nothing who was signed out meanwhile, or changed role or gym', async () => {
      for (const leave of [
        ({ client }: SignedIn) => client.post('/auth/logout'),
        ({ id }: SignedIn) => admin.client.put(`/users/${id}`, { role: 'accountant' }),
        ({ id }: SignedIn) => admin.client.put(`/users/${id}`, { is_active: false }),
      ]) {
        const { id: gymId, desk, socket } = await newDesk();
        await lose(socket);
        await leave(desk);
        await checkIn(gymId);
        await expect(socket.connect()).rejects.toMatchObject({ data: { code: expect.any(Number) } });
        expect(socket.all('member_checked_in')).toEqual([]);
      }
      const { id: gymId, desk, socket } = await newDesk();
      await lose(socket);
      await admin.client.put(`/users/${desk.id}`, { gym_id: gym.id });
      await checkIn(gymId);
      await socket.connect();
      expect(socket.socket.recovered).toBe(false);
      const { id } = await checkIn(gym.id);
      await socket.next('member_checked_in', (visit) => visit.id === id);
      expect(socket.all('member_checked_in')).toHaveLength(1);
    });

    it('is no other’s, and not of another namespace', async () => {
      const manager = await t.make.signedIn('manager', gym.id);
      const { device_key } = await makeDevice(manager.client);
      const reader = await connect('/devices', { device_key });
      await reader.ask('download_templates');
      await lose(reader);
      const { pid, offset } = reader.session;
      expect(offset).toMatch(/^\d+$/);
      const thief = await connect('/checkins', { pid, offset });
      expect(thief.socket.recovered).toBe(false);
      expect(await thief.ask('heartbeat')).toBeRefused('not_signed_in');
      for (const wrong of [
        { pid, offset: "0' OR 1" },
        { pid: { a: 1 }, offset: [] },
        { pid: 7, offset: 7 },
      ]) {
        expect((await connect('/checkins', wrong)).socket.recovered).toBe(false);
      }
    });

    it('is theirs alone who show the same credentials again, no matter who tries before', async () => {
      const { id: gymId, desk, socket } = await newDesk();
      const before = await checkIn(gymId);
      await socket.next('member_checked_in', ({ id }) => id === before.id);
      await lose(socket);
      const missed = await checkIn(gymId);
      const lost = socket.session;
      const colleague = await t.make.signedIn('reception', gymId);
      const { device_key } = await makeDevice((await t.make.signedIn('manager', gymId)).client);
      const again = await t.make.signIn(desk);
      const others = [
        ...[colleague, admin, again].map(({ access_token }) => ({
          namespace: '/checkins',
          auth: { token: access_token },
        })),
        { namespace: '/slots', auth: { token: desk.access_token } },
        { namespace: '/devices', auth: { token: desk.access_token } },
        { namespace: '/devices', auth: { device_key } },
      ];
      for (const { namespace, auth } of others) {
        const other = await connect(namespace, { ...auth, ...lost });
        expect({ namespace, recovered: other.socket.recovered }).toEqual({ namespace, recovered: false });
        expect(other.all('member_checked_in')).toEqual([]);
        other.close();
      }
      for (const auth of [{ token: 'bad' }, { token: `${desk.access_token}x` }, { device_key: 'bad' }]) {
        expect(await SocketClient.refused(t.url, '/checkins', { ...auth, ...lost })).toBeRefused(4001);
      }
      await socket.connect();
      expect(socket.socket.recovered).toBe(true);
      await socket.next('member_checked_in', ({ id }) => id === missed.id);
    });

    it('is online again if it is a device', async () => {
      const manager = await t.make.signedIn('manager', gym.id);
      const { id, device_key } = await makeDevice(manager.client);
      const isOnline = async () => (await manager.client.get(`/devices/${id}`)).body.online;
      const reader = await connect('/devices', { device_key });
      await reader.ask('download_templates');
      await until(isOnline);
      await lose(reader);
      await until(async () => !(await isOnline()));
      await reader.connect();
      expect(reader.socket.recovered).toBe(true);
      await until(isOnline);
    });
  });

  it('the main namespace takes no connections', async () => {
    const { desk } = await newDesk();
    for (const auth of [{}, { token: desk.access_token }]) {
      expect(await SocketClient.refused(t.url, '/', auth)).toBeRefused(4004);
    }
  });

  it('counts itself', async () => {
    const before = (await t.anonymous.get('/realtime/health')).body;
    expect(before).toMatchObject({ status: 'ok' });
    const { socket } = await newDesk();
    const count = async () => (await t.anonymous.get('/realtime/health')).body;
    expect((await count()).connected_users).toBeGreaterThan(0);
    const { active_connections: open } = await count();
    socket.close();
    await until(async () => (await count()).active_connections < open);
    const { body } = await t.anonymous.get(`${t.url}/metrics`);
    expect(body).toMatch(/socket_messages_total\{namespace="\/checkins",event="check_in",outcome="ok"\} [1-9]/);
  });
});
