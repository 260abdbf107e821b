import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { Unavailable } from '../../src/common/errors/common.errors.js';
import { KeyRing } from '../../src/common/crypto/key-ring.js';
import { Database } from '../../src/database/database.js';
import { everyGym } from '../../src/database/sql.js';
import { DevicesService } from '../../src/devices/devices.service.js';
import type { Reason } from '../../src/devices/dto/access.dto.js';
import { EnrolmentsService } from '../../src/devices/enrolments.service.js';
import { startApp, type TestApp } from '../support/app.js';
import { ownDatabase } from '../support/database.js';
import { makeDevice, newTemplate, type TestDevice } from '../support/device.js';
import { PASSWORD, type Person, type SignedIn, unique } from '../support/factory.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/until.js';

interface Staffed {
  id: number;
  manager: SignedIn;
  desk: SignedIn;
}

describe('devices', () => {
  let t: TestApp;
  let databaseUrl: string;
  let admin: SignedIn;
  let gym: Staffed;

  beforeAll(async () => {
    databaseUrl = await ownDatabase('devices');
    t = await startApp({ DATABASE_URL: databaseUrl });
    admin = await t.make.signedIn('admin', null);
    gym = await newGym();
  });
  afterAll(async () => {
    SocketClient.closeAll();
    await t.close();
  });

  async function newGym(): Promise<Staffed> {
    const { id } = await t.make.gym();
    return { id, manager: await t.make.signedIn('manager', id), desk: await t.make.signedIn('reception', id) };
  }
  const connect = (auth?: object) => SocketClient.connect(t.url, '/devices', auth);
  const byKey = ({ device_key }: TestDevice) => connect({ device_key });
  const newReader = async ({ manager }: Staffed) => byKey(await makeDevice(manager.client));
  const newConsole = ({ desk }: Staffed) => connect({ token: desk.access_token });
  const member = ({ id }: Staffed = gym, fields = {}) => t.make.person('user', id, fields);
  const enrol = async (reader: SocketClient, { id }: Person, finger: 1 | 2, template = newTemplate()) => {
    await reader.ask('user', { user_id: id });
    expect(await reader.ask('store_fingerprint', { fingerprint_data: template, finger })).toMatchObject({
      user_id: id,
    });
    return template;
  };

  describe('in the registry', () => {
    it('show their key once, and are stored with its hash', async () => {
      const { manager } = await newGym();
      const device = await makeDevice(manager.client);
      expect(device).toMatchObject({ device_number: 0, is_active: true, online: false, last_seen_at: null });
      expect(device.device_key.length).toBeGreaterThan(40);
      const { device_key, ...shown } = device;
      expect((await manager.client.get('/devices')).body).toEqual([shown]);
      expect((await manager.client.get(`/devices/${device.id}`)).body).toEqual(shown);
      expect((await manager.client.put(`/devices/${device.id}`, { name: 'New' })).body).toEqual({
        ...shown,
        name: 'New',
      });
      const rows = await t.db.query(everyGym`SELECT d::text AS row FROM devices d`);
      expect(JSON.stringify(rows)).not.toContain(device_key.slice(20));
    });

    it('have the smallest number that is free, from 0, each its own; 20 of them that come at once too', async () => {
      const { manager } = await newGym();
      const devices = await Promise.all(Array.from({ length: 20 }, () => makeDevice(manager.client)));
      const numbers = devices.map(({ device_number }) => device_number).toSorted((a, b) => a - b);
      expect(numbers).toEqual(Array.from({ length: 20 }, (_, index) => index));
      expect(new Set(devices.map(({ device_key }) => device_key)).size).toBe(20);
      const taken = { name: 'x', kind: 'qr', device_number: 7 };
      expect(await manager.client.post('/devices', taken)).toBeRefused(409, 'device_number_taken');
      expect(await manager.client.put(`/devices/${devices[0]!.id}`, { device_number: 900 })).toHaveStatus(200);
      const next = [await makeDevice(manager.client), await makeDevice(manager.client)];
      expect(next.map(({ device_number }) => device_number)).toEqual([devices[0]!.device_number, 20]);
    });

    it('are refused with wrong fields, and in a gym that is closed', async () => {
      const wrong = [
        {},
        { name: '', kind: 'qr' },
        { name: 'x', kind: 'door' },
        { name: 'x', kind: 'qr', device_number: -1 },
        { name: 'x', kind: 'qr', device_number: 1_000_001 },
        { name: 'x', kind: 'qr', device_number: 'one' },
      ];
      for (const body of wrong) expect(await gym.manager.client.post('/devices', body)).toHaveStatus(422);
      expect(await admin.client.post('/devices', { name: 'x', kind: 'qr' })).toBeRefused(422, 'fields_invalid');
      const closed = await t.make.gym({ is_active: false });
      const late = await admin.client.post('/devices', { name: 'x', kind: 'qr', gym_id: closed.id });
      expect(late).toBeRefused(409, 'gym_inactive');
    });

    const cuts: Record<string, (path: string) => Promise<{ status: number; body: any }>> = {
      'gets another key': (path) => gym.manager.client.post(`${path}/rotate-key`),
      'is revoked': (path) => gym.manager.client.put(path, { is_active: false }),
      'is removed': (path) => gym.manager.client.delete(path),
    };
    it.each(Object.keys(cuts))('are cut off at once if one %s, and the old key opens nothing', async (what) => {
      const device = await makeDevice(gym.manager.client);
      const [socket, other] = [await byKey(device), await newReader(gym)];
      await Promise.all([socket, other].map((one) => one.ask('download_templates')));
      const cut = await cuts[what]!(`/devices/${device.id}`);
      expect(cut).toSucceed();
      expect(await socket.gone).toBe('io server disconnect');
      const { device_key } = device;
      expect(await SocketClient.refused(t.url, '/devices', { device_key })).toBeRefused(4001);
      if (cut.body?.device_key) await byKey(cut.body);
      expect(await other.ask('download_templates')).toEqual({ data: [], has_more: false });
    });

    it('are cut off if it happened while the server could not hear the database', async () => {
      const device = await makeDevice(gym.manager.client);
      const socket = await byKey(device);
      await socket.ask('download_templates');
      await t.db.change(everyGym`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'spotter listener' AND datname = current_database()`);
      await gym.manager.client.post(`/devices/${device.id}/rotate-key`);
      expect(await socket.gone).toBe('io server disconnect');
    });

    it('say whether they are online', async () => {
      const device = await makeDevice(gym.manager.client);
      const shown = async () => (await gym.manager.client.get(`/devices/${device.id}`)).body;
      const socket = await byKey(device);
      await until(async () => (await shown()).online);
      expect((await shown()).last_seen_at).toEqual(expect.any(String));
      socket.close();
      await until(async () => !(await shown()).online);
    });
  });

  describe('that staff signs in', () => {
    const login = (socket: SocketClient, email: string, password = PASSWORD, more = {}) =>
      socket.ask('login', { login_data: { email, password }, ...more });

    it('are readers of the gym of the staff, until they leave', async () => {
      const socket = await connect();
      expect(await login(socket, gym.desk.email.toUpperCase())).toEqual({ gym_id: gym.id, message: 'Connected' });
      expect(await socket.next('connected')).toEqual({ gym_id: gym.id, message: 'Connected' });
      expect(await (await newConsole(gym)).ask('fingerprint_connected')).toEqual({ gym_id: gym.id });
      expect(await socket.ask('download_templates')).toEqual({ data: expect.any(Array), has_more: false });
    });

    it('are none if their sign-in failed on its way, and may try again', async () => {
      const breaks = [
        jest.spyOn(t.app.get(DevicesService), 'confirmedDevice'),
        jest.spyOn(t.app.get(EnrolmentsService), 'readerArrived'),
      ];
      for (const broken of breaks) {
        const place = await newGym();
        const socket = await connect();
        broken.mockRejectedValueOnce(new Unavailable());
        expect(await login(socket, place.desk.email)).toBeRefused('unavailable');
        expect(await socket.ask('download_templates')).toBeRefused('not_signed_in');
        expect(await (await newConsole(place)).ask('fingerprint_connected')).toBeRefused('no_device_connected');
        expect(await login(socket, place.desk.email)).toEqual({ gym_id: place.id, message: 'Connected' });
        expect(await (await newConsole(place)).ask('fingerprint_connected')).toEqual({ gym_id: place.id });
        broken.mockRestore();
      }
    });

    it('take no session of the staff: six readers of one account stay, and so does the phone', async () => {
      const person = await t.make.signedIn('reception', gym.id);
      const sockets = await Promise.all(Array.from({ length: 6 }, () => connect()));
      for (const socket of sockets) expect(await login(socket, person.email)).toMatchObject({ gym_id: gym.id });
      for (const socket of sockets) expect(await socket.ask('download_templates')).toHaveProperty('data');
      expect((await person.client.get('/auth/sessions')).body).toHaveLength(1);
    });

    it('ask an admin for the gym', async () => {
      const socket = await connect();
      const closed = await t.make.gym({ is_active: false });
      expect(await login(socket, admin.email)).toBeRefused('fields_invalid');
      expect(await login(socket, admin.email, PASSWORD, { gym_id: 2_000_000_000 })).toBeRefused('fields_invalid');
      expect(await login(socket, admin.email, PASSWORD, { gym_id: closed.id })).toBeRefused('gym_inactive');
      expect(await login(socket, admin.email, PASSWORD, { gym_id: gym.id })).toMatchObject({ gym_id: gym.id });
    });

    it('are signed in once: another on the same connection is refused', async () => {
      const socket = await connect();
      expect(await login(socket, gym.desk.email)).toMatchObject({ gym_id: gym.id });
      expect(await login(socket, gym.desk.email)).toBeRefused('already_signed_in');
    });

    it('let in no member, no staff without a desk, no other gym, and no wrong password', async () => {
      const socket = await connect();
      for (const role of ['user', 'accountant'] as const) {
        const person = await t.make.person(role, gym.id);
        expect(await login(socket, person.email)).toBeRefused('role_not_allowed');
        const inactive = await t.make.person(role, gym.id, { is_active: false });
        expect(await login(socket, inactive.email)).toBeRefused('role_not_allowed');
        expect(
          await t.db.query(everyGym`SELECT 1 FROM sessions WHERE user_id = ${person.id} AND ended_at IS NULL`),
        ).toEqual([]);
      }
      const fresh = await t.make.person('trainer', gym.id, { must_change_password: true });
      expect(await login(socket, fresh.email)).toBeRefused('password_change_required');
      const { id } = await t.make.gym();
      expect(await login(socket, gym.desk.email, PASSWORD, { gym_id: id })).toBeRefused('other_gym');
      expect(await socket.ask('download_templates')).toBeRefused('not_signed_in');
      const guessed = await t.make.person('trainer', gym.id);
      const answers = [];
      for (let guess = 0; guess < 15; guess++)
        answers.push((await login(socket, guessed.email, `guess ${guess}`)).code);
      expect(answers[0]).toBe('wrong_credentials');
      expect(answers.at(-1)).toBe('too_many_requests');
      expect(await login(socket, guessed.email)).toBeRefused('too_many_requests');
    });

    it('are cut off with the staff that signed them in', async () => {
      const leave: ((person: SignedIn) => Promise<unknown>)[] = [
        ({ id }) => admin.client.put(`/users/${id}`, { role: 'accountant' }),
        ({ id }) => admin.client.put(`/users/${id}`, { is_active: false }),
        ({ id }) => admin.client.put(`/users/${id}`, { password: 'another password' }),
      ];
      for (const go of leave) {
        const person = await t.make.signedIn('trainer', gym.id);
        const socket = await connect();
        await login(socket, person.email);
        await go(person);
        expect(await socket.gone).toBe('io server disconnect');
      }
    });
  });

  describe('that enrol a finger', () => {
    it('talk with the console that asked, and no other console or reader hears of it', async () => {
      const [own, other] = [await newGym(), await newGym()];
      const [desk, otherDesk, strangeDesk] = await Promise.all([newConsole(own), newConsole(own), newConsole(other)]);
      const anonymous = await desk.ask('fingerprint_connected', {});
      expect(anonymous).toMatchObject({ code: 'no_device_connected' });
      const devices = [await makeDevice(own.manager.client), await makeDevice(own.manager.client)];
      const [one, two] = (await Promise.all(devices.map(byKey))) as [SocketClient, SocketClient];
      const strange = await newReader(other);
      await Promise.all([one, two, strange].map((reader) => reader.ask('download_templates')));
      expect(await desk.ask('fingerprint_connected', {})).toEqual({ gym_id: own.id });
      expect(await desk.next('fingerprint_connection_stablished')).toEqual({ gym_id: own.id });

      const [anna, bert] = [await member(own, { full_name: 'Anna' }), await member(own, { full_name: 'Bert' })];
      await desk.ask('user', { user_id: anna.id, device_id: devices[0]!.id });
      expect(await one.next('user')).toEqual({ user_id: anna.id });
      // The reader that is free.
      await otherDesk.ask('user', { user_id: bert.id });
      expect(await two.next('user')).toEqual({ user_id: bert.id });
      const third = await newConsole(own);
      expect(await third.ask('user', { user_id: bert.id })).toBeRefused('device_busy');
      expect(await strangeDesk.ask('user', { user_id: anna.id })).toBeRefused('user_not_found');
      // Staff has no fingerprints here: a reader would wait for nothing.
      expect(await third.ask('user', { user_id: own.manager.id })).toBeRefused('user_not_found');

      const start = await one.ask('user', { user_id: anna.id });
      expect(start).toEqual({ user_id: anna.id, full_name: 'Anna', email: anna.email });
      expect(await one.next('start_enrollment')).toEqual(start);
      expect(await desk.next('user_established')).toEqual({ user_id: anna.id, full_name: 'Anna' });
      await two.ask('user', { user_id: bert.id });
      expect(await otherDesk.next('user_established')).toEqual({ user_id: bert.id, full_name: 'Bert' });
      const stored = await one.ask('store_fingerprint', { fingerprint_data: newTemplate(), finger: 1 });
      expect(stored).toEqual({ user_id: anna.id, message: 'Fingerprint 1 stored' });
      expect(await one.next('fingerprint_stored')).toEqual(stored);
      await one.ask('finger1_captured');
      expect(await desk.next('finger1_captured')).toEqual({ user_id: anna.id });
      await one.ask('store_fingerprint', { fingerprint_data: newTemplate(), finger: 2 });
      await one.ask('enrollment_completed');
      expect(await desk.next('enrollment_completed')).toEqual({ user_id: anna.id });
      expect(await one.ask('store_fingerprint', { fingerprint_data: newTemplate(), finger: 1 })).toMatchObject({
        code: 'no_member_chosen',
      });
      expect(await one.next('store_error')).toMatchObject({ code: 'no_member_chosen' });
      // Now that one is free, the third console may have it.
      expect(await third.ask('user', { user_id: bert.id })).toEqual({});
      expect(await one.next('user', ({ user_id }) => user_id === bert.id)).toEqual({ user_id: bert.id });

      for (const reader of [two, strange]) {
        expect(JSON.stringify(reader.received)).not.toContain('Anna');
        expect(reader.all('user').map(({ user_id }) => user_id)).not.toContain(anna.id);
      }
      for (const { received } of [otherDesk, third, strangeDesk]) {
        expect(JSON.stringify(received)).not.toContain('Anna');
      }
      expect(desk.all('user_established')).toHaveLength(1);
    });

    it('take one of two consoles that want them at once', async () => {
      const own = await newGym();
      const reader = await newReader(own);
      await reader.ask('download_templates');
      const { id } = await member(own);
      const desks = await Promise.all(Array.from({ length: 5 }, () => newConsole(own)));
      await Promise.all(desks.map((desk) => desk.ask('fingerprint_connected', {})));
      const answers = await Promise.all(desks.map((desk) => desk.ask('user', { user_id: id })));
      expect(answers.map(({ code }) => code ?? 'chosen').toSorted()).toEqual(
        ['chosen', ...Array(4).fill('device_busy')].toSorted(),
      );
    });

    it('take one of two consoles on two servers, and the finger of its member alone', async () => {
      const other = await startApp({ DATABASE_URL: databaseUrl });
      try {
        const own = await newGym();
        const [one, two] = [await member(own), await member(own)];
        const reader = await newReader(own);
        await reader.ask('download_templates');
        const consoleOf = ({ url }: TestApp) => SocketClient.connect(url, '/devices', { token: own.desk.access_token });
        for (let round = 0; round < 5; round++) {
          const desks = [await consoleOf(t), await consoleOf(other)];
          await until(async () => (await desks[1]!.ask('fingerprint_connected', {})).gym_id === own.id);
          const people = [one.id, two.id];
          const answers = await Promise.all(desks.map((desk, index) => desk.ask('user', { user_id: people[index] })));
          expect(answers.map(({ code }) => code ?? 'chosen').toSorted()).toEqual(['chosen', 'device_busy']);
          const first = answers.findIndex(({ code }) => code === undefined);
          const [chosen, late] = first === 0 ? people : people.toReversed();
          expect(await reader.next('user')).toEqual({ user_id: chosen });
          expect(await reader.ask('user', { user_id: late })).toBeRefused('other_member_chosen');
          const finger = { fingerprint_data: newTemplate(), finger: 1 };
          expect(await reader.ask('store_fingerprint', finger)).toBeRefused('no_member_chosen');
          await reader.ask('user', { user_id: chosen });
          expect(await reader.ask('store_fingerprint', finger)).toMatchObject({ user_id: chosen });
          await reader.ask('enrollment_completed');
          await desks[first]!.next('enrollment_completed');
          for (const desk of desks) desk.close();
        }
      } finally {
        await other.close();
      }
    });

    it('are free again when a console goes while it chooses', async () => {
      const own = await newGym();
      const { id } = await member(own);
      const device = await makeDevice(own.manager.client);
      const reader = await byKey(device);
      await reader.ask('download_templates');
      const [hasty, next] = [await newConsole(own), await newConsole(own)];
      await hasty.ask('fingerprint_connected', {});
      const connections = async () => (await t.anonymous.get('/realtime/health')).body.active_connections as number;
      const waiting = everyGym`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
      const holder = await t.db.pool.connect();
      try {
        await holder.query('BEGIN');
        await holder.query('SELECT 1 FROM enrolments WHERE reader = $1 FOR UPDATE', [`device:${device.id}`]);
        hasty.send('user', { user_id: id });
        await until(async () => (await t.db.query(waiting)).length > 0);
        const before = await connections();
        hasty.cut();
        await until(async () => (await connections()) < before);
      } finally {
        await holder.query('COMMIT');
        holder.release();
      }
      // It was chosen after its console had left, and knows.
      expect(await reader.next('user')).toEqual({ user_id: id });
      expect(await reader.next('error')).toMatchObject({ code: 'console_gone' });
      expect(await next.ask('user', { user_id: id })).toEqual({});
    });

    it('are their newest connection', async () => {
      const own = await newGym();
      const { id } = await member(own);
      const device = await makeDevice(own.manager.client);
      const old = await byKey(device);
      await old.ask('download_templates');
      const desk = await newConsole(own);
      expect(await desk.ask('user', { user_id: id })).toEqual({});
      await old.ask('user', { user_id: id });
      const newest = await byKey(device);
      await newest.ask('download_templates');
      // What the old connection was doing is over, and it begins nothing more.
      expect(await desk.next('error')).toMatchObject({ code: 'device_gone' });
      const finger = { fingerprint_data: newTemplate(), finger: 1 };
      expect(await old.ask('store_fingerprint', finger)).toBeRefused('no_member_chosen');
      expect(await old.ask('user', { user_id: id })).toBeRefused('other_member_chosen');
      expect(await desk.ask('user', { user_id: id })).toEqual({});
      expect(await newest.next('user')).toEqual({ user_id: id });
      expect(old.all('user')).toHaveLength(1);
      old.cut();
      await newest.ask('user', { user_id: id });
      expect(await newest.ask('store_fingerprint', finger)).toMatchObject({ user_id: id });
    });

    it('leave nothing when they come and go quickly', async () => {
      const own = await newGym();
      const device = await makeDevice(own.manager.client);
      for (let round = 0; round < 20; round++) {
        const reader = await byKey(device);
        await new Promise((done) => setTimeout(done, round % 10));
        reader.cut();
      }
      const left = everyGym`SELECT 1 FROM enrolments WHERE reader = ${`device:${device.id}`}`;
      await until(async () => (await t.db.query(left)).length === 0);
      await until(async () => !(await own.manager.client.get(`/devices/${device.id}`)).body.online);
      const desk = await newConsole(own);
      expect(await desk.ask('fingerprint_connected', {})).toBeRefused('no_device_connected');
    });

    it('know whether a console hears them, and say themselves whom it is about without one', async () => {
      const own = await newGym();
      const reader = await newReader(own);
      const steps = ['finger1_captured', 'enrollment_completed', 'user_not_found'];
      for (const step of steps) expect(await reader.ask(step)).toEqual({ consoles: 0 });
      const [desk, other] = [await newConsole(own), await newConsole(own)];
      for (const one of [desk, other]) await one.ask('fingerprint_connected');
      for (const step of steps) {
        expect(await reader.ask(step, { user_id: 7 })).toEqual({ consoles: 2 });
        expect(await reader.next('told', ({ consoles }) => consoles === 2)).toEqual({ consoles: 2 });
        expect(await other.next(step)).toMatchObject({ user_id: step === 'user_not_found' ? null : 7 });
      }
      const { id } = await member(own);
      await desk.ask('user', { user_id: id });
      await reader.ask('user', { user_id: id });
      expect(await reader.ask('finger1_captured', { user_id: 7 })).toEqual({ consoles: 1 });
      expect(await desk.next('finger1_captured', (payload) => payload.user_id !== 7)).toEqual({ user_id: id });
    });

    it('notice when the other side vanishes', async () => {
      const own = await newGym();
      const { id } = await member(own);
      const [desk, reader] = [await newConsole(own), await newReader(own)];
      await reader.ask('download_templates');
      await desk.ask('user', { user_id: id });
      await reader.next('user');
      desk.cut();
      expect(await reader.next('error')).toMatchObject({ code: 'console_gone' });
      const next = await newConsole(own);
      expect(await next.ask('user', { user_id: id })).toEqual({});
      await reader.next('user');
      reader.cut();
      expect(await next.next('error')).toMatchObject({ code: 'device_gone' });
      expect(await next.ask('user', { user_id: id })).toBeRefused('no_device_connected');
    });

    it('refuse those that they do not know', async () => {
      const [reader, strangers] = [await newReader(gym), await newGym()];
      const gone = await member();
      await admin.client.delete(`/users/${gone.id}`);
      for (const userId of [(await member(strangers)).id, gone.id, gym.desk.id, 2_000_000_000]) {
        expect(await reader.ask('user', { user_id: userId })).toBeRefused('user_not_found');
        expect(await reader.next('user_error')).toMatchObject({ code: 'user_not_found' });
      }
      // A person who was chosen before does not get this one's finger.
      const { id } = await member();
      await reader.ask('user', { user_id: id });
      await reader.ask('user', { user_id: 2_000_000_000 });
      const finger = { fingerprint_data: newTemplate(), finger: 1 };
      expect(await reader.ask('store_fingerprint', finger)).toBeRefused('no_member_chosen');
    });
  });

  describe('fingerprints', () => {
    const rows = (userId: number) =>
      t.db.query<{ finger: number; template: string }>(
        everyGym`SELECT finger, template FROM fingerprints WHERE user_id = ${userId} ORDER BY finger`,
      );

    it('are stored encrypted, two a member, and replaced', async () => {
      const [reader, person] = [await newReader(gym), await member()];
      const [first, second] = [await enrol(reader, person, 1), await enrol(reader, person, 2)];
      const stored = await rows(person.id);
      expect(stored.map(({ finger }) => finger)).toEqual([1, 2]);
      for (const { template } of stored) {
        expect(template).toMatch(/^test\./);
        for (const plain of [first, second]) {
          expect(template).not.toContain(plain.slice(0, 40));
          expect(
            Buffer.from(template.slice(5), 'base64url').includes(Buffer.from(plain, 'base64').subarray(0, 20)),
          ).toBe(false);
        }
      }
      const third = await enrol(reader, person, 1);
      expect(await rows(person.id)).toHaveLength(2);
      const { data } = await reader.ask('download_templates');
      expect(data.find(({ id }: Person) => id === person.id)).toMatchObject({
        fingerprint1: third,
        fingerprint2: second,
      });
    });

    it('go with the member', async () => {
      const [reader, person] = [await newReader(gym), await member()];
      await enrol(reader, person, 1);
      expect(await admin.client.delete(`/users/${person.id}`)).toHaveStatus(204);
      expect(await rows(person.id)).toEqual([]);
      const { data } = await reader.ask('download_templates');
      expect(data.map(({ id }: Person) => id)).not.toContain(person.id);
      const finger = { fingerprint_data: newTemplate(), finger: 1 };
      expect(await reader.ask('store_fingerprint', finger)).toBeRefused('user_not_found');
    });

    it('must be base64 of a sensible size, of finger 1 or 2', async () => {
      const [reader, person] = [await newReader(gym), await member()];
      await reader.ask('user', { user_id: person.id });
      const fine = newTemplate();
      const wrong = [
        ...['', 'no base64!', `${fine.slice(0, 8)} ${fine.slice(8)}`, `${fine}=`, newTemplate(16_385), 7, null, {}],
        ...[
          Buffer.alloc(64).toString('base64').replaceAll('=', ''),
          randomBytes(64).fill(255).toString('base64url'),
          undefined,
        ],
      ];
      for (const template of wrong) {
        expect(await reader.ask('store_fingerprint', { fingerprint_data: template, finger: 1 })).toBeRefused(
          'fields_invalid',
        );
      }
      for (const finger of [0, 3, '1', null, 1.5, undefined]) {
        expect(await reader.ask('store_fingerprint', { fingerprint_data: fine, finger })).toBeRefused('fields_invalid');
      }
      for (const length of [1, 16, 16_384]) await enrol(reader, person, 1, newTemplate(length));
    });

    it('go to the readers of their gym alone, 100 members a page', async () => {
      const [own, other] = [await newGym(), await newGym()];
      const ring = new KeyRing(t.config.FINGERPRINT_KEYS);
      const people = await Promise.all(Array.from({ length: 250 }, () => member(own)));
      const templates = new Map(people.map(({ id }) => [id, newTemplate(40)]));
      for (const [id, template] of templates) {
        const sealed = ring.encrypt(Buffer.from(template, 'base64'), `fingerprints ${id} 2`);
        await t.db.change(everyGym`INSERT INTO fingerprints (user_id, finger, template) VALUES (${id}, 2, ${sealed})`);
      }
      const reader = await newReader(own);
      for (const round of [1, 2]) {
        const pages = [];
        for (const more of [true, true, false]) {
          const { data, has_more } = await reader.ask('download_templates');
          expect(has_more).toBe(more);
          pages.push(data);
          if (!more) await reader.next('download_templates_completed');
          else expect(reader.all('download_templates_completed').length).toEqualFor(round, round - 1);
        }
        expect(pages.map(({ length }) => length)).toEqual([100, 100, 50]);
        const got = pages.flat().map(({ id, fingerprint1, fingerprint2 }) => [id, fingerprint1, fingerprint2]);
        expect(got).toEqual(
          [...templates].map(([id, template]) => [id, null, template]).toSorted(([a], [b]) => +a! - +b!),
        );
      }
      // A page that was lost with the connection comes again, with all before it.
      const { data } = await reader.ask('download_templates');
      reader.cut();
      await until(() => !reader.socket.connected);
      reader.socket.connect();
      await until(() => reader.socket.connected);
      expect(reader.socket.recovered).toBe(true);
      expect((await reader.ask('download_templates')).data).toEqual(data);
      const stranger = await newReader(other);
      expect(await stranger.ask('download_templates')).toEqual({ data: [], has_more: false });
      for (const kind of ['qr', 'board'] as const) {
        const device = await byKey(await makeDevice(own.manager.client, kind));
        expect(await device.ask('download_templates')).toBeRefused('role_not_allowed');
      }
      expect(await (await newConsole(own)).ask('download_templates')).toBeRefused('role_not_allowed');
    });

    it('that were tampered with or copied are left out and reported, and the others are given', async () => {
      const own = await newGym();
      const reader = await newReader(own);
      const [healthy, tampered, copied] = [await member(own), await member(own), await member(own)];
      const good = await enrol(reader, healthy, 1);
      await enrol(reader, tampered, 1);
      await enrol(reader, copied, 1);
      const { template } = (await rows(tampered.id))[0]!;
      const broken = template.slice(0, -2) + (template.endsWith('AA') ? 'BB' : 'AA');
      const { template: another } = (await rows(healthy.id))[0]!;
      const set = (id: number, value: string) =>
        t.db.change(everyGym`UPDATE fingerprints SET template = ${value} WHERE user_id = ${id}`);
      await set(tampered.id, broken);
      await set(copied.id, another);
      const lines: string[] = [];
      const log = { error: (line: string) => void lines.push(line), log() {}, warn() {} };
      Logger.overrideLogger(log);
      const { data } = await reader.ask('download_templates');
      Logger.overrideLogger(false);
      expect(data.map(({ id, fingerprint1 }: any) => [id, fingerprint1])).toEqual([
        [healthy.id, good],
        [tampered.id, null],
        [copied.id, null],
      ]);
      expect(lines).toEqual([
        expect.stringContaining(`fingerprints ${tampered.id} 1`),
        expect.stringContaining(`fingerprints ${copied.id} 1`),
      ]);
    });

    it('whose key this server lacks are kept by the reader', async () => {
      const own = await newGym();
      const reader = await newReader(own);
      const [healthy, other] = [await member(own), await member(own)];
      await enrol(reader, healthy, 1);
      await enrol(reader, other, 1);
      const [, sealed] = (await rows(other.id))[0]!.template.split('.');
      await t.db.change(everyGym`UPDATE fingerprints SET template = ${`next.${sealed}`} WHERE user_id = ${other.id}`);
      const lines: string[] = [];
      Logger.overrideLogger({ error() {}, log() {}, warn: (line: Error) => void lines.push(line.message) });
      expect(await reader.ask('download_templates')).toBeRefused('unavailable');
      Logger.overrideLogger(false);
      expect(reader.all('template_data_set')).toEqual([]);
      expect(lines).toEqual([`There is no key "next" for fingerprints ${other.id} 1. Restart this server with it.`]);
    });

    it('are encrypted again by a command, which may be killed and started again', async () => {
      const DATABASE_URL = await ownDatabase('rotation', {});
      const server = await startApp({ DATABASE_URL });
      const { id } = await server.make.gym();
      const people = await Promise.all(Array.from({ length: 1500 }, () => server.make.person('user', id)));
      const old = new KeyRing(t.config.FINGERPRINT_KEYS);
      const plain = new Map(people.map((person) => [person.id, newTemplate(40)]));
      const sealed = [...plain].map(([user, text]) =>
        old.encrypt(Buffer.from(text, 'base64'), `fingerprints ${user} 1`),
      );
      await server.db.change(everyGym`
        INSERT INTO fingerprints (user_id, finger, template)
        SELECT user_id, 1, template FROM unnest(${[...plain.keys()]}::int[], ${sealed}::text[]) AS f (user_id, template)`);
      await server.close();
      const db = new Database(server.config, new EventEmitter2());
      const newKeys = `next_1:${randomBytes(32).toString('base64')},${t.config.FINGERPRINT_KEYS}`;
      const rotate = () => {
        const { PATH = '', HOME = '' } = process.env;
        const secrets = { JWT_SECRET: t.config.JWT_SECRET, ENCRYPTION_KEYS: t.config.ENCRYPTION_KEYS };
        const env = { PATH, HOME, ...secrets, DATABASE_URL, FINGERPRINT_KEYS: newKeys };
        const child = spawn(process.execPath, ['dist/src/cli/rotate-fingerprints.js'], { env });
        let output = '';
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
        const ended = new Promise<{ code: number | null; output: string }>((resolve) => {
          child.once('close', (code) => resolve({ code, output }));
        });
        return { child, ended };
      };
      const countDone = async () =>
        (await db.query(everyGym`SELECT 1 FROM fingerprints WHERE template LIKE 'next\\_1.%'`)).length;
      const first = rotate();
      await until(async () => (await countDone()) > 20);
      first.child.kill('SIGKILL');
      await first.ended;
      // What was under way when it was killed is committed, or not.
      const others = everyGym`FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'`;
      await until(async () => (await db.query(everyGym`SELECT 1 ${others} AND pid <> pg_backend_pid()`)).length === 0);
      const done = await countDone();
      expect(done).toBeLessThan(1500);
      expect(await rotate().ended).toEqual({
        code: 0,
        output: expect.stringContaining(`${1500 - done} fingerprints were encrypted again, with key "next_1".`),
      });
      const ring = new KeyRing(newKeys.split(',')[0]!);
      const now = await db.query<{ user_id: number; template: string }>(
        everyGym`SELECT user_id, template FROM fingerprints`,
      );
      expect(now).toHaveLength(1500);
      for (const { user_id, template } of now) {
        expect(ring.decrypt(template, `fingerprints ${user_id} 1`).toString('base64')).toBe(plain.get(user_id));
      }
      await db.change(everyGym`UPDATE fingerprints SET template = 'lost.AAAA' WHERE user_id = ${people[0]!.id}`);
      const last = await rotate().ended;
      expect([last.code, last.output]).toEqual([1, expect.stringMatching(/1 do not open with any key/)]);
      await db.onApplicationShutdown();
    });
  });

  describe('at the door', () => {
    async function withPlan(own: Staffed, terms: object = { kind: 'time', duration_days: 30 }) {
      const person = await member(own);
      const plan = { name: unique('Plan'), price: 10, gym_id: own.id, ...terms };
      const { body: sold } = await admin.client.post('/plans', plan);
      const bought = await admin.client.post('/user-plans', { user_id: person.id, plan_id: sold.id });
      expect(bought).toHaveStatus(201);
      return { ...person, user_plan_id: bought.body.id as number };
    }
    const bySessions = (count: number) => ({ kind: 'sessions', session_count: count });
    const events = (gymId: number) =>
      t.db.query<Record<string, number | string | null>>(everyGym`
        SELECT user_id, reason, attendance_id, device_id, staff_id FROM access_events WHERE gym_id = ${gymId} ORDER BY id`);
    const visits = async ({ id }: Person) => (await admin.client.get(`/attendance?user_id=${id}`)).body;
    const remaining = async (userPlanId: number) =>
      (await admin.client.get(`/user-plans/${userPlanId}`)).body.remaining_sessions;

    const reasons: Record<Reason, (own: Staffed) => Promise<Person>> = {
      unknown: async () => ({ ...(await member()), id: 2_000_000_000 }),
      wrong_gym: async () => member(await newGym()),
      inactive: (own) => member(own, { is_active: false }),
      no_plan: (own) => member(own),
      expired: async (own) => {
        const person = await withPlan(own);
        await t.db.change(everyGym`
          UPDATE user_plans SET starts_at = now() - interval '40 days', expires_at = now() - interval '10 days'
          WHERE id = ${person.user_plan_id}`);
        return person;
      },
      frozen: async (own) => {
        const person = await withPlan(own);
        await admin.client.put(`/user-plans/${person.user_plan_id}`, { status: 'frozen' });
        return person;
      },
      no_sessions: async (own) => {
        const person = await withPlan(own, bySessions(1));
        await admin.client.post(`/user-plans/${person.user_plan_id}/deduct`);
        return person;
      },
      already_inside: async (own) => {
        const person = await withPlan(own);
        await own.desk.client.post('/attendance', { user_id: person.id });
        return person;
      },
    };

    it.each(Object.keys(reasons) as Reason[])(
      'answer %s, over the socket and over REST alike, and record it',
      async (reason) => {
        const own = await newGym();
        const device = await makeDevice(own.manager.client);
        const [reader, desk] = [await byKey(device), await newConsole(own)];
        const person = await reasons[reason](own);
        const before = (await visits(person)).length;
        const answer = await reader.ask('user_found', { user_id: person.id });
        expect(answer).toMatchObject({ allowed: false, reason, attendance_id: null });
        const isHidden = reason === 'unknown' || reason === 'wrong_gym';
        expect(answer.user).toEqual(isHidden ? null : { id: person.id, full_name: expect.any(String) });
        expect(await reader.next('access')).toEqual(answer);
        const [plan = null] = (await admin.client.get(`/user-plans?user_id=${person.id}`)).body;
        const { user: _user, cancel_reason: _note, ...shown } = plan ?? {};
        expect(answer.user_plan).toEqual(plan && shown);
        const { allowed, user } = answer;
        const seen = { user_id: user?.id ?? null, read_user_id: person.id, allowed, reason, user };
        expect(await desk.next('user_found')).toEqual(seen);
        const asked = await own.desk.client.post('/devices/access', { user_id: person.id });
        expect(asked).toHaveStatus(200);
        expect(asked.body).toEqual(answer);
        const who = reason === 'unknown' ? null : person.id;
        expect(await events(own.id)).toEqual([
          { user_id: who, reason, attendance_id: null, device_id: device.id, staff_id: null },
          { user_id: who, reason, attendance_id: null, device_id: null, staff_id: own.desk.id },
        ]);
        expect(await visits(person)).toHaveLength(before);
      },
    );

    it('let in who may, with a visit and a session less', async () => {
      const own = await newGym();
      const device = await makeDevice(own.manager.client, 'qr');
      const turnstile = await byKey(device);
      const person = await withPlan(own, bySessions(2));
      const [pass] = await t.db.query<{ qr_code: string }>(everyGym`SELECT qr_code FROM users WHERE id = ${person.id}`);
      const mixed = { qr_code: pass!.qr_code, user_id: { id: person.id } };
      expect(await turnstile.ask('user_found', mixed)).toBeRefused('fields_invalid');
      const answer = await turnstile.ask('user_found', { qr_code: pass!.qr_code });
      const [visit] = await visits(person);
      expect(answer).toMatchObject({ allowed: true, reason: null, user: { id: person.id }, attendance_id: visit.id });
      expect(visit).toMatchObject({
        ...{ user_plan_id: person.user_plan_id, status: 'checked_in', location: device.name },
      });
      expect(await remaining(person.user_plan_id)).toBe(1);
      expect(await events(own.id)).toEqual([
        { user_id: person.id, reason: null, attendance_id: visit.id, device_id: device.id, staff_id: null },
      ]);
      const timed = await withPlan(own);
      const byDesk = { user_id: timed.id, device_id: device.id };
      expect((await own.desk.client.post('/devices/access', byDesk)).body).toMatchObject({ allowed: true });
      expect(await visits(timed)).toMatchObject([
        { user_plan_id: null, recorded_by_id: own.desk.id, location: device.name },
      ]);
    });

    it('deduct nothing if the visit cannot begin', async () => {
      const own = await newGym();
      const reader = await newReader(own);
      const person = await withPlan(own, bySessions(5));
      await t.db.change(everyGym`
        CREATE FUNCTION refuse_visit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$`);
      await t.db.change(everyGym`CREATE TRIGGER refuse BEFORE INSERT ON attendance EXECUTE FUNCTION refuse_visit()`);
      expect(await reader.ask('user_found', { user_id: person.id })).toBeRefused('internal_error');
      await t.db.change(everyGym`DROP FUNCTION refuse_visit CASCADE`);
      expect(await remaining(person.user_plan_id)).toBe(5);
      expect(await events(own.id)).toEqual([]);
      expect(await reader.ask('user_found', { user_id: person.id })).toMatchObject({ allowed: true });
      expect(await remaining(person.user_plan_id)).toBe(4);
    });

    it('let in again who is inside, only if the gym wants it, and for nothing', async () => {
      const own = await newGym();
      expect((await admin.client.put(`/gyms/${own.id}`, { allow_reentry: true })).body.allow_reentry).toBe(true);
      const person = await withPlan(own, bySessions(1));
      const [in1, in2] = [await newReader(own), await newReader(own)];
      const first = await in1.ask('user_found', { user_id: person.id });
      const second = await in2.ask('user_found', { user_id: person.id });
      expect([first.allowed, second.allowed, second.attendance_id]).toEqual([true, true, first.attendance_id]);
      expect(await visits(person)).toHaveLength(1);
      await admin.client.put(`/gyms/${own.id}`, { allow_reentry: false });
      const third = await (await newReader(own)).ask('user_found', { user_id: person.id });
      expect(third).toMatchObject({ allowed: false, reason: 'already_inside' });
    });

    it('let in who is inside only with a plan, and judge a member who was promoted', async () => {
      const own = await newGym();
      await admin.client.put(`/gyms/${own.id}`, { allow_reentry: true });
      const person = await withPlan(own);
      const reader = await newReader(own);
      const scan = () => reader.ask('user_found', { user_id: person.id });
      expect(await scan()).toMatchObject({ allowed: true });
      await admin.client.put(`/user-plans/${person.user_plan_id}`, { status: 'frozen' });
      expect(await scan()).toMatchObject({ allowed: false, reason: 'frozen' });
      await admin.client.put(`/user-plans/${person.user_plan_id}`, { status: 'active' });
      expect(await scan()).toMatchObject({ allowed: true });
      await admin.client.put(`/users/${person.id}`, { role: 'trainer' });
      expect(await scan()).toMatchObject({ allowed: false, reason: 'no_plan', user: { id: person.id } });
    });

    it('forget an answer once it is not true any more', async () => {
      const own = await newGym();
      const person = await member(own);
      const reader = await newReader(own);
      const scan = () => reader.ask('user_found', { user_id: person.id });
      expect(await scan()).toMatchObject({ allowed: false, reason: 'no_plan' });
      const { body: plan } = await admin.client.post('/plans', {
        ...{ name: unique('Plan'), price: 10, gym_id: own.id, kind: 'sessions', session_count: 5 },
      });
      const { body: sold } = await admin.client.post('/user-plans', { user_id: person.id, plan_id: plan.id });
      const first = await scan();
      expect(first).toMatchObject({ allowed: true });
      expect(await scan()).toMatchObject({ allowed: true, attendance_id: first.attendance_id });
      expect(await remaining(sold.id)).toBe(4);
      await own.desk.client.post(`/attendance/${first.attendance_id}/check-out`);
      const second = await scan();
      expect([second.allowed, second.attendance_id === first.attendance_id]).toEqual([true, false]);
      expect(await remaining(sold.id)).toBe(3);
    });

    it('end the visit of a member who moves, and let them into the new gym', async () => {
      const [own, next] = [await newGym(), await newGym()];
      const person = await withPlan(own);
      await own.desk.client.post('/attendance', { user_id: person.id });
      await admin.client.put(`/users/${person.id}`, { gym_id: next.id });
      expect(await visits(person)).toMatchObject([{ gym_id: own.id, status: 'checked_out' }]);
      const reader = await newReader(next);
      expect(await reader.ask('user_found', { user_id: person.id })).toMatchObject({ reason: 'no_plan' });
      const { body: plan } = await admin.client.post('/plans', {
        ...{ name: unique('Plan'), price: 10, gym_id: next.id, kind: 'time', duration_days: 30 },
      });
      await admin.client.post('/user-plans', { user_id: person.id, plan_id: plan.id });
      // A visit that a race left open in the old gym ends when they come in.
      await t.make.visit({ id: person.id, gym_id: own.id });
      expect(await reader.ask('user_found', { user_id: person.id })).toMatchObject({ allowed: true });
      expect(await visits(person)).toHaveLength(3);
    });

    it('decide a scan that comes 20 times at once a single time', async () => {
      const own = await newGym();
      const device = await makeDevice(own.manager.client);
      const person = await withPlan(own, bySessions(10));
      const sockets = await Promise.all(Array.from({ length: 20 }, () => byKey(device)));
      const answers = await Promise.all(sockets.map((socket) => socket.ask('user_found', { user_id: person.id })));
      const [visit] = await visits(person);
      for (const answer of answers) expect(answer).toMatchObject({ allowed: true, attendance_id: visit.id });
      expect(await visits(person)).toHaveLength(1);
      expect(await remaining(person.user_plan_id)).toBe(9);
      expect(await events(own.id)).toHaveLength(1);
    });

    it('decide once for one person at many doors at once', async () => {
      const own = await newGym();
      const person = await withPlan(own, bySessions(10));
      const doors = await Promise.all(Array.from({ length: 10 }, () => newReader(own)));
      const asked = doors.map((door) => door.ask('user_found', { user_id: person.id }));
      const answers = await Promise.all([...asked, own.desk.client.post('/attendance', { user_id: person.id })]);
      expect(answers.filter(({ allowed, status }: any) => allowed || status === 201)).toHaveLength(1);
      expect(await visits(person)).toHaveLength(1);
      expect(await remaining(person.user_plan_id)).toBeGreaterThanOrEqual(9);
    });

    it('decide for two people at once, at one door', async () => {
      const own = await newGym();
      const door = await newReader(own);
      const people = [await withPlan(own), await withPlan(own), await member(own)];
      const answers = await Promise.all(people.map(({ id }) => door.ask('user_found', { user_id: id })));
      expect(answers.map(({ allowed, user }) => [allowed, user.id])).toEqual([
        [true, people[0]!.id],
        [true, people[1]!.id],
        [false, people[2]!.id],
      ]);
    });

    it('record who is not known', async () => {
      const own = await newGym();
      const [reader, desk] = [await newReader(own), await newConsole(own)];
      expect(await reader.ask('user_not_found')).toEqual({ consoles: 1 });
      expect(await desk.next('user_not_found')).toEqual({
        user_id: null,
        read_user_id: null,
        allowed: false,
        reason: 'unknown',
        user: null,
      });
      expect(await events(own.id)).toMatchObject([{ user_id: null, reason: 'unknown' }]);
      const board = await byKey(await makeDevice(own.manager.client, 'board'));
      expect(await board.ask('user_found', { user_id: 1 })).toBeRefused('role_not_allowed');
      expect(await own.desk.client.post('/devices/access', {})).toBeRefused(422, 'fields_invalid');
    });

    it('judge no one at a board, nor at a device that is switched off', async () => {
      const own = await newGym();
      const person = await withPlan(own);
      const [off, board] = [await makeDevice(own.manager.client, 'qr'), await makeDevice(own.manager.client, 'board')];
      await own.manager.client.put(`/devices/${off.id}`, { is_active: false });
      for (const { id } of [off, board]) {
        const answer = await own.desk.client.post('/devices/access', { user_id: person.id, device_id: id });
        expect(answer).toHaveWrongFields('device_id');
      }
      expect(await visits(person)).toEqual([]);
    });
  });
});
