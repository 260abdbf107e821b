// Measures the sockets of the built server beside a bare Socket.IO server: both run, thousands watch each, and they take
// turns. `npm run bench:live -- --sockets 2000 --bookings 40 --only slots`
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/database/embedded/embedded-postgres.js';
import { migrate } from '../src/database/migrate.js';
import type { Command, Told } from './live-watchers.js';

const { values: options } = parseArgs({
  options: {
    sockets: { type: 'string', default: '2000' },
    bookings: { type: 'string', default: '40' },
    only: { type: 'string', default: '' },
    /** Options of Node for our server, e.g. "--node=--cpu-prof --cpu-prof-dir=profiles". */
    node: { type: 'string', default: '' },
  },
});
const SOCKETS = Number(options.sockets);
const CHANGES = Number(options.bookings);
/** They take turns after so many changes. */
const ROUND = 10;
const STATS = 12;
const GROUPS = 2;
const DATA = '.data/bench-postgres';
const SECRET = 'a secret that only the benchmark knows';
const DEVICE_KEY = 'spotter_device_of_the_benchmark';
const here = path.dirname(fileURLToPath(import.meta.url));
/** With a garbage collection on demand: what remains is what the sockets need. */
const GC_ON_SIGNAL = ['--expose-gc', '--import', `data:text/javascript,process.on('SIGUSR2',()=>gc())`];
const now = () => Number(process.hrtime.bigint()) / 1e6;

/** Where the day has just begun, so that almost all of its hours can be booked. */
const TIMEZONE = Intl.supportedValuesOf('timeZone').find((zone) => {
  const hour = Number(new Intl.DateTimeFormat('en', { timeZone: zone, hour: 'numeric', hourCycle: 'h23' }).format());
  return /^(Europe|America|Asia|Pacific|Africa|Australia)\//.test(zone) && hour >= 1 && hour <= 2;
})!;

interface Person {
  id: number;
  token: string;
}

interface Server {
  name: string;
  url: string;
  child: ChildProcess;
  groups: ChildProcess[];
}

interface Measured {
  connectMs: number;
  connectCpuMs: number;
  /** Resident memory per socket in kB: as it stands, and after a garbage collection. */
  memory: number;
  settled: number;
  /** From the request sent to the last watcher, in ms. */
  latencies: number[];
  statsLatencies: number[];
  cpuMs: number;
  databaseCpuMs: number;
}

/** What is watched, and how it is changed. */
interface Scenario {
  namespace: string;
  event: string;
  /** What else is told of a change, and to all who come: how it is now, at most once a second. */
  state?: string;
  /** Whether it is measured how long that takes to the last. */
  isStateMeasured?: boolean;
  /** Who watches. */
  auths(world: World): object[];
  /** What the first event is that a watcher of ours gets. */
  change(world: World, url: string, number: number): Promise<void>;
}

interface World {
  members: Person[];
  staff: Person[];
  device: ChildProcess | null;
}

const post = async (url: string, token: string | null, body: object, expectedStatus = 201): Promise<void> => {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (answer.status !== expectedStatus) throw new Error(`${url}: ${answer.status} ${text}`);
};

const authsOf = (people: Person[]) => people.slice(0, SOCKETS).map(({ token }) => ({ token }));

const scenarios: Scenario[] = [
  {
    namespace: '/slots',
    event: 'slot_changed',
    state: 'slots_update',
    auths: ({ members, staff }) => authsOf([...staff.slice(0, SOCKETS / 20), ...members]),
    change: ({ members }, url, number) =>
      post(`${url}/api/v1/slots/${3 + (number % 20)}/book`, members[number]!.token, {}),
  },
  {
    namespace: '/checkins',
    event: 'member_checked_in',
    state: 'check_in_stats',
    isStateMeasured: true,
    auths: ({ staff }) => authsOf(staff),
    change: ({ staff, members }, url, number) =>
      post(`${url}/api/v1/attendance`, staff[0]!.token, { user_id: members[number]!.id }),
  },
  {
    namespace: '/devices',
    event: 'user_found',
    auths: ({ staff }) => authsOf(staff),
    change: async ({ device, members }, _url, number) => {
      order(device!, { what: 'send', event: 'user_found', payload: { user_id: members[number]!.id } });
      return Promise.resolve();
    },
  },
];

async function seed(databaseUrl: string): Promise<World> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  await client.query(`INSERT INTO gyms (name, timezone) VALUES ('Gym', $1)`, [TIMEZONE]);
  await client.query(`INSERT INTO slot_settings (gym_id, default_capacity) VALUES (1, 1000)`);
  const people = async (role: string): Promise<Person[]> => {
    const { rows } = await client.query<{ id: number; sid: number }>(
      `WITH people AS (
         INSERT INTO users (email, full_name, document_id, phone_number, gym_id, role)
         SELECT $2 || n || '@bench.example', 'Person ' || md5(n::text), $2 || n, '+1 555 0100', 1, $2
         FROM generate_series(1, $1::int) n RETURNING id)
       INSERT INTO sessions (user_id, ip_address, user_agent, expires_at)
       SELECT id, '127.0.0.1', 'bench', now() + interval '1 day' FROM people RETURNING user_id AS id, id AS sid`,
      [Math.max(SOCKETS, 500), role],
    );
    return rows.map(({ id, sid }) => {
      const claims = { typ: 'access', sub: String(id), sid, role };
      return { id, token: jwt.sign(claims, SECRET, { expiresIn: '1d' }) };
    });
  };
  const [members, staff] = [await people('user'), await people('reception')];
  await client.query(
    `INSERT INTO devices (gym_id, name, kind, device_number, key_hash) VALUES (1, 'Door', 'qr', 1, $1)`,
    [createHash('sha256').update(DEVICE_KEY).digest()],
  );
  await client.query('VACUUM ANALYZE');
  await client.end();
  return { members, staff, device: null };
}

