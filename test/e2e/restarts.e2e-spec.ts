import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { Balancer } from '../support/balancer.js';
import { ownDatabase } from '../support/database.js';
import { unique } from '../support/factory.js';
import { type Answer, HttpClient } from '../support/http-client.js';
import { hasRedis, Redis } from '../support/redis.js';
import { freePort, ServerProcess } from '../support/server-process.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/until.js';

const KEYS = {
  JWT_SECRET: 'a secret that only the tests know, of some length',
  ENCRYPTION_KEYS: 'test:dGVzdC1rZXktdGVzdC1rZXktdGVzdC1rZXktdGVzdC0=',
  FINGERPRINT_KEYS: 'test:ZmluZ2VyLWtleS1maW5nZXIta2V5LWZpbmdlci1rZXk=',
};

/** Of a request that has got no answer. */
const TRIES = 4;

interface Desk {
  client: HttpClient;
  /** When it asked last. */
  askedAt: number;
}

const ways = [
  { way: 'PostgreSQL', isRedis: false },
  { way: 'Redis', isRedis: true },
];

for (const { way, isRedis } of ways) {
  (isRedis && !hasRedis ? describe.skip : describe)(`a restart of one server after the other, over ${way}`, () => {
    const servers: ServerProcess[] = [];
    let database: pg.Client;
    let redis: Redis | undefined;
    const balancers: Balancer[] = [];

    afterAll(async () => {
      SocketClient.closeAll();
      for (const balancer of balancers) balancer.close();
      await Promise.all(servers.map((server) => server.kill('SIGKILL')));
      await database.end();
      await redis?.end();
    });

    it('loses no request behind a plain balancer, and tells each check-in to the other', async () => {
      if (isRedis) redis = await Redis.started();
      const DATABASE_URL = await ownDatabase(`restart_${way.toLowerCase()}`, { empty: true });
      const ports = [await freePort(), await freePort()];
      const start = async (index: number) => {
        const settings = { ...KEYS, DATABASE_URL, PORT: String(ports[index]), LOG_LEVEL: 'warn' };
        servers[index] = new ServerProcess({ ...settings, ...(redis && { REDIS_URL: redis.url }) });
        return servers[index].ready();
      };
      const clients = await Promise.all([start(0), start(1)]);
      const urls = ports.map((port) => `http://127.0.0.1:${port}`);
      const deskBefore = async () => {
        const balancer = await Balancer.before(...urls);
        balancers.push(balancer);
        return new HttpClient(`${balancer.url}/api/v1`, token);
      };
      database = new pg.Client(DATABASE_URL);
      await database.connect();
      const { body } = await clients[0].post('/auth/login', { email: 'trainer@gym.com', password: 'trainer123' });
      const token = body.access_token as string;

      const name = unique('m');
      const { rows: members } = await database.query<{ id: number }>(
        `INSERT INTO users (email, full_name, document_id, role, gym_id)
         SELECT name || '@example.com', name, name, 'user', 1 FROM (SELECT $1 || n AS name FROM generate_series(1, 8) n) names
         RETURNING id`,
        [name],
      );
      const failures: unknown[] = [];
      let visits: number[] = [];
      const over = new AbortController();
      /** A connection that was silent for a second may be closed as it is used: then one repeats with the same key. */
      const isSilent = (since: number) => Date.now() - since > 900;
      const ask = async (desk: Desk, path: string, sent: object, status: number) => {
        const headers = { 'idempotency-key': unique('k') };
        const before = desk.askedAt;
        desk.askedAt = Date.now();
        const send = (tries: number): Promise<Answer> =>
          desk.client.post(path, sent, headers).catch((error: unknown) => {
            if (tries > 1 && isSilent(before)) return send(tries - 1);
            throw error;
          });
        const answer = await send(TRIES);
        if (answer.status !== status) throw Object.assign(new Error(path), { cause: [answer.status, answer.body] });
        return answer.body.id as number;
      };
      const comeAndGo = async (member: number) => {
        // A desk has one connection, which is silent only if the machine stands still.
        const desk: Desk = { client: await deskBefore(), askedAt: Date.now() };
        while (!over.signal.aborted) {
          try {
            const visit = await ask(desk, '/attendance', { user_id: member }, 201);
            visits.push(visit);
            await ask(desk, `/attendance/${visit}/check-out`, {}, 200);
          } catch (error) {
            const { message, cause } = error as Error;
            failures.push({ message, cause, at: new Date(), member });
            break; // each request of this member would fail now
          }
          await sleep(5);
        }
      };
      const working = members.map(({ id }) => comeAndGo(id));
      for (const index of [0, 1]) {
        const screen = await SocketClient.connect(urls[1 - index]!, '/checkins', { token });
        await screen.next('initial_stats');
        visits = [];
        await sleep(300);
        expect(await servers[index]!.kill('SIGTERM')).toBe(0);
        await start(index);
        await until(() => visits.length > 100 || failures.length > 0);
        expect(failures).toEqual([]);
        const answered = [...visits];
        const areAllSeen = () => {
          const seen = new Set(screen.all('member_checked_in').map(({ id }) => id as number));
          return answered.every((id) => seen.has(id));
        };
        await until(areAllSeen, `${way} ${index}: all are seen`);
      }
      over.abort();
      await Promise.all(working);
      expect(failures).toEqual([]);
    });
  });
}

describe('what a killed server was doing', () => {
  const running: ServerProcess[] = [];
  afterEach(() => Promise.all(running.splice(0).map((server) => server.kill('SIGKILL'))));

  it('is done by another within a minute', async () => {
    const DATABASE_URL = await ownDatabase('takeover', { empty: true });
    const start = () => {
      const server = new ServerProcess({ ...KEYS, DATABASE_URL });
      running.push(server);
      return server;
    };
    const first = start();
    await first.ready();
    const database = new pg.Client(DATABASE_URL);
    await database.connect();
    const jobs = async () =>
      (
        await database.query<{ locked_by: string | null }>(
          `SELECT locked_by FROM graphile_worker._private_jobs job JOIN graphile_worker._private_tasks task ON task.id = task_id
           WHERE identifier = 'close_forgotten_visits'`,
        )
      ).rows;
    // The job waits for this lock.
    await database.query('BEGIN; LOCK TABLE attendance IN ACCESS EXCLUSIVE MODE');
    const other = new pg.Client(DATABASE_URL);
    await other.connect();
    await other.query(`SELECT graphile_worker.add_job('close_forgotten_visits')`);
    await until(async () => (await jobs())[0]?.locked_by);
    const second = start();
    await second.ready();
    await first.kill('SIGKILL');
    await database.query('COMMIT');
    expect((await jobs()).map(({ locked_by }) => locked_by)).toEqual([expect.any(String)]);
    await until(async () => (await jobs()).length === 0, 'the job is done');
    await Promise.all([database.end(), other.end()]);
  });
});
