import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { isRefusal, Refused } from '../../src/legacy/plain/plain-connection.js';
import { CLOSE, type PlainSocket } from '../../src/legacy/plain/plain-socket.js';
import { PlainSockets } from '../../src/legacy/plain/plain-sockets.js';
import { startApp, type TestApp } from '../support/app.js';
import { ownDatabase } from '../support/database.js';
import type { SignedIn } from '../support/factory.js';
import { PlainClient } from '../support/plain-client.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/until.js';

/** The ground of all families' sockets, tried with a family of the test's own that passes everything on. */
describe('plain sockets', () => {
  let t: TestApp;
  let second: TestApp;
  let desk: SignedIn;
  let gymId: number;

  const serve = (app: TestApp) =>
    app.app.get(PlainSockets).add({
      path: /^\/test\/(?<room>[^/]+)$/,
      async open(socket: PlainSocket, { room }, query) {
        socket.converse({
          async frame({ type, ...payload }) {
            if (type === 'fail') throw new Error('our fault');
            try {
              socket.send({ type: 'answer', answer: await link?.ask(String(type), payload) });
            } catch (error) {
              if (!isRefusal(error)) throw error;
              socket.send({ type: 'refused', code: (error as Refused).code });
            }
          },
          nonsense: (problem) => socket.send({ type: 'error', problem }),
        });
        const token = query.get('token');
        const link =
          token === null
            ? undefined
            : await socket
                .join('/checkins', { token }, (event, payload) => {
                  if (room === 'broken' && event === 'member_checked_in') throw new Error('no translation');
                  socket.send({ type: event, room, payload });
                })
                .catch((error: Refused) => socket.close(error.close_code!));
        if (token === null) socket.expectSignIn();
      },
    });
  const at = (app: TestApp, token?: string) =>
    `${app.url}/test/r%20oom/${token === undefined ? '' : `?token=${token}`}`;

  beforeAll(async () => {
    const DATABASE_URL = await ownDatabase('plain_sockets');
    t = await startApp({ DATABASE_URL });
    second = await startApp({ DATABASE_URL });
    serve(t);
    serve(second);
    gymId = (await t.make.gym()).id;
    desk = await t.make.signedIn('reception', gymId);
  });
  afterEach(() => {
    PlainClient.closeAll();
    SocketClient.closeAll();
  });
  afterAll(() => Promise.all([t.close(), second.close()]));

  async function newMember(): Promise<number> {
    const { id } = await t.make.person('user', gymId);
    await t.make.userPlan({ id }, await t.make.plan(gymId));
    return id;
  }

  it('hear what happens over REST and on another server, and are answered first', async () => {
    const sockets = [
      await PlainClient.open(at(t, desk.access_token)),
      await PlainClient.open(at(second, desk.access_token)),
    ];
    for (const socket of sockets) {
      const first = await socket.next('initial_stats');
      expect(socket.frames[0]).toBe(first);
      expect(first.room).toBe('r oom');
    }
    const member = await newMember();
    await desk.client.post('/attendance', { user_id: member });
    for (const socket of sockets) await socket.next(({ payload }) => payload?.user_id === member);
    const other = await newMember();
    const { answer } = await sockets[0]!.ask({ type: 'check_in', member_id: other }, 'answer');
    expect(answer.user_id).toBe(other);
    for (const socket of sockets) {
      await socket.next(({ type, payload }) => type === 'member_checked_in' && payload.user_id === other);
    }
    const mine = sockets[0]!.frames.filter(({ answer: a, payload }) => (a ?? payload).user_id === other);
    expect(mine.map(({ type }) => type)).toEqual(['answer', 'check_in_success', 'member_checked_in']);
  });

  it('are refused with the codes of old clients', async () => {
    const member = await t.make.signedIn('user', gymId);
    expect(await (await PlainClient.open(at(t, 'rubbish'))).closed).toBe(CLOSE.not_signed_in);
    expect(await (await PlainClient.open(at(t, member.access_token))).closed).toBe(CLOSE.not_allowed);
    expect(await PlainClient.status(`${t.url}/nothing`)).toBe(404);
    expect(await PlainClient.status(`${t.url}/test/a/b`)).toBe(404);
    const alone = await PlainClient.open(at(t, desk.access_token));
    await alone.next('initial_stats');
    alone.send({ type: 'fail' });
    expect(await alone.closed).toBe(CLOSE.our_fault);
  });

  it('end alone when a translation fails: the others hear the news', async () => {
    const broken = await PlainClient.open(`${t.url}/test/broken?token=${desk.access_token}`);
    const whole = await PlainClient.open(at(t, desk.access_token));
    const modern = await SocketClient.connect(t.url, '/checkins', { token: desk.access_token });
    for (const socket of [broken, whole]) await socket.next('initial_stats');
    const member = await newMember();
    expect(await desk.client.post('/attendance', { user_id: member })).toHaveStatus(201);
    expect(await broken.closed).toBe(CLOSE.our_fault);
    await whole.next(({ type, payload }) => type === 'member_checked_in' && payload.user_id === member);
    await modern.next('member_checked_in', ({ user_id }) => user_id === member);
  });

  it('end with the session, with 4001', async () => {
    const { client, access_token } = await t.make.signedIn('reception', gymId);
    const socket = await PlainClient.open(at(second, access_token));
    await socket.next('initial_stats');
    await client.post('/auth/logout', {});
    expect(await socket.closed).toBe(CLOSE.not_signed_in);
  });

  it('close with 4001 without a sign-in in ten seconds', async () => {
    const socket = await PlainClient.open(at(t));
    const begun = Date.now();
    expect(await socket.closed).toBe(CLOSE.not_signed_in);
    expect(Date.now() - begun).toBeGreaterThan(8_000);
  }, 20_000);

  it('survive nonsense, and close on a frame of more than a megabyte', async () => {
    const socket = await PlainClient.open(at(t, desk.access_token));
    await socket.next('initial_stats');
    expect(await socket.ask('{', 'error')).toMatchObject({ problem: 'no_json' });
    for (const frame of ['[]', 'null', '7', '"text"', '{"a":"\\ud800"}', `{"a":${'['.repeat(50)}${']'.repeat(50)}}`]) {
      expect(await socket.ask(frame, 'error')).toMatchObject({ problem: 'no_object' });
    }
    expect(await socket.ask(`{"a":"${'x'.repeat(300_000)}"}`, 'error')).toMatchObject({ problem: 'too_large' });
    expect(await socket.ask({ type: 'nothing' }, 'refused')).toMatchObject({ code: 'unknown_event' });
    socket.socket.send(Buffer.from([1, 2, 3]));
    expect(await socket.next(({ problem }) => problem !== undefined)).toMatchObject({ problem: 'no_json' });
    expect(await socket.ask({ type: 'heartbeat' }, 'answer')).toBeTruthy();
    socket.send('x'.repeat(1_100_000));
    expect(await socket.closed).toBe(1009);
  });

  it('may send 120 frames at once, and a flood is told so and lives', async () => {
    const socket = await PlainClient.open(at(t, desk.access_token));
    await socket.next('initial_stats');
    for (let n = 0; n < 120; n++) socket.send({ type: 'heartbeat' });
    for (let n = 0; n < 120; n++) await socket.next('answer');
    expect(socket.frames.filter(({ type }) => type === 'error')).toEqual([]);
    for (let n = 0; n < 1000; n++) socket.send({ type: 'heartbeat' });
    expect(await socket.next('error')).toMatchObject({ problem: 'too_many' });
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(socket.isClosed).toBe(false);
  });

  it('10,000 malformed frames of all kinds leave the others served', async () => {
    const calm = await PlainClient.open(at(t, desk.access_token));
    await calm.next('initial_stats');
    const wild = await Promise.all(Array.from({ length: 10 }, () => PlainClient.open(at(t, desk.access_token))));
    const kinds = [
      '{',
      '[]',
      '{"type":"check_in"}',
      '{"type":{}}',
      '{"type":"__proto__"}',
      '\u0000',
      '{"type":"batch","batches":7}',
    ];
    for (const socket of wild) for (let n = 0; n < 1000; n++) socket.send(kinds[n % kinds.length]);
    expect(await calm.ask({ type: 'heartbeat' }, 'answer')).toBeTruthy();
    const member = await newMember();
    expect((await calm.ask({ type: 'check_in', member_id: member }, 'answer')).answer.user_id).toBe(member);
    for (const socket of wild) expect(socket.isClosed).toBe(false);
  });

  it('drop a client that stops reading', async () => {
    const deaf = await PlainClient.open(at(t, desk.access_token));
    await deaf.next('initial_stats');
    const [served] = [...t.app.get(PlainSockets)['open'].keys()].slice(-1);
    deaf.socket.pause();
    let sent = 0;
    for (; sent < 2_000 && served!.isAlive; sent++) {
      served!.send({ type: 'much', text: 'x'.repeat(20_000), sent });
      if (sent % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => !served!.isAlive);
    // A megabyte waits here, and some more in the buffers of the two systems: not the 40 that there would be.
    expect(sent).toBeLessThan(1_000);
  });

  it('are told that the server restarts', async () => {
    const third = await startApp({ DATABASE_URL: t.config.DATABASE_URL! });
    serve(third);
    const socket = await PlainClient.open(at(third, desk.access_token));
    await socket.next('initial_stats');
    await third.close();
    expect(await socket.closed).toBe(CLOSE.restart);
  });
});
