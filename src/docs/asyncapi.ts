import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Type } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { RefusalDto } from '../common/ws/messages.dto.js';
import { SERVER_EVENTS } from '../realtime/event-map.js';
import { MessageTable } from '../realtime/message-table.js';
import { NAMESPACES } from '../realtime/namespaces.js';

interface Schema {
  $ref?: string;
  allOf?: Schema[];
  type?: string;
  format?: string;
  description?: string;
  example?: unknown;
  nullable?: boolean;
  enum?: unknown[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
}

interface EventMessage {
  name: string;
  summary: string;
  payload: Schema;
  examples: { payload: unknown }[];
}

interface Ref {
  $ref: string;
}

interface EventOperation {
  /** As AsyncAPI means it, from the server's side: what clients send, it receives. */
  action: 'receive' | 'send';
  channel: Ref;
  messages: Ref[];
  reply?: { channel: Ref; messages: Ref[] };
  'x-roles'?: readonly string[];
}

/** https://www.asyncapi.com/docs/reference/specification/v3.0.0 */
export interface AsyncApiDocument {
  asyncapi: string;
  info: { title: string; version: string; description: string };
  defaultContentType: string;
  servers: Record<string, object>;
  channels: Record<string, { address: string; description: string; messages: Record<string, Ref> }>;
  operations: Record<string, EventOperation>;
  components: { messages: Record<string, EventMessage>; schemas: Record<string, Schema> };
}

interface Kind {
  event: string;
  summary: string;
  payload?: Type;
}

/** Makes the document that is committed as asyncapi.json, of every event in both directions. After createOpenApi. */
export async function createAsyncApi(app: NestFastifyApplication): Promise<AsyncApiDocument> {
  const table = app.get(MessageTable);
  // The application that only describes itself does not start.
  table.onModuleInit();
  const document: AsyncApiDocument = {
    asyncapi: '3.0.0',
    info: { title: 'Spotter events', version: '1', description: DESCRIPTION },
    defaultContentType: 'application/json',
    servers: { local: { host: 'localhost:8000', pathname: '/socket.io', protocol: 'ws' } },
    channels: {},
    operations: {},
    components: { messages: {}, schemas: {} },
  };
  const models = new Set<Type>();
  const add = (namespace: string, direction: 'from_client' | 'from_server', kind: Kind): Ref => {
    const channel = namespace.slice(1);
    const key = `${direction}.${kind.event}`;
    const { messages } = (document.channels[channel] ??= {
      address: namespace,
      description: NAMESPACES[namespace]!.summary,
      messages: {},
    });
    if (kind.payload) models.add(kind.payload);
    const payload = kind.payload ? { $ref: `#/components/schemas/${kind.payload.name}` } : { type: 'object' };
    const { event: name, summary } = kind;
    document.components.messages[`${channel}.${key}`] ??= { name, summary, payload, examples: [] };
    messages[key] = { $ref: `#/components/messages/${channel}.${key}` };
    return { $ref: `#/channels/${channel}/messages/${key}` };
  };

  for (const [namespace, events] of Object.entries(SERVER_EVENTS)) {
    for (const [event, { summary, payload }] of Object.entries(events)) {
      const message = add(namespace, 'from_server', { event, summary, payload });
      const channel = { $ref: `#/channels/${namespace.slice(1)}` };
      document.operations[`${namespace.slice(1)}.send.${event}`] = { action: 'send', channel, messages: [message] };
    }
  }
  for (const [namespace, { messages }] of table.namespaces) {
    for (const {
      event,
      summary,
      payload,
      access,
      answer,
      also = [],
      refusal = 'error',
      deviceRefusal,
      refusalPayload = RefusalDto,
    } of messages.values()) {
      const answers = [answer, ...also].flatMap((kind) => (kind ? [{ ...kind, summary: `Answers ${event}` }] : []));
      const refused = [refusal, ...(deviceRefusal ? [deviceRefusal] : [])].map((name) => ({
        event: name,
        payload: refusalPayload,
        summary: `Refuses ${event}`,
      }));
      const channel = { $ref: `#/channels/${namespace.slice(1)}` };
      document.operations[`${namespace.slice(1)}.receive.${event}`] = {
        action: 'receive',
        channel,
        messages: [add(namespace, 'from_client', { event, summary, payload })],
        reply: { channel, messages: [...answers, ...refused].map((kind) => add(namespace, 'from_server', kind)) },
        'x-roles': access.roles ?? ['public'],
      };
    }
  }
  const base = new DocumentBuilder().build();
  const { components } = SwaggerModule.createDocument(app, base, { extraModels: [...models] as never[] });
  const schemas = components!.schemas as Record<string, Schema>;
  /** @param isSent what nobody has to send is left out, unless it has an example of its own */
  const example = (schema: Schema, isSent: boolean): unknown => {
    if (schema.example !== undefined) return schema.example;
    const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
    if (reference) return schema.nullable ? null : example(schemas[reference.split('/').at(-1)!]!, isSent);
    if (schema.nullable) return null;
    if (schema.enum) return schema.enum[0];
    if (schema.type === 'array') return [example(schema.items!, isSent)];
    if (schema.format === 'date-time') return '2026-01-31T18:30:00.000Z';
    if (schema.type === 'object' || schema.properties) {
      const isShown = (name: string, of: Schema) =>
        !isSent || schema.required?.includes(name) || of.example !== undefined || of.type === 'array' || !of.type;
      const shown = Object.entries(schema.properties ?? {}).filter(([name, of]) => isShown(name, of));
      return Object.fromEntries(shown.map(([name, of]) => [name, example(of, isSent)]));
    }
    return { boolean: true, integer: 1, number: 1, string: 'text' }[schema.type ?? 'string'];
  };
  for (const [name, message] of Object.entries(document.components.messages)) {
    message.examples = [{ payload: example(message.payload, name.includes('.from_client.')) }];
    keepUsed(message.payload, schemas, document.components.schemas);
  }
  return document;
}

/** Copies a schema and those it names. */
function keepUsed(schema: Schema, all: Record<string, Schema>, used: Record<string, Schema>): void {
  for (const [, name] of JSON.stringify(schema).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    if (used[name!]) continue;
    used[name!] = all[name!]!;
    keepUsed(all[name!]!, all, used);
  }
}

const DESCRIPTION = `Socket.IO 4 on the port of the REST API; each channel is a namespace.

Connect with \`auth: {token}\` (the access token), or \`auth: {device_key}\` for a device. A bad one is refused with a
connect_error whose data.code is 4001 (not signed in), 4003 (not allowed), 4004 (not found) or 4000 (our fault). On /checkins
and /devices one may also connect first and send authenticate or login within 10 seconds.

An answer comes as the event named here and through the acknowledgement, if one was asked for. A refused message answers
error {code, error}, or the event named here; the codes are those of the REST API. The rooms one is in follow from who is
signed in. After a short loss of connection a client gets what it missed (connection state recovery, two minutes). A message
may have 256 kB; a socket may send 50 messages a second.`;
