import os from 'node:os';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Config, loadConfig } from '../../src/config/config.js';
import { Database } from '../../src/database/database.js';
import { createApp } from '../../src/server.js';
import { workerDatabase } from './database.js';
import { Factory } from './factory.js';
import { HttpClient } from './http-client.js';

export interface TestApp {
  app: NestFastifyApplication;
  url: string;
  config: Config;
  db: Database;
  /** Makes gyms and people, and signs them in. */
  make: Factory;
  /** The client of a caller without a token. */
  anonymous: HttpClient;
  close(): Promise<void>;
}

export const testConfig = (settings: Record<string, string> = {}): Config =>
  loadConfig({
    NODE_ENV: 'test',
    PORT: '0',
    JWT_SECRET: 'a secret that only the tests know, of some length',
    ENCRYPTION_KEYS: 'test:dGVzdC1rZXktdGVzdC1rZXktdGVzdC1rZXktdGVzdC0=',
    FINGERPRINT_KEYS: 'test:ZmluZ2VyLWtleS1maW5nZXIta2V5LWZpbmdlci1rZXk=',
    BCRYPT_ROUNDS: '4',
    DATABASE_POOL_SIZE: '15',
    // Attachments of messages are files in it.
    DATA_DIR: path.join(os.tmpdir(), `spotter-test-${process.env.JEST_WORKER_ID}`),
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'fatal',
    ...settings,
  });

/** The whole server on a real port and a real database: this worker's, unless DATABASE_URL names another. */
export async function startApp(settings: Record<string, string> = {}): Promise<TestApp> {
  const config = testConfig({ DATABASE_URL: await workerDatabase(), ...settings });
  const app = await createApp(config);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const db = app.get(Database);
  const anonymous = new HttpClient(`${url}/api/v1`);
  const close = async () => {
    app.getHttpServer().closeAllConnections();
    await app.close();
  };
  return { app, url, config, db, make: new Factory(db, anonymous), anonymous, close };
}
