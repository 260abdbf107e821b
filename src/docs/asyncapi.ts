import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Type } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { DEVICE_KINDS } from '../common/actor/actor.js';
import { ROLES } from '../common/actor/roles.js';
import {
  FieldsInvalid,
  Malformed,
  NotSignedIn,
  RoleNotAllowed,
  SessionEnded,
  TooManyRequests,
  Unavailable,
} from '../common/errors/common.errors.js';
import { problemKind, type ProblemKind } from '../common/errors/domain-error.js';
import { NothingDto, RefusalDto } from '../common/ws/messages.dto.js';
import { type ServerEvent, SERVER_EVENTS } from '../realtime/event-map.js';
import { BURST, LARGEST_FRAME, LARGEST_MESSAGE, PER_SECOND } from '../realtime/message-limits.js';
import { type MessageKind, MessageTable } from '../realtime/message-table.js';
import { NAMESPACES } from '../realtime/namespaces.js';
import { MessageTooLarge } from '../realtime/realtime.errors.js';
import { ACKNOWLEDGEMENT, type AsyncApiDocument, type Ref, type Schema } from './asyncapi-document.js';
import { toJsonSchema } from './json-schema.js';
import { SEQUENCES } from './sequences.js';
import { exampleOf, type SchemasByName } from './schema-example.js';

type Direction = 'from_client' | 'from_server';

/** An event with what the document says of it. */
interface DescribedEvent {
  event: string;
  /** What it is called in the document, if another one has its name. */
  key?: string;
  summary: string;
  payload?: Type;
}

/** The document while it is made, with the classes of all payloads that it names. */
interface Draft {
  document: AsyncApiDocument;
  payloads: Set<Type>;
}

/** Makes the document that is committed as asyncapi.json, of every event in both directions. After createOpenApi. */
export async function createAsyncApi(app: NestFastifyApplication): Promise<AsyncApiDocument> {
  const table = app.get(MessageTable);
  // The application that only describes itself does not start.
  table.onModuleInit();
  const draft: Draft = { document: emptyDocument(), payloads: new Set() };
  addServerEvents(draft);
  addClientMessages(draft, table);
  addExamplesAndSchemas(draft.document, schemasOf(app, draft.payloads));
  return draft.document;
}

const isDevice = (role: string): boolean => DEVICE_KINDS.some((kind) => kind === role);

/** With what these sign in: people with a token, devices with a key. */
const credentialsOf = (roles: readonly string[]): Ref[] =>
  [...new Set(roles.map((role) => (isDevice(role) ? 'device_key' : 'token')))].map((scheme) => ({
    $ref: `#/components/securitySchemes/${scheme}`,
  }));

/** A summary as a sentence. */
const sentence = (summary: string): string => (/[.?]$/.test(summary) ? summary : `${summary}.`);

const emptyDocument = (): AsyncApiDocument => ({
  asyncapi: '3.0.0',
  info: {
    title: 'Spotter events',
    version: '1',
    description: DESCRIPTION,
    contact: { name: 'The developers of Spotter' },
    license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    tags: [],
  },
  defaultContentType: 'application/json',
  servers: {
    own: {
      host: '127.0.0.1:8000',
      pathname: '/socket.io',
      protocol: 'ws',
      description: 'A server as it starts by itself. Where it is served, the document names the server that serves it.',
      security: credentialsOf([...ROLES, ...DEVICE_KINDS]),
    },
  },
  channels: {},
  operations: {},
  components: {
    messages: {},
    schemas: {},
    securitySchemes: {
      token: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'The access token from POST /api/v1/auth/login, in the handshake: `auth: {token}`.',
      },
      device_key: {
        type: 'apiKey',
        in: 'user',
        description: 'The key of a device from POST /api/v1/devices, in the handshake: `auth: {device_key}`.',
      },
    },
  },
});

