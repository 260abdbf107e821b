import { execFile } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { ownDatabase } from '../support/database.js';
import { HttpClient } from '../support/http-client.js';
import { freePort, ServerProcess } from '../support/server-process.js';
import { until } from '../support/until.js';

const SECRETS = {
  JWT_SECRET: 'a secret that only the tests know, of some length',
  ENCRYPTION_KEYS: 'test:dGVzdC1rZXktdGVzdC1rZXktdGVzdC1rZXktdGVzdC0=',
  FINGERPRINT_KEYS: 'test:ZmluZ2VyLWtleS1maW5nZXIta2V5LWZpbmdlci1rZXk=',
};

const isRoot = process.getuid?.() === 0;

async function signInAsAdmin(anonymous: HttpClient): Promise<HttpClient> {
  const { body } = await anonymous.post('/auth/login', { email: 'admin@gym.com', password: 'admin123' });
  return anonymous.withToken(body.access_token);
}

describe('the server as a process', () => {
  const running: ServerProcess[] = [];
  const folders: string[] = [];

  function start(settings: Record<string, string>): ServerProcess {
    const server = new ServerProcess(settings);
    running.push(server);
    return server;
  }

  function newFolder(): string {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'spotter-test-'));
    // As root, PostgreSQL runs as another account, which must be able to enter.
    chmodSync(folder, 0o755);
    folders.push(folder);
    return folder;
  }

  /** A server on the data of another one, after something has happened to them. */
  async function startAfter(what: (data: string) => void) {
    const DATA_DIR = newFolder();
    const [data, log] = ['data', 'postgres.log'].map((name) => path.join(DATA_DIR, 'postgres', name));
    const before = start({ DATA_DIR });
    await before.ready();
    await before.kill('SIGTERM');
    what(data!);
    return {
      server: start({ DATA_DIR }),
      log: () => readFileSync(log!, 'utf8'),
      isRunning: () => existsSync(path.join(data!, 'postmaster.pid')),
    };
  }

  async function stopsSoon(server: ServerProcess): Promise<void> {
    const asked = Date.now();
    expect(await server.kill('SIGTERM')).toBe(0);
    expect(Date.now() - asked).toBeLessThan(10_000);
    expect(server.errors).toBe('');
  }

  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.kill('SIGTERM')));
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  it('20 of them that start at once on an empty database make one schema and one admin', async () => {
    const url = await ownDatabase('first_start', { empty: true });
    const servers = Array.from({ length: 20 }, () => start({ ...SECRETS, DATABASE_URL: url, DATABASE_POOL_SIZE: '2' }));
    const clients = await Promise.all(servers.map((server) => server.ready()));
    const admin = await signInAsAdmin(clients[0]!);
    for (const client of clients) {
      const people = await client.withToken(admin.token!).all('/users?count=true');
      expect(people.map(({ email }) => email)).toEqual(['admin@gym.com', 'trainer@gym.com']);
    }
    expect((await admin.get('/gyms')).body).toMatchObject([{ id: 1, name: 'Main Gym', timezone: 'UTC' }]);
    const database = new pg.Client(url);
    await database.connect();
    const { rows } = await database.query(
      'SELECT count(*)::int AS runs, count(DISTINCT name)::int AS names FROM migrations',
    );
    await database.end();
    expect(rows[0].runs).toBe(rows[0].names);
  });

  it('has every user it answered 201 for, after kill -9 of itself and its database in the middle of 1,000', async () => {
    const DATA_DIR = newFolder();
    const first = start({ DATA_DIR });
    const admin = await signInAsAdmin(await first.ready());
    const created: number[] = [];
    const create = async (number: number) => {
      const person = {
        email: `m${number}@example.com`,
        full_name: `M ${number}`,
        document_id: `M${number}`,
        phone_number: '12345',
      };
      const answer = await admin.post('/users/regular', { ...person, gym_id: 1 }).catch(() => null);
      if (answer?.status === 201) created.push(answer.body.id);
      if (created.length === 300) {
        const postmaster = Number(
          readFileSync(path.join(DATA_DIR, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0],
        );
        void first.kill('SIGKILL');
        process.kill(postmaster, 'SIGKILL');
      }
    };
    const numbers = Array.from({ length: 1000 }, (_, number) => number);
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) await create(number);
      }),
    );
    expect(created.length).toBeGreaterThanOrEqual(300);
    expect(created.length).toBeLessThan(1000);

    const second = start({ DATA_DIR });
    const again = await signInAsAdmin(await second.ready());
    const found = await Promise.all(created.map((id) => again.get(`/users/${id}`)));
    expect(found.filter(({ status }) => status !== 200)).toEqual([]);
  });

  it('shares the embedded database with a server beside it, and the last one to leave stops it', async () => {
    const DATA_DIR = newFolder();
    const [one, two] = [start({ DATA_DIR }), start({ DATA_DIR })];
    const [first, second] = await Promise.all([one.ready(), two.ready()]);
    const admin = await signInAsAdmin(first);
    await admin.post('/gyms', { name: 'Seen by both' });
    expect((await second.withToken(admin.token!).get('/gyms')).body).toHaveLength(2);
    expect(await one.kill('SIGINT')).toBe(0);
    expect(await second.withToken(admin.token!).get('/gyms')).toHaveStatus(200);
    const pidFile = path.join(DATA_DIR, 'postgres/data/postmaster.pid');
    const postmaster = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
    expect(process.kill(postmaster, 0)).toBe(true);
    expect(await two.kill('SIGINT')).toBe(0);
    // Removing this is the last that PostgreSQL does; its process id lives on until the system has taken note.
    expect(existsSync(pidFile)).toBe(false);
  });

  it('stops its database also for a person who asks twice', async () => {
    const DATA_DIR = newFolder();
    const server = start({ DATA_DIR });
    const client = await server.ready();
    await client.get('/gyms'); // the connection stays open, so that stopping takes a moment
    void server.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 100));
    await server.kill('SIGINT');
    expect(existsSync(path.join(DATA_DIR, 'postgres/data/postmaster.pid'))).toBe(false);
  });

  it('joins the database that a killed server left behind', async () => {
    const DATA_DIR = newFolder();
    const killed = start({ DATA_DIR });
    const admin = await signInAsAdmin(await killed.ready());
    await killed.kill('SIGKILL');
    const next = start({ DATA_DIR });
    const client = await next.ready();
    // The same database, and the same generated secrets: the token is still good.
    expect(await client.withToken(admin.token!).get('/gyms')).toHaveStatus(200);
  });

  it('on a copy of the data of one that runs has a database of its own', async () => {
    const [original, copy] = [newFolder(), newFolder()];
    const first = start({ DATA_DIR: original });
    const admin = await signInAsAdmin(await first.ready());
    const nameGym = (client: HttpClient, name: string) => client.put('/gyms/1', { name });
    expect(await nameGym(admin, 'Original')).toHaveStatus(200);
    await promisify(execFile)('cp', ['-a', `${original}/.`, copy]);
    const second = start({ DATA_DIR: copy });
    const onCopy = await signInAsAdmin(await second.ready());
    expect(await nameGym(onCopy, 'Copy')).toHaveStatus(200);
    expect((await admin.get('/gyms/1')).body.name).toBe('Original');
    // The copy may get the port that the original had: neither is taken for the other.
    await first.kill('SIGTERM');
    await second.kill('SIGTERM');
    const again = start({ DATA_DIR: copy });
    const nameOf = async (server: ServerProcess) =>
      (await (await signInAsAdmin(await server.ready())).get('/gyms/1')).body.name;
    expect(await nameOf(again)).toBe('Copy');
    expect(await nameOf(start({ DATA_DIR: original }))).toBe('Original');
  });

  (isRoot ? describe : describe.skip)('of root', () => {
    it('notes in a closed folder where its database is, and finds it again', async () => {
      const [closed, backup] = [newFolder(), newFolder()];
      chmodSync(closed, 0o700);
      const [DATA_DIR, moved, copied] = [`${closed}/data`, `${closed}/moved`, `${closed}/copied`];
      mkdirSync(DATA_DIR);
      const first = start({ DATA_DIR });
      const admin = await signInAsAdmin(await first.ready());
      const home = /embedded PostgreSQL in ([^\s"]+)/.exec(first.output)![1]!;
      folders.push(home);
      const note = readFileSync(path.join(DATA_DIR, 'postgres/MOVED.txt'), 'utf8');
      expect(note).toContain(` ${home}: `);
      expect(existsSync(path.join(home, 'data/PG_VERSION'))).toBe(true);
      expect(await admin.put('/gyms/1', { name: 'Below root' })).toHaveStatus(200);
      await first.kill('SIGTERM');

      renameSync(DATA_DIR, moved);
      const nameOf = async (folder: string) => {
        const server = start({ DATA_DIR: folder });
        const { body } = await (await signInAsAdmin(await server.ready())).get('/gyms/1');
        await server.kill('SIGTERM');
        return body.name;
      };
      expect(await nameOf(moved)).toBe('Below root');

      const copy = promisify(execFile);
      await copy('cp', ['-a', moved, copied]);
      const refused = start({ DATA_DIR: copied });
      expect(await refused.exited).toBe(1);
      expect(refused.errors).toBe(
        `The database in ${home} is that of ${moved}/postgres. For this folder copy it while no server runs, and ` +
          `name its copy in ${copied}/postgres/MOVED.txt; or set another DATA_DIR.\n`,
      );
      await copy('cp', ['-a', home, `${backup}/home`]);
      writeFileSync(path.join(copied, 'postgres/MOVED.txt'), `${backup}/home\n`);
      expect(await nameOf(copied)).toBe('Below root');

      renameSync(`${backup}/home`, `${backup}/away`);
      const lost = start({ DATA_DIR: copied });
      expect(await lost.exited).toBe(1);
      expect(lost.errors).toBe(
        `The database of this folder was in ${backup}/home, which is not here: put it back, or delete ` +
          `${copied}/postgres/MOVED.txt to begin with an empty one.\n`,
      );
      expect(readFileSync(path.join(copied, 'postgres/MOVED.txt'), 'utf8')).toContain(` ${backup}/home: `);
      // What was open before, and lies now where PostgreSQL may not enter, is no new gym either.
      rmSync(path.join(copied, 'postgres'), { recursive: true });
      renameSync(`${backup}/away`, path.join(copied, 'postgres'));
      const shut = start({ DATA_DIR: copied });
      expect(await shut.exited).toBe(1);
      expect(shut.errors).toMatch(/^PostgreSQL may not enter .*: move DATA_DIR to an open folder\.\n$/);
    });

    it('starts a copy that root has made, and takes it from no other user', async () => {
      const [original, copy] = [newFolder(), newFolder()];
      const first = start({ DATA_DIR: original });
      await first.ready();
      await first.kill('SIGTERM');
      await promisify(execFile)('cp', ['-r', `${original}/.`, copy]);
      const second = start({ DATA_DIR: copy });
      await second.ready();
      await second.kill('SIGTERM');
      const data = path.join(copy, 'postgres/data');
      await promisify(execFile)('chown', ['-R', '12345', data]);
      const refused = start({ DATA_DIR: copy });
      expect(await refused.exited).toBe(1);
      expect(refused.errors).toMatch(
        /^The embedded database in .* the user with the id 12345\. Start as that user, or /,
      );
      expect(statSync(data).uid).toBe(12345);
    });
  });

  it('stops at SIGTERM, too, while its database ends as soon as it is started', async () => {
    const { server, log, isRunning } = await startAfter((data) => rmSync(path.join(data, 'postgresql.conf')));
    await until(() => log().includes('could not access'));
    await stopsSoon(server);
    expect(isRunning()).toBe(false);
  });

  it('says why its database cannot start, once that has ended ten times', async () => {
    const { server, log } = await startAfter((data) => rmSync(path.join(data, 'postgresql.conf')));
    expect(await server.exited).toBe(1);
    expect(server.errors).toMatch(/^The embedded PostgreSQL did not start \(could not access the server configuration/);
    expect(log().match(/could not access/g)).toHaveLength(10);
  });

  it('stops at SIGTERM, too, while its database lets no one in, and does not leave it running', async () => {
    const { server, log, isRunning } = await startAfter((data) => {
      // It waits for what another would send.
      writeFileSync(path.join(data, 'standby.signal'), '');
      appendFileSync(path.join(data, 'postgresql.conf'), 'hot_standby = off\n');
    });
    await until(() => log().includes('entering standby mode'));
    expect(isRunning()).toBe(true);
    await stopsSoon(server);
    expect(isRunning()).toBe(false);
  });

  it('finishes what is under way at SIGTERM, and is not held up by connections that stay open', async () => {
    const server = start({
      ...SECRETS,
      DATABASE_URL: await ownDatabase('drain', { empty: true }),
      BCRYPT_ROUNDS: '12',
    });
    const client = await server.ready();
    const idle = new http.Agent({ keepAlive: true });
    await new Promise((resolve) =>
      http.get(`${client.base}/gyms`, { agent: idle }, (answer) => answer.resume().on('end', resolve)),
    );
    const signIns = Array.from({ length: 4 }, () =>
      client.post('/auth/login', { email: 'admin@gym.com', password: 'admin123' }),
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    const asked = Date.now();
    expect(await server.kill('SIGTERM')).toBe(0);
    expect(Date.now() - asked).toBeLessThan(30_000);
    expect((await Promise.all(signIns)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    idle.destroy();
  });

  it('answers, and stops, where its log cannot be written', async () => {
    if (!existsSync('/dev/full')) return;
    const [url, port] = [await ownDatabase('no_log'), await freePort()];
    const settings = { ...SECRETS, DATABASE_URL: url, PORT: String(port) };
    const server = new ServerProcess(settings, openSync('/dev/full', 'w'));
    running.push(server);
    const client = new HttpClient(`http://127.0.0.1:${port}/api/v1`);
    const isUp = () =>
      fetch(`http://127.0.0.1:${port}/health/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(isUp);
    for (let time = 0; time < 100; time++) expect(await client.post('/auth/login', {})).toHaveStatus(422);
    expect(await isUp()).toBe(true);
    expect(await server.kill('SIGTERM')).toBe(0);
  });

  it('ends with all that it has logged, where the reader of the log is slow', async () => {
    const program = `
      import { writeSync } from 'node:fs';
      import { openLog } from ${JSON.stringify(path.resolve('dist/src/observability/log-stream.js'))};
      const log = openLog({ LOG_LEVEL: 'info' });
      // A pipe takes 65,536 bytes.
      writeSync(1, 'x'.repeat(61_439) + '\\n');
      for (let n = 1; n <= 100; n++) log.info({ n }, 'line');
      log.flush();
      process.exit(0);`;
    const late = `"$0" --input-type=module --eval "$1" | (sleep 0.5; cat)`;
    const { stdout } = await promisify(execFile)('sh', ['-c', late, process.execPath, program], { maxBuffer: 1e6 });
    const lines = stdout.trimEnd().split('\n').slice(1);
    expect(lines.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual(
      Array.from({ length: 100 }, (_, n) => n + 1),
    );
  });

  it('says in one sentence why it cannot start', async () => {
    const busy = net.createServer();
    await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
    const { port } = busy.address() as net.AddressInfo;
    const database = await ownDatabase('sentences');
    const nowhere = { DATABASE_URL: 'postgres://x:y@127.0.0.1:1/z' };
    const reasons: [Record<string, string>, RegExp][] = [
      [{ PORT: String(port), DATABASE_URL: database }, /^Another program listens on this PORT/],
      [{ PORT: 'eight' }, /^PORT must be an integer number, but is "eight"/],
      [{ PORT: '70000', LOG_LEVEL: 'loud' }, /^PORT must not be greater than 65535.*\nLOG_LEVEL must be one of/],
      [{ DATABASE_URL: 'mysql://x' }, /^DATABASE_URL must look like postgres:/],
      [nowhere, /^The database in DATABASE_URL cannot be used: .*ECONNREFUSED/],
      [
        { DATABASE_URL: `${database}?sslrootcert=/not_there.pem` },
        /^The database in DATABASE_URL cannot be used: .*open '\/not_there.pem'/,
      ],
      [{ DATABASE_URL: database.replace(/[^/]+$/, 'not_there') }, /^The database .* does not exist/],
      [{ HOST: '192.0.2.1', DATABASE_URL: database }, /^HOST is not an address of this machine/],
      [
        { NODE_ENV: 'production', DATABASE_URL: database },
        /^JWT_SECRET must be set in production\.\nENCRYPTION_KEYS must be set/,
      ],
      [{ ENCRYPTION_KEYS: 'short' }, /^ENCRYPTION_KEYS must be id:base64 pairs(?!.*short)/],
      [{ FINGERPRINT_KEYS: 'short' }, /^FINGERPRINT_KEYS must be id:base64 pairs(?!.*short)/],
      [{ REDIS_URL: 'http://x' }, /^REDIS_URL must look like redis:/],
      // Before the database is touched: there is none.
      [{ ...nowhere, REDIS_URL: 'redis://desk:pla#nted@127.0.0.1' }, /^REDIS_URL must look like (?!.*nted)/],
      [{ ...nowhere, SMTP_URL: 'smtp://desk:pla#nted@127.0.0.1' }, /^SMTP_URL must look like (?!.*nted)/],
      [{ DATABASE_URL: database, REDIS_URL: 'redis://127.0.0.1:1' }, /^REDIS_URL: there is no Redis that answers/],
    ];
    for (const [settings, sentence] of reasons) {
      const server = start({ ...SECRETS, DATA_DIR: newFolder(), ...withoutSecrets(settings), ...settings });
      expect([await server.exited, settings]).toEqual([1, settings]);
      const said = server.output.split('\n').filter((line) => line && !line.startsWith('{'));
      expect(said.length).toBeLessThan(6);
      expect(said.join('\n')).toMatch(sentence);
      expect(server.output).not.toMatch(/^ +at /m);
    }
    await new Promise((resolve) => busy.close(resolve));
  });

  it.each(['migrate', 'psql', 'jobs-run purge_sessions'])('says so, too, as the command %s', async (command) => {
    const [name, ...options] = command.split(' ');
    const { PATH, HOME } = process.env;
    const env = { PATH, HOME, ...SECRETS, DATA_DIR: newFolder() };
    const run = (settings: Record<string, string>) =>
      promisify(execFile)(process.execPath, [path.resolve(`dist/src/cli/${name}.js`), ...options], {
        env: { ...env, ...settings },
      });
    await expect(run({ DATABASE_URL: 'postgres://x:y@127.0.0.1/z?sslrootcert=/not_there.pem' })).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^The database in DATABASE_URL cannot be used: .*open '\/not_there.pem'\.\n$/),
    });
    await expect(run({ DATABASE_URL: 'postgres://x:pla#nted@127.0.0.1/z' })).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^DATABASE_URL must look like (?!.*nted).*\.\nSee \.env\.example\.\n$/),
    });
  });

  it('has no default password in production: it takes the operator’s or prints one once', async () => {
    const settings = {
      ...SECRETS,
      NODE_ENV: 'production',
      DATABASE_URL: await ownDatabase('production', { empty: true }),
    };
    const first = start(settings);
    const client = await first.ready();
    expect(await client.post('/auth/login', { email: 'admin@gym.com', password: 'admin123' })).toHaveStatus(401);
    const [, password] = await until(() => /admin@gym\.com \/ (\S+)/.exec(first.output));
    const { body } = await client.post('/auth/login', { email: 'admin@gym.com', password });
    expect(body.must_change_password).toBe(true);
    expect(await client.withToken(body.access_token).get('/gyms')).toBeRefused(403, 'password_change_required');
    const second = start(settings);
    await second.ready();
    expect(second.output).not.toContain('Sign in');

    const chosen = start({
      ...settings,
      DATABASE_URL: await ownDatabase('production2', { empty: true }),
      ADMIN_EMAIL: 'Boss@Chain.example',
      ADMIN_PASSWORD: 'a password of mine',
      RERO_OPEN_ADDRESSES: 'true',
    });
    const theirs = await chosen.ready();
    const warning = await until(() => chosen.log.find(({ msg }) => String(msg).startsWith('RERO_')));
    expect(warning).toMatchObject({ level: 'warn', msg: expect.stringMatching(/^RERO_OPEN_ADDRESSES is true: /) });
    const signIn = { email: 'boss@chain.example', password: 'a password of mine' };
    expect((await theirs.post('/auth/login', signIn)).body.must_change_password).toBe(false);
    expect(chosen.output).not.toContain('a password of mine');
  });
});

/** The test of missing secrets must not be given any. */
const withoutSecrets = (settings: Record<string, string>): Record<string, string> =>
  settings.NODE_ENV === 'production' ? { JWT_SECRET: '', ENCRYPTION_KEYS: '', FINGERPRINT_KEYS: '' } : {};