async function start(name: string, script: string, databaseUrl: string): Promise<Server> {
  const extra = name === 'spotter' ? options.node.split(' ').filter(Boolean) : [];
  const child = spawn(process.execPath, [...GC_ON_SIGNAL, ...extra, path.join(here, script)], {
    env: {
      ...process.env,
      NODE_ENV: 'production',
      DATABASE_URL: databaseUrl,
      PORT: '0',
      HOST: '127.0.0.1',
      LOG_LEVEL: 'info',
      JWT_SECRET: SECRET,
      ENCRYPTION_KEYS: `k:${Buffer.alloc(32).toString('base64')}`,
      FINGERPRINT_KEYS: `k:${Buffer.alloc(32).toString('base64')}`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (output.length < 100_000) output += chunk.toString();
      const found = /running at ([^\s"]+)/.exec(output)?.[1];
      if (found) resolve(found);
    });
    child.once('exit', () => reject(new Error(`${name} did not start: ${output}`)));
  });
  return { name, url, child, groups: newGroups(GROUPS) };
}

const newGroups = (count: number) =>
  Array.from({ length: count }, () => fork(path.join(here, 'live-watchers.js'), { execArgv: [] }));

const order = (group: ChildProcess, command: Command) => void group.send(command);

async function told(group: ChildProcess, what: Told['what']): Promise<Told> {
  for (;;) {
    const [message] = (await once(group, 'message', { signal: AbortSignal.timeout(60_000) })) as [Told];
    if (message.what === what) return message;
  }
}

/** @returns when the last of the groups had it */
async function allTold(groups: ChildProcess[], what: Told['what']): Promise<number> {
  return Math.max(...(await Promise.all(groups.map((group) => told(group, what)))).map(({ at }) => at));
}

async function connect({ url, groups }: Server, namespace: string, auths: object[]): Promise<number> {
  const begun = now();
  const share = Math.ceil(auths.length / groups.length);
  const connected = allTold(groups, 'connected');
  for (const [index, group] of groups.entries()) {
    const own = auths.slice(index * share, (index + 1) * share);
    order(group, { what: 'connect', url, namespace, auths: own, first: null });
  }
  return (await connected) - begun;
}

/** @returns the last texts of the events */
async function close({ groups }: Server): Promise<Record<string, string>> {
  const closed = Promise.all(groups.map((group) => told(group, 'heard')));
  for (const group of groups) order(group, { what: 'close' });
  return Object.assign({}, ...(await closed).map((one) => (one.what === 'heard' ? one.samples : {}))) as Record<
    string,
    string
  >;
}

/** @returns the ms until the last watcher has the event */
async function measure({ groups }: Server, event: string, change: () => Promise<void>): Promise<number> {
  const armed = allTold(groups, 'armed');
  for (const group of groups) order(group, { what: 'expect', event });
  await armed;
  const had = allTold(groups, 'had_all');
  const begun = now();
  const [last] = await Promise.all([had, change()]);
  return last - begun;
}

function memoryOf({ child }: Server): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]);
}

async function settledMemoryOf(server: Server): Promise<number> {
  for (let round = 0; round < 3; round++) {
    server.child.kill('SIGUSR2');
    await sleep(500);
  }
  return memoryOf(server);
}

