import { afterAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { ownDatabase } from '../support/database.js';
import type { HttpClient } from '../support/http-client.js';
import { ServerProcess } from '../support/server-process.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/until.js';

const newKey = () => randomBytes(32).toString('base64');

/** What an operator meets in the first hour, on a database of their own. */
describe('an operator', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'spotter-hour-'));
  const running: ServerProcess[] = [];
  const keys = { ENCRYPTION_KEYS: `k1:${newKey()}`, FINGERPRINT_KEYS: `k1:${newKey()}` };
  const SECRETS = { JWT_SECRET: 'a secret that only the tests know, of some length', ...keys };
  const start = (settings: Record<string, string>) => {
    const server = new ServerProcess({ DATA_DIR: folder, ...SECRETS, ...settings });
    running.push(server);
    return server;
  };
  afterAll(async () => {
    await Promise.all(running.map((server) => server.kill('SIGKILL')));
    rmSync(folder, { recursive: true });
  });

  async function asAdmin<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
    const client = new pg.Client(url);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  /** A role without rights, and the address at which it sees the database. */
  async function plainRole(url: string, name: string): Promise<string> {
    await asAdmin(url, async (client) => {
      await client.query(`DROP ROLE IF EXISTS ${name}`).catch(() => undefined);
      await client.query(`CREATE ROLE ${name} LOGIN PASSWORD 'plain'`);
      await client.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC');
    });
    const address = new URL(url);
    Object.assign(address, { username: name, password: 'plain' });
    return address.href;
  }

  const FINGER = 'A'.repeat(64);
  const urlOf = ({ base }: HttpClient) => base.replace('/api/v1', '');

  /** The admin's token, and the key of a reader at which a member has put a finger on. */
  async function enrolOne(client: HttpClient): Promise<{ access_token: string; device_key: string }> {
    const { body } = await client.post('/auth/login', { email: 'admin@gym.com', password: 'admin123' });
    const desk = client.withToken(body.access_token);
    const plan = (await desk.post('/plans', { name: 'Month', price: 1, duration_days: 30, kind: 'time' })).body;
    const member = { email: 'm@example.com', full_name: 'M', document_id: 'D1', phone_number: '+1 555 0100' };
    const { id } = (await desk.post('/users/with-plan', { ...member, role: 'user', plan_id: plan.id })).body;
    const { device_key } = (await desk.post('/devices', { name: 'Reader', kind: 'fingerprint' })).body;
    const reader = await SocketClient.connect(urlOf(client), '/devices', { device_key });
    expect(await reader.ask('user', { user_id: id })).toSucceed();
    expect(await reader.ask('store_fingerprint', { fingerprint_data: FINGER, finger: 1 })).toSucceed();
    reader.close();
    return { access_token: body.access_token, device_key };
  }

  /** The lines with which a server ends that may not start. */
  async function refusalOf(settings: Record<string, string>): Promise<string[]> {
    const server = start(settings);
    expect(await server.exited).toBe(1);
    return server.output.split('\n').filter((line) => line && !line.startsWith('{'));
  }

  it('is told all that a plain role lacks at once, and then it is enough', async () => {
    const admin = await ownDatabase('plain_role', { empty: true });
    const role = `plain_${process.pid}`;
    const DATABASE_URL = await plainRole(admin, role);
    const refused = start({ DATABASE_URL });
    expect(await refused.exited).toBe(1);
    expect(refused.output.split('\n').filter(Boolean)).toEqual([
      'The database in DATABASE_URL lacks what Spotter needs:',
      expect.stringMatching(
        /^ {2}- the right to create schemas and extensions: GRANT CREATE ON DATABASE ".*" TO ".*";$/,
      ),
      `  - the right to create tables: GRANT CREATE ON SCHEMA "public" TO "${role}";`,
    ]);
    // As they were told.
    await asAdmin(admin, async (client) => {
      for (const [, grant] of refused.output.matchAll(/(GRANT .*;)/g)) await client.query(grant!);
    });
    const client = await start({ DATABASE_URL, NODE_ENV: 'test' }).ready();
    expect(await client.post('/auth/login', { email: 'admin@gym.com', password: 'admin123' })).toHaveStatus(200);
    await asAdmin(admin, (one) => one.query(`ALTER ROLE ${role} SET search_path = nowhere`));
    const lost = start({ DATABASE_URL });
    expect(await lost.exited).toBe(1);
    expect(lost.output).toContain('- a schema: its search_path names none that exists');
  });

  it('is not let in with other keys than before, and is told which', async () => {
    const DATABASE_URL = await ownDatabase('other_keys', { empty: true });
    const settings = { DATABASE_URL, NODE_ENV: 'test' };
    const first = start(settings);
    const { access_token } = await enrolOne(await first.ready());
    await first.kill('SIGTERM');
    const refusal = (changed: Record<string, string>) => refusalOf({ ...settings, ...changed });
    const other = `k1:${newKey()}`;
    expect(await refusal({ ENCRYPTION_KEYS: other, FINGERPRINT_KEYS: other })).toEqual(
      ['ENCRYPTION_KEYS', 'FINGERPRINT_KEYS'].map((name) =>
        expect.stringContaining(`${name}: the key with the id k1 is not the one that was used before.`),
      ),
    );
    const fresh = `k2:${newKey()}`;
    expect(await refusal({ FINGERPRINT_KEYS: fresh })).toEqual([
      'FINGERPRINT_KEYS: the key with the id k1 is missing, and 1 fingerprints are encrypted with it.',
    ]);
    // A new key in front; beside this server no other may have nothing but keys that it does not know.
    const rotating = start({ ...settings, FINGERPRINT_KEYS: `${fresh},${keys.FINGERPRINT_KEYS}` });
    await rotating.ready();
    const beside = { FINGERPRINT_KEYS: fresh, ENCRYPTION_KEYS: fresh, JWT_SECRET: newKey() };
    expect(await refusal(beside)).toEqual([
      expect.stringContaining('JWT_SECRET is another one than that of servers which run on this database.'),
      expect.stringContaining('ENCRYPTION_KEYS: servers that run on this database lack the key with the id k2'),
      expect.stringContaining('FINGERPRINT_KEYS: the key with the id k1 is missing'),
    ]);
    await rotating.kill('SIGKILL');
    // An old one that nothing needs any more, and another secret for tokens.
    const alone = start({ ...settings, ENCRYPTION_KEYS: fresh, JWT_SECRET: newKey() });
    const after = (await alone.ready()).withToken(access_token);
    expect(await after.get('/auth/me')).toHaveStatus(401);
    expect(alone.log).toContainEqual(
      expect.objectContaining({ msg: expect.stringContaining('JWT_SECRET is another') }),
    );
    await alone.kill('SIGKILL');
    expect(await refusal({ ENCRYPTION_KEYS: `k2:${newKey()}` })).toEqual([
      expect.stringContaining('ENCRYPTION_KEYS: the key with the id k2 is not the one that was used before.'),
    ]);
  });

  it('gives the fingerprints a new key when all servers have it, and not before', async () => {
    const DATABASE_URL = await ownDatabase('new_key', { empty: true });
    const settings = { DATABASE_URL, NODE_ENV: 'test' };
    const old = keys.FINGERPRINT_KEYS;
    const fresh = `k2:${newKey()}`;
    const [behind, inFront] = [`${old},${fresh}`, `${fresh},${old}`];
    const servers = [start(settings), start(settings)];
    const clients = await Promise.all(servers.map((server) => server.ready()));
    const { device_key } = await enrolOne(clients[0]!);
    const restart = async (index: 0 | 1, fingerprintKeys: string) => {
      await servers[index]!.kill('SIGTERM');
      servers[index] = start({ ...settings, FINGERPRINT_KEYS: fingerprintKeys });
      clients[index] = await servers[index].ready();
    };
    /** What a reader is given; it has one finger. */
    const templates = async (one: HttpClient) => {
      const reader = await SocketClient.connect(urlOf(one), '/devices', { device_key });
      const { data } = await reader.ask('download_templates');
      reader.close();
      return data;
    };
    const given = [expect.objectContaining({ fingerprint1: FINGER, fingerprint2: null })];
    const rotate = (fingerprintKeys: string) =>
      new Promise<{ code: unknown; output: string }>((resolve) => {
        const { PATH, HOME } = process.env;
        const env = { PATH, HOME, ...SECRETS, ...settings, DATA_DIR: folder, FINGERPRINT_KEYS: fingerprintKeys };
        execFile(process.execPath, [path.resolve('dist/src/cli/rotate-fingerprints.js')], { env }, (error, out, err) =>
          resolve({ code: error?.code ?? 0, output: out + err }),
        );
      });
    const lacking = 'FINGERPRINT_KEYS: servers that run on this database lack the key with the id k2';
    const refused = { code: 1, output: expect.stringContaining(lacking) };

    expect(await rotate(inFront)).toEqual(refused);
    expect(await refusalOf({ ...settings, FINGERPRINT_KEYS: inFront })).toEqual([expect.stringContaining(lacking)]);
    await restart(0, behind);
    expect(await rotate(inFront)).toEqual(refused);
    await restart(1, behind);
    expect(await rotate(`k2:${newKey()},${old}`)).toEqual({
      code: 1,
      output: expect.stringContaining('FINGERPRINT_KEYS: the key with the id k2 is not the one that was used before.'),
    });
    const done = '1 fingerprints were encrypted again, with key "k2".\n';
    expect(await rotate(inFront)).toEqual({ code: 0, output: expect.stringContaining(done) });
    for (const client of clients) expect(await templates(client)).toEqual(given);
    // The old key is not forgotten while a server may still encrypt with it.
    await restart(0, fresh);
    const checked = () =>
      asAdmin(DATABASE_URL, async (db) => {
        const { rows } = await db.query(
          `SELECT key_id FROM key_checks WHERE ring = 'FINGERPRINT_KEYS' ORDER BY key_id`,
        );
        return rows.map(({ key_id }) => key_id as string);
      });
    expect(await checked()).toEqual(['k1', 'k2']);
    for (const server of servers) await server.kill('SIGTERM');
    // Where none runs, the command itself is the first that has it.
    expect(await rotate(`k3:${newKey()},${inFront}`)).toMatchObject({ code: 0 });
    expect(await checked()).toEqual(['k1', 'k2', 'k3']);
    expect(await refusalOf({ ...settings, FINGERPRINT_KEYS: inFront })).toEqual([
      'FINGERPRINT_KEYS: the key with the id k3 is missing, and 1 fingerprints are encrypted with it.',
    ]);
  });

  it('reads in the log what the server does, and the one-time password nowhere in it', async () => {
    const DATABASE_URL = await ownDatabase('greeting', { empty: true });
    const server = start({ DATABASE_URL, NODE_ENV: 'production' });
    const client = await server.ready();
    const said = () => server.log.map(({ msg }) => String(msg));
    expect(said()).toContainEqual(expect.stringMatching(/^\d+ migrations applied$/));
    expect(said()).toContainEqual(expect.stringMatching(/^Spotter is running at http/));
    const [, password] = await until(() => /admin@gym\.com \/ (\S+)/.exec(server.errors));
    expect(server.logged).not.toContain(password);
    expect(await client.post('/auth/login', { email: 'admin@gym.com', password: 'wrong' })).toHaveStatus(401);
    const failed = await until(() => server.log.find(({ msg }) => msg === 'A sign-in failed'));
    expect(failed).toMatchObject({ ip_address: '127.0.0.1', user_ids: [expect.any(Number)] });
    expect(await server.kill('SIGTERM')).toBe(0);
    expect(said().slice(-2)).toEqual(['stopping', 'stopped']);
  });

  it('is led to the docs by a browser, and not by a program', async () => {
    const { base } = await start({
      DATABASE_URL: await ownDatabase('browser', { empty: true }),
      NODE_ENV: 'test',
    }).ready();
    const root = base.replace('/api/v1', '/');
    const asked = await fetch(root, {
      headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
      redirect: 'manual',
    });
    expect([asked.status, asked.headers.get('location')]).toEqual([302, '/docs']);
    expect((await fetch(root)).headers.get('content-type')).toContain('json');
    const icon = await fetch(`${root}favicon.ico`);
    expect([icon.status, icon.headers.get('content-type')]).toEqual([200, 'image/svg+xml']);
  });
});
