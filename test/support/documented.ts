import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { Answer } from './http-client.js';

interface Response {
  'x-codes'?: string[];
  content?: Record<string, { schema: object }>;
  headers?: Record<string, unknown>;
}

/** A message between the server and clients. */
interface Event {
  name: string;
  payload: object;
}

interface Documented {
  /** The name of the document that has it. */
  document: string;
  pattern: RegExp;
  /** How many of its parts are parameters: `/users/trainers` before `/users/{user_id}`. */
  parameters: number;
  methods: Record<string, { responses: Record<string, Response> }>;
}

const ROOT = path.join(__dirname, '../..');
const read = (file: string) => JSON.parse(readFileSync(path.join(ROOT, file), 'utf8'));
const PUBLIC_API = 'openapi.json';
const ofOldClients = readdirSync(path.join(ROOT, 'docs/legacy')).filter((name) => name.endsWith('.json'));
const documents = [
  [PUBLIC_API, read(PUBLIC_API)] as const,
  ...ofOldClients.map((name) => [name, read(`docs/legacy/${name}`)] as const),
];
const events = read('asyncapi.json');

const paths: Documented[] = documents
  .flatMap(([name, document]) =>
    Object.entries<Documented['methods']>(document.paths).map(([template, methods]) => ({
      document: name,
      pattern: new RegExp(`^${template.replace(/\./g, '\\.').replace(/\{\w+\}/g, '[^/]+')}/?$`),
      parameters: template.split('{').length - 1,
      methods,
    })),
  )
  .toSorted((a, b) => a.parameters - b.parameters);

// Whether an address is an email is not for the answer to say.
const anything = (...formats: string[]) => Object.fromEntries(formats.map((format) => [format, true] as const));
const ajv = new Ajv({
  strict: false,
  formats: { ...anything('email', 'int32', 'int64', 'double', 'password', 'byte', 'binary') },
});
addFormats.default(ajv, ['date', 'date-time']);
for (const [name, { components }] of documents) ajv.addSchema(strict({ components }, name) as object, name);
ajv.addSchema(strict({ components: { schemas: events.components.schemas } }, 'asyncapi') as object, 'asyncapi');
const validators = new Map<object, ValidateFunction>();

/** Whether the value is what the schema says. @param of which document it is */
function differencesOf(schema: object, of: string, value: unknown): string | null {
  const validate = validators.get(schema) ?? ajv.compile(strict(schema, of) as object);
  validators.set(schema, validate);
  return validate(value) ? null : ajv.errorsText(validate.errors);
}

/**
 * As strict validators read it: `nullable` opens the type beside it, and what is not documented is not there. A named
 * schema that is nullable is null or that, as generators read it: by the letter nothing opens what is named.
 */
function strict(schema: unknown, of: string, isPart = false): unknown {
  if (Array.isArray(schema)) return schema.map((one) => strict(one, of, isPart));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { example: _example, ...rest } = schema as Record<string, unknown>;
  const translated = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [
      key,
      key === '$ref'
        ? `${of}${String(value)}`
        : key === 'properties'
          ? strictFields(value as object, of)
          : strict(value, of, key === 'allOf'),
    ]),
  );
  if (translated.nullable && translated.allOf) return { anyOf: [translated, { type: 'null' }] };
  // A part of several says nothing of the fields of the others.
  return 'properties' in translated && !isPart ? { additionalProperties: false, ...translated } : translated;
}

/** Names of fields are no keywords: a field may be called `example`. */
function strictFields(fields: object, of: string): object {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, strict(field, of)]));
}