/** What the server sends by itself. */
function addServerEvents(draft: Draft): void {
  for (const [namespace, events] of Object.entries(SERVER_EVENTS)) {
    for (const [event, { summary, payload, acknowledged }] of Object.entries<ServerEvent>(events)) {
      const channel = channelRef(namespace);
      const acknowledgements = acknowledgementsOf(event, acknowledged).map((one) =>
        addMessage(draft, namespace, 'from_client', one),
      );
      const message = addMessage(draft, namespace, 'from_server', { event, summary, payload });
      draft.document.operations[`${channelOf(namespace)}.send.${event}`] = {
        action: 'send',
        summary,
        description: sentence(summary),
        security: credentialsOf(NAMESPACES[namespace]!.roles),
        channel,
        messages: [message],
        ...(acknowledged && { reply: { channel, messages: acknowledgements }, 'x-acknowledgement': acknowledgements }),
      };
    }
  }
}

/** What clients send, each with its answers. */
function addClientMessages(draft: Draft, table: MessageTable): void {
  for (const [namespace, { messages }] of table.namespaces) {
    for (const kind of messages.values()) {
      const channel = channelRef(namespace);
      const message = addMessage(draft, namespace, 'from_client', kind);
      const addAll = (replies: DescribedEvent[]) =>
        replies.map((reply) => addMessage(draft, namespace, 'from_server', reply));
      const acknowledgements = addAll([...answersOf(kind), ...refusalsOf(kind)]);
      const errors = errorsOf(kind);
      draft.document.operations[`${channelOf(namespace)}.receive.${kind.event}`] = {
        action: 'receive',
        summary: kind.summary,
        description: [
          `${sentence(kind.summary)} Roles: ${(kind.access.roles ?? ['anyone, before signing in']).join(', ')}.`,
          `Refusals: ${errors.map(({ code, title }) => `\`${code}\`: ${title}.`).join(' ')}`,
        ].join('\n\n'),
        security: credentialsOf(kind.access.roles ?? []),
        channel,
        messages: [message],
        reply: { channel, messages: [...acknowledgements, ...addAll(followersOf(kind))] },
        'x-acknowledgement': acknowledgements,
        'x-roles': kind.access.roles ?? ['public'],
        'x-codes': errors.map(({ code }) => code),
      };
    }
  }
}

/** What any message may meet, what follows from who may send this one and what it carries, and its own. */
function errorsOf({ access, payload, errors = [] }: MessageKind): ProblemKind[] {
  const all = [Malformed, MessageTooLarge, TooManyRequests, Unavailable];
  const ofPayload = payload ? [FieldsInvalid] : [];
  const ofRoles = access.roles ? [NotSignedIn, SessionEnded, RoleNotAllowed] : [];
  return [...new Set([...ofRoles, ...ofPayload, ...errors, ...all])].map(problemKind);
}

const answersOf = ({ event, answer, acknowledged }: MessageKind): DescribedEvent[] =>
  answer
    ? [{ ...answer, summary: `Answers ${event}` }, ...acknowledgementsOf(event, acknowledged)]
    : acknowledgementsOf(event, acknowledged ?? NothingDto);

/** What is told beside the answer. */
const followersOf = ({ event, also = [] }: MessageKind): DescribedEvent[] =>
  also.map((kind) => ({ ...kind, summary: `Answers ${event}` }));

/** An acknowledgement that no event has. */
const acknowledgementsOf = (event: string, payload?: Type): DescribedEvent[] =>
  payload
    ? [{ event: ACKNOWLEDGEMENT, key: `${event}.${ACKNOWLEDGEMENT}`, summary: `Acknowledges ${event}`, payload }]
    : [];

/** One that has the name of the answer is another message all the same. */
function refusalsOf({
  event,
  answer,
  refusal = 'error',
  deviceRefusal,
  refusalPayload = RefusalDto,
}: MessageKind): DescribedEvent[] {
  const names = deviceRefusal ? [refusal, deviceRefusal] : [refusal];
  return names.map((name) => ({
    event: name,
    key: name === answer?.event ? `${name}.refusal` : name,
    payload: refusalPayload,
    summary: `Refuses ${event}`,
  }));
}

/** Adds an event to its channel, unless it is there already. @returns the reference to it */
function addMessage(
  { document, payloads }: Draft,
  namespace: string,
  direction: Direction,
  { event: name, key: called = name, summary, payload }: DescribedEvent,
): Ref {
  const channel = channelOf(namespace);
  const key = `${direction}.${called}`;
  const { messages } = (document.channels[channel] ??= newChannel(document, namespace));
  if (payload) payloads.add(payload);
  const schema = payload ? { $ref: `#/components/schemas/${payload.name}` } : { type: 'object' };
  document.components.messages[`${channel}.${key}`] ??= { name, summary, payload: schema, examples: [] };
  messages[key] = { $ref: `#/components/messages/${channel}.${key}` };
  return { $ref: `#/channels/${channel}/messages/${key}` };
}

function newChannel({ info }: AsyncApiDocument, namespace: string): AsyncApiDocument['channels'][string] {
  const { summary } = NAMESPACES[namespace]!;
  info.tags.push({ name: channelOf(namespace), description: summary });
  const sequences = SEQUENCES[namespace];
  return {
    address: namespace,
    description: summary,
    messages: {},
    ...(sequences && { 'x-sequences': sequences }),
  };
}

const channelOf = (namespace: string): string => namespace.slice(1);
const channelRef = (namespace: string): Ref => ({ $ref: `#/channels/${channelOf(namespace)}` });

/** The schemas of these classes and of all that the REST API uses, by their names. */
function schemasOf(app: NestFastifyApplication, payloads: Set<Type>): SchemasByName {
  const base = new DocumentBuilder().build();
  const { components } = SwaggerModule.createDocument(app, base, { extraModels: [...payloads] as never[] });
  return components!.schemas as SchemasByName;
}

function addExamplesAndSchemas({ components }: AsyncApiDocument, schemas: SchemasByName): void {
  for (const [key, message] of Object.entries(components.messages)) {
    const isSent = key.includes('.from_client.');
    message.examples = [{ payload: exampleOf(message.payload, schemas, isSent) }];
    copyUsed(message.payload, schemas, components.schemas);
  }
}

/** Copies the schemas that this one names, and those that they name. */
function copyUsed(schema: Schema, all: SchemasByName, used: SchemasByName): void {
  for (const [, name] of JSON.stringify(schema).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    if (used[name!]) continue;
    used[name!] = toJsonSchema(all[name!]!, name!.replace(/Dto$/, ''));
    copyUsed(all[name!]!, all, used);
  }
}

const DESCRIPTION = `Socket.IO 4 on the port of the REST API; each channel is a namespace.

Connect with \`auth: {token}\` (the access token), or \`auth: {device_key}\` for a device. A bad one is refused with a
connect_error whose data.code is 4001 (not signed in), 4003 (not allowed), 4004 (not found) or 4000 (our fault). On
/checkins and /devices one may also connect first and send authenticate or login within 10 seconds.

An answer comes as the event named here and through the acknowledgement, if one was asked for. Where something else is
acknowledged, it is the message \`acknowledgement\` of the reply; \`x-acknowledgement\` has all that may be. A refused
message answers error {code, error}, or the event named here, and is acknowledged with the same; \`x-codes\` of an
operation has its codes, which mean what they mean in the REST API. The rooms of a socket follow from who is signed in.
After a short loss of connection a client gets what it missed (connection state recovery, two minutes). A visit, a
membership or numbers that a server can tell of only later are told as they are by then: a check-out may come twice, and
without its check-in. A message may have
${LARGEST_MESSAGE / 1024} kB; a socket may send ${BURST} messages at once, and then ${PER_SECOND} a second. What
is more is refused, and the connection lives; what has more than ${LARGEST_FRAME / 1_048_576} MB is not read, and ends
the connection.`;
