import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Unavailable } from '../../../src/common/errors/common.errors.js';
import { everyGym } from '../../../src/database/sql.js';
import { BoardsService } from '../../../src/devices/boards.service.js';
import { PublicDay } from '../../../src/legacy/rero-slots/public-day.js';
import { makeDevice, type TestDevice } from '../../support/device.js';
import { unique } from '../../support/factory.js';
import { PlainClient } from '../../support/plain-client.js';
import { plain } from '../../support/plain-http.js';
import { SocketClient } from '../../support/socket-client.js';
import { until } from '../../support/until.js';
import { register, type Rero, startRero } from './rero.js';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

describe('/devices/read/{n}', () => {
  let rero: Rero;
  let url: string;
  let board: TestDevice;
  let holder: { email: string; password: string; id: number; token: string };
  const open = (number: number | string, base = url) => PlainClient.open(`${base}/devices/read/${number}`);
  const newPerson = () => register(url, `${unique('user')}@example.com`);

  /** What the socket is told when it is refused: one error, and 1000. */
  async function refusalOf(number: number | string, first?: unknown): Promise<string> {
    const socket = await open(number);
    if (first !== undefined) socket.send(first);
    expect(await socket.closed).toBe(1000);
    expect(socket.frames).toEqual([{ type: 'error', message: expect.any(String) }]);
    return socket.frames[0].message;
  }

  beforeAll(async () => {
    rero = await startRero('rero_devices');
    ({ url } = rero.t);
    await makeDevice(rero.manager.client, 'qr');
    board = await makeDevice(rero.manager.client, 'board');
    holder = await newPerson();
    // The hour that is now, and the next, if the test goes on into it.
    for (const slotId of [2, 3]) {
      await plain('POST', `${url}/book-slot`, { body: { slot_id: slotId, token: holder.token } });
    }
  });
  afterEach(() => {
    PlainClient.closeAll();
    SocketClient.closeAll();
  });
  afterAll(() => rero.close());

  async function plug(base = url) {
    const socket = await SocketClient.connect(base, '/devices', { device_key: board.device_key });
    await socket.ask('serial_output', { output: '' });
    return socket;
  }

  it('refuses in the order in which it asks', async () => {
    const stranger = await newPerson();
    const foreign = await rero.t.make.signedIn('user', (await rero.t.make.gym()).id);
    const { token } = stranger;
    for (const number of [2, 999, '9999999999', 'x', '-1']) {
      expect(await refusalOf(number)).toBe(`Device ${number} not found or invalid`);
    }
    for (const first of ['{', '', '[]']) {
      expect(await refusalOf(1, first)).toBe('Invalid JSON in authentication message');
    }
    for (const first of [
      {},
      { token: 'rubbish' },
      { email: stranger.email, password: 'wrong1' },
      { token: foreign.access_token },
    ]) {
      expect(await refusalOf(1, first)).toBe('Authentication failed');
    }
    for (const number of [0, 1]) {
      const text = /^You must have booked the current time slot \(\d\d:00-\d\d:00\) to access device \d$/;
      const said = await refusalOf(number, { token });
      expect(said).toMatch(text);
      expect(said.at(-1)).toBe(String(number));
    }
    expect(await refusalOf(0, { token: holder.token })).toBe('Device 0 not found or invalid');
  });

  it('shows what the board has said, then that it is connected, then what it says, on all servers', async () => {
    const agent = await plug();
    await agent.ask('serial_output', { output: 'before ' });
    const { email, password, token } = holder;
    const byToken = await open(1);
    const byPassword = await open(1, rero.second.url);
    const staff = await open('1/');
    byToken.send({ token });
    byPassword.send({ email, password });
    staff.send({ token: rero.manager.access_token });
    const info = { device_number: 1, model: 'board', port: board.name, description: 'Lab board, connected' };
    for (const socket of [byToken, byPassword, staff]) {
      await socket.next('connection_established');
      expect(socket.frames).toEqual([
        { type: 'serial_output', device_number: 1, output: 'before ', timestamp: TIME },
        {
          ...{ type: 'connection_established', device_number: 1, device_info: info },
          message: 'Connected to device 1',
        },
      ]);
    }
    for (const output of ['one', 'two']) await agent.ask('serial_output', { output });
    for (const socket of [byToken, byPassword, staff]) {
      await socket.next(({ output }) => output === 'two');
      expect(socket.frames.slice(2)).toEqual(
        ['one', 'two'].map((output) => ({ type: 'serial_output', device_number: 1, output, timestamp: TIME })),
      );
    }
    expect(await byToken.ask('{', 'error')).toEqual({ type: 'error', message: 'Invalid JSON format' });
    expect(byToken.isClosed).toBe(false);
    const sessions = await rero.t.anonymous.withToken(token).get('/auth/sessions');
    expect(sessions.body).toHaveLength(1);
  });

  it('tells those who come while it speaks each word once, in order, on all servers', async () => {
    const agent = await plug();
    const readers: PlainClient[] = [];
    for (let number = 0; number < 40; number++) {
      await agent.ask('serial_output', { output: `${number} ` });
      if (number % 4 > 0) continue;
      const reader = await open(1, number % 8 > 0 ? url : rero.second.url);
      reader.send({ token: rero.manager.access_token });
      readers.push(reader);
    }
    const { body } = await rero.manager.client.get('/devices/1/serial-output');
    expect(body.output).toMatch(/0 1 2 .* 38 39 $/);
    const textOf = ({ frames }: PlainClient) => frames.map(({ output = '' }) => output).join('');
    for (const reader of readers) {
      await until(() => textOf(reader).endsWith('39 '));
      expect(textOf(reader)).toBe(body.output);
    }
  });

  it('closes with 4000, after which pages come again, if the database is away for a moment', async () => {
    const broken = jest.spyOn(rero.t.app.get(BoardsService), 'lastOutput').mockRejectedValueOnce(new Unavailable());
    const socket = await open(1);
    socket.send({ token: rero.manager.access_token });
    expect(await socket.closed).toBe(4000);
    broken.mockRestore();
  });

  it('ends with the hour, and with the session', async () => {
    const person = await newPerson();
    const days = rero.t.app.get(PublicDay);
    const read = days.read.bind(days);
    /** It reads of each day that the hour that is now ends in a moment. */
    const ending = jest.spyOn(days, 'read').mockImplementation(async () => {
      const day = await read();
      const { ends_at } = day.slots.find((slot) => slot.starts_at <= day.now && day.now < slot.ends_at)!;
      return { ...day, now: new Date(ends_at.getTime() - 200) };
    });
    await rero.manager.client.put('/slots/settings', { default_capacity: 3 });
    const { token } = person;
    for (const slotId of [2, 3]) await plain('POST', `${url}/book-slot`, { body: { slot_id: slotId, token } });
    const [socket, theirs, staff] = [await open(1), await open(1), await open(1)];
    await socket.ask({ token }, 'connection_established');
    await theirs.ask({ token: holder.token }, 'connection_established');
    await staff.ask({ token: rero.manager.access_token }, 'connection_established');
    await new Promise((resolve) => setTimeout(resolve, 600));
    // The next hour is theirs, too.
    expect(socket.isClosed).toBe(false);
    await rero.t.db.change(
      everyGym`UPDATE slot_bookings SET cancelled_at = moment(), cancelled_by_id = user_id WHERE user_id = ${person.id}`,
    );
    expect(await socket.closed).toBe(1000);
    expect(socket.frames.at(-1)).toEqual({
      ...{ type: 'error', message: expect.stringMatching(/^You must have booked .* to access device 1$/) },
    });
    expect([theirs.isClosed, staff.isClosed]).toEqual([false, false]);
    ending.mockRestore();

    const ended = await newPerson();
    for (const slotId of [2, 3]) {
      await plain('POST', `${url}/book-slot`, { body: { slot_id: slotId, token: ended.token } });
    }
    const signedOut = await open(1);
    await signedOut.ask({ token: ended.token }, 'connection_established');
    await rero.t.anonymous.withToken(ended.token).post('/auth/logout', {});
    expect(await signedOut.closed).toBe(4001);
  });

  it('ends when the hour is cancelled', async () => {
    const person = await newPerson();
    const hours = [2, 3].map((slotId) => ({ body: { slot_id: slotId, token: person.token } }));
    for (const hour of hours) expect(await plain('POST', `${url}/book-slot`, hour)).toMatchObject({ status: 200 });
    const [socket, staff] = [await open(1), await open(1)];
    await socket.ask({ token: person.token }, 'connection_established');
    await staff.ask({ token: rero.manager.access_token }, 'connection_established');
    for (const hour of hours) expect(await plain('POST', `${url}/cancel-slot`, hour)).toMatchObject({ status: 200 });
    expect(await socket.closed).toBe(1000);
    expect(socket.frames.at(-1).message).toMatch(/^You must have booked .* to access device 1$/);
    expect(staff.isClosed).toBe(false);
  });

  it('closes with 4001 if no one signs in', async () => {
    const socket = await open(1);
    expect(await socket.closed).toBe(4001);
  }, 20_000);
});
