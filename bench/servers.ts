// The two servers, each a process of its own, on one database.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BOOKERS, PASSWORD } from './data.js';

export interface Server {
  name: string;
  url: string;
  pid: number;
  /** Access tokens by the name of the account. */
  tokens: Record<string, string>;
  stop(): Promise<void>;
}

const START_MS = 60_000;
const here = path.dirname(fileURLToPath(import.meta.url));
const key = `k:${Buffer.alloc(32).toString('base64')}`;

/** Starts a server as in production: what it logs goes into a file in `folder`. */
export async function startServer(name: string, script: string, databaseUrl: string, folder: string): Promise<Server> {
  const log = path.join(folder, `${name}.log`);
  const out = openSync(log, 'w');
  const { npm_lifecycle_event: _, ...environment } = process.env;
  const child = spawn(process.execPath, ['--enable-source-maps', path.join(here, script)], {
    env: {
      ...environment,
      NODE_ENV: 'production',
      DATABASE_URL: databaseUrl,
      PORT: '0',
      HOST: '127.0.0.1',
      LOG_LEVEL: 'info',
      JWT_SECRET: 'a secret that only the benchmark knows',
      ENCRYPTION_KEYS: key,
      FINGERPRINT_KEYS: key,
    },
    stdio: ['ignore', out, 'inherit'],
  });
  closeSync(out);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async () => {
    child.kill();
    await ended;
  };
  const url = await addressIn(log, () => child.exitCode !== null);
  if (url === null) throw new Error(`${name} did not start: see ${log}`);
  const server: Server = { name, url, pid: child.pid!, tokens: {}, stop };
  const members = Array.from({ length: BOOKERS }, (_account, n) => `member${n + 1}`);
  for (const account of ['admin', 'manager', 'reception', ...members]) {
    server.tokens[account] = await signIn(url, account).catch(async (error: unknown) => {
      await stop();
      throw error;
    });
  }
  return server;
}

/** The address that a server has written into its log, once it is there. */
async function addressIn(log: string, hasEnded: () => boolean): Promise<string | null> {
  for (const deadline = Date.now() + START_MS; Date.now() < deadline && !hasEnded(); await sleep(50)) {
    const found = /running at ([^\s"]+)/.exec(readFileSync(log, 'utf8'))?.[1];
    if (found) return found;
  }
  return null;
}

async function signIn(url: string, account: string): Promise<string> {
  const answer = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: `${account}@bench.example`, password: PASSWORD }),
  });
  if (!answer.ok) throw new Error(`${account} cannot sign in: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { access_token: string }).access_token;
}
