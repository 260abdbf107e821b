import { setTimeout as sleep } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Config, isStartedByNpm, loadConfig } from './config/config.js';
import { Drain } from './common/http/drain.js';
import { ConfigError } from './config/config-error.js';
import { migrate } from './database/migrate.js';
import { openDatabase } from './database/open.js';
import { seedDemo } from './demo/seed-demo.js';
import { defaultSignIns, firstStart } from './first-start.js';
import { createApp } from './server.js';

/** Longer than any request may take would be too long for an operator who presses Ctrl-C. */
const DRAIN_MS = 8_000;
/** For the embedded database to stop. */
const LEAVE_MS = 12_000;

let database: ReturnType<typeof openDatabase> | undefined;
let app: NestFastifyApplication | undefined;
let isStopping = false;
const hurry = new AbortController();

async function start(): Promise<void> {
  const config = loadConfig();
  database = openDatabase(config);
  const { isEmbedded } = await database;
  let newSignIn: string | null = null;
  await migrate(config.DATABASE_URL!, async (client) => {
    newSignIn = await firstStart(client, config);
    if (config.SEED_DEMO) await seedDemo(client, config);
  });
  if (isStopping) return;
  app = await createApp(config);
  await app.listen(config.PORT, config.HOST);
  greet(config, isEmbedded, await app.getUrl(), newSignIn ? [newSignIn] : await defaultSignIns(app));
}

function greet(config: Config, isEmbedded: boolean, url: string, signIns: string[]): void {
  const at = url.replace('[::1]', 'localhost').replace('0.0.0.0', 'localhost');
  const lines = [
    `Spotter is running at ${at}`,
    `  API docs   ${at}/docs and ${at}/redoc`,
    `  Database   ${isEmbedded ? `embedded PostgreSQL in ${config.data_dir}` : 'DATABASE_URL'}`,
    ...signIns.map((signIn) => `  Sign in    ${signIn}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Stops taking connections, finishes what is under way, tells the other servers of it, and leaves the database. */
async function stop(): Promise<void> {
  if (hurry.signal.aborted) process.exit(1); // asked three times: at once
  if (isStopping) return hurry.abort(); // asked twice: what is under way is cut off
  isStopping = true;
  const { signal } = hurry;
  if (app) await Promise.race([close(app), sleep(DRAIN_MS, undefined, { signal }).catch(() => undefined)]);
  const opened = await database?.catch(() => undefined);
  await Promise.race([opened?.release(), sleep(LEAVE_MS)]);
  process.exit(signal.aborted ? 1 : 0);
}

async function close(running: NestFastifyApplication): Promise<void> {
  await running.get(Drain).finish(running.getHttpServer());
  await running.close();
  running.getHttpServer().closeAllConnections();
}

process.on('SIGINT', () => void stop());
process.on('SIGTERM', () => void stop());
if (isStartedByNpm()) {
  // npm dies of SIGTERM without passing it on; its child notices that it was left alone.
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && !isStopping && void stop(), 250).unref();
}

start().catch(async (error: NodeJS.ErrnoException) => {
  if (isStopping) return; // the database went away under it
  process.stderr.write(`${sentence(error)}\n`);
  await app?.close().catch(() => undefined);
  const opened = await database?.catch(() => undefined);
  await opened?.release();
  process.exit(1);
});

function sentence(error: NodeJS.ErrnoException): string {
  if (error instanceof ConfigError) return error.message;
  switch (error.code) {
    case 'EADDRINUSE':
      return 'Another program listens on this PORT already. Stop it, or set another PORT.';
    case 'EACCES':
      return `This user may not: ${error.message}.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'HOST is not an address of this machine.';
    default:
      return error.stack ?? error.message;
  }
}
