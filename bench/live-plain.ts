// Measures when the last of many sockets has a booking: plain sockets of old clients at /slot-booking beside sockets of
// Socket.IO at /slots, both on the same built server. `npm run bench:plain -- --sockets 1000 --bookings 12`
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { WebSocket } from 'ws';
import { startEmbeddedPostgres } from '../src/database/embedded/embedded-postgres.js';
import { migrate } from '../src/database/migrate.js';

const { values: options } = parseArgs({
  options: { sockets: { type: 'string', default: '1000' }, bookings: { type: 'string', default: '12' } },
});
const SOCKETS = Number(options.sockets);
const BOOKINGS = Number(options.bookings);
const AT_ONCE = 50;
/** The sockets of Socket.IO are of so many people. */
const PEOPLE = 20;
/** In this time each must have had a booking, and not twice. */
const QUIET_MS = 1_500;
const here = path.dirname(fileURLToPath(import.meta.url));
const now = () => Number(process.hrtime.bigint()) / 1e6;

interface Group {
  /** When each socket first had what is waited for, in ms. */
  had: number[];
  frames: number;
}
/** How each kind is told of a booking. */
const NEWS = { plain: '"slots_update"', new: '"slot_changed"' };
const groups: Record<'plain' | 'new', Group> = { plain: { had: [], frames: 0 }, new: { had: [], frames: 0 } };

const sockets: WebSocket[] = [];

function watch(kind: 'plain' | 'new', url: string, token?: string): Promise<void> {
  const isPlain = kind === 'plain';
  const address = isPlain ? '/slot-booking' : '/socket.io/?EIO=4&transport=websocket';
  const socket = new WebSocket(url.replace('http', 'ws') + address, { perMessageDeflate: false });
  sockets.push(socket);
  return new Promise((ready, fail) => {
    socket.on('error', fail);
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      if (!isPlain && text.startsWith('0')) return socket.send(`40/slots,${JSON.stringify({ token })}`);
      if (!isPlain && text === '2') return socket.send('3');
      if (text.startsWith('44')) return fail(new Error(text));
      if (text.includes('slots_update')) ready();
      if (!text.includes(NEWS[kind])) return;
      groups[kind].frames++;
      groups[kind].had.push(now());
    });
  });
}

async function connectAll(kind: 'plain' | 'new', url: string, tokens: string[]): Promise<number> {
  const begun = now();
  for (let from = 0; from < SOCKETS; from += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, SOCKETS - from) }, (_, one) => one);
    await Promise.all(some.map((one) => watch(kind, url, tokens[(from + one) % tokens.length])));
  }
  return now() - begun;
}

async function post<Answer>(url: string, body: object): Promise<Answer> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Answer;
}

async function signIn(url: string, name: string): Promise<string> {
  const who = { email: `${name}@bench.example`, password: 'secret1' };
  await post(`${url}/auth/register`, who);
  return (await post<{ token: string }>(`${url}/auth/login`, who)).token;
}

const postgres = await startEmbeddedPostgres('.data/bench-postgres', 'postgres');
const admin = new pg.Client(postgres.url);
await admin.connect();
await admin.query('DROP DATABASE IF EXISTS bench_plain WITH (FORCE)');
await admin.query('CREATE DATABASE bench_plain');
const databaseUrl = postgres.url.replace(/[^/]+$/, 'bench_plain');
await migrate(databaseUrl);
const database = new pg.Client(databaseUrl);
await database.connect();
// Where the day has just begun, so that almost all of its hours can be booked. The signs are the other way round.
const ahead = ((2 - new Date().getUTCHours() + 36) % 24) - 12;
await database.query(`INSERT INTO gyms (name, timezone) VALUES ('Gym', $1)`, [
  `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`,
]);
await database.end();

const server = spawn(process.execPath, [path.join(here, '../src/main.js')], {
  env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl, PORT: '0', BCRYPT_ROUNDS: '4', LOG_LEVEL: 'info' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const url = await new Promise<string>((resolve) => {
  let output = '';
  server.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    const found = /running at (http[^\s"]+)/.exec(output)?.[1];
    if (found) resolve(found);
  });
});
const write = (line: string) => process.stdout.write(`${line}\n`);
try {
  const tokens: string[] = [];
  for (let one = 0; one < PEOPLE; one++) tokens.push(await signIn(url, `watcher${one}`));
  const token = await signIn(url, 'holder');
  for (const kind of ['plain', 'new'] as const) {
    write(`${SOCKETS} ${kind} sockets connected in ${Math.round(await connectAll(kind, url, tokens))} ms`);
  }
  await sleep(2_000);
  const results: Record<'plain' | 'new', number[]> = { plain: [], new: [] };
  for (let booking = 0; booking < BOOKINGS; booking++) {
    const slot = 5 + (booking % 18);
    for (const group of Object.values(groups)) Object.assign(group, { had: [], frames: 0 });
    const begun = now();
    await post(`${url}/book-slot`, { slot_id: slot, token });
    const answered = now() - begun;
    await sleep(QUIET_MS);
    for (const kind of ['plain', 'new'] as const) {
      const { had, frames } = groups[kind];
      if (had.length < SOCKETS) throw new Error(`only ${had.length} of the ${kind} sockets have it`);
      if (frames !== SOCKETS) throw new Error(`${frames} frames for ${SOCKETS} ${kind} sockets`);
      results[kind].push(Math.max(...had) - begun);
    }
    write(
      `slot ${slot}: answered after ${answered.toFixed(1)} ms; the last plain socket after ` +
        `${results.plain.at(-1)!.toFixed(1)} ms, the last of Socket.IO after ${results.new.at(-1)!.toFixed(1)} ms`,
    );
  }
  const middle = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!.toFixed(1);
  write(`median: plain ${middle(results.plain)} ms, Socket.IO ${middle(results.new)} ms; each booking once`);
} finally {
  for (const socket of sockets) socket.terminate();
  server.kill();
  await once(server, 'exit');
  await admin.end();
  await postgres.release();
}
