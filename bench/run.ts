// Measures the built server beside a hand-written one that gives the same answers: both run, and take turns, so that
// whatever else the machine does hits both. Before, it compares their answers; if they differ, nothing is measured.
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { compare } from './compare.js';
import { cpuMicroseconds, postgresMicroseconds } from './cpu.js';
import { type Data, figures, openData } from './data.js';
import { type Load, load } from './load.js';
import { type Scenario, scenarios } from './scenarios.js';
import { type Server, startServer } from './servers.js';

const HELP = `npm run bench -- [options]
  --seconds 3   how long a server is measured at a time
  --rounds 5    how often each server has its turn
  --only text   only the rows whose name contains it; several with commas
  --scale 1     1: 100,000 members, 1,000,000 visits, 500,000 sales; 10: ten times as many
  --data folder where the database stays, by default .data/bench-postgres
  --fresh       make the database again
`;
const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    scale: { type: 'string', default: '1' },
    data: { type: 'string', default: path.join('.data', 'bench-postgres') },
    fresh: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
/** What a turn has caused beyond its answers is over within this time. */
const SETTLE_MS = 300;
/** Before a row each server works on it for so long, which is not counted: its code is compiled by then. */
const WARM_UP_S = 6;

/** One turn of one server. CPU in µs a request; null where it is not known. */
interface Turn extends Load {
  server: number | null;
  postgres: number | null;
}

/** Where reads begin again, so that both servers get the same, writes go on: they never repeat what was done before. */
const asked = new Map<Scenario, number>();

async function turn(
  scenario: Scenario,
  data: Data,
  { name, url, pid, tokens }: Server,
  seconds: number,
): Promise<Turn> {
  await scenario.reset?.(data);
  await sleep(SETTLE_MS);
  let number = (scenario.reset && asked.get(scenario)) ?? 0;
  const next = () => scenario.ask(data.facts, tokens, number++);
  const cpu = () => [cpuMicroseconds(pid), data.postmaster && postgresMicroseconds(data.postmaster)] as const;
  const before = cpu();
  const done = await load(url, scenario.connections, seconds, next, scenario.isTogether);
  const after = cpu();
  asked.set(scenario, number);
  requireExpected(scenario, name, done);
  const used = before.map((from, n) => {
    const to = after[n]!;
    return from === null || to === null ? null : (to - from) / done.requests;
  });
  return { ...done, server: used[0]!, postgres: used[1]! };
}

/** What was refused that should not have been, or succeeded that should not, is no measurement. */
function requireExpected(scenario: Scenario, name: string, { requests, statuses }: Load): void {
  const succeeded = (statuses.get(200) ?? 0) + (statuses.get(201) ?? 0);
  const expected = scenario.successes?.(requests) ?? requests;
  if (succeeded === expected && succeeded + (statuses.get(409) ?? 0) === requests) return;
  const counts = [...statuses].map(([status, count]) => `${status}: ${count}`).join(', ');
  throw new Error(`${name}, ${scenario.name}: of ${requests} requests ${expected} should succeed, but ${counts}`);
}

async function measure(scenario: Scenario, data: Data, servers: Server[]): Promise<Turn[][]> {
  const turns: Turn[][] = servers.map(() => []);
  for (const server of servers) await turn(scenario, data, server, WARM_UP_S);
  for (let round = 0; round < Number(options.rounds); round++) {
    const order = servers.map((_, n) => n);
    // Who goes first changes: the second finds the machine warm.
    for (const n of round % 2 ? order.toReversed() : order) {
      turns[n]!.push(await turn(scenario, data, servers[n]!, Number(options.seconds)));
    }
  }
  return turns;
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

function row([ours, theirs]: Turn[][]): Record<string, string | number> {
  const both = (of: (turn: Turn) => number | null): [number, number] | null => {
    const values = [ours!, theirs!].map((turns) => turns.map(of));
    if (values.flat().includes(null)) return null;
    return values.map((numbers) => median(numbers as number[])) as [number, number];
  };
  const pair = (values: [number, number] | null, digits = 0) =>
    values === null ? '-' : values.map((value) => value.toFixed(digits)).join(' / ');
  const ratio = (values: [number, number] | null) => (values === null ? '-' : (values[0] / values[1]).toFixed(2));
  const perSecond = both(({ requests, seconds }) => requests / seconds);
  const cpu = both(({ server, postgres }) => (server === null || postgres === null ? null : server + postgres));
  return {
    'ratio req/s': ratio(perSecond),
    'ratio CPU': ratio(cpu),
    'req/s': pair(perSecond),
    'server µs': pair(both(({ server }) => server)),
    'PostgreSQL µs': pair(both(({ postgres }) => postgres)),
    bytes: Math.round(median(ours!.map(({ bytes }) => bytes))),
    'p50 ms': pair(
      both(({ p50 }) => p50),
      1,
    ),
    'p99 ms': pair(
      both(({ p99 }) => p99),
      1,
    ),
  };
}

async function main(): Promise<void> {
  const parts = options.only.split(',');
  const chosen = scenarios.filter(({ name }) => parts.some((part) => name.includes(part)));
  const data = await openData(options.data, figures(Number(options.scale)), options.fresh);
  const servers: Server[] = [];
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // What is under way fails when its server goes, and the end below is reached.
    process.once(signal, () => servers.forEach((server) => void server.stop()));
  }
  try {
    servers.push(await startServer('spotter', '../src/main.js', data.url, options.data));
    servers.push(await startServer('hand-written', 'hand-written.js', data.url, options.data));
    for (const scenario of chosen) {
      const difference = await compare(scenario, data, servers as [Server, Server]);
      if (difference === null) continue;
      process.exitCode = 1;
      process.stdout.write(`${scenario.name}: the answers differ.\n${difference}\n`);
    }
    if (process.exitCode) return void process.stdout.write('Nothing is measured.\n');
    process.stdout.write('Both give the same answers. Each pair is spotter / hand-written; µs are CPU a request.\n');
    const rows: Record<string, Record<string, string | number>> = {};
    for (const scenario of chosen) {
      rows[scenario.name] = row(await measure(scenario, data, servers));
      process.stdout.write(`${scenario.name}: ${JSON.stringify(rows[scenario.name])}\n`);
    }
    console.table(rows);
  } finally {
    for (const server of servers) await server.stop();
    await data.close();
  }
}

if (options.help) process.stdout.write(HELP);
else await main();
