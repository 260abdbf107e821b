import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Unavailable } from '../../src/common/errors/common.errors.js';
import { BoardsService } from '../../src/devices/boards.service.js';
import { DevicesService } from '../../src/devices/devices.service.js';
import { GymNotFound } from '../../src/gyms/gyms.errors.js';
import { publicGym } from '../../src/gyms/public-gym.js';
import { nextHourOf, openDay } from '../../src/slots/open-day.js';
import { SlotsService } from '../../src/slots/slots.service.js';
import { startApp, testConfig, type TestApp } from '../support/app.js';
import { makeDevice, type TestDevice } from '../support/device.js';
import type { SignedIn } from '../support/factory.js';
import type { Answer } from '../support/http-client.js';
import { bookNow, cancelNow, makeSlotGym, withinOneHour } from '../support/slots.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/until.js';

const AGENT = path.resolve('tools/board-agent/agent.mjs');

/** A lab board: the agent that runs beside it, as its owner starts it. */
class Agent {
  output = '';
  readonly exited: Promise<number | null>;
  private readonly child: ChildProcess;

  constructor(url: string, key: string, folder: string, more: string[]) {
    const parameters = [AGENT, '--url', url, '--file', path.join(folder, 'sketch.mjs'), ...more];
    this.child = spawn(process.execPath, parameters, { env: { PATH: process.env.PATH, DEVICE_KEY: key } });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.exited = new Promise((resolve) => this.child.once('close', resolve));
  }

  says(what: string): Promise<boolean> {
    return until(() => this.output.includes(what), what);
  }

  stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    this.child.kill(signal);
    return this.exited;
  }
}

