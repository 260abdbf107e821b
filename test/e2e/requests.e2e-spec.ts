import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { validation } from '../../src/common/http/validation.js';
import { FieldsError, allProblemKinds } from '../../src/common/errors/domain-error.js';
import { startApp, type TestApp } from '../support/app.js';
import { PASSWORD, type SignedIn, unique } from '../support/factory.js';
import { rawRequest, type RawAnswer, sayRaw } from '../support/raw-http.js';
import { SocketClient } from '../support/socket-client.js';
import { makeWorld, type World } from '../support/world.js';

const PAGE = 'https://desk.example';

describe('requests', () => {
  let t: TestApp;
  let world: World;
  let admin: SignedIn;
  beforeAll(async () => {
    // Old clients have their own way of telling an error, at `/` too.
    t = await startApp({ CORS_ORIGINS: `${PAGE}, https://app.example`, LEGACY_CLIENTS: 'none' });
    world = await makeWorld(t);
    admin = await t.make.signIn(world.own.people.admin);
  });
  afterAll(async () => {
    SocketClient.closeAll();
    await t.close();
  });

  const isProblem = ({ status, headers, body }: RawAnswer, code: string) => {
    expect({ status: body.status, type: headers['content-type']?.split(';')[0], code: body.code }).toEqual({
      status,
      type: 'application/problem+json',
      code,
    });
    expect(body.instance).toBe(`urn:request:${headers['x-request-id']}`);
    return status;
  };
  const say = (line: string, headers?: Record<string, string>, body?: string) =>
    sayRaw(t.url, rawRequest(line, headers, body));

  describe('text', () => {
    it.each([
      ['a lone surrogate', { name: '\ud800' }],
      ['one in the middle', { name: 'a\udc00b' }],
      ['one as a key', { '\ud800': 1 }],
      ['one deep inside', { name: 'x', more: [{ deep: '\ud83d' }] }],
      ['NUL', { name: 'a\u0000' }],
    ])('with %s is 400', async (_, body) => {
      expect(await admin.client.post('/gyms', body)).toBeRefused(400, 'malformed');
    });

    it('that is not UTF-8 is 400, in bodies and addresses', async () => {
      const authorization = { Authorization: `Bearer ${admin.access_token}`, 'Content-Type': 'application/json' };
      const body = Buffer.from('{"name":"a\xff"}', 'latin1');
      const head = rawRequest('POST /api/v1/gyms', { ...authorization, 'Content-Length': String(body.length) });
      expect(isProblem(await sayRaw(t.url, Buffer.concat([Buffer.from(head), body])), 'malformed')).toBe(400);
      expect(isProblem(await say('GET /api/v1/users/search/document/%ED%A0%80', authorization), 'malformed')).toBe(400);
      expect((await say('GET /api/v1/users/search?q=%ED%A0%80', authorization)).status).toBeLessThan(500);
      expect(await say('GET /api/v1/gyms', { ...authorization, 'Idempotency-Key': 'é\xff' })).toHaveStatus(200);
    });

    it('is refused in socket messages, too', async () => {
      const socket = await SocketClient.connect(t.url, '/checkins', { token: admin.access_token });
      expect(await socket.ask('check_in', { member_id: 1, notes: '\ud800' })).toBeRefused('malformed');
    });

    it.each(['\u200b', '\u200b\u200d', '\u0301', '\u0007', '\u3164', '\u2800', '\u00ad', '\ufeff', '\u202e', '\u115f'])(
      'as a name has a character that can be seen: %j has none',
      async (name) => expect(await admin.client.post('/gyms', { name })).toHaveWrongFields('name'),
    );

    it.each(['é', '👍🏽', '中', '7', '-', 'نادي', 'e\u0301'])('as a name may be %j', async (name) => {
      const body = { name: `${name} ${unique('gym')} ${name}` };
      expect(await admin.client.post('/gyms', body)).toHaveStatus(201);
      const address = await admin.client.put(`/gyms/${world.own.gym.id}`, { address: name });
      expect(address).toHaveStatus(200);
    });
  });

  describe('addresses', () => {
    it.each([
      ...[
        '/docs/../package.json',
        '/docs/%2e%2e/package.json',
        '/docs/..%2fpackage.json',
        '/docs/%2e%2e%2fpackage.json',
      ],
      ...['/docs/..%5cpackage.json', '/docs\\..\\package.json', '//docs//../package.json', '/docs/.%2e/package.json'],
      ...['/docs/%2e%2e/%2e%2e/%2e%2e/etc/passwd', '/docs//etc/passwd', '/docs/.env', '//', '/api/v1//gyms'],
      ...['/api/v1/nothing', '/api/v1', '/', '/nothing', '/api/v1/gyms/1/nothing', '/docs/%252e%252e/package.json'],
    ])('that name nothing of ours are 404: %s', async (address) => {
      expect(isProblem(await say(`GET ${address}`), 'not_found')).toBe(404);
      const authorization = { Authorization: `Bearer ${admin.access_token}` };
      expect(isProblem(await say(`GET ${address}`, authorization), 'not_found')).toBe(404);
    });

    it.each(['PROPFIND', 'TRACE', 'PATCH', 'LOCK', 'OPTIONS', 'SEARCH'])('do not take %s: 404', async (method) => {
      expect(isProblem(await say(`${method} /api/v1/gyms`), 'not_found')).toBe(404);
    });

    it('answer HEAD as GET, without the body', async () => {
      const authorization = { Authorization: `Bearer ${admin.access_token}` };
      const [head, get] = [await say('HEAD /api/v1/gyms', authorization), await say('GET /api/v1/gyms', authorization)];
      expect([head.status, head.body, head.headers['content-type']]).toEqual([200, '', get.headers['content-type']]);
      expect(await say('HEAD /api/v1/gyms')).toHaveStatus(401);
      expect(await say('HEAD /nothing')).toHaveStatus(404);
    });
  });

  describe('that Node would answer by itself', () => {
    it('get a problem with a request id', async () => {
      const { url } = t;
      expect(isProblem(await sayRaw(url, 'hello there\r\n\r\n'), 'malformed')).toBe(400);
      expect(isProblem(await sayRaw(url, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'), 'malformed')).toBe(400);
      const large = rawRequest('GET /', { Origin: PAGE, X: 'x'.repeat(100_000) });
      const refused = await sayRaw(url, large);
      expect(isProblem(refused, 'headers_too_large')).toBe(431);
      expect(refused.headers['access-control-allow-origin']).toBe(PAGE);
      expect(isProblem(await say('GET /', { Expect: 'a miracle' }), 'expectation_failed')).toBe(417);
      expect(
        isProblem(await say('GET /', { 'Transfer-Encoding': 'chunked', 'Content-Length': '5' }), 'malformed'),
      ).toBe(400);
    });

    it('goes on after Expect: 100-continue', async () => {
      const body = JSON.stringify({ email: 'nobody@example.com', password: 'whatever it is' });
      const answer = await say(
        'POST /api/v1/auth/login',
        { Expect: '100-continue', 'Content-Type': 'application/json', 'Content-Length': String(body.length) },
        body,
      );
      expect([answer.status, answer.body]).toEqual([100, expect.stringContaining('HTTP/1.1 401')]);
    });

    it.each(['websocket', 'h2c'])('are answered without the upgrade they ask for: %s', async (upgrade) => {
      const headers = { Connection: 'Upgrade', Upgrade: upgrade, 'Sec-WebSocket-Version': '13', Origin: PAGE };
      const unknown = await say('GET /ws/nothing', headers);
      expect(isProblem(unknown, 'not_found')).toBe(404);
      expect(unknown.headers['access-control-allow-origin']).toBe(PAGE);
      expect(isProblem(await say('GET /api/v1/gyms', headers), 'not_signed_in')).toBe(401);
      expect(await say('GET /health/live', headers)).toHaveStatus(200);
      const body = JSON.stringify({ email: admin.email, password: PASSWORD });
      const sent = { ...headers, 'Content-Type': 'application/json', 'Content-Length': String(body.length) };
      expect(await say('POST /api/v1/auth/login', sent, body)).toHaveStatus(200);
    });

    it('get a problem on a connection that has answered before, too', async () => {
      const head = rawRequest('GET /health/live', { Connection: 'keep-alive' });
      const both = await sayRaw(t.url, head, 'hello there\r\n\r\n');
      expect([both.status, both.body]).toEqual([200, expect.stringMatching(/HTTP\/1.1 400 .*"code":"malformed"/s)]);
    });

    it('are 404 for a proxy that we are not', async () => {
      expect(isProblem(await say('CONNECT example.com:443'), 'not_found')).toBe(404);
    });

    it('get a problem when they do not arrive within 10 s', async () => {
      expect(isProblem(await sayRaw(t.url, 'GET / HTTP/1.1\r\nHost: x\r\n'), 'request_timeout')).toBe(408);
    });
  });

  describe('from pages of other origins', () => {
    const ASKED =
      'authorization,content-type,refresh,x-csrftoken,x-content-type-options,x-frame-options,x-xss-protection,x-request-id,idempotency-key';
    const preflight = (path: string, method: string, origin = PAGE, asked = ASKED) =>
      t.anonymous.send('OPTIONS', path, undefined, {
        origin,
        'access-control-request-method': method,
        'access-control-request-headers': asked,
      });
    const list = (headers: Headers, name: string) => (headers.get(name) ?? '').toLowerCase().split(/, */);

    /** As a browser does: it asks, reads what it may, sends, and shows the answer only if it names the page's origin. */
    async function asBrowser(method: string, path: string, body?: object, token = admin.access_token) {
      const asked = await preflight(path, method);
      expect(asked).toHaveStatus(204);
      for (const { headers } of [asked]) {
        expect(headers.get('access-control-allow-origin')).toBe(PAGE);
        expect(headers.get('access-control-allow-credentials')).toBe('true');
        expect(list(headers, 'access-control-allow-methods')).toContain(method.toLowerCase());
        expect(list(headers, 'access-control-allow-headers')).toEqual(expect.arrayContaining(ASKED.split(',')));
      }
      const answer = await t.anonymous
        .withToken(token)
        .send(method, path, body, { origin: PAGE, 'x-request-id': 'page-1' });
      expect(answer.headers.get('access-control-allow-origin')).toBe(PAGE);
      expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
      expect(list(answer.headers, 'vary')).toContain('origin');
      expect(list(answer.headers, 'access-control-expose-headers')).toEqual([
        ...['link', 'x-total-count', 'x-request-id', 'retry-after', 'content-disposition'],
      ]);
      return answer.status;
    }

    it('every method works, and every refusal can be read', async () => {
      expect(await asBrowser('GET', '/gyms')).toBe(200);
      expect(await asBrowser('PUT', `/gyms/${world.own.gym.id}`, { address: 'Here' })).toBe(200);
      expect(await asBrowser('POST', '/gyms', { name: `From a page ${world.own.mark}` })).toBe(201);
      const { id } = await t.make.gym();
      expect(await asBrowser('DELETE', `/gyms/${id}`)).toBe(204);
      expect(await asBrowser('GET', '/gyms', undefined, 'no token')).toBe(401);
      expect(await asBrowser('GET', '/nothing')).toBe(404);
      expect(await asBrowser('PATCH', '/gyms')).toBe(404);
      expect(await asBrowser('POST', '/gyms', {})).toBe(422);
      expect(await asBrowser('POST', '/gyms', { name: 'x'.repeat(2_000_000) })).toBe(413);
      expect(await asBrowser('GET', '/users/%E0%A4%A')).toBe(400);
    });

    it('other origins are told nothing that lets them read', async () => {
      for (const { headers } of [
        await preflight('/gyms', 'PUT', 'https://evil.example'),
        await admin.client.get('/gyms', { origin: 'https://evil.example' }),
      ]) {
        expect(headers.get('access-control-allow-origin')).toBeNull();
        expect(headers.get('access-control-allow-methods')).toBeNull();
        expect(headers.get('vary')).toContain('Origin');
      }
    });

    it('`*` echoes each origin, and the same counts for Socket.IO', async () => {
      const open = await startApp({ CORS_ORIGINS: '*' });
      const poll = (url: string, origin: string) =>
        fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } });
      const answers = [
        await fetch(`${open.url}/api/v1/gyms`, { headers: { origin: 'https://any.example' } }),
        await poll(open.url, 'https://any.example'),
      ];
      for (const { headers } of answers) {
        expect(headers.get('access-control-allow-origin')).toBe('https://any.example');
        expect(headers.get('access-control-allow-credentials')).toBe('true');
        expect(headers.get('vary')).toContain('Origin');
      }
      expect((await poll(t.url, PAGE)).headers.get('access-control-allow-origin')).toBe(PAGE);
      expect((await poll(t.url, 'https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
      await open.close();
    });
  });

  describe('that are refused', () => {
    it('name a field on every 422, and a time to wait on every 503', async () => {
      const kinds = allProblemKinds();
      expect(kinds.filter(({ status }) => status === 503).length).toBeGreaterThan(2);
      for (const { code, status, retry_after } of kinds) {
        if (status === 503) expect(retry_after).toEqualFor(code, expect.any(Number));
      }
      const pipe = validation.transform([], { type: 'body', metatype: class Something {} });
      await pipe.catch((error: unknown) => {
        expect(error).toBeInstanceOf(FieldsError);
        expect((error as FieldsError).data.errors.length).toBeGreaterThan(0);
      });
      const { manager } = world.own.people;
      const upload = '/devices/access';
      expect(await manager.client.post(upload, {})).toHaveWrongFields('user_id');
    });

    it.each([
      ['/sales?start_date=2026-02-30', 'start_date'],
      ['/sales?end_date=2026-13-01', 'end_date'],
      ['/sales/daily?date=2026-04-31', 'date'],
      ['/slots?date=2026-02-29&gym_id=1', 'date'],
      ['/attendance/daily/2026-02-30', 'date'],
      ['/attendance?start_date=2025-02-29', 'start_date'],
      ['/user-plans?expiring_before=2026-02-30', 'expiring_before'],
      ['/user-plans?expiring_before=2026-02-30T00:00:00Z', 'expiring_before'],
    ])('because a day does not exist say which: %s', async (path, field) => {
      expect(await admin.client.get(path)).toHaveWrongFields(field);
    });

    it('because a cursor is of another list, filter or gym, or made up, say so', async () => {
      const { own, other } = world;
      const next = async (path: string, { client } = admin) => {
        const { headers } = await client.get(path);
        return /cursor=([\w-]+)/.exec(headers.get('link') ?? '')![1]!;
      };
      const refused = async (path: string, cursor: string, { client } = admin) => {
        const glue = path.includes('?') ? '&' : '?';
        expect(await client.get(`${path}${glue}cursor=${cursor}`)).toHaveWrongFields('cursor');
      };
      const users = await next('/users?limit=1');
      for (const path of [
        '/gyms',
        '/plans',
        '/products',
        '/devices',
        '/sales',
        '/attendance',
        '/measurements',
        '/user-plans',
      ]) {
        await refused(path, users);
      }
      await refused('/users?role=user', users);
      await refused(`/users?gym_id=${own.gym.id}`, users);
      const ofOwn = await next('/users?limit=1', own.people.manager);
      await refused('/users', ofOwn, other.people.manager);
      expect(await own.people.manager.client.get(`/users?limit=3&cursor=${ofOwn}`)).toHaveStatus(200);
      const gyms = await next('/gyms?limit=1');
      const [list] = JSON.parse(Buffer.from(gyms, 'base64url').toString());
      for (const values of [['x', 'not an id'], [1, 'x'], [], ['x'], ['x', 1e15], ['\u0000', 1], [null, 1]]) {
        await refused('/gyms', Buffer.from(JSON.stringify([list, ...values])).toString('base64url'));
      }
      for (const cursor of ['x', 'bnVsbA', 'e30']) await refused('/gyms', cursor);
      const [sales, , id] = JSON.parse(Buffer.from(await next('/sales?limit=1'), 'base64url').toString());
      for (const moment of [
        '+010000-01-01T00:00:00.000Z',
        '-271821-04-20T00:00:00.000Z',
        '2026-01-01T00:00:00+99:00',
      ]) {
        await refused('/sales', Buffer.from(JSON.stringify([sales, moment, id])).toString('base64url'));
      }
    });
  });
});
