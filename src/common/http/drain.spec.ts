import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Drain } from './drain.js';

const CROWD = 80;
const WORK_MS = 10;

describe('a server that stops', () => {
  const drain = new Drain();
  const server = http.createServer((_, answer) => {
    drain.begin(answer);
    const end = performance.now() + WORK_MS;
    while (performance.now() < end);
    answer.end('done');
  });
  afterEach(() => server.closeAllConnections());

  it('answers all who have connected, however busy it is', async () => {
    server.on('connection', (connection) => drain.opened(connection));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const ask = () =>
      new Promise((resolve) => {
        const request = http.get({ port, host: '127.0.0.1', agent: false }, (answer) => {
          answer.resume().on('end', () => resolve(answer.statusCode));
        });
        request.on('error', ({ message }) => resolve(message));
      });
    const crowd = Promise.all(Array.from({ length: CROWD }, ask));
    await drain.finish(server);
    expect(new Set(await crowd)).toEqual(new Set([200]));
  });
});