describe('lab boards', () => {
  let t: TestApp;
  let second: TestApp;
  let manager: SignedIn;
  let holder: SignedIn;
  let other: SignedIn;
  let board: TestDevice;
  let folder: string;
  const agents: Agent[] = [];

  beforeAll(async () => {
    t = await startApp();
    second = await startApp();
    // An upload that waits for this long waits in vain.
    for (const { app } of [t, second]) app.get(BoardsService).patienceMs = 10_000;
    folder = mkdtempSync(path.join(os.tmpdir(), 'spotter-board-'));
  });
  beforeEach(async () => {
    const made = await makeSlotGym(t.make);
    [manager, holder] = [made.manager, made.member];
    other = await t.make.signedIn('user', made.gym.id);
    board = await makeDevice(manager.client, 'board');
    await bookNow(holder.client);
  });
  afterEach(async () => {
    SocketClient.closeAll();
    await Promise.all(agents.splice(0).map((agent) => agent.stop()));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await Promise.all([t.close(), second.close()]);
  });

  const upload = (who: SignedIn, code: string, number = board.device_number): Promise<Answer> =>
    who.client.post(`/devices/${number}/upload`, { code });
  const said = async (who: SignedIn): Promise<Answer> =>
    who.client.get(`/devices/${board.device_number}/serial-output`);
  const read = async (who: SignedIn, url = t.url) => {
    const socket = await SocketClient.connect(url, '/devices', { token: who.access_token });
    const history = await socket.ask('read_serial', { device_number: board.device_number });
    return { socket, history };
  };

  async function startAgent(...more: string[]): Promise<Agent> {
    const agent = new Agent(t.url, board.device_key, folder, more);
    agents.push(agent);
    await agent.says('Connected.');
    return agent;
  }

  /** A board that does as the test says. */
  async function plug(onUpload?: (code: string, answer: (result: unknown) => void) => void, url = t.url) {
    const socket = await SocketClient.connect(url, '/devices', { device_key: board.device_key });
    if (onUpload) socket.socket.on('upload', ({ code }, answer) => onUpload(code, answer));
    await socket.ask('serial_output', { output: '' });
    return socket;
  }

  it('run the code of the person who has the hour, and of staff, and answer what it printed', async () => {
    await startAgent();
    expect(await upload(holder, 'console.log("héllo", 6 * 7)')).toMatchObject({
      status: 200,
      body: { success: true, output: 'héllo 42\n', error: null },
    });
    expect((await upload(manager, 'console.error("no"); process.exit(3)')).body).toEqual({
      ...{ success: false, output: 'no\n', error: 'It ended with 3.' },
    });
    await until(async () => (await said(holder)).body.output === 'héllo 42\nno\n');
    expect((await said(manager)).body).toMatchObject({
      device_number: board.device_number,
      updated_at: expect.any(String),
    });
    // What the database cannot store is no reason to say nothing.
    expect((await upload(holder, 'process.stdout.write("a\\0b")')).body.output).toBe('a\0b');
    await until(async () => (await said(holder)).body.output.endsWith('a\uFFFDb'));
  });

  it('of the gym that rero-slots shows are listed by number, without anyone who asks', async () => {
    await makeDevice(manager.client, 'qr');
    const next = await makeDevice(manager.client, 'board');
    const revoked = await makeDevice(manager.client, 'board');
    await manager.client.put(`/devices/${revoked.id}`, { is_active: false });
    await plug();
    const config = testConfig({ RERO_GYM_ID: String(board.gym_id) });
    const scope = await publicGym(t.db, config);
    const boards = t.app.get(BoardsService);
    expect(await boards.list(scope.gym())).toMatchObject([
      { id: board.id, name: board.name, device_number: board.device_number, online: true },
      { id: next.id, device_number: next.device_number, online: false },
    ]);
    const day = await t.app.get(SlotsService).day(scope.gym());
    expect(openDay(null, day).filter(({ booked_by }) => booked_by)).toMatchObject(
      day.slots.filter(({ booked }) => booked).map(({ id }) => ({ id, booked_by: expect.stringMatching(/^.\*{3}@/) })),
    );
    expect(nextHourOf(holder.id, day)).toMatchObject({ id: new Date().getUTCHours(), booked_by: holder.email });

    const first = await publicGym(t.db, testConfig());
    expect(first.scope()).toEqual({ gym_id: 1 });
    for (const [name, value] of [
      ['RERO_GYM_ID', '2000000000'],
      ['LEGACY_CLIENTS', 'gymgem'],
    ] as const)
      await expect(publicGym(t.db, testConfig({ [name]: value }))).rejects.toThrow(GymNotFound);
  });

  it('run nothing for anyone else', async () => {
    await startAgent();
    const hour = await withinOneHour(async (now) => {
      const clock = (hours: number) => new Date(now.getTime() + hours * 3_600_000).toISOString().slice(11, 14);
      return {
        now: `${clock(0)}00-${clock(1)}00`,
        refused: [await upload(other, 'console.log(1)'), await said(other)],
      };
    });
    for (const refused of hour.refused) {
      expect(refused).toBeRefused(403, 'hour_not_booked');
      expect(refused.body.detail).toBe(`You must have booked the current time slot (${hour.now}).`);
    }
    expect((await read(other)).history).toBeRefused('hour_not_booked');

    const stranger = await makeSlotGym(t.make);
    expect(await upload(stranger.manager, 'console.log(1)')).toBeRefused(404, 'device_not_found');
    const elsewhere = `/devices/${board.device_number}/upload?gym_id=${board.gym_id}`;
    expect(await stranger.manager.client.post(elsewhere, { code: '1' })).toBeRefused(403, 'other_gym');
    await bookNow(stranger.member.client);
    expect(await upload(stranger.member, 'console.log(1)')).toBeRefused(404, 'device_not_found');
    const reader = await makeDevice(manager.client, 'fingerprint');
    expect(await upload(holder, '1', reader.device_number)).toBeRefused(404, 'device_not_found');
    // Nor does it say anything to the person who has given the hour back.
    await cancelNow(holder.client);
    expect(await upload(holder, 'console.log(1)')).toBeRefused(403, 'hour_not_booked');
    await bookNow(other.client);
    expect((await upload(other, 'console.log(1)')).body.output).toBe('1\n');
    expect((await said(other)).body.output).not.toContain('2');
  });

  it('that are not connected are 503, at once when one disconnects while it runs', async () => {
    expect(await upload(holder, '1')).toBeRefused(503, 'board_not_connected');
    for (const url of [t.url, second.url]) {
      const socket: SocketClient = await plug(() => socket.close(), url);
      expect(await upload(holder, '1')).toBeRefused(503, 'board_not_connected');
      const cut: SocketClient = await plug(() => cut.cut(), url);
      expect(await upload(holder, '1')).toBeRefused(503, 'board_not_connected');
    }
  });

  it('that never answer are 504', async () => {
    const boards = t.app.get(BoardsService);
    const { patienceMs } = boards;
    boards.patienceMs = 100;
    try {
      for (const url of [t.url, second.url]) {
        const socket = await plug(() => undefined, url);
        expect(await upload(holder, '1')).toBeRefused(504, 'board_timed_out');
        socket.close();
        await until(async () => (await upload(holder, '1')).status === 503);
      }
    } finally {
      boards.patienceMs = patienceMs;
    }
  });

  it('are reached on another server', async () => {
    await plug((code, answer) => answer({ success: true, output: code.toUpperCase() }), second.url);
    expect((await upload(holder, 'hello')).body).toEqual({ success: true, output: 'HELLO', error: null });
  });

  it('are reached by the connection that came last, whichever server it is on', async () => {
    for (const [before, after] of [
      [t, second],
      [second, t],
    ] as const) {
      // prettier-ignore
      const old = await plug((_code, answer) => answer({ success: true, output: 'old' }), before.url);
      const young = await plug((_code, answer) => answer({ success: true, output: 'young' }), after.url);
      expect((await upload(manager, 'x')).body.output).toBe('young');
      for (const socket of [old, young]) socket.close();
    }
  });

  it('may answer anything', async () => {
    const answers: unknown[] = [
      null,
      5,
      'x',
      [1],
      {},
      { success: 'yes', output: 5, error: {} },
      { success: true, output: 'x'.repeat(300_000) },
      { success: true, output: `${'😀'.repeat(100_000)}x`, error: 'half \ud83d' },
    ];
    const results = [];
    await plug((code, answer) => answer(answers[Number(code)]));
    for (const index of answers.keys()) results.push((await upload(holder, String(index))).body);
    expect(results.splice(6)).toEqual([
      { success: true, output: 'x'.repeat(200_000), error: null },
      { success: true, output: `\uFFFD${'😀'.repeat(99_999)}x`, error: 'half \uFFFD' },
    ]);
    expect(results).toEqual(Array.from({ length: 6 }, () => ({ success: false, output: '', error: null })));
  });

  it('that print endlessly have their output cut', async () => {
    await startAgent();
    const { body } = await upload(holder, 'process.stdout.write("a".repeat(400_000) + "z".repeat(100_000) + "end")');
    expect([body.success, body.output.length, body.output.slice(-4), body.output[0]]).toEqual([
      true,
      200_000,
      'zend',
      'a',
    ]);
  });

  it('that print more than one message holds are heard without half characters', async () => {
    await startAgent();
    const { socket } = await read(holder);
    const code = (printed: string) => `process.stdout.write(${printed})`;
    const printed = `x${'😀'.repeat(10_000)}y`;
    expect((await upload(holder, code(JSON.stringify(printed)))).body.output).toBe(printed);
    await until(
      () =>
        socket
          .all('serial_output')
          .map(({ output }) => output)
          .join('') === printed,
      'all is heard',
    );
    const { body } = await upload(holder, code('"😀".repeat(100_000) + "y"'));
    expect(body.output).toBe(`\uFFFD${'😀'.repeat(99_999)}y`);
  });

  describe('whose code starts a program that does not end', () => {
    /** The programs that run: each is connected to here. */
    const programs = new Set<Socket>();
    const server = createServer((program) => {
      programs.add(program);
      program.resume().on('close', () => programs.delete(program));
    });
    const toHere = () =>
      `net.connect(${(server.address() as AddressInfo).port}, '127.0.0.1').on('connect', () => process.send(0))`;

    /** Code that starts one, and does something when that runs. */
    const codeThat = (does: string, options = {}) => `
      import { spawn } from 'node:child_process';
      const options = ${JSON.stringify({ stdio: ['ignore', 'inherit', 'inherit', 'ipc'], ...options })};
      spawn(process.execPath, ['-e', ${JSON.stringify(toHere())}], options).on('message', () => { ${does} });`;
    const allEnded = () => until(() => programs.size === 0, 'the programs have ended');

    beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'));
    afterEach(() => programs.forEach((program) => program.destroy()));
    afterAll(() => void server.close());

    it('stop both in time', async () => {
      await startAgent('--seconds', '3');
      const { body } = await upload(holder, codeThat('console.log("started")'));
      expect(body).toEqual({ success: false, output: 'started\n', error: 'Stopped after 3 s.' });
      await allEnded();
    });

    it('stop it when the code ends, and are free at once', async () => {
      await startAgent();
      const { body } = await upload(holder, codeThat('process.stdout.write("started", () => process.exit())'));
      expect(body).toEqual({ success: true, output: 'started', error: null });
      await allEnded();
    });

    it('are free soon, also if it left the group of the code', async () => {
      await startAgent();
      const code = codeThat('process.stdout.write("started", () => process.exit())', { detached: true });
      expect((await upload(holder, code)).body).toEqual({ success: true, output: 'started', error: null });
      expect((await upload(holder, 'console.log(1)')).body.output).toBe('1\n');
    });

    it('stop both when the agent is stopped', async () => {
      const agent = await startAgent();
      const answer = upload(holder, codeThat(''));
      await until(() => programs.size === 1, 'the program runs');
      await agent.stop('SIGTERM');
      expect(await answer).toBeRefused(503, 'board_not_connected');
      await allEnded();
    });
  });

  it('take code of 200,000 characters, and no more', async () => {
    await plug((code, answer) => answer({ success: true, output: String(code.length) }));
    expect((await upload(holder, 'x'.repeat(200_000))).body.output).toBe('200000');
    for (const code of ['x'.repeat(200_001), ''])
      expect(await upload(holder, code)).toMatchObject({ status: 422, body: { errors: [{ field: 'code' }] } });
  });

  it('are remembered for the last 10,000 characters they said', async () => {
    const socket = await plug();
    expect((await said(holder)).body.output).toBe('');
    for (const letter of ['a', 'b', 'c']) await socket.ask('serial_output', { output: letter.repeat(4_000) });
    const output = 'a'.repeat(2_000) + 'b'.repeat(4_000) + 'c'.repeat(4_000);
    expect((await said(holder)).body.output).toBe(output);
    expect((await read(manager)).history.output).toBe(output);
    const tooLong = await socket.ask('serial_output', { output: 'd'.repeat(10_001) });
    expect(tooLong).toBeRefused('fields_invalid');
    expect(tooLong.errors[0].field).toBe('output');
    expect((await said(holder)).body.output).toBe(output);
  });

  it('are heard live by the person who has the hour and by staff, on any server, and not any more when the hour is given back', async () => {
    const socket = await plug();
    const readers = [
      await read(holder),
      await read(manager),
      await read(holder, second.url),
      await read(manager, second.url),
    ];
    const [mine, , mineToo] = readers.map((reader) => reader.socket);
    const deaf = await read(other);
    expect(deaf.history).toBeRefused('hour_not_booked');
    const stranger = (await makeSlotGym(t.make)).manager;
    const strangers = await SocketClient.connect(t.url, '/devices', { token: stranger.access_token });
    await strangers.ask('read_serial', { device_number: board.device_number, gym_id: board.gym_id });

    await socket.ask('serial_output', { output: 'one' });
    const line = { device_number: board.device_number, output: 'one', timestamp: expect.any(String) };
    for (const reader of readers)
      expect(await reader.socket.next('serial_output', ({ output }) => output)).toEqual(line);

    await cancelNow(holder.client);
    await bookNow(other.client);
    await socket.ask('serial_output', { output: 'private' });
    for (const index of [1, 3])
      await readers[index]!.socket.next('serial_output', ({ output }) => output === 'private');
    for (const quiet of [mine!, mineToo!, deaf.socket, strangers]) {
      // What is answered now comes after what was said before.
      await quiet.ask('heartbeat');
      expect(JSON.stringify(quiet.received)).not.toContain('private');
    }
    expect([deaf.socket, strangers].flatMap((quiet) => quiet.all('serial_output'))).toEqual([]);
  });

  it('are cut off when they are revoked', async () => {
    const agent = await startAgent();
    await upload(manager, 'console.log("before")');
    await manager.client.put(`/devices/${board.id}`, { is_active: false });
    await agent.says('Disconnected: io server disconnect.');
    expect(await upload(manager, '1')).toBeRefused(404, 'device_not_found');
    expect(await SocketClient.refused(t.url, '/devices', { device_key: board.device_key })).toMatchObject({
      code: 4001,
    });
    // It tries again, is told that its key is not valid any more, and gives up.
    expect(await agent.exited).toBe(1);
  });

  it('come back when the server could not let them in for a while', async () => {
    const devices = t.app.get(DevicesService);
    const refusal = jest.spyOn(devices, 'actorOfKey').mockRejectedValueOnce(new Unavailable());
    try {
      const agent = await startAgent();
      expect(agent.output).toBe('Try again in a moment.\nConnected.\n');
    } finally {
      refusal.mockRestore();
    }
  });

  it('are the only ones who say something as boards', async () => {
    for (const kind of ['fingerprint', 'qr'] as const) {
      const { device_key } = await makeDevice(manager.client, kind);
      const socket = await SocketClient.connect(t.url, '/devices', { device_key });
      expect(await socket.ask('serial_output', { output: 'x' })).toBeRefused('role_not_allowed');
    }
    const console = await SocketClient.connect(t.url, '/devices', { token: manager.access_token });
    expect(await console.ask('serial_output', { output: 'x' })).toBeRefused('role_not_allowed');
    expect((await said(manager)).body).toEqual({ device_number: board.device_number, output: '', updated_at: null });
  });
});