/** In ms; ticks are hundredths of a second. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function databaseCpu(): number {
  const postmaster = readFileSync(`${DATA}/data/postmaster.pid`, 'utf8').split('\n')[0]!;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const isOurs = (pid: string) => {
    try {
      return (
        readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /, '')
          .split(' ')[1] === postmaster
      );
    } catch {
      return false; // has ended meanwhile
    }
  };
  return pids.filter(isOurs).reduce((sum, pid) => sum + cpuOf(Number(pid)), 0);
}

async function run(scenario: Scenario, databaseUrl: string, world: World): Promise<Map<string, Measured>> {
  const { namespace, event, state } = scenario;
  const measured = scenario.isStateMeasured ? state : undefined;
  const spotter = await start('spotter', '../src/main.js', databaseUrl);
  const bare = await start('bare', 'live-peer.js', databaseUrl);
  const servers = [spotter, bare];
  const auths = scenario.auths(world);
  let number = 0;
  /** What the bare server is to send: the bytes that ours sends. */
  let broadcasts: object[] = [];
  const change = (server: Server) =>
    server === spotter ? scenario.change(world, server.url, number++) : post(server.url, null, broadcasts);
  if (namespace === '/devices') {
    [world.device] = newGroups(1) as [ChildProcess];
    const connected = allTold([world.device], 'connected');
    const auth = { device_key: DEVICE_KEY };
    order(world.device, { what: 'connect', url: spotter.url, namespace, auths: [auth], first: null });
    await connected;
  }
  try {
    // Both are warm, and the sockets of that are gone.
    for (const server of servers) await connect(server, namespace, auths.slice(0, 20));
    for (let round = 0; round < 5; round++) await measure(spotter, event, () => change(spotter));
    await sleep(1500);
    const samples = await close(spotter);
    const payloadOf = (name: string): unknown =>
      (JSON.parse(samples[name]!.slice(samples[name]!.indexOf('['))) as unknown[])[1];
    broadcasts = [{ namespace, event, payload: payloadOf(event), isState: false }];
    if (state) broadcasts.push({ namespace, event: state, payload: payloadOf(state), isState: true });
    for (let round = 0; round < 5; round++) await measure(bare, event, () => change(bare));
    await close(bare);
    const all = new Map<string, Measured>();
    for (const server of servers) {
      const before = await settledMemoryOf(server);
      const cpu = cpuOf(server.child.pid!);
      const connectMs = await connect(server, namespace, auths);
      await sleep(100);
      const connectCpuMs = cpuOf(server.child.pid!) - cpu;
      await sleep(5000);
      const memory = (memoryOf(server) - before) / auths.length;
      const settled = ((await settledMemoryOf(server)) - before) / auths.length;
      all.set(server.name, {
        ...{ connectMs, connectCpuMs, memory, settled, latencies: [], statsLatencies: [], cpuMs: 0, databaseCpuMs: 0 },
      });
    }
    for (let round = 0; round < CHANGES / ROUND; round++) {
      for (const server of round % 2 ? servers.toReversed() : servers) {
        const result = all.get(server.name)!;
        const [cpu, database] = [cpuOf(server.child.pid!), databaseCpu()];
        for (let one = 0; one < ROUND; one++) {
          result.latencies.push(await measure(server, event, () => change(server)));
        }
        // What follows a change belongs to it.
        await sleep(1500);
        result.cpuMs += (cpuOf(server.child.pid!) - cpu) / CHANGES;
        result.databaseCpuMs += (databaseCpu() - database) / CHANGES;
      }
    }
    if (measured) await sleep(1500);
    for (let round = 0; round < (measured ? STATS : 0); round++) {
      for (const server of servers) {
        all.get(server.name)!.statsLatencies.push(await measure(server, measured!, () => change(server)));
        await sleep(600);
      }
    }
    return all;
  } finally {
    const gone = Promise.all(servers.map(({ child }) => once(child, 'exit')));
    for (const { child, groups } of servers) {
      for (const group of groups) group.kill();
      child.kill();
    }
    world.device?.kill();
    world.device = null;
    await gone;
  }
}

const percentile = (numbers: number[], share: number): number =>
  numbers.toSorted((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))] ?? 0;

function show(namespace: string, all: Map<string, Measured>): void {
  const [ours, bare] = [all.get('spotter')!, all.get('bare')!];
  const rows: Record<string, Record<string, string>> = {};
  const add = (name: string, of: (measured: Measured) => number) => {
    const [a, b] = [of(ours), of(bare)];
    rows[`${namespace} ${name}`] = { spotter: a.toFixed(1), bare: b.toFixed(1), ratio: (a / b).toFixed(2) };
  };
  add('connect all, ms', ({ connectMs }) => connectMs);
  add('CPU to connect all, ms', ({ connectCpuMs }) => connectCpuMs);
  add('memory, kB a socket', ({ memory }) => memory);
  add('memory after gc, kB a socket', ({ settled }) => settled);
  add('to the last watcher, p50 ms', ({ latencies }) => percentile(latencies, 0.5));
  add('to the last watcher, p99 ms', ({ latencies }) => percentile(latencies, 0.99));
  if (ours.statsLatencies.length > 0) {
    add('numbers to the last, p50 ms', ({ statsLatencies }) => percentile(statsLatencies, 0.5));
    add('numbers to the last, p99 ms', ({ statsLatencies }) => percentile(statsLatencies, 0.99));
  }
  add('CPU of a change, ms', ({ cpuMs }) => cpuMs);
  add('CPU of PostgreSQL, ms', ({ databaseCpuMs }) => databaseCpuMs);
  console.table(rows);
}

async function main(): Promise<void> {
  const database = `bench_live_${process.pid}`;
  const postgres = await startEmbeddedPostgres(DATA, database);
  try {
    await migrate(postgres.url);
    const world = await seed(postgres.url);
    for (const scenario of scenarios.filter(({ namespace }) => namespace.includes(options.only))) {
      show(scenario.namespace, await run(scenario, postgres.url, world));
    }
  } finally {
    const client = new pg.Client(postgres.url.replace(/[^/]+$/, 'postgres'));
    await client.connect();
    await client.query(`DROP DATABASE ${database} WITH (FORCE)`);
    await client.end();
    await postgres.release();
  }
}

await main();
