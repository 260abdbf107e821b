import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { plainToInstance } from 'class-transformer';
import { validate } from 'class-validator';
import { allProblemKinds } from '../../src/common/errors/domain-error.js';
import { requireDocumented, requireDocumentedAcknowledgement } from '../support/documented.js';
import { DEVICE_KINDS } from '../../src/common/actor/actor.js';
import { RouteTable } from '../../src/common/actor/route-table.js';
import { SERVER_EVENTS } from '../../src/realtime/event-map.js';
import { MessageTable } from '../../src/realtime/message-table.js';
import { startApp, type TestApp } from '../support/app.js';

interface Operation {
  method: string;
  path: string;
  summary?: string;
  description?: string;
  'x-roles'?: string[];
  parameters: { name: string; in: string; description?: string; required: boolean; schema: { example?: unknown } }[];
  requestBody?: { content: Record<string, { schema: { $ref: string } }> };
  operationId: string;
  security: object[];
  responses: Record<
    string,
    { description: string; content?: Record<string, { schema: any }>; 'x-codes'?: string[]; links?: object }
  >;
}

describe('the documentation', () => {
  let t: TestApp;
  let document: OpenAPIObject;
  let operations: Operation[];

  beforeAll(async () => {
    t = await startApp();
    ({ body: document } = await t.anonymous.get(`${t.url}/openapi.json`));
    operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ method, path, ...operation }) as Operation),
    );
  });
  afterAll(() => t.close());

  it('has every route of the API', () => {
    const documented = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    const routes = t.app
      .get(RouteTable)
      .routes.filter(({ path }) => !/^(health|metrics|redoc|openapi|errors|asyncapi|reset-password|favicon)/.test(path))
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

  it('has one schema for all errors, or generators would make a model of each answer', () => {
    for (const { path, responses } of operations) {
      for (const [status, { content }] of Object.entries(responses)) {
        if (Number(status) < 400) continue;
        const { schema } = content!['application/problem+json']!;
        expect(schema).toEqualFor([path, status], { $ref: '#/components/schemas/ProblemDto' });
      }
    }
  });

  it('has links that all generators read: swagger-parser refuses a document for a body that is an object', () => {
    const links = operations.flatMap(({ responses }) =>
      Object.values(responses).flatMap((response) => Object.values(response.links ?? {})),
    );
    expect(links.map((link) => typeof link.requestBody)).toEqual(['undefined', 'undefined']);
  });

  it('has a sentence for each answer and each parameter of a path', () => {
    for (const { path, responses, parameters } of operations) {
      for (const [status, { description }] of Object.entries(responses)) {
        expect(description).toEqualFor([path, status], expect.stringMatching(/^\S+ \S.*\.$/));
      }
      for (const { in: place, name, description } of parameters) {
        if (place === 'path') expect(description).toEqualFor([path, name], expect.stringMatching(/^[A-Z].*\.$/));
      }
    }
  });

  it('gives each operation a name of its own, of a verb and what it is about', () => {
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { method, path, operationId, responses } of operations) {
      const several = Object.values(responses).some(
        ({ content }) => content?.['application/json']?.schema.type === 'array',
      );
      const verbs =
        method === 'delete'
          ? /^(delete|leave|revoke)[A-Z]/
          : method !== 'get'
            ? /^(?!get|list|find|search)[a-z]+([A-Z]|$)/
            : several
              ? /^(list|find|search|getSeries)/
              : /^(get|find|summarize|draw|export)[A-Z]/;
      expect(operationId).toEqualFor([method, path], expect.stringMatching(verbs));
      expect(operationId).toEqualFor([method, path], expect.stringMatching(/^[a-zA-Z]+$/));
    }
  });

  it('says of every operation whether one signs in', () => {
    for (const { path, security, ...operation } of operations) {
      expect(security).toEqualFor(path, operation['x-roles']!.includes('public') ? [] : [{ bearer: [] }]);
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
    const ofOldClient = { access: 'x', more: 1 };
    const headers = new Headers({ 'content-type': 'application/json' });
    expect(() =>
      requireDocumented('POST', 'http://x/api/auth/refresh-token/', { status: 200, body: ofOldClient, headers }),
    ).toThrow('gymgem.openapi.json');
  });

  it('is what each acknowledgement of the tests is checked against', () => {
    const about = { message_id: 4, conversation_id: 1 };
    const check = (event: string, payload: object, namespace = '/chat') => {
      return () => requireDocumentedAcknowledgement(namespace, event, payload);
    };
    const refusal = { code: 'message_not_found', error: 'There is no such message', event: 'delete' };
    for (const right of [check('delete', about), check('delete', refusal), check('typing', {})]) {
      expect(right).not.toThrow();
    }
    for (const wrong of [
      check('delete', {}),
      check('delete', { ...about, deleted_at: '2026-01-01T00:00:00Z' }),
      check('message', { id: 4, conversation_id: 1 }),
      check('typing', about),
      // Sent as an event, which no one has asked for.
      check('download_templates', {}, '/devices'),
      check('user_found', {}, '/devices'),
    ]) {
      expect(wrong).toThrow('asyncapi.json');
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

    it.each(['/docs', '/docs/', '/redoc', '/errors', '/asyncapi'])('fits %s to a phone', async (path) => {
      const { body } = await served.anonymous.get(served.url + path);
      expect(body).toMatch(
        /<head>[^]*<meta name=(["'])viewport\1 content=\1width=device-width, initial-scale=1\1[^]*<\/head>/,
      );
    });

    it('hides the links of answers from a phone, or an opened operation is wider than it', async () => {
      const { body } = await served.anonymous.get(`${served.url}/docs`);
      expect(body).toContain('@media (max-width: 640px) { .swagger-ui .response-col_links { display: none } }');
    });

    it('has every event, in both directions, with a payload and an example', async () => {
      const { body: events } = await served.anonymous.get(`${served.url}/asyncapi.json`);
      const { body: page } = await served.anonymous.get(`${served.url}/asyncapi`);
      const table = [...served.app.get(MessageTable).namespaces];
      const acknowledgement = (event: string) => `${event}.acknowledgement`;
      const sent = Object.entries(SERVER_EVENTS).flatMap(([namespace, kinds]) =>
        Object.keys(kinds).map((event) => [namespace, 'from_server', event]),
      );
      const received = table.flatMap(([namespace, { messages }]) =>
        [...messages.values()].flatMap(({ event, answer, also = [], acknowledged, refusal, deviceRefusal }) => [
          [namespace, 'from_client', event],
          ...[
            acknowledged || !answer ? acknowledgement(event) : undefined,
            ...[answer?.event, ...also.map((kind) => kind.event), deviceRefusal],
            refusal && refusal === answer?.event ? `${refusal}.refusal` : refusal,
          ]
            .filter((name) => name !== undefined)
            .map((name) => [namespace, 'from_server', name]),
        ]),
      );
      const fromBoard = ['/devices', 'from_client', acknowledgement('upload')];
      const expected = [...sent, ...received, fromBoard].map(
        ([namespace, from, event]) => `${namespace!.slice(1)}.${from}.${event}`,
      );
      expect(Object.keys(events.components.messages).toSorted()).toEqual([...new Set(expected)].toSorted());
      for (const [name, message] of Object.entries<any>(events.components.messages)) {
        const [channel, from, event, ...rest] = name.split('.') as [string, string, string];
        expect(events.channels[channel].messages[[from, event, ...rest].join('.')]).toEqualFor(name, {
          $ref: `#/components/messages/${name}`,
        });
        const schema = message.payload.$ref?.split('/').at(-1);
        expect(message.payload).toEqualFor(name, schema ? expect.anything() : { type: 'object' });
        if (schema) expect(events.components.schemas[schema]).toEqualFor(schema, expect.any(Object));
        expect(message.examples).toEqualFor(name, [{ payload: expect.any(Object) }]);
        expect(page).toContain(`<code>${event}</code>`);
      }
    });

    it('names each enum of events by its schema and field, and no two things the same', async () => {
      const { body: events } = await served.anonymous.get(`${served.url}/asyncapi.json`);
      const titles: string[] = [];
      JSON.stringify(events.components.schemas, (_, node) => {
        if (Array.isArray(node?.enum)) titles.push(node.title);
        return node;
      });
      expect(titles).toEqual(expect.arrayContaining(['VisitStatus', 'CheckInMessageAction']));
      for (const title of titles) expect(title).toMatch(/^[A-Z][A-Za-z]+$/);
      const names = [...titles, ...Object.keys(events.components.schemas)];
      expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    });

    it('says with what one signs in, for each event: people with a token, devices with a key', async () => {
      const { body: events } = await served.anonymous.get(`${served.url}/asyncapi.json`);
      const schemesOf = (name: string) =>
        events.operations[name].security.map(({ $ref }: any) => $ref.split('/').at(-1));
      for (const name of Object.keys(events.operations)) {
        const roles: string[] | undefined = events.operations[name]['x-roles'];
        const devices = (roles ?? []).filter((role) => DEVICE_KINDS.some((kind) => kind === role));
        const isPublic = roles?.includes('public');
        const forPeople = roles ? !isPublic && devices.length < roles.length : true;
        const forDevices = roles ? devices.length > 0 : name.startsWith('devices.');
        expect(schemesOf(name)).toEqualFor(name, [
          ...(forPeople ? ['token'] : []),
          ...(forDevices ? ['device_key'] : []),
        ]);
      }
      expect(schemesOf('devices.receive.download_templates')).toEqual(['device_key']);
      expect(schemesOf('devices.receive.user')).toEqual(['token', 'device_key']);
      expect(schemesOf('chat.send.chat_message')).toEqual(['token']);
      expect(schemesOf('checkins.receive.authenticate')).toEqual([]);
    });

    it('has the answers of each message, and its refusals, also where both come as the same event', async () => {
      const { body: events } = await served.anonymous.get(`${served.url}/asyncapi.json`);
      for (const [name, { reply }] of Object.entries<any>(events.operations)) {
        const references = (reply?.messages ?? []).map(({ $ref }: any) => $ref);
        expect(new Set(references).size).toEqualFor(name, references.length);
      }
      const told = ({ $ref }: any) => events.components.messages[`slots.${$ref.split('/').at(-1)}`];
      for (const [event, answer] of Object.entries({ book: 'booking', cancel: 'cancellation' })) {
        const messages = events.operations[`slots.receive.${event}_slot`].reply.messages.map(told);
        expect(messages.map(({ name, payload }: any) => [name, payload.$ref.split('/').at(-1)])).toEqual([
          [`${answer}_response`, 'BookingResponseDto'],
          [`${answer}_response`, 'BookingRefusalDto'],
        ]);
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

    it('loads nothing from elsewhere', async () => {
      for (const path of ['/docs', '/redoc', '/errors', '/asyncapi', '/redoc.start.js', '/docs/swagger-ui-init.js']) {
        const { body } = await served.anonymous.get(served.url + path);
        expect([path, ...body.matchAll(/(?:src|href)="(?:https?:)?\/\/[^"]*"/g)]).toEqual([path]);
      }
      const { body: bundle } = await served.anonymous.get(`${served.url}/redoc.standalone.js`);
      expect(bundle).not.toMatch(/(src|href):"https?:\/\/(?!redocly\.com\/redoc\/)|@import|fonts\.g/);
    });

    it('shows fields of events with their meaning, refusals with their fields, and what follows on what', async () => {
      const { body: events } = await served.anonymous.get(`${served.url}/asyncapi.json`);
      const { body: page } = await served.anonymous.get(`${served.url}/asyncapi`);
      for (const [name, { properties = {} }] of Object.entries<any>(events.components.schemas)) {
        expect(page).toContain(`id="${name}"`);
        for (const field of Object.keys(properties)) expect(page).toContain(`<td><code>${field}</code></td>`);
      }
      const refusals = page.split('Refuses with').slice(1);
      for (const refusal of refusals) {
        expect(refusal.slice(0, refusal.indexOf('</table>'))).toMatch(
          /<td><code>code<\/code>[^]*<td><code>error<\/code>/,
        );
      }
      expect(refusals.length).toBeGreaterThan(20);
      const sequences = Object.values<any>(events.channels).flatMap(({ messages, 'x-sequences': told = [] }) =>
        told.map((sequence: any) => ({ messages, ...sequence })),
      );
      expect(sequences).toHaveLength(1);
      for (const { messages, steps } of sequences) {
        for (const { direction, event } of steps) expect(messages).toHaveProperty([`${direction}.${event}`]);
      }
    });

    it('names the server that it is asked at, or that the operator has set', async () => {
      const server = async (at: TestApp) => (await at.anonymous.get(`${at.url}/asyncapi.json`)).body.servers.own;
      expect(await server(served)).toMatchObject({ host: new URL(served.url).host, protocol: 'ws' });
      const gym = await startApp({ PUBLIC_URL: 'https://gym.example' });
      expect(await server(gym)).toMatchObject({ host: 'gym.example', protocol: 'wss' });
      await gym.close();
    });

    it('breaks the words of /errors only where they have a joint', async () => {
      const { body } = await served.anonymous.get(`${served.url}/errors`);
      const codes = [...body.matchAll(/<td><code>(.*?)<\/code>/g)].map(([, code]) => code);
      expect(codes.length).toBeGreaterThan(50);
      for (const code of codes) expect(code).toMatch(/^[a-z0-9]+(_<wbr>[a-z0-9]+)*$/);
      expect(body).toContain('td code { overflow-wrap: normal }');
    });

    it('has an anchor for every error that a problem points to', async () => {
      const problem = await served.anonymous.get('/gyms');
      const [page, anchor] = problem.body.type.split('#');
      expect((await served.anonymous.get(served.url + page)).body).toContain(`id="${anchor}"`);
    });
  });
});
