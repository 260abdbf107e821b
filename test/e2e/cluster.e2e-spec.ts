import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { Balancer } from '../support/balancer.js';
import { ownDatabase } from '../support/database.js';
import { makeDevice, newTemplate } from '../support/device.js';
import { unique } from '../support/factory.js';
import type { HttpClient } from '../support/http-client.js';
import { hasRedis, Redis } from '../support/redis.js';
import { ServerProcess } from '../support/server-process.js';
import { SlowLine } from '../support/slow-line.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/until.js';

const KEYS = {
  JWT_SECRET: 'a secret that only the tests know, of some length',
  ENCRYPTION_KEYS: 'test:dGVzdC1rZXktdGVzdC1rZXktdGVzdC1rZXktdGVzdC0=',
  FINGERPRINT_KEYS: 'test:ZmluZ2VyLWtleS1maW5nZXIta2V5LWZpbmdlci1rZXk=',
};
const TRAINER = { email: 'trainer@gym.com', password: 'trainer123' };
const RECONNECTS = { reconnection: true, reconnectionDelay: 200, reconnectionDelayMax: 500 };

const ways = [
  { way: 'PostgreSQL', isRedis: false },
  { way: 'Redis', isRedis: true },
];

for (const { way, isRedis } of ways) {
  (isRedis && !hasRedis ? describe.skip : describe)(`two servers over ${way}`, () => {
    let redis: Redis | undefined;
    let database: pg.Client;
    let settings: Record<string, string>;
    let servers: ServerProcess[];
    /** The clients of the two without a token, and the trainer's. */
    let clients: HttpClient[];
    let desks: [HttpClient, HttpClient];
    let urls: string[];
    let admin: HttpClient;
    const balancers: Balancer[] = [];

    beforeAll(async () => {
      if (isRedis) redis = await Redis.started();
      const DATABASE_URL = await ownDatabase(`cluster_${way.toLowerCase()}`, { empty: true });
      settings = { ...KEYS, DATABASE_URL, LOG_LEVEL: 'warn', ...(redis && { REDIS_URL: redis.url }) };
      servers = [1, 2].map(() => new ServerProcess(settings));
      clients = await Promise.all(servers.map((server) => server.ready()));
      urls = clients.map(({ base }) => base.replace('/api/v1', ''));
      database = new pg.Client(DATABASE_URL);
      await database.connect();
      const signIn = async (who: object) => {
        const { body } = await clients[0]!.post('/auth/login', who);
        return clients.map((anonymous) => anonymous.withToken(body.access_token)) as [HttpClient, HttpClient];
      };
      desks = await signIn(TRAINER);
      [admin] = await signIn({ email: 'admin@gym.com', password: 'admin123' });
      await knowEachOther();
    });

    afterAll(async () => {
      SocketClient.closeAll();
      for (const balancer of balancers) balancer.close();
      await Promise.all(servers.map((server) => server.kill('SIGKILL')));
      await database.end();
      await redis?.end();
    });

    const connect = async (url: string, options?: object, token = desks[0].token) => {
      const socket = await SocketClient.connect(url, '/checkins', { token }, options);
      await socket.next('initial_stats');
      return socket;
    };

    async function inFront(): Promise<Balancer> {
      balancers.push(await Balancer.before(...urls));
      return balancers.at(-1)!;
    }

    async function newMember(): Promise<number> {
      const name = unique('m');
      const { rows } = await database.query<{ id: number }>(
        `INSERT INTO users (email, full_name, document_id, role, gym_id) VALUES ($1, $2, $2, 'user', 1) RETURNING id`,
        [`${name}@example.com`, name],
      );
      return rows[0]!.id;
    }

    async function checkIn(desk: HttpClient): Promise<number> {
      const visit = await desk.post('/attendance', { user_id: await newMember() });
      expect(visit).toHaveStatus(201);
      return visit.body.id;
    }

    async function storedSockets(): Promise<number> {
      if (redis) return (await redis.ask<string[]>('KEYS', 'spotter:session:*')).length;
      const { rows } = await database.query<{ count: number }>('SELECT count(*)::int FROM socket_sessions');
      return rows[0]!.count;
    }

    const newDevice = () =>
      makeDevice({ post: (path: string, body: object) => admin.post(path, { ...body, gym_id: 1 }) } as HttpClient);

    const seen = (socket: SocketClient): number[] => socket.all('member_checked_in').map(({ id }) => id);
    function expectSeenOnce(socket: SocketClient, visits: number[]): void {
      const ids = seen(socket);
      expect(new Set(ids).size).toBe(ids.length);
      expect(visits.filter((id) => !ids.includes(id))).toEqual([]);
    }

    const sees = (sockets: SocketClient[], visitId: number) =>
      Promise.all(sockets.map((socket) => socket.next('member_checked_in', ({ id }) => id === visitId)));

    /** Servers that have just started hear of each other within a moment. */
    async function knowEachOther(): Promise<void> {
      const sockets = await Promise.all(urls.map((url) => connect(url)));
      await until(async () => {
        await checkIn(desks[0]);
        await checkIn(desks[1]);
        return sockets.every((socket) => new Set(seen(socket)).size >= 2);
      });
      for (const socket of sockets) socket.close();
    }

    it('bring a check-in to 200 sockets of each, once', async () => {
      const sockets: SocketClient[] = [];
      for (const url of urls) {
        for (let batch = 0; batch < 4; batch++) {
          sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => connect(url)))));
        }
      }
      expect(sockets).toHaveLength(400);
      const visits = [await checkIn(desks[0])];
      await sees(sockets, visits[0]!);
      visits.push(await checkIn(desks[1]));
      await sees(sockets, visits[1]!);
      for (const socket of sockets) {
        expect(seen(socket)).toEqual(visits);
        socket.close();
      }
    });

    it('cut a socket off whose owner signs out at the other', async () => {
      const [person, ours] = await Promise.all(
        [1, 2].map(async () => (await clients[0]!.post('/auth/login', TRAINER)).body.access_token as string),
      );
      const [socket, other] = [await connect(urls[1]!, {}, person), await connect(urls[1]!, {}, ours)];
      await clients[0]!.withToken(person!).post('/auth/logout');
      expect(await socket.gone).toBe('io server disconnect');
      expect(await other.ask('heartbeat')).toMatchObject({ timestamp: expect.any(String) });
    });

    it('let a console of one and a reader of the other enrol a finger', async () => {
      const device = await newDevice();
      const reader = await SocketClient.connect(urls[1]!, '/devices', { device_key: device.device_key });
      await reader.ask('download_templates');
      const desk = await SocketClient.connect(urls[0]!, '/devices', { token: desks[0].token });
      // The servers know each other in this namespace within a moment, too.
      await until(async () => (await desk.ask('fingerprint_connected', {})).gym_id === 1);
      const userId = await newMember();
      expect(await desk.ask('user', { user_id: userId })).toEqual({});
      expect(await reader.next('user')).toEqual({ user_id: userId });
      const rival = await SocketClient.connect(urls[1]!, '/devices', { token: desks[0].token });
      expect(await rival.ask('user', { user_id: userId })).toBeRefused('device_busy');
      await reader.ask('user', { user_id: userId });
      expect(await desk.next('user_established')).toMatchObject({ user_id: userId });
      await reader.ask('store_fingerprint', { fingerprint_data: newTemplate(), finger: 1 });
      await reader.ask('finger1_captured');
      expect(await desk.next('finger1_captured')).toEqual({ user_id: userId });
      await reader.ask('enrollment_completed');
      expect(await desk.next('enrollment_completed')).toEqual({ user_id: userId });
      expect(await rival.ask('user', { user_id: userId })).toEqual({});
      await reader.next('user');
      reader.cut();
      await rival.next('error', ({ code }) => code === 'device_gone');
      expect(rival.all('user_established')).toEqual([]);
    });

    it('find a reader of the other, whatever has become of a third', async () => {
      const third = new ServerProcess(settings);
      servers.push(third);
      const url = (await third.ready()).base.replace('/api/v1', '');
      const desk = await SocketClient.connect(urls[0]!, '/devices', { token: desks[0].token });
      const [lost, kept] = [await newDevice(), await newDevice()];
      await SocketClient.connect(url, '/devices', { device_key: lost.device_key });
      await until(async () => (await desk.ask('fingerprint_connected', {})).gym_id === 1);
      await third.kill('SIGKILL');
      const reader = await SocketClient.connect(urls[1]!, '/devices', { device_key: kept.device_key });
      await reader.ask('download_templates');
      expect(await desk.ask('fingerprint_connected', {})).toMatchObject({ gym_id: 1 });
      reader.close();
    });

    it('show a device as online that has moved from one to the other', async () => {
      const [moving, staying] = [await newDevice(), await newDevice()];
      const isOnline = async ({ id }: { id: number }) => (await admin.get(`/devices/${id}`)).body.online;
      const connectDevice = async (url: string, device: typeof moving) => {
        const socket = await SocketClient.connect(url, '/devices', { device_key: device.device_key });
        await until(() => isOnline(device));
        return socket;
      };
      const before = [await connectDevice(urls[0]!, moving), await connectDevice(urls[0]!, staying)];
      const after = await SocketClient.connect(urls[1]!, '/devices', { device_key: moving.device_key });
      await until(async () => {
        const { rows } = await database.query('SELECT DISTINCT online_on FROM devices WHERE id = ANY($1)', [
          [moving.id, staying.id],
        ]);
        return rows.length === 2;
      });
      for (const socket of before) socket.close();
      // A server tells one after the other: what it had to say of the first is said.
      await until(async () => !(await isOnline(staying)));
      expect(await isOnline(moving)).toBe(true);
      after.close();
      await until(async () => !(await isOnline(moving)));
    });

    it('give a lost socket to its owner alone, on the other server too', async () => {
      const [owner, thief] = await Promise.all(
        [1, 2].map(async () => (await clients[0]!.post('/auth/login', TRAINER)).body.access_token as string),
      );
      const socket = await connect(urls[0]!, {}, owner);
      const witness = await connect(urls[1]!);
      await sees([socket], await checkIn(desks[0]));
      socket.cut();
      const missed = await checkIn(desks[1]);
      await sees([witness], missed);
      const stolen = await SocketClient.connect(urls[1]!, '/checkins', { token: thief, ...socket.session });
      expect(stolen.socket.recovered).toBe(false);
      await stolen.next('initial_stats');
      expect(seen(stolen)).toEqual([]);
      const back = await SocketClient.connect(urls[1]!, '/checkins', { token: owner, ...socket.session });
      expect(back.socket.recovered).toBe(true);
      await sees([back], missed);
    });

    it('can go on with all sockets of a third that stops', async () => {
      const third = new ServerProcess(settings);
      const url = (await third.ready()).base.replace('/api/v1', '');
      const sockets: SocketClient[] = [];
      for (let batch = 0; batch < 8; batch++) {
        sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => connect(url)))));
      }
      const before = await storedSockets();
      expect(await third.kill('SIGTERM')).toBe(0);
      expect((await storedSockets()) - before).toBe(sockets.length);
      for (const socket of sockets) socket.close();
    });

    it('lose no broadcast while a server cannot hear the database', async () => {
      const sockets = await Promise.all(urls.map((url) => connect(url)));
      const visits: number[] = [];
      for (let round = 0; round < 10; round++) {
        visits.push(await checkIn(desks[round % 2]!));
        if (round % 4 === 1) {
          await database.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = 'spotter listener' AND datname = current_database()`,
          );
        }
      }
      await sees(sockets, visits.at(-1)!);
      for (const socket of sockets) expect(seen(socket).toSorted((a, b) => a - b)).toEqual(visits);
    });

    it('tell what they have answered when all connections to the database break just then', async () => {
      const sockets = await Promise.all(urls.map((url) => connect(url)));
      const answered: number[] = [];
      for (let round = 0; round < 5; round++) {
        const members = await Promise.all(Array.from({ length: 8 }, newMember));
        const come = members.map(async (member, index) => {
          const visit = await desks[index % 2]!.post('/attendance', { user_id: member });
          expect(visit).toHaveStatus(201);
          answered.push(visit.body.id);
        });
        // Cut in the moment in which the first is answered; the others are under way.
        const isOneAnswered = await Promise.any(come).then(
          () => true,
          () => false,
        );
        if (isOneAnswered) {
          await database.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name LIKE 'spotter%' AND datname = current_database()`,
          );
        }
        await Promise.allSettled(come);
      }
      expect(answered.length).toBeGreaterThan(0);
      await until(() => sockets.every((socket) => answered.every((id) => seen(socket).includes(id))));
      for (const socket of sockets) expectSeenOnce(socket, answered);
    });

    it('tell last how it is, also if what one of them tells has to wait for its way to the database', async () => {
      const line = await SlowLine.to(settings.DATABASE_URL!);
      const third = new ServerProcess({ ...settings, DATABASE_URL: line.url });
      servers.push(third);
      const far = (await third.ready()).withToken(desks[0].token!);
      const [near] = desks;
      const sockets = await Promise.all(urls.map((url) => connect(url)));
      const member = await newMember();
      const plan = { name: unique('plan'), price: 10, kind: 'time', duration_days: 30, gym_id: 1 };
      const { body: sold } = await admin.post('/plans', plan);
      const { body: membership } = await near.post('/user-plans', { user_id: member, plan_id: sold.id });

      const visit = await far.post('/attendance', { user_id: member });
      expect(visit).toHaveStatus(201);
      line.cut();
      expect(await near.post(`/attendance/${visit.body.id}/check-out`)).toHaveStatus(200);
      line.mend();
      await until(async () => (await far.get('/gyms')).status === 200);
      const frozen = await far.withToken(admin.token!).post(`/user-plans/${membership.id}/freeze`);
      expect(frozen).toHaveStatus(200);
      line.cut();
      expect(await admin.post(`/user-plans/${membership.id}/unfreeze`)).toHaveStatus(200);
      await sleep(1500);
      line.mend();

      // What waits is tried each second. Once something of the same server is told after it, nothing is left.
      await until(async () => (await far.get('/gyms')).status === 200);
      await sleep(2500);
      const told = sockets.map((socket) => socket.all('check_in_stats').at(-1)?.currently_in);
      const { rows } = await database.query<{ inside: number }>(
        'SELECT count(*)::int AS inside FROM attendance WHERE gym_id = 1 AND check_out_time IS NULL',
      );
      expect(told).toEqual(sockets.map(() => rows[0]!.inside));
      await sees(sockets, (await far.post('/attendance', { user_id: await newMember() })).body.id);
      for (const socket of sockets) {
        const news = socket.received.filter(({ payload }) => payload?.id === visit.body.id);
        expect(news.at(-1)?.event).toBe('member_checked_out');
        expect(socket.all('membership_changed').at(-1)?.membership.status).toBe('active');
      }
      line.close();
    });

    it('lose no broadcast while sockets come and go', async () => {
      const balancer = await inFront();
      const options = { reconnection: true, reconnectionDelay: 1, reconnectionDelayMax: 50 };
      const watchers = await Promise.all(Array.from({ length: 20 }, () => connect(balancer.url, options)));
      const lost = new Set<SocketClient>();
      let recovered = 0;
      for (const watcher of watchers) {
        watcher.socket.on('connect', () => {
          if (!watcher.socket.recovered) lost.add(watcher);
          else recovered++;
        });
      }
      const people = await Promise.all(Array.from({ length: 300 }, newMember));
      const answered: number[] = [];
      const over = new AbortController();
      const coming = watchers.map(async (watcher, index) => {
        // Not without end: who is cut often enough is at some time back before the server knows that they left.
        for (let round = 0; round < 10 && !over.signal.aborted; round++) {
          await new Promise((resolve) => setTimeout(resolve, 20 + ((index * 7 + round * 13) % 60)));
          if (watcher.socket.connected && !over.signal.aborted) watcher.cut();
        }
      });
      const work = async (index: number) => {
        for (let userId = people.pop(); userId; userId = people.pop()) {
          const visit = await desks[index % 2]!.post('/attendance', { user_id: userId });
          expect(visit).toHaveStatus(201);
          answered.push(visit.body.id);
        }
      };
      await Promise.all(Array.from({ length: 4 }, (_, index) => work(index)));
      over.abort();
      await Promise.all(coming);
      await until(() => watchers.every(({ socket }) => socket.connected));
      answered.push(await checkIn(desks[0]));
      await sees(watchers, answered.at(-1)!);
      const recoveredAlways = watchers.filter((watcher) => !lost.has(watcher));
      expect(recoveredAlways.length).toBeGreaterThan(0);
      for (const watcher of recoveredAlways) expectSeenOnce(watcher, answered);
      expect(recovered).toBeGreaterThan(10);
    });

    it('survive kill -9 of one in the middle of 200 check-ins', async () => {
      const balancer = await inFront();
      const watchers = await Promise.all(Array.from({ length: 20 }, () => connect(balancer.url, RECONNECTS)));
      const isWhole = new Map(watchers.map((watcher) => [watcher, true]));
      let recovered = 0;
      for (const watcher of watchers) {
        watcher.socket.on('connect', () => {
          if (watcher.socket.recovered) recovered++;
          else isWhole.set(watcher, false);
        });
      }
      const answered: [number[], number[]] = [[], []];
      const people: number[] = [];
      while (people.length < 200) people.push(await newMember());
      const count = () => answered.flat().length;
      const work = async (index: number) => {
        for (let userId = people.pop(); userId; userId = people.pop()) {
          const answer = await desks[index % 2]!.post('/attendance', { user_id: userId }).catch(() => null);
          if (answer?.status === 201) answered[(index % 2) as 0 | 1].push(answer.body.id);
          else if (index % 2 === 1) return; // its server is dead
        }
      };
      const working = Promise.all(Array.from({ length: 8 }, (_, index) => work(index)));
      await until(() => count() > 20);
      for (const watcher of watchers.slice(0, 6)) watcher.cut();
      await until(() => count() > 60 && recovered >= 6);
      await servers[1]!.kill('SIGKILL');
      await working;

      const { rows } = await database.query<{ id: number }>('SELECT id FROM attendance');
      const stored = new Set(rows.map(({ id }) => id));
      expect(answered.flat().filter((id) => !stored.has(id))).toEqual([]);
      expect(answered[0].length + answered[1].length).toBeGreaterThan(150);
      // A client of the dead server is served by the other.
      await until(() => watchers.every(({ socket }) => socket.connected));
      await Promise.all(watchers.map((watcher) => watcher.ask('heartbeat')));
      await sees(watchers, await checkIn(desks[0]));
      expect([...isWhole.values()].filter((whole) => !whole).length).toBeGreaterThan(0);
      for (const watcher of watchers) {
        if (isWhole.get(watcher)) expectSeenOnce(watcher, answered[0]);
      }
      expect([...isWhole.values()].filter(Boolean).length).toBeGreaterThan(0);

      // A reader does not wait for what the dead server has to say.
      const device = await newDevice();
      const reader = await SocketClient.connect(urls[0]!, '/devices', { device_key: device.device_key });
      expect(await reader.ask('user_found', { user_id: await newMember() })).toMatchObject({ reason: 'no_plan' });
    });
  });
}