/** Throws if an answer is not what the document says of its operation: status, code, media type, schema. */
export function requireDocumented(method: string, url: string, answer: Answer): void {
  const { pathname } = new URL(url);
  const known = paths.find(({ pattern, methods }) => pattern.test(pathname) && method.toLowerCase() in methods);
  // What old clients are refused has one shape, and one address leads browsers to the documentation.
  if (!pathname.startsWith('/api/v1/') && (!known || answer.status >= 300)) return;
  const wrong = differenceOf(method.toLowerCase(), known, answer);
  if (!wrong) return;
  const body = JSON.stringify(answer.body).slice(0, 2000);
  throw new Error(`${known?.document ?? PUBLIC_API}: ${method} ${pathname} ${wrong}: ${body}`);
}

function differenceOf(method: string, known: Documented | undefined, { status, headers, body }: Answer): string | null {
  // A preflight, the twin of a GET, or what is not there or cannot be read at all.
  if (!known) {
    const isPlain = ['options', 'head'].includes(method) || [400, 404, 413, 415].includes(status);
    return isPlain ? null : `answers ${status} and is not documented`;
  }
  const response = known.methods[method]!.responses[status];
  if (!response) return `answers ${status}`;
  if (headers.get('retry-after') === null && response.headers && 'Retry-After' in response.headers) {
    return `answers ${status} without Retry-After`;
  }
  if (status >= 400 && !response['x-codes']?.includes(body?.code)) return `answers ${status} ${body?.code}`;
  const type = headers.get('content-type')?.split(';')[0];
  if (!response.content) return type ? `answers ${status} with ${type}` : null;
  const media = type && (response.content[type] ?? response.content['*/*']);
  if (!media) return `answers ${status} with ${type}`;
  const differences = differencesOf(media.schema, known.document, body);
  return differences && `answers ${status} with ${differences}`;
}

/** Throws if a message was refused with a code that asyncapi.json does not name for it. */
function requireDocumentedCode(namespace: string, payload: unknown): void {
  const { code, event, error }: { code?: unknown; event?: string; error?: string } = { ...(payload as object | null) };
  const codes: string[] | undefined = events.operations[`${namespace.slice(1)}.receive.${event}`]?.['x-codes'];
  // A fault of ours is documented nowhere.
  if (typeof code !== 'string' || !error || !codes || code === 'internal_error' || codes.includes(code)) return;
  throw new Error(`asyncapi.json: ${namespace} ${event} is refused with ${code}`);
}

/** Throws if an event of a namespace is not what asyncapi.json says of it. */
export function requireDocumentedEvent(namespace: string, event: string, payload: unknown): void {
  const channel = events.channels[namespace.slice(1)];
  if (!channel) return;
  requireDocumentedCode(namespace, payload);
  const messages: Event[] = Object.values<{ $ref: string }>(channel.messages)
    .map(({ $ref }) => $ref.split('/').at(-1)!)
    .filter((key) => key.includes('.from_server.'))
    .map((key) => events.components.messages[key]);
  requireOneOf(
    messages.filter(({ name }) => name === event),
    `${namespace} ${event}`,
    payload,
  );
}

/** Throws if what an event of a client was acknowledged with is not what asyncapi.json says of it. */
export function requireDocumentedAcknowledgement(namespace: string, event: string, payload: unknown): void {
  const operation = events.operations[`${namespace.slice(1)}.receive.${event}`];
  // One that is not known is refused as `error`, which comes as an event, too.
  if (!operation) return;
  requireDocumentedCode(namespace, payload);
  const messages: Event[] = operation['x-acknowledgement'].map(({ $ref }: { $ref: string }) => {
    const [, , channel, , key] = $ref.split('/');
    return events.components.messages[`${channel}.${key}`];
  });
  requireOneOf(messages, `${namespace} ${event} acknowledged`, payload);
}

function requireOneOf(messages: Event[], what: string, payload: unknown): void {
  const wrong = messages.map((message) => differencesOf(message.payload, 'asyncapi', payload));
  if (wrong.some((differences) => differences === null)) return;
  const why = wrong.join('; or ') || 'is not documented';
  throw new Error(`asyncapi.json: ${what} ${why}: ${JSON.stringify(payload).slice(0, 2000)}`);
}
