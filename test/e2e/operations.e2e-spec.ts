import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ServerProcess } from '../support/server-process.js';
import { until } from '../support/until.js';
import { startApp, type TestApp } from '../support/app.js';
import { ownDatabase } from '../support/database.js';

describe('operations', () => {
  let t: TestApp;
  beforeAll(async () => void (t = await startApp({ CORS_ORIGINS: 'https://desk.example, https://app.example' })));
  afterAll(() => t.close());

  it('says whether it lives and whether it can work', async () => {
    expect((await t.anonymous.get(`${t.url}/health/live`)).body).toEqual({ status: 'ok' });
    expect(await t.anonymous.get(`${t.url}/health/ready`)).toMatchObject({
      status: 200,
      body: { status: 'ok', database: 'ok' },
    });
  });

  it('measures requests by route and status, and watches itself', async () => {
    await t.anonymous.get('/gyms/1');
    const { body, headers } = await t.anonymous.get(`${t.url}/metrics`);
    expect(headers.get('content-type')).toContain('text/plain');
    expect(body).toMatch(/http_requests_total\{method="GET",route="\/api\/v1\/gyms\/:gym_id",status="401"\} [1-9]/);
    for (const name of [
      'http_request_duration_seconds_bucket',
      'event_loop_delay_p99_seconds',
      'database_pool_connections',
    ]) {
      expect(body).toContain(name);
    }
    // A scanner that tries a million addresses must not make a million series.
    await t.anonymous.get('/nothing/here');
    expect((await t.anonymous.get(`${t.url}/metrics`)).body).not.toContain('/nothing/here');
  });

  it('gives every answer an id, the client’s if it is a decent one', async () => {
    expect((await t.anonymous.get('/gyms')).headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/);
    const mine = await t.anonymous.get('/gyms', { 'x-request-id': 'mine-1' });
    expect(mine.headers.get('x-request-id')).toBe('mine-1');
    expect(mine.body.instance).toBe('urn:request:mine-1');
    expect((await t.anonymous.get('/gyms', { 'x-request-id': 'a b' })).headers.get('x-request-id')).not.toBe('a b');
  });

  it('answers with security headers, and to the browsers of the configured origins only', async () => {
    const from = (origin: string) =>
      t.anonymous.send('OPTIONS', '/gyms', undefined, { origin, 'access-control-request-method': 'POST' });
    expect((await from('https://desk.example')).headers.get('access-control-allow-origin')).toBe(
      'https://desk.example',
    );
    expect((await from('https://evil.example')).headers.get('access-control-allow-origin')).not.toBe(
      'https://evil.example',
    );
    for (const path of ['/gyms', '/nothing', '/users/%E0%A4%A']) {
      const { headers } = await t.anonymous.get(path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('strict-transport-security')).toContain('max-age');
      expect(headers.get('x-frame-options')).not.toBeNull();
      expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(headers.get('cache-control')).toBe('no-store');
      // It tells what a page may do.
      expect(headers.get('referrer-policy')).toBeNull();
    }
    const page = await fetch(`${t.url}/docs`);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
  });

  it('takes a path with or without a slash at its end', async () => {
    expect(await t.anonymous.get('/gyms/')).toBeRefused(401, 'not_signed_in');
    expect(await t.anonymous.get('/gyms')).toBeRefused(401, 'not_signed_in');
    expect(await t.anonymous.get('/nothing')).toBeRefused(404, 'not_found');
  });

  it('answers 503 with Retry-After while the database is away, and works again when it is back', async () => {
    const DATABASE_URL = await ownDatabase('away');
    const server = await startApp({ DATABASE_URL });
    const signedIn = await server.make.signedIn('admin', null);
    // The database lets no one in, and throws out a person who is there.
    const name = new URL(DATABASE_URL).pathname.slice(1);
    await t.db.pool.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS FALSE`);
    await t.db.pool.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
    const away = await signedIn.client.get('/gyms');
    expect(away).toBeRefused(503, 'unavailable');
    expect(away.headers.get('retry-after')).toBe('2');
    expect(await server.anonymous.get(`${server.url}/health/ready`)).toHaveStatus(503);
    expect(await server.anonymous.get(`${server.url}/health/live`)).toHaveStatus(200);
    await t.db.pool.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS TRUE`);
    // A connection that was asked for before may still be refused.
    await until(async () => (await signedIn.client.get('/gyms')).status === 200);
    await server.close();
  });

  it('logs who did what under which id, and no secret', async () => {
    const server = new ServerProcess({
      DATABASE_URL: await ownDatabase('logs', { empty: true }),
      JWT_SECRET: 'planted-jwt-secret-planted-jwt-secret',
      ENCRYPTION_KEYS: 'test:cGxhbnRlZC1rZXktcGxhbnRlZC1rZXktcGxhbnRlZC0=',
      FINGERPRINT_KEYS: 'test:cGxhbnRlZC1maW5nZXItcGxhbnRlZC1maW5nZXItcGw=',
      LOG_LEVEL: 'trace',
    });
    const anonymous = await server.ready();
    const password = 'planted-password-1';
    await anonymous.post('/auth/register', { email: 'a@example.com', password });
    await anonymous.post('/auth/register', { email: 'a@example.com', password });
    await anonymous.post('/auth/login', { email: 'a@example.com', password: 'planted-password-2' });
    await anonymous.post('/auth/login', { email: { planted: 'planted-password-3' }, password: 'planted-password-3' });
    const { body } = await anonymous.post('/auth/login', { email: 'a@example.com', password });
    const client = anonymous.withToken(body.access_token);
    await client.get('/auth/me', { 'x-request-id': 'find-me' });
    await client.get('/users/search/document/planted-document?q=planted-query');
    await client.post('/auth/change-password', { current_password: password, new_password: 'planted-password-4' });
    await anonymous.post('/auth/refresh', { refresh_token: body.refresh_token });
    expect(await server.kill('SIGTERM')).toBe(0);
    const lines = server.output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
    expect(lines.find(({ request_id }) => request_id === 'find-me')).toMatchObject({
      user_id: body.account.id,
      gym_id: 1,
      method: 'GET',
      route: '/api/v1/auth/me',
      status: 200,
    });
    expect(server.output).not.toMatch(/planted/);
    expect(server.output).not.toContain(body.access_token);
    expect(server.output).not.toContain(body.refresh_token);
  });
});
