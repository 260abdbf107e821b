import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { plainToInstance } from 'class-transformer';
import { validate } from 'class-validator';
import pg from 'pg';
import { allProblemKinds } from '../../src/common/errors/domain-error.js';
import { requireDocumented } from '../support/documented.js';
import { RouteTable } from '../../src/common/actor/route-table.js';
import { SERVER_EVENTS } from '../../src/realtime/event-map.js';
import { MessageTable } from '../../src/realtime/message-table.js';
import { seedDemo } from '../../src/demo/seed-demo.js';
import { firstStart } from '../../src/first-start.js';
import type { HttpClient } from '../support/http-client.js';
import { SocketClient } from '../support/socket-client.js';
import { startApp, testConfig, type TestApp } from '../support/app.js';
import { ownDatabase } from '../support/database.js';

interface Operation {
  method: string;
  path: string;
  summary?: string;
  description?: string;
  'x-roles'?: string[];
  parameters: { name: string; in: string; required: boolean; schema: { example?: unknown } }[];
  requestBody?: { content: Record<string, { schema: { $ref: string } }> };
  responses: Record<string, { content?: object; 'x-codes'?: string[] }>;
}

describe('the documentation', () => {
  let t: TestApp;
  let document: OpenAPIObject;
  let operations: Operation[];

  /** The demo data, with one admin signed in; every example gets its own copy of it. */
  let signIn: Record<string, string>;

  beforeAll(async () => {
    const DATABASE_URL = await ownDatabase('docs');
    const client = new pg.Client(DATABASE_URL);
    await client.connect();
    await firstStart(client, testConfig());
    await seedDemo(client, testConfig());
    await client.end();
    t = await startApp({ DATABASE_URL });
    ({ body: document } = await t.anonymous.get(`${t.url}/openapi.json`));
    operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ method, path, ...operation }) as Operation),
    );
    ({ body: signIn } = await t.anonymous.post('/auth/login', example('LoginDto')));
    await t.close();
  });

  it('has every route of the API', () => {
    const documented = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    const routes = t.app
      .get(RouteTable)
      .routes.filter(({ path }) => !/^(health|metrics|redoc|openapi|errors|asyncapi)/.test(path))
      .map(({ method, path }) => `${method} /api/v1/${path.replace(/:(\w+)/g, '{$1}')}`);
    expect(documented.toSorted()).toEqual(routes.toSorted());
  });

  it('says of every operation what it does, who may, what it answers and what can go wrong', () => {
    for (const { method, path, ...operation } of operations) {
      const told = {
        summary: Boolean(operation.summary),
        roles: operation.description?.includes('**Roles:**'),
        'x-roles': (operation['x-roles']?.length ?? 0) > 0,
        success: Object.entries(operation.responses).some(
          ([status, { content }]) =>
            (content !== undefined && status.startsWith('2')) || ['204', '205'].includes(status),
        ),
        error: '422' in operation.responses,
      };
      const all = { summary: true, roles: true, 'x-roles': true, success: true, error: true };
      expect({ method, path, ...told }).toEqual({ method, path, ...all });
    }
  });

  it('lists the codes of every error, and all that can be said centrally', () => {
    const codes = new Map(allProblemKinds().map(({ code, status }) => [code, status]));
    for (const { method, path, responses, ...operation } of operations) {
      for (const [status, { 'x-codes': listed }] of Object.entries(responses)) {
        if (Number(status) < 400) continue;
        expect(listed).toEqualFor([path, status], expect.arrayContaining([expect.any(String)]));
        for (const code of listed!) expect(codes.get(code)).toEqualFor([path, code], Number(status));
      }
      const isPublic = operation['x-roles']!.includes('public');
      const all = ['400', '422', '503', ...(isPublic ? [] : ['401']), ...(method === 'get' ? [] : ['413', '415'])];
      expect(Object.keys(responses)).toEqualFor(path, expect.arrayContaining(all));
    }
  });

  it('is what each answer of the tests is checked against', () => {
    const gym = { id: 1, name: 'A', address: null, phone_number: null, timezone: 'UTC', is_active: true };
    const rest = { allow_reentry: false, created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' };
    const check =
      (status: number, body: unknown, type = 'application/json') =>
      () =>
        requireDocumented('GET', 'http://x/api/v1/gyms/1', {
          status,
          body,
          headers: new Headers({ 'content-type': type }),
        });
    const problem = { type: '/errors#x', title: 'x', status: 404, detail: 'x', instance: 'x' };
    const PROBLEM = 'application/problem+json';
    expect(check(200, { ...gym, ...rest })).not.toThrow();
    expect(check(404, { ...problem, code: 'gym_not_found' }, PROBLEM)).not.toThrow();
    for (const wrong of [
      check(200, { ...gym }),
      check(200, { ...gym, ...rest, secret: 1 }),
      check(200, { ...gym, ...rest, name: null }),
      check(200, { ...gym, ...rest, created_at: 'today' }),
      check(200, { ...gym, ...rest }, 'text/html'),
      check(201, { ...gym, ...rest }),
      check(404, { ...problem, code: 'sale_not_found' }, PROBLEM),
      check(404, { ...problem, code: 'gym_not_found' }),
      check(500, { ...problem, code: 'internal_error' }, PROBLEM),
    ]) {
      expect(wrong).toThrow('openapi.json');
    }
  });

  it('describes every field', () => {
    const bare = Object.entries(document.components!.schemas!).flatMap(([schema, { properties = {} }]: [string, any]) =>
      Object.entries<any>(properties)
        .filter(
          ([name, { description, example: shown, $ref, allOf }]) =>
            !description && shown === undefined && !$ref && !allOf && !name.endsWith('_at'),
        )
        .map(([name]) => `${schema}.${name}`),
    );
    expect(bare).toEqual([]);
  });

  it('has examples that work as they stand on the demo data', async () => {
    const readers = operations.filter(({ method }) => method === 'get');
    const writers = operations.filter(({ method }) => method !== 'get');
    copy = await freshCopy();
    for (const operation of [...readers, ...writers]) {
      if (operation.method !== 'get') {
        await copy.close();
        copy = await freshCopy();
      }
      const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
        encodeURIComponent(String(operation.parameters.find((parameter) => parameter.name === name)!.schema.example)),
      );
      const query = operation.parameters
        .filter(({ name, in: place, required }) => place === 'query' && (required || name === 'gym_id'))
        .filter(({ schema }) => schema.example !== undefined)
        .map(({ name, schema }) => `${name}=${encodeURIComponent(String(schema.example))}`);
      const reference = operation.requestBody?.content['application/json']?.schema.$ref;
      const body = reference && {
        ...example(reference.split('/').at(-1)!),
        // A token is the one thing that no document can know.
        ...(operation.path.endsWith('/auth/refresh') && { refresh_token: signIn.refresh_token }),
      };
      const url = `${copy.url}${path}?${query.join('&')}`;
      const admin = copy.anonymous.withToken(signIn.access_token!);
      if (path.endsWith('/upload')) await connectBoard(copy, admin);
      const answer = await admin.send(operation.method.toUpperCase(), url, body);
      const documented = Object.keys(operation.responses)
        .map(Number)
        .filter((status) => status < 300);
      expect({ ...operation, path, answer: [documented.includes(answer.status), answer.body.detail] }).toEqual({
        ...operation,
        path,
        answer: [true, undefined],
      });
    }
  });
  let copy: TestApp | undefined;
  afterAll(() => copy?.close());

  describe('as pages', () => {
    let served: TestApp;
    beforeAll(async () => void (served = await startApp()));
    afterAll(() => served.close());

    it.each(['/docs', '/redoc', '/errors', '/asyncapi', '/docs/swagger-ui-bundle.js', '/redoc.standalone.js'])(
      'serves %s',
      async (path) => {
        const page = await served.anonymous.get(served.url + path);
        expect(page).toHaveStatus(200);
        expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
      },
    );

    it('has every event, in both directions, with a payload and an example', async () => {
      const { body: events } = await served.anonymous.get(`${served.url}/asyncapi.json`);
      const { body: page } = await served.anonymous.get(`${served.url}/asyncapi`);
      const table = [...served.app.get(MessageTable).namespaces];
      const sent = Object.entries(SERVER_EVENTS).flatMap(([namespace, kinds]) =>
        Object.keys(kinds).map((event) => [namespace, 'from_server', event]),
      );
      const received = table.flatMap(([namespace, { messages }]) =>
        [...messages.values()].flatMap(({ event, answer, also = [], refusal, deviceRefusal }) => [
          [namespace, 'from_client', event],
          ...[answer?.event, ...also.map((kind) => kind.event), refusal, deviceRefusal]
            .filter((name) => name !== undefined)
            .map((name) => [namespace, 'from_server', name]),
        ]),
      );
      const expected = [...sent, ...received].map(
        ([namespace, from, event]) => `${namespace!.slice(1)}.${from}.${event}`,
      );
      expect(Object.keys(events.components.messages).toSorted()).toEqual([...new Set(expected)].toSorted());
      for (const [name, message] of Object.entries<any>(events.components.messages)) {
        const [channel, from, event] = name.split('.') as [string, string, string];
        expect(events.channels[channel].messages[`${from}.${event}`]).toEqualFor(name, {
          $ref: `#/components/messages/${name}`,
        });
        const schema = message.payload.$ref?.split('/').at(-1);
        expect(message.payload).toEqualFor(name, schema ? expect.anything() : { type: 'object' });
        if (schema) expect(events.components.schemas[schema]).toEqualFor(schema, expect.any(Object));
        expect(message.examples).toEqualFor(name, [{ payload: expect.any(Object) }]);
        expect(page).toContain(`<code>${event}</code>`);
      }
    });

    it('has examples of what clients send that the server would take', async () => {
      const { body: events } = await served.anonymous.get(`${served.url}/asyncapi.json`);
      let checked = 0;
      for (const [namespace, { messages }] of served.app.get(MessageTable).namespaces) {
        for (const { event, payload } of messages.values()) {
          const [{ payload: shown }] =
            events.components.messages[`${namespace.slice(1)}.from_client.${event}`].examples;
          if (!payload) expect(shown).toEqualFor(event, {});
          else {
            const errors = await validate(plainToInstance(payload, shown));
            expect(errors).toEqualFor([namespace, event, shown], []);
            checked++;
          }
        }
      }
      expect(checked).toBeGreaterThan(5);
    });

    it('has an anchor for every error that a problem points to', async () => {
      const problem = await served.anonymous.get('/gyms');
      const [page, anchor] = problem.body.type.split('#');
      expect((await served.anonymous.get(served.url + page)).body).toContain(`id="${anchor}"`);
    });
  });

  /** What the upload is for: the board of the demo gym, in its second place. */
  async function connectBoard({ url }: TestApp, admin: HttpClient): Promise<void> {
    const { body } = await admin.post('/devices/2/rotate-key');
    const board = await SocketClient.connect(url, '/devices', { device_key: body.device_key });
    board.socket.on('upload', (_, answer) => answer({ success: true, output: 'hello' }));
  }

  const freshCopy = async () => startApp({ DATABASE_URL: await ownDatabase('example', { template: 'docs' }) });

  function example(schema: string): Record<string, unknown> {
    const { properties } = document.components!.schemas![schema] as { properties: Record<string, any> };
    const given = Object.entries(properties).filter(([, property]) => property.example !== undefined);
    return Object.fromEntries(given.map(([name, property]) => [name, property.example]));
  }
});
