// Measures the built server beside a hand-written one that does the same: both run, and take turns, so that whatever else
// the machine does hits both. `npm run bench -- --seconds 3 --rounds 5 --people 100000 --only sell`
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import bcrypt from 'bcryptjs';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/database/embedded/embedded-postgres.js';
import { migrate } from '../src/database/migrate.js';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    people: { type: 'string', default: '100000' },
    only: { type: 'string', default: '' },
  },
});
const SECONDS = Number(options.seconds);
const ROUNDS = Number(options.rounds);
const PEOPLE = Number(options.people);
const ACCOUNTS = 50;
const PASSWORD = 'a password to measure';
const here = path.dirname(fileURLToPath(import.meta.url));

interface Measured {
  rps: number;
  p50: number;
  p99: number;
}

interface Server {
  name: string;
  url: string;
  desk: string;
  admin: string;
  stop(): void;
}

interface Scenario {
  name: string;
  connections: number;
  request(server: Server): autocannon.Request;
}

const PRODUCTS = 50;
let created = 0;
let checkedIn = 0;
const json = { 'content-type': 'application/json' };
const scenarios: Scenario[] = [
  {
    name: 'sign-in',
    connections: 8,
    request: () => ({
      method: 'POST',
      path: '/api/v1/auth/login',
      setupRequest: (request) => ({
        ...request,
        headers: json,
        body: JSON.stringify({ email: `desk${created++ % ACCOUNTS}@bench.example`, password: PASSWORD }),
      }),
    }),
  },
  {
    name: 'find by document',
    connections: 20,
    request: ({ desk }) => ({
      setupRequest: (request) => ({
        ...request,
        path: `/api/v1/users/search/document/DOC${1 + (created++ % (PEOPLE / 10)) * 10}`,
        headers: { authorization: `Bearer ${desk}` },
      }),
    }),
  },
  {
    name: 'list of 50',
    connections: 20,
    request: ({ desk }) => ({ path: '/api/v1/users?limit=50', headers: { authorization: `Bearer ${desk}` } }),
  },
  {
    name: 'create user',
    connections: 20,
    request: ({ name, admin }) => ({
      method: 'POST',
      path: '/api/v1/users/regular',
      setupRequest: (request) => {
        const who = `${name}${created++}`;
        const person = {
          email: `${who}@example.com`,
          full_name: `New ${who}`,
          document_id: who,
          phone_number: '+1 555 0100',
        };
        return {
          ...request,
          headers: { ...json, authorization: `Bearer ${admin}` },
          body: JSON.stringify({ ...person, role: 'user', gym_id: 1 }),
        };
      },
    }),
  },
  {
    name: 'sell',
    connections: 20,
    request: ({ admin }) => ({
      method: 'POST',
      path: '/api/v1/sales',
      setupRequest: (request) => ({
        ...request,
        headers: { ...json, authorization: `Bearer ${admin}` },
        body: JSON.stringify({ product_id: 1 + (created++ % PRODUCTS), quantity: 1 }),
      }),
    }),
  },
  {
    name: 'check in',
    connections: 20,
    request: ({ admin }) => ({
      method: 'POST',
      path: '/api/v1/attendance',
      setupRequest: (request) => ({
        ...request,
        headers: { ...json, authorization: `Bearer ${admin}` },
        body: JSON.stringify({ user_id: ACCOUNTS + 3 + (checkedIn++ % PEOPLE) }),
      }),
    }),
  },
];

async function seed(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(`INSERT INTO gyms (name) SELECT 'Gym ' || n FROM generate_series(1, 10) n`);
  const hash = await bcrypt.hash(PASSWORD, 10);
  await client.query(
    `INSERT INTO users (email, full_name, document_id, gym_id, role, password_hash)
     SELECT 'desk' || n || '@bench.example', 'Desk ' || n, 'DESK' || n, 1, 'reception', $2 FROM generate_series(0, $1::int) n`,
    [ACCOUNTS, hash],
  );
  await client.query(
    `INSERT INTO users (email, full_name, document_id, role, password_hash)
     VALUES ('admin@bench.example', 'Admin', 'ADMIN', 'admin', $1)`,
    [hash],
  );
  await client.query(
    `INSERT INTO users (email, full_name, document_id, phone_number, gym_id)
     SELECT 'm' || n || '@example.com', 'Member ' || md5(n::text), 'DOC' || n, '+1 555 ' || 1000000 + n, 1 + (n - 1) % 10
     FROM generate_series(1, $1::int) n`,
    [PEOPLE],
  );
  await client.query(
    `INSERT INTO plans (gym_id, name, price, kind, duration_days) SELECT id, 'Monthly', 40, 'time', 30 FROM gyms`,
  );
  await client.query(
    `INSERT INTO user_plans (user_id, gym_id, plan_id, purchased_price, duration_days, starts_at, expires_at)
     SELECT u.id, u.gym_id, p.id, 40, 30, now() - interval '5 days', now() + interval '25 days'
     FROM users u JOIN plans p ON p.gym_id = u.gym_id WHERE u.role = 'user'`,
  );
  await client.query(
    `INSERT INTO products (gym_id, name, price, quantity) SELECT 1, 'Product ' || n, 2.5, 100000000 FROM generate_series(1, $1::int) n`,
    [PRODUCTS],
  );
  await client.query('VACUUM ANALYZE');
  await client.end();
}

