import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { type Route, RouteTable } from '../../src/common/actor/route-table.js';
import { Random } from '../../src/demo/random.js';
import { startApp, type TestApp } from '../support/app.js';
import type { Answer, HttpClient } from '../support/http-client.js';
import { type Call, routeCases } from '../support/route-cases.js';
import { makeWorld, type World } from '../support/world.js';

const INTERNALS =
  /node_modules|\.[jt]s:\d|\bat \S+ \(|\b(select|insert|update|delete|from|where)\b.*\b(users|gyms|sessions|user_plans|stock_movements|attendance)\b|syntax error|constraint|relation "|column "|pg_|postgres|typeerror|referenceerror|undefined|\[object|ECONN|fastify|FST_|nestjs/i;

const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const deepObject = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

/** Values that no field expects. */
const STRANGE: unknown[] = [
  ...[
    null,
    true,
    0,
    -1,
    1.5,
    1e308,
    2 ** 31,
    2 ** 53,
    2 ** 63,
    '9223372036854775808',
    '-0',
    'NaN',
    '',
    ' ',
    'x'.repeat(70_000),
  ],
  ...[
    '\u0000',
    'a\u0000b',
    '\ud800',
    '💪'.repeat(300),
    "'; DROP TABLE users; --",
    '<script>',
    '${7*7}',
    '../../etc/passwd',
  ],
  ...[1e-7, 0.001, '1e3', '0x10', 'infinity', 'now', '2026-02-30', '0000-01-01', '2026-01-01T10Z'],
  ...['2026-01-01T00:00:00+23:00', '2026-01-01T00:00:00', '294277-01-01T00:00:00Z', '1900-01-01T00:00:00Z'],
  ...[
    [],
    [1, 2],
    {},
    { $gt: '' },
    { toString: 'x' },
    { length: 5 },
    [[['x']]],
    '__proto__',
    { constructor: { prototype: 1 } },
  ],
];

/** Bodies that are not even JSON objects. */
const BODIES = [
  ...[
    '{',
    '{"a":}',
    '[1,2',
    'nonsense',
    '"text"',
    '5',
    'true',
    'null',
    '[]',
    '[{}]',
    '[1]',
    '{"a":1}{"b":2}',
    "{'a':1}",
  ],
  ...[
    '{"__proto__":{"role":"admin"}}',
    '{"constructor":{"prototype":{"x":1}}}',
    '{"a":"\\ud800"}',
    '{"a":"\\u0000"}',
    '\u0000',
  ],
  ...[deep(50), deepObject(50), deep(100_000), deepObject(50_000), '1e999', '[1e999]', '\ufeff{}', '{"\u0000":1}'],
];

describe('malformed requests', () => {
  let t: TestApp;
  let world: World;
  let routes: Route[];
  let client: HttpClient;
  let document: OpenAPIObject;

  beforeAll(async () => {
    t = await startApp({ SIGN_IN_FAILURES_PER_ADDRESS: '100000', REGISTRATIONS_PER_ADDRESS: '100000' });
    world = await makeWorld(t);
    routes = t.app
      .get(RouteTable)
      .routes.filter(
        ({ path }) => !/^(health|metrics|redoc|openapi|errors|asyncapi|reset-password|favicon)/.test(path),
      );
    client = (await t.make.signIn(world.own.people.admin)).client;
    document = (await t.anonymous.get(`${t.url}/openapi.json`)).body;
  });
  afterAll(() => t.close());

  function check(what: unknown, { status, body, headers }: Answer): void {
    expect(status < 500).toEqualFor(what, true);
    if (status < 400) return;
    expect(headers.get('content-type')).toContain('application/problem+json');
    if (body.code === 'fields_invalid') expect(body.errors.length > 0).toEqualFor(what, true);
    // What the client sent may come back to it; nothing of ours may.
    const { instance: _instance, detail, ...told } = body;
    expect(INTERNALS.test(JSON.stringify(told))).toEqualFor(what, false);
    expect(INTERNALS.test(String(detail).slice(0, 300))).toEqualFor(what, false);
  }

  /** Sends as an admin, with a new session if the last request happened to end it. */
  async function send(method: string, path: string, body?: string, headers?: Record<string, string>): Promise<Answer> {
    const answer = await client.send(method, path, body, headers);
    if (answer.status === 401 || answer.status === 205) client = (await t.make.signIn(world.own.people.admin)).client;
    return answer;
  }

  async function rightCall(route: Route): Promise<Call> {
    const known = routeCases[`${route.method} ${route.path}`];
    if (known) return known.call(world, 'admin');
    return { path: `/${route.path}`, body: { email: 'a@example.com', password: 'whatever it is', refresh_token: 'x' } };
  }

  const operationOf = ({ method, path }: Route) =>
    (document.paths[`/api/v1/${path.replace(/:(\w+)/g, '{$1}')}`] as Record<string, any>)[method.toLowerCase()];

  /** The fields and the filters that a route knows, as documented. */
  function documented(route: Route): { fields: string[]; filters: string[] } {
    const { requestBody, parameters } = operationOf(route);
    const schema = requestBody?.content['application/json'].schema.$ref.split('/').at(-1);
    const queries = parameters.filter((parameter: { in: string }) => parameter.in === 'query');
    return {
      fields: schema ? Object.keys((document.components!.schemas![schema] as { properties: object }).properties) : [],
      filters: queries.map(({ name }: { name: string }) => name),
    };
  }

  it('3,000 of them get a clear error each, and none gets inside', async () => {
    const random = new Random(20260101);
    const refused: number[] = [];
    for (let count = 0; count < 3000; count++) {
      const route = random.pick(routes);
      const { path, body } = await rightCall(route);
      let sentPath = path;
      let sentBody: string | undefined;
      const headers: Record<string, string> = {};
      const { fields, filters } = documented(route);
      switch (random.int(1, 5)) {
        case 1: // one field is strange
          sentBody = JSON.stringify({
            ...(body as object),
            [random.pick([...fields, 'anything'])]: random.pick(STRANGE),
          });
          break;
        case 2: // all of it is strange
          sentBody = random.pick(BODIES);
          break;
        case 3: // an id is strange
          sentPath = path.replace(/\d+(?=$|\/|\?)/, asText(random.pick(STRANGE)));
          break;
        case 4: // a filter is strange
          sentPath = `${path}${path.includes('?') ? '&' : '?'}${random.pick([...filters, 'anything'])}=${asText(random.pick(STRANGE))}`;
          break;
        default: // a header is strange
          headers[random.pick(['idempotency-key', 'x-request-id', 'accept', 'content-type', 'authorization'])] =
            random.pick([
              ...[
                '',
                'x',
                'text/xml',
                'Bearer',
                'Bearer x.y.z',
                'Basic YTpi',
                'application/json; charset=utf-16',
                'é',
                'a'.repeat(5000),
              ],
            ]);
          sentBody = JSON.stringify(body ?? {});
      }
      if (route.method === 'GET') sentBody = undefined;
      const answer = await send(route.method, sentPath, sentBody, headers);
      check([route.method, sentPath.slice(0, 200), sentBody?.slice(0, 200), headers], answer);
      refused.push(answer.status);
    }
    // The battery is no battery if most of it passes.
    expect(refused.filter((status) => status >= 400).length).toBeGreaterThan(1200);
  });

  it('no body is refused where the document wants one, and nowhere else', async () => {
    let optional = 0;
    for (const route of routes) {
      const { requestBody } = operationOf(route);
      if (!requestBody) continue;
      const { path } = await rightCall(route);
      const { status, body } = await send(route.method, path);
      expect(status === 422).toEqualFor([route.method, path, body], requestBody.required);
      if (!requestBody.required) optional++;
    }
    expect(optional).toBeGreaterThan(15);
  });

  it('every kind of body is refused as what it is', async () => {
    const answer = async (body: string, type = 'application/json') =>
      (await send('POST', '/gyms', body, { 'content-type': type })).status;
    expect(await answer('{')).toBe(400);
    expect(await answer('{"name":"a\\u0000b"}')).toBe(400);
    expect(await answer(deepObject(50_000))).toBe(400);
    expect(await answer(`{"name":"x","__proto__":{}}`)).toBe(400);
    expect(await answer('[]')).toBe(422);
    expect(await answer('[{"name":"array gym"}]')).toBe(422);
    expect(await answer('null')).toBe(422);
    expect(await answer('"text"')).toBe(422);
    expect(await answer('')).toBe(422);
    expect(await answer('<a/>', 'text/xml')).toBe(415);
    expect(await answer('name=x', 'application/x-www-form-urlencoded')).toBe(415);
    const zipped = { 'content-encoding': 'gzip', 'content-type': 'application/json' };
    expect(await send('POST', '/gyms', '{}', zipped)).toBeRefused(415, 'media_type_not_supported');
    expect(await send('GET', '/gyms', undefined, zipped)).toHaveStatus(200);
    expect(await send('GET', '/users/2147483648')).toHaveStatus(422);
    expect(await send('GET', '/users/9223372036854775808')).toHaveStatus(422);
    expect(await send('GET', '/users/%00')).toHaveStatus(400);
    expect(await send('GET', '/users/%E0%A4%A')).toHaveStatus(400);
    expect(await send('GET', `/users/${'9'.repeat(500)}`)).toHaveStatus(400);
    expect(await send('PATCH', '/gyms')).toHaveStatus(404);
  });

  it('a body of 10 MB is 413, not read to the end', async () => {
    const { port } = new URL(t.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = net.connect(Number(port), '127.0.0.1', () => {
        socket.write(
          'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10485760\r\n\r\n',
        );
      });
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
    });
    expect(answer).toContain('413');
    expect(answer).toContain('"code":"too_large"');
    const chunked = await send('POST', '/gyms', JSON.stringify({ name: 'x'.repeat(10 * 1024 * 1024) })).catch(
      () => null,
    );
    if (chunked) expect(chunked).toHaveStatus(413);
    expect(await t.anonymous.get(`${t.url}/health/live`)).toHaveStatus(200);
  });

  it('what is not HTTP gets an answer all the same', async () => {
    const { port } = new URL(t.url);
    const say = (text: string) =>
      new Promise<string>((resolve) => {
        const socket = net.connect(Number(port), '127.0.0.1', () => socket.write(text));
        let answer = '';
        socket.on('data', (chunk) => (answer += chunk.toString()));
        socket.on('close', () => resolve(answer));
        socket.on('error', () => resolve(answer));
      });
    expect(await say('hello there\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*"code":"malformed"/s);
    expect(await say(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 4\d\d/);
  });
});

const asText = (value: unknown): string =>
  encodeURIComponent((typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 2000).toWellFormed());
