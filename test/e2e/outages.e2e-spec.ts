import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { ownDatabase } from '../support/database.js';
import { unique } from '../support/factory.js';
import type { HttpClient } from '../support/http-client.js';
import { OwnCluster } from '../support/own-cluster.js';
import { hasRedis, Redis } from '../support/redis.js';
import { ServerProcess } from '../support/server-process.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/until.js';

const KEYS = {
  JWT_SECRET: 'a secret that only the tests know, of some length',
  ENCRYPTION_KEYS: 'test:dGVzdC1rZXktdGVzdC1rZXktdGVzdC1rZXktdGVzdC0=',
  FINGERPRINT_KEYS: 'test:ZmluZ2VyLWtleS1maW5nZXIta2V5LWZpbmdlci1rZXk=',
};
const TRAINER = { email: 'trainer@gym.com', password: 'trainer123' };

const root = ({ base }: HttpClient): string => base.replace('/api/v1', '');

async function signIn(anonymous: HttpClient): Promise<HttpClient> {
  const { body } = await anonymous.post('/auth/login', TRAINER);
  return anonymous.withToken(body.access_token);
}

const readiness = async (anonymous: HttpClient): Promise<number> =>
  (await anonymous.get(`${root(anonymous)}/health/ready`)).status;
const isReady = async (anonymous: HttpClient): Promise<boolean> => (await readiness(anonymous).catch(() => 0)) === 200;

async function gauge(anonymous: HttpClient, name: string): Promise<number> {
  const { body } = await anonymous.get(`${root(anonymous)}/metrics`);
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(body)![1]);
}