async function start(name: string, script: string, databaseUrl: string): Promise<Server> {
  const child = spawn(process.execPath, [path.join(here, script)], {
    env: {
      ...process.env,
      NODE_ENV: 'production',
      DATABASE_URL: databaseUrl,
      PORT: '0',
      HOST: '127.0.0.1',
      LOG_LEVEL: 'warn',
      JWT_SECRET: 'a secret that only the benchmark knows',
      ENCRYPTION_KEYS: `k:${Buffer.alloc(32).toString('base64')}`,
      FINGERPRINT_KEYS: `k:${Buffer.alloc(32).toString('base64')}`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const found = /running at (\S+)/.exec(output)?.[1];
      if (found) resolve(found);
    });
    child.once('exit', () => reject(new Error(`${name} did not start: ${output}`)));
  });
  const signIn = async (email: string) => {
    const body = JSON.stringify({ email, password: PASSWORD });
    const answer = await fetch(`${url}/api/v1/auth/login`, { method: 'POST', headers: json, body });
    return ((await answer.json()) as { access_token: string }).access_token;
  };
  const [desk, admin] = [await signIn(`desk${ACCOUNTS}@bench.example`), await signIn('admin@bench.example')];
  // The sign-in scenario uses other accounts, or it would push these sessions out.
  return { name, url, desk, admin, stop: () => void child.kill() };
}

async function measure(server: Server, scenario: Scenario, seconds: number): Promise<Measured> {
  const result = await autocannon({
    url: server.url,
    connections: scenario.connections,
    duration: seconds,
    requests: [scenario.request(server)],
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${server.name}, ${scenario.name}: ${result.non2xx} refused, ${result.errors} failed`);
  }
  return { rps: result.requests.average, p50: result.latency.p50, p99: result.latency.p99 };
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

async function eventLoopDelay(server: Server): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^event_loop_delay_p99_seconds (\S+)/m.exec(text)?.[1]) * 1000;
}

async function main(): Promise<void> {
  const database = `bench_${process.pid}`;
  const postgres = await startEmbeddedPostgres('.data/bench-postgres', database);
  const servers: Server[] = [];
  try {
    process.stdout.write(`Seeding ${PEOPLE} people ...\n`);
    await migrate(postgres.url);
    await seed(postgres.url);
    servers.push(await start('spotter', '../src/main.js', postgres.url));
    servers.push(await start('hand-written', 'hand-written.js', postgres.url));
    const rows: Record<string, Record<string, string | number>> = {};
    let loopDelay = 0;
    for (const scenario of scenarios.filter(({ name }) => name.includes(options.only))) {
      const all = new Map<Server, Measured[]>(servers.map((server) => [server, []]));
      for (const server of servers) await measure(server, scenario, 1); // warm up
      for (let round = 0; round < ROUNDS; round++) {
        // Who goes first changes: the second finds the machine warm.
        for (const server of round % 2 ? servers.toReversed() : servers) {
          if (scenario.name === 'sign-in' && server === servers[0]) await eventLoopDelay(server);
          all.get(server)!.push(await measure(server, scenario, SECONDS));
          if (scenario.name === 'sign-in' && server === servers[0]) {
            loopDelay = Math.max(loopDelay, await eventLoopDelay(server));
          }
        }
      }
      const [ours, theirs] = servers.map((server) => all.get(server)!);
      const of = (what: keyof Measured, measured: Measured[]) => median(measured.map((one) => one[what]));
      rows[scenario.name] = {
        'spotter req/s': Math.round(of('rps', ours!)),
        'hand-written req/s': Math.round(of('rps', theirs!)),
        ratio: (of('rps', ours!) / of('rps', theirs!)).toFixed(2),
        'p50 ms': `${of('p50', ours!)} / ${of('p50', theirs!)}`,
        'p99 ms': `${of('p99', ours!)} / ${of('p99', theirs!)}`,
      };
      process.stdout.write(`${scenario.name} done\n`);
    }
    console.table(rows);
    process.stdout.write(`Event loop delay of spotter during sign-in, p99: ${loopDelay.toFixed(1)} ms\n`);
  } finally {
    for (const server of servers) server.stop();
    const client = new pg.Client(postgres.url.replace(/[^/]+$/, 'postgres'));
    await client.connect();
    await client.query(`DROP DATABASE ${database} WITH (FORCE)`);
    await client.end();
    await postgres.release();
  }
}

await main();
