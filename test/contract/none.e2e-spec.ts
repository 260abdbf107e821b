import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ownDatabase } from '../support/database.js';
import { PlainClient } from '../support/plain-client.js';
import { plain } from '../support/plain-http.js';
import { ServerProcess } from '../support/server-process.js';

/** Says on stderr which files of legacy/ are loaded. */
const hook =
  'function load(url, context, next) { if (url.includes("/dist/src/legacy/")) writeSync(2, "loaded " + url + "\\n"); ' +
  'return next(url, context); }';
const fs = 'import { writeSync } from "node:fs";';
const inDataUrl = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;
// Node 26 has no `register` any more, and Node 20 no `registerHooks` yet.
const watch =
  `import * as module from "node:module"; ${fs} ${hook} if (module.registerHooks) module.registerHooks({ load }); ` +
  `else module.register(${JSON.stringify(inDataUrl(`${fs} export async ${hook}`))});`;
const NODE_OPTIONS = `--import=${inDataUrl(watch)}`;

const PATHS = [
  ...['/api/auth/login', '/api/auth/token', '/api/accounts', '/api/customers', '/gymgem-web/api/auth/login'],
  ...['/slots', '/book-slot', '/ws/health', '/docs/legacy/gymgem', '/api/schema'],
];
const SOCKETS = ['/ws/gym/1', '/ws/user/1', '/ws/checkins', '/ws/chat/1', '/slot-booking', '/devices/read/0'];

describe('LEGACY_CLIENTS', () => {
  const DATA_DIR = mkdtempSync(path.join(os.tmpdir(), 'spotter-legacy-'));
  const running: ServerProcess[] = [];
  afterAll(async () => {
    await Promise.all(running.map((server) => server.kill('SIGKILL')));
    rmSync(DATA_DIR, { recursive: true });
  });

  async function start(settings: Record<string, string>) {
    const DATABASE_URL = await ownDatabase('legacy_none');
    const server = new ServerProcess({ DATA_DIR, DATABASE_URL, NODE_ENV: 'test', NODE_OPTIONS, ...settings });
    running.push(server);
    const url = (await server.ready()).base.replace('/api/v1', '');
    return { server, url };
  }

  it('none: nothing of it is reachable, and nothing of it is loaded', async () => {
    const { server, url } = await start({ LEGACY_CLIENTS: 'none' });
    for (const address of PATHS) {
      for (const method of ['GET', 'POST']) {
        const { status, body } = await plain(method, url + address);
        expect([method, address, status, body.code]).toEqual([method, address, 404, 'not_found']);
      }
    }
    for (const address of SOCKETS) {
      expect([address, await PlainClient.status(url + address)]).toEqual([address, 404]);
    }
    expect(server.errors).not.toContain('loaded ');
  });

  it('one of them: the others are not reachable', async () => {
    const { server, url } = await start({ LEGACY_CLIENTS: 'av-checkins' });
    // What is loaded is seen by this test, too.
    expect(server.errors).toContain('loaded ');
    expect((await plain('POST', `${url}/api/auth/token/`, { body: {} })).status).toBe(400);
    for (const address of ['/api/auth/login', '/api/accounts', '/api/customers', '/gymgem-web/api/auth/login']) {
      // Whatever their body is.
      for (const body of [undefined, new FormData(), '{', 'x'.repeat(2_000_000)]) {
        const answer = await plain('POST', url + address, { body });
        expect([address, answer.status, answer.body]).toEqual([
          ...[address, 404],
          { success: false, error: 'Not found', detail: 'Not found', message: 'Not found' },
        ]);
      }
    }
    for (const address of SOCKETS) {
      expect([address, await PlainClient.status(url + address)]).toEqual([
        address,
        address === '/ws/checkins' ? 101 : 404,
      ]);
    }
    expect((await plain('GET', `${url}/docs/legacy/av-checkins`)).status).toBe(200);
    expect((await plain('GET', `${url}/docs/legacy/gymgem`)).status).toBe(404);
    PlainClient.closeAll();
  });
});
