import { setTimeout as sleep } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { isStartedByNpm, loadConfig } from './config/config.js';
import { Drain } from './common/http/drain.js';
import { ConfigError } from './config/config-error.js';
import { migrate } from './database/migrate.js';
import { openDatabase } from './database/open.js';
import { DEMO_SIGN_IN } from './demo/demo-people.js';
import { seedDemo } from './demo/seed-demo.js';
import { defaultSignIns, firstStart } from './first-start.js';
import { checkKeys } from './key-checks.js';
import { type Log, openLog } from './observability/log-stream.js';
import { createApp } from './server.js';
import { DRAIN_MS, LEAVE_MS } from './stopping.js';

let database: ReturnType<typeof openDatabase> | undefined;
let app: NestFastifyApplication | undefined;
let log: Log | undefined;
let isStopping = false;
const hurry = new AbortController();

async function start(): Promise<void> {
  const config = loadConfig();
  log = openLog(config);
  for (const hint of [...config.hints, ...config.open_doors]) log.warn(hint);
  database = openDatabase(config, () => isStopping);
  const { place } = await database;
  let newSignIn: string | null = null;
  const migrations = await migrate(config.DATABASE_URL!, async (client) => {
    for (const hint of await checkKeys(client, config)) log?.warn(hint);
    newSignIn = await firstStart(client, config);
    if (config.SEED_DEMO) await seedDemo(client, config);
  });
  if (migrations.length > 0) log.info({ migrations }, `${migrations.length} migrations applied`);
  if (isStopping) return;
  app = await createApp(config, log);
  await app.listen(config.PORT, config.HOST);
  // Not in the log, which is kept: this is seen once.
  if (newSignIn !== null) process.stderr.write(`Sign in with ${newSignIn as string}\n`);
  greet(place, await app.getUrl(), [
    ...(newSignIn ? [] : await defaultSignIns(app)),
    ...(config.SEED_DEMO ? [DEMO_SIGN_IN] : []),
  ]);
}

function greet(place: string, url: string, signIns: string[]): void {
  const at = url.replace('[::1]', 'localhost').replace('0.0.0.0', 'localhost');
  // Whatever the level of the log: where it runs is what each operator wants to know.
  const greeting = log?.child({}, { level: 'info' });
  greeting?.info(`Spotter is running at ${at}`);
  greeting?.info(`API docs at ${at}/docs and ${at}/redoc`);
  greeting?.info(`Database: ${place}`);
  for (const signIn of signIns) greeting?.info(`Sign in with ${signIn}`);
  log?.flush();
}

/** Stops taking connections, finishes what is under way, tells the other servers of it, and leaves the database. */
async function stop(): Promise<void> {
  if (hurry.signal.aborted) process.exit(1); // asked three times: at once
  if (isStopping) return hurry.abort(); // asked twice: what is under way is cut off
  isStopping = true;
  log?.info('stopping');
  log?.flush();
  const { signal } = hurry;
  if (app) await Promise.race([close(app), sleep(DRAIN_MS, undefined, { signal }).catch(() => undefined)]);
  const left = database?.then(
    (opened) => opened.release(),
    () => undefined,
  );
  await Promise.race([left, sleep(LEAVE_MS)]);
  log?.info(signal.aborted ? 'stopped, and what was under way was cut off' : 'stopped');
  log?.flush();
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
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EROFS':
      return `The disk of DATA_DIR takes no more: ${error.message}.`;
    case 'EPERM':
    case 'EACCES':
      return `This user may not: ${error.message}.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'HOST is not an address of this machine.';
    default:
      return error.stack ?? error.message;
  }
}
