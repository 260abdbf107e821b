import type { Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { ProblemDto } from '../common/errors/problem.js';
import { completeErrors, EXAMPLE, NEEDS_BODY } from '../common/http/operation.js';
import { MAX_ID } from '../common/http/whole.js';
import { sentenceOf } from './answer-sentences.js';
import { operationIdOf } from './operation-ids.js';

type OperationObject = NonNullable<OpenAPIObject['paths'][string]['get']> & {
  [EXAMPLE]?: object;
  [NEEDS_BODY]?: boolean;
};

const TAGS: Record<string, string> = {
  auth: 'Sign in and out, and who you are.',
  gyms: 'The gyms of a chain.',
  plans: 'What a gym sells to its members: months, visits or coins.',
  'user plans': 'Plans that members bought: subscriptions.',
  users: 'Staff and members, as staff sees them.',
  members: 'The passes of members: their QR code and their first sign-in.',
  accounts: 'People as they meet each other, and what they are beside their role.',
  courses: 'What trainers offer, in all gyms.',
  products: 'What the shop sells, and its stock.',
  sales: 'What the shop sold.',
  measurements: 'The sizes of members, and how they change.',
  attendance: 'Visits: who came, and when they left.',
  slots: 'Hours of the day that people book.',
  chat: 'Conversations of two.',
  devices: 'Readers, turnstiles and lab boards, and who may come in.',
  dashboard: 'A gym in numbers.',
  realtime: 'The sockets of a server. Their events are at [/asyncapi](/asyncapi).',
};

/**
 * Makes the document of the public API, of the routes of these modules. Before it, `SwaggerModule.loadPluginMetadata`
 * says what types and comments say of the DTOs, and `describeRules` what their rules say.
 */
export function createOpenApi(app: NestFastifyApplication, include: Type[]): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('Spotter')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'The server that this document comes from')
    .addServer('http://127.0.0.1:8000', 'A server on your own machine, as it starts by itself')
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
      description: 'From POST /api/v1/auth/login',
    });
  for (const [tag, description] of Object.entries(TAGS)) builder.addTag(tag, description);
  const base = builder.build();
  base.info.contact = { name: 'The developers of Spotter' };
  const openapi = SwaggerModule.createDocument(app, base, {
    include,
    extraModels: [ProblemDto],
    operationIdFactory: operationIdOf,
  });
  completeErrors(openapi);
  for (const [method, operation] of operationsOf(openapi)) {
    operation.security ??= [];
    completeAnswers(method, operation);
    completeBody(operation, openapi);
  }
  addLinks(openapi);
  sayWhichIntegers(openapi);
  sayWhereNullIs(openapi);
  return openapi;
}

const operationsOf = ({ paths }: OpenAPIObject): [method: string, operation: OperationObject][] =>
  Object.values(paths).flatMap((item) => Object.entries(item) as [string, OperationObject][]);

function completeAnswers(method: string, { responses }: OperationObject): void {
  for (const [status, response] of Object.entries(responses)) {
    if (response && 'description' in response) {
      response.description ||= sentenceOf(method, Number(status), response);
    }
  }
}

/** Whether a body may be left out, and an example of it: of the fields that have one, and what the operation says. */
function completeBody(operation: OperationObject, { components }: OpenAPIObject): void {
  const { [EXAMPLE]: own, [NEEDS_BODY]: needsBody = false, requestBody } = operation;
  delete operation[EXAMPLE];
  delete operation[NEEDS_BODY];
  if (!requestBody || !('content' in requestBody)) return;
  const json = requestBody.content['application/json'];
  if (!json?.schema || !('$ref' in json.schema)) return;
  const { properties, required = [] } = components!.schemas![json.schema.$ref.split('/').at(-1)!] as {
    properties: Record<string, { example?: unknown }>;
    required?: string[];
  };
  requestBody.required = needsBody || required.length > 0;
  const given = Object.entries(properties).filter(([, { example }]) => example !== undefined);
  json.example = { ...Object.fromEntries(given.map(([name, { example }]) => [name, example])), ...own };
}

/**
 * What is sent to /auth/refresh no document can know: an answer before has it. Only in words: generators that use
 * swagger-parser take a `requestBody` that is an object for a mistake, and refuse the whole document.
 */