/** Seconds of work of a process so far. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function newMember(database: pg.Client): Promise<number> {
  const name = unique('m');
  const { rows } = await database.query<{ id: number }>(
    `INSERT INTO users (email, full_name, document_id, role, gym_id) VALUES ($1, $2, $2, 'user', 1) RETURNING id`,
    [`${name}@example.com`, name],
  );
  return rows[0]!.id;
}

const watch = async (desk: HttpClient): Promise<SocketClient> => {
  const socket = await SocketClient.connect(root(desk), '/checkins', { token: desk.token });
  await socket.next('initial_stats');
  return socket;
};
const seen = (socket: SocketClient): number[] => socket.all('member_checked_in').map(({ id }) => id);

const lost = (server: ServerProcess) =>
  server.log.filter(({ msg }) => String(msg).startsWith('The database is lost: '));
const back = (server: ServerProcess) =>
  server.log.filter(({ msg }) => String(msg).startsWith('The database is back after'));

describe('two servers of one embedded PostgreSQL', () => {
  let cluster: OwnCluster;
  let servers: ServerProcess[];
  let desks: HttpClient[];

  beforeAll(async () => {
    cluster = new OwnCluster();
    servers = [1, 2].map(() => new ServerProcess({ DATA_DIR: cluster.folder, LOG_LEVEL: 'warn' }));
    const clients = await Promise.all(servers.map((server) => server.ready()));
    const { token } = await signIn(clients[0]!);
    desks = clients.map((anonymous) => anonymous.withToken(token!));
  });

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.kill('SIGTERM')));
    cluster.remove();
  });

  const areReady = async () => (await Promise.all(desks.map(isReady))).every(Boolean);
  const allReady = () => until(areReady, () => `both are ready, and PostgreSQL says ${cluster.said}`);

  it('start it again when it is killed alone, at its address, and say so once', async () => {
    const { port, postmaster } = cluster;
    process.kill(postmaster, 'SIGKILL');
    const answers = await Promise.all(desks.flatMap((desk) => Array.from({ length: 20 }, () => desk.get('/gyms'))));
    for (const answer of answers.filter(({ status }) => status !== 200)) {
      expect(answer).toHaveStatus(503);
      expect(answer.headers.get('retry-after')).toBe('2');
    }
    await allReady();
    expect(cluster.postmaster).not.toBe(postmaster);
    expect(cluster.port).toBe(port);
    for (const [index, desk] of desks.entries()) {
      expect(await desk.get('/gyms')).toHaveStatus(200);
      await until(() => back(servers[index]!).length > 0);
      expect(lost(servers[index]!)).toHaveLength(back(servers[index]!).length);
      expect(servers[index]!.log.filter(({ stack }) => stack)).toEqual([]);
    }
  });

  it('start it again when it is stopped behind their back', async () => {
    const { port, postmaster } = cluster;
    process.kill(postmaster, 'SIGINT');
    await until(async () => cluster.isRunning && cluster.postmaster !== postmaster);
    await allReady();
    expect(cluster.port).toBe(port);
  });

  it('say once that it takes no changes', async () => {
    const database = new pg.Client(cluster.url);
    await database.connect();
    const readOnly = async (state: 'on' | 'off') => {
      await database.query('SET default_transaction_read_only = off');
      await database.query(`ALTER SYSTEM SET default_transaction_read_only = ${state}`);
      await database.query('SELECT pg_reload_conf()');
    };
    const member = await newMember(database);
    const add = (desk: HttpClient) => desk.post('/attendance', { user_id: member });
    const said = (desk: number, what: string) => servers[desk]!.log.filter(({ msg }) => String(msg).includes(what));
    await readOnly('on');
    try {
      await until(async () => (await add(desks[0]!)).status === 503);
      await until(() => said(0, 'The database takes no changes: cannot execute').length === 1);
      for (let turn = 0; turn < 5; turn++) expect(await add(desks[0]!)).toBeRefused(503, 'unavailable');
      expect(await desks[0]!.get('/gyms')).toHaveStatus(200);
    } finally {
      await readOnly('off');
      await database.end();
    }
    await until(async () => (await add(desks[0]!)).status < 500);
    expect(said(0, 'read-only')).toHaveLength(1);
  });

  it('do not wait for it without end when it hangs, and go on when it does', async () => {
    const before = servers.map((server) => lost(server).length);
    cluster.freeze();
    const asked = Date.now();
    const waiting = desks.flatMap((desk) => Array.from({ length: 3 }, () => desk.get('/gyms')));
    try {
      expect(await Promise.all(desks.map(readiness))).toEqual([503, 503]);
      expect(await Promise.all(desks.map((desk) => gauge(desk, 'database_up')))).toEqual([0, 0]);
      expect(Date.now() - asked).toBeLessThan(16_000);
      for (const answer of await Promise.all(waiting)) {
        expect(answer).toBeRefused(503, 'unavailable');
        expect(answer.headers.get('retry-after')).toBe('2');
      }
      expect(Date.now() - asked).toBeLessThan(40_000);
    } finally {
      cluster.thaw();
    }
    await allReady();
    expect(await Promise.all(desks.map((desk) => gauge(desk, 'database_up')))).toEqual([1, 1]);
    expect(servers.map((server) => lost(server).length)).toEqual(before.map((count) => count + 1));
    // What was given up is not left open.
    const database = new pg.Client(cluster.url);
    await database.connect();
    const connections = async () => {
      const { rows } = await database.query<{ name: string; count: number }>(
        `SELECT application_name name, count(*)::int FROM pg_stat_activity WHERE datname IS NOT NULL GROUP BY 1`,
      );
      return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
    };
    const areTwoOfEach = ({ 'spotter keeper': keepers, 'spotter listener': listeners }: Record<string, number>) =>
      keepers === 2 && listeners === 2;
    await until(async () => areTwoOfEach(await connections()));
    await database.end();
  });

  it('do not leave it running: the last one stops it, also after it crashed, and when all stop at once', async () => {
    const third = new ServerProcess({ DATA_DIR: cluster.folder, LOG_LEVEL: 'warn' });
    servers.push(third);
    await third.ready();
    // A backend that is killed takes all others with it, and PostgreSQL begins again by itself.
    process.kill(cluster.processes.at(-1)!, 'SIGKILL');
    await allReady();
    expect(await Promise.all(servers.map((server) => server.kill('SIGTERM')))).toEqual([0, 0, 0]);
    expect(cluster.isRunning).toBe(false);
  });

  it('stop it also when they are stopped while they start', async () => {
    const starting = new ServerProcess({ DATA_DIR: cluster.folder });
    servers.push(starting);
    await until(() => cluster.isRunning);
    expect(await starting.kill('SIGTERM')).toBe(0);
    expect(cluster.isRunning).toBe(false);
  });
});

(hasRedis ? describe : describe.skip)('two servers and a Redis that goes away', () => {
  let redis: Redis;
  let database: pg.Client;
  let servers: ServerProcess[];
  let desks: HttpClient[];
  let screens: SocketClient[];

  beforeAll(async () => {
    redis = await Redis.started();
    const DATABASE_URL = await ownDatabase('redis_outage', { empty: true });
    const settings = { ...KEYS, DATABASE_URL, REDIS_URL: redis.url, LOG_LEVEL: 'warn' };
    servers = [1, 2].map(() => new ServerProcess(settings));
    const clients = await Promise.all(servers.map((server) => server.ready()));
    const { token } = await signIn(clients[0]!);
    desks = clients.map((anonymous) => anonymous.withToken(token!));
    screens = await Promise.all(desks.map(watch));
    database = new pg.Client(DATABASE_URL);
    await database.connect();
  });

  afterAll(async () => {
    SocketClient.closeAll();
    await Promise.all(servers.map((server) => server.kill('SIGKILL')));
    await database.end();
    await redis.end();
  });

  async function checkIn(desk: HttpClient): Promise<number> {
    const visit = await desk.post('/attendance', { user_id: await newMember(database) });
    expect(visit).toHaveStatus(201);
    return visit.body.id;
  }
  const sees = (screen: SocketClient, visitId: number) => until(() => seen(screen).includes(visitId));
  const allReady = () => until(async () => (await Promise.all(desks.map(isReady))).every(Boolean));
  const allAway = () => until(async () => (await Promise.all(desks.map(readiness))).every((status) => status === 503));
  /** Everything about sockets works, and each screen has seen each visit once. */
  async function areWell(): Promise<void> {
    await allReady();
    for (const desk of desks) {
      const visitId = await checkIn(desk);
      await Promise.all(screens.map((screen) => sees(screen, visitId)));
    }
    for (const screen of screens) expect(new Set(seen(screen)).size).toBe(seen(screen).length);
    expect(await Promise.all(desks.map((desk) => gauge(desk, 'redis_up')))).toEqual([1, 1]);
  }
  /** While it is away: REST goes on at once, own screens see what happens, and the process does not run hot. */
  async function getBy(): Promise<void> {
    const before = servers.map(({ pid }) => cpuSeconds(pid));
    for (const [index, desk] of desks.entries()) {
      const asked = Date.now();
      const visitId = await checkIn(desk);
      expect(Date.now() - asked).toBeLessThan(8_000);
      await sees(screens[index]!, visitId);
      expect(await gauge(desk, 'redis_up')).toBe(0);
      // Asks and tells the other servers, which may not end the process.
      const console = await SocketClient.connect(root(desk), '/devices', { token: desk.token });
      expect(await console.ask('fingerprint_connected', {})).toBeRefused('no_device_connected');
      console.close();
    }
    await sleep(1_500);
    for (const [index, { pid }] of servers.entries()) expect(cpuSeconds(pid) - before[index]!).toBeLessThan(1);
  }

  it('go on when it is frozen', async () => {
    await areWell();
    redis.signal('SIGSTOP');
    try {
      await allAway();
      expect((await desks[0]!.get(`${root(desks[0]!)}/health/ready`)).body.detail).toBe('Redis does not answer.');
      await getBy();
    } finally {
      redis.signal('SIGCONT');
    }
    await areWell();
  });

  it('give up a broadcast that it does not take at once, and show it once when it thaws', async () => {
    redis.signal('SIGSTOP');
    const visitId = await checkIn(desks[0]!);
    await sees(screens[0]!, visitId);
    redis.signal('SIGCONT');
    await areWell();
    expect(seen(screens[0]!).filter((id) => id === visitId)).toHaveLength(1);
  });

  it('tell what happens in its order while it freezes, and the right numbers when it thaws', async () => {
    const members: number[] = [];
    for (let index = 0; index < 30; index++) members.push(await newMember(database));
    const visits: number[] = [];
    redis.signal('SIGSTOP');
    try {
      for (const member of members) {
        const visit = await desks[0]!.post('/attendance', { user_id: member });
        visits.push(visit.body.id);
        await sleep(50);
        expect(await desks[0]!.post(`/attendance/${visit.body.id}/check-out`, {})).toHaveStatus(200);
      }
      const told = (event: string) =>
        screens[0]!.received.filter((one) => one.event === event && visits.includes(one.payload.id));
      await until(() => told('member_checked_out').length === visits.length);
      expect(told('member_checked_in').map(({ payload }) => payload.id)).toEqual(visits);
      for (const id of visits) {
        const events = screens[0]!.received.filter(({ payload }) => payload?.id === id).map(({ event }) => event);
        expect(events).toEqual(['member_checked_in', 'member_checked_out']);
      }
    } finally {
      redis.signal('SIGCONT');
    }
    await allReady();
    const { rows } = await database.query<{ count: number }>(
      'SELECT count(*)::int FROM attendance WHERE check_out_time IS NULL AND gym_id = 1',
    );
    await until(() => screens.every((screen) => screen.all('check_in_stats').at(-1).currently_in === rows[0]!.count));
    await sleep(3_000);
    for (const screen of screens) expect(screen.all('check_in_stats').at(-1).currently_in).toBe(rows[0]!.count);
    await areWell();
  });

  it('go on when it answers and takes nothing', async () => {
    await redis.ask('CONFIG', 'SET', 'maxmemory', '1');
    await allAway();
    await getBy();
    await redis.ask('CONFIG', 'SET', 'maxmemory', '0');
    await areWell();
    const refused = servers.flatMap(({ log }) => log).filter(({ msg }) => String(msg).includes('OOM'));
    expect(refused.length).toBeLessThan(10);
  });

  it('go on when it is killed, and when it comes back empty', async () => {
    await redis.end('SIGKILL');
    await allAway();
    expect(await desks[0]!.get(`${root(desks[0]!)}/health/live`)).toHaveStatus(200);
    await getBy();
    await redis.start();
    await areWell();
  });

  it('go on when it is restarted', async () => {
    await redis.end('SIGTERM');
    await redis.start();
    await areWell();
    const lines = (server: ServerProcess) => server.log.map(({ msg }) => String(msg));
    const count = (server: ServerProcess, start: string) => lines(server).filter((msg) => msg.startsWith(start)).length;
    for (const server of servers) {
      await until(() => count(server, 'Redis is lost') === count(server, 'Redis is back'));
      expect(count(server, 'Redis is lost')).toBeLessThanOrEqual(6);
    }
  });

  it('stop when it is gone', async () => {
    await redis.end('SIGKILL');
    expect(await Promise.all(servers.map((server) => server.kill('SIGTERM')))).toEqual([0, 0]);
  });
});
