import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { ownDatabase } from '../support/database.js';
import { PNG, upload } from '../support/chat.js';
import { makeDevice, newTemplate } from '../support/device.js';
import type { HttpClient } from '../support/http-client.js';
import { ServerProcess } from '../support/server-process.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/until.js';

const KEYS = {
  JWT_SECRET: 'a secret that only the tests know, of some length',
  ENCRYPTION_KEYS: 'test:dGVzdC1rZXktdGVzdC1rZXktdGVzdC1rZXktdGVzdC0=',
  FINGERPRINT_KEYS: 'test:ZmluZ2VyLWtleS1maW5nZXIta2V5LWZpbmdlci1rZXk=',
};

/** Everything secret that clients send or get, and then a look at all that two servers wrote. */
describe('secrets', () => {
  const secrets = new Map<string, string | Buffer>();
  /** What a door compares: it stands in its column of users, and nowhere else. */
  const codes = new Map<string, string | Buffer>();
  const servers: ServerProcess[] = [];
  /** Of links to attachments: they travel between servers in the messages that show them. */
  const signatures: string[] = [];
  const DATA_DIR = mkdtempSync(path.join(os.tmpdir(), 'spotter-secrets-'));
  let database: pg.Client;

  const plant = (name: string, secret: string): string => {
    secrets.set(name, secret);
    return secret;
  };
  const plantTemplate = (name: string): string => {
    const template = newTemplate();
    const bytes = Buffer.from(template, 'base64');
    // Parts of it are enough to be caught, whatever is around them.
    secrets.set(`${name} in base64`, template.slice(40, 80));
    secrets.set(`${name} as hex`, bytes.subarray(30, 60).toString('hex'));
    secrets.set(`${name} as bytes`, bytes.subarray(30, 60));
    return template;
  };

  beforeAll(async () => {
    const DATABASE_URL = await ownDatabase('secrets', { empty: true });
    servers.push(...[1, 2].map(() => new ServerProcess({ ...KEYS, DATA_DIR, DATABASE_URL, LOG_LEVEL: 'trace' })));
    const [one, two] = (await Promise.all(servers.map((server) => server.ready()))) as [HttpClient, HttpClient];
    database = new pg.Client(DATABASE_URL);
    await database.connect();
    await useThem(one, two);
    await Promise.all(servers.map((server) => server.kill('SIGTERM')));
  });

  afterAll(async () => {
    SocketClient.closeAll();
    await Promise.all(servers.map((server) => server.kill('SIGKILL')));
    await database.end();
    rmSync(DATA_DIR, { recursive: true });
  });

  /** All that is done with a pass, also what is refused. */
  async function usePasses(client: HttpClient): Promise<void> {
    const key = (word: string) => ({ 'idempotency-key': word });
    const person = { full_name: 'pass', phone_number: '+1 555 0177', issue_temporary_password: true };
    const added = await client.post('/members', person, key('with-a-pass'));
    expect(added).toHaveStatus(201);
    const member = `/members/${added.body.id}`;
    const plantPass = async (name: string) => {
      const { body: pass } = await client.get(`${member}/pass`);
      plant(`the temporary password ${name}`, pass.temporary_password);
      codes.set(`the code of the pass ${name}`, pass.qr_code);
      await client.post('/auth/login', { phone_number: person.phone_number, password: pass.temporary_password });
      for (const code of [pass.qr_code, `${pass.qr_code}0`, `${pass.qr_code}%ff`, `${pass.qr_code}/x`]) {
        await client.get(`/members/by-qr/${code}`);
        await client.post(`/members/by-qr/${code}`);
      }
      for (const way of ['/devices/access', '/attendance']) await client.post(way, { qr_code: pass.qr_code });
      await client.get(`${member}/qr.svg`);
    };
    await plantPass('at first');
    expect(await client.post(`${member}/reset-password`, undefined, key('reset'))).toHaveStatus(200);
    expect(await client.post(`${member}/regenerate-qr`, undefined, key('regenerate'))).toHaveStatus(200);
    await plantPass('afterwards');
  }

  async function useThem(one: HttpClient, two: HttpClient): Promise<void> {
    const signIn = async (email: string, password: string) => {
      const answer = await one.post('/auth/login', { email, password });
      expect(answer).toHaveStatus(200);
      const { body } = answer;
      plant(`the access token of ${email}`, body.access_token);
      plant(`the refresh token of ${email}`, body.refresh_token);
      return one.withToken(body.access_token);
    };
    const admin = await signIn('admin@gym.com', 'admin123');
    const password = plant('a password', 'planted-password-1');
    const details = (name: string) => ({
      ...{
        email: `${name}@example.com`,
        full_name: name,
        document_id: `${name}-1`,
        phone_number: '+1 555 0100',
        gym_id: 1,
      },
    });
    const manager = { ...details('manager'), role: 'manager', password };
    const made = await admin.post('/users/admin-trainer', manager, { 'idempotency-key': 'with-a-password' });
    expect(made).toHaveStatus(201);
    const client = await signIn('manager@example.com', password);
    await one.post('/auth/login', {
      email: 'manager@example.com',
      password: plant('a wrong one', 'planted-password-2'),
    });
    const { body: person } = await admin.post('/users/regular', { ...details('member'), role: 'user' });
    const memberId = person.id;
    await usePasses(client);

    const { body: talk } = await admin.post('/chat/conversations/start', { user2: memberId });
    const { body: message } = await upload({ client: admin }, talk.id, { bytes: PNG, name: 'a.png' });
    const link = new URL(message.attachment.url, one.base);
    signatures.push(link.searchParams.get('signature')!);
    expect((await fetch(link)).status).toBe(200);
    link.searchParams.set('expires', '1');
    expect((await fetch(link)).status).toBe(403);

    const [origin, otherOrigin] = [one, two].map(({ base }) => base.replace('/api/v1', '')) as [string, string];
    const device = await makeDevice(client);
    plant('a device key', device.device_key);
    const { body: rotated } = await client.post(`/devices/${device.id}/rotate-key`);
    const deviceKey = plant('another device key', rotated.device_key);
    const wrongKey = plant('a wrong device key', 'spotter_device_planted-wrong-device-key');
    for (const auth of [{ device_key: wrongKey }, { token: plant('a wrong token', 'planted.wrong.token') }]) {
      await SocketClient.refused(otherOrigin, '/devices', auth);
    }
    // The reader on one server, the console on the other: they tell each other of their sockets.
    const reader = await SocketClient.connect(
      otherOrigin,
      '/devices',
      { device_key: deviceKey },
      {
        extraHeaders: { authorization: plant('a header', 'Bearer planted-header') },
        query: { token: plant('a query', 'planted-query') },
      },
    );
    await reader.ask('download_templates');
    const desk = await SocketClient.connect(origin, '/devices', { token: client.token });
    await until(async () => (await desk.ask('fingerprint_connected', {})).gym_id === 1);
    await desk.ask('user', { user_id: memberId });
    await reader.next('user');
    await reader.ask('user', { user_id: memberId });
    for (const finger of [1, 2]) {
      const template = plantTemplate(`finger ${finger}`);
      await reader.ask('store_fingerprint', { fingerprint_data: template, finger });
      await reader.ask('store_fingerprint', { fingerprint_data: template, finger: 3 });
      await reader.ask('user', { fingerprint_data: template });
      await desk.ask('store_fingerprint', { fingerprint_data: template, finger });
      await client.post('/devices', { name: 'x', kind: 'x', fingerprint_data: template });
    }
    await reader.ask('enrollment_completed');
    const { data } = await reader.ask('download_templates');
    expect(data[0].fingerprint1).toContain(secrets.get('finger 1 in base64'));
    await reader.ask('store_fingerprint', { fingerprint_data: plantTemplate('a finger of nobody'), finger: 1 });
    await reader.ask('nothing_of_the_kind', { fingerprint_data: plantTemplate('an unknown event') });

    const later = await SocketClient.connect(origin, '/devices');
    for (const attempt of [
      password,
      plant('a wrong password on a socket', 'planted-password-3'),
      { a: 'planted-password-3' },
    ]) {
      await later.ask('login', { login_data: { email: 'manager@example.com', password: attempt } });
    }
    const checkins = await SocketClient.connect(otherOrigin, '/checkins');
    await checkins.ask('authenticate', { token: client.token });
    await checkins.next('initial_stats');
    // What is cut off is stored, to be recovered.
    for (const socket of [reader, desk, checkins]) socket.cut();
    await until(async () => (await database.query('SELECT 1 FROM socket_sessions')).rowCount === 3);
    await reader.connect();
    expect(reader.socket.recovered).toBe(true);
    reader.cut();
    const change = { current_password: password, new_password: plant('a new password', 'planted-password-4') };
    await client.post('/auth/change-password', change, { 'idempotency-key': 'new-password' });
  }

  const found = (text: string | Buffer, among = secrets): string[] =>
    [...among].filter(([, secret]) => text.includes(secret as string)).map(([name]) => name);

  it('are in no log', () => {
    expect(secrets.size).toBeGreaterThan(15);
    expect(codes.size).toBe(2);
    for (const { output } of servers) {
      // It was logged, and at length.
      expect(output).toMatch(/"level":"info"/);
      expect(found(output)).toEqual([]);
      expect(found(output, codes)).toEqual([]);
      expect(signatures.filter((signature) => output.includes(signature))).toEqual([]);
    }
    expect(signatures).toHaveLength(1);
  });

  it('are in no table', async () => {
    const { rows: columns } = await database.query<{ table: string; column: string }>(`
      SELECT format('%I.%I', c.table_schema, c.table_name) AS table, quote_ident(c.column_name) AS column
      FROM information_schema.columns c JOIN information_schema.tables USING (table_schema, table_name)
      WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'`);
    const tables = new Set(columns.map(({ table }) => table));
    for (const table of ['socket_messages', 'socket_sessions', 'idempotency_keys', 'fingerprints', 'users']) {
      expect(tables).toContain(`public.${table}`);
    }
    expect([...tables].some((table) => table.startsWith('graphile_worker.'))).toBe(true);
    let seen = 0;
    for (const { table, column } of columns) {
      const { rows } = await database.query<{ value: unknown }>(`SELECT ${column} AS value FROM ${table}`);
      for (const { value } of rows) {
        if (value === null) continue;
        seen++;
        const text = Buffer.isBuffer(value) ? value : typeof value === 'string' ? value : JSON.stringify(value);
        expect(found(text)).toEqualFor([table, column], []);
        if (column !== 'qr_code') expect(found(text, codes)).toEqualFor([table, column], []);
        // base64 and hex within it are looked into as well.
        const decoded = (String(text).match(/[\w+/=-]{64,}/g) ?? []).map((part) => Buffer.from(part, 'base64'));
        for (const bytes of decoded) expect(found(bytes)).toEqualFor([table, column], []);
      }
    }
    expect(seen).toBeGreaterThan(100);
    // They did travel between the servers, and were stored.
    const { rows } = await database.query('SELECT message FROM socket_messages');
    expect(JSON.stringify(rows)).toContain('"handshake"');
    expect((await database.query('SELECT 1 FROM fingerprints')).rowCount).toBe(2);
  });
});