function addLinks({ paths }: OpenAPIObject): void {
  for (const path of ['/api/v1/auth/login', '/api/v1/auth/refresh']) {
    const answer = paths[path]!.post!.responses['200'] as { links?: object };
    answer.links = {
      refresh: {
        operationId: 'refresh',
        description: 'Send `refresh_token` of this answer: it is good for the next pair.',
      },
    };
  }
}

/** Whole numbers are as large as an id, unless their limits say that they are larger. */
function sayWhichIntegers(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  const schema = node as { type?: unknown; format?: string; maximum?: number };
  if (schema.type === 'integer') schema.format ??= (schema.maximum ?? MAX_ID) > MAX_ID ? 'int64' : 'int32';
  for (const child of Object.values(node)) sayWhichIntegers(child);
}

interface NullableSchema {
  type?: string;
  nullable?: boolean;
  enum?: unknown[];
  allOf?: object[];
}

/** No query has a null. Elsewhere `nullable` opens a type, but no enum. */
function sayWhereNullIs(openapi: OpenAPIObject): void {
  for (const [, { parameters = [] }] of operationsOf(openapi)) {
    for (const parameter of parameters) if ('schema' in parameter) delete (parameter.schema as NullableSchema).nullable;
  }
  openToNull(openapi);
}

function openToNull(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  const schema = node as NullableSchema;
  if (schema.nullable === true && Array.isArray(schema.enum)) schema.enum = [...schema.enum, null];
  // Linters ask for a type beside `nullable`, for of what has none it says nothing.
  if (schema.nullable === true && schema.allOf) schema.type = 'object';
  for (const child of Object.values(node)) openToNull(child);
}

/** One handler answers for several families and addresses: each operation is named by its own. */
function nameByAddress({ paths }: OpenAPIObject): void {
  for (const [path, item] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(item) as [string, { operationId?: string }][]) {
      operation.operationId = [method, ...(path.match(/\w+/g) ?? [])].join('_');
    }
  }
}

/** Makes the document of what is served for a family of old clients. */
export function createLegacyOpenApi(app: NestFastifyApplication, name: string, include: Type[]): OpenAPIObject {
  const document = new DocumentBuilder()
    .setTitle(`Spotter for clients of ${name}`)
    .setDescription('A translation for existing clients. New ones use [the public API](/docs).')
    .setVersion('1')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'The server that this document comes from')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' })
    .build();
  document.info.contact = { name: 'The developers of Spotter' };
  const openapi = SwaggerModule.createDocument(app, document, { include });
  nameByAddress(openapi);
  const operations = operationsOf(openapi).map(([, operation]) => operation);
  for (const operation of operations) {
    operation.security ??= [];
    operation.responses['4XX'] = { $ref: '#/components/responses/Refused' };
  }
  sayWhereNullIs(openapi);
  openapi.components!.responses = { Refused: REFUSED };
  openapi.tags = [...new Set(operations.flatMap(({ tags = [] }) => tags))].map((tag) => ({ name: tag }));
  return openapi;
}

/** See ownAnswer. */
const REFUSED = {
  description: 'Refused, with a sentence for people.',
  content: {
    'application/json': {
      schema: {
        type: 'object',
        required: ['detail', 'message'],
        properties: {
          detail: { type: 'string', example: 'Not found' },
          message: { type: 'string', description: 'The same.', example: 'Not found' },
          error: { type: 'string', description: 'The same, below /api and /gymgem-web.', example: 'Not found' },
          success: { type: 'boolean', description: 'false, below /api and /gymgem-web.', example: false },
        },
      },
    },
  },
};

const DESCRIPTION = `The open backend that runs a gym, or a chain of them.

Sign in with \`POST /api/v1/auth/login\` and send \`Authorization: Bearer <access_token>\`. Times are ISO 8601 in UTC,
a date is the gym's local day, money has at most two decimals. A list answers an array; its \`Link\` header carries the
next page.

Every error is \`application/problem+json\` (RFC 9457): \`code\` is for programs, \`detail\` for people, \`errors\`
names the fields. [All codes](/errors); each answer of an operation lists its own, as \`x-codes\`.
\`null\` in a field that is optional is the same as leaving it out, unless null is a value of the field; what a GET gave
can be sent back by PUT.

Each answer has an \`X-Request-Id\`, also in the log and in the \`instance\` of an error: the one of the request, if
that has 1 to 100 letters, digits or signs of \`_.:/+=-\`, or else a new one. Beside the API there are
\`/health/live\` (the process answers), \`/health/ready\` (it can do its work; if not, 503) and \`/metrics\` (for
Prometheus).`;
