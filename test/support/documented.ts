import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { Answer } from './http-client.js';

interface Response {
  'x-codes'?: string[];
  content?: Record<string, { schema: object }>;
  headers?: Record<string, unknown>;
}

interface Documented {
  pattern: RegExp;
  /** How many of its parts are parameters: `/users/trainers` before `/users/{user_id}`. */
  parameters: number;
  methods: Record<string, { responses: Record<string, Response> }>;
}

const document = JSON.parse(readFileSync(path.join(__dirname, '../../openapi.json'), 'utf8'));

const paths: Documented[] = Object.entries<Documented['methods']>(document.paths)
  .map(([template, methods]) => ({
    pattern: new RegExp(`^${template.replace(/\./g, '\\.').replace(/\{\w+\}/g, '[^/]+')}/?$`),
    parameters: template.split('{').length - 1,
    methods,
  }))
  .toSorted((a, b) => a.parameters - b.parameters);

// Whether an address is an email is not for the answer to say.
const anything = (...formats: string[]) => Object.fromEntries(formats.map((format) => [format, true] as const));
const ajv = new Ajv({
  strict: false,
  formats: { ...anything('email', 'int32', 'int64', 'double', 'password', 'byte', 'binary') },
});
addFormats.default(ajv, ['date', 'date-time']);
ajv.addSchema(strict({ components: document.components }) as object, 'openapi');
const validators = new Map<object, ValidateFunction>();

/** As strict validators read it: `nullable` opens the type beside it, and what is not documented is not there. */
function strict(schema: unknown, isPart = false): unknown {
  if (Array.isArray(schema)) return schema.map((one) => strict(one, isPart));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { example: _example, ...rest } = schema as Record<string, unknown>;
  const translated = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [
      key,
      key === '$ref'
        ? `openapi${String(value)}`
        : key === 'properties'
          ? strictFields(value as object)
          : strict(value, key === 'allOf'),
    ]),
  );
  // A part of several says nothing of the fields of the others.
  return 'properties' in translated && !isPart ? { additionalProperties: false, ...translated } : translated;
}

/** Names of fields are no keywords: a field may be called `example`. */
function strictFields(fields: object): object {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, strict(field)]));
}

/** Throws if an answer of /api/v1 is not what openapi.json says of its operation: status, code, media type, schema. */
export function requireDocumented(method: string, url: string, answer: Answer): void {
  const { pathname } = new URL(url);
  if (!pathname.startsWith('/api/v1/')) return;
  const wrong = differenceOf(method.toLowerCase(), pathname, answer);
  if (wrong)
    throw new Error(`openapi.json: ${method} ${pathname} ${wrong}: ${JSON.stringify(answer.body).slice(0, 2000)}`);
}

function differenceOf(method: string, pathname: string, { status, headers, body }: Answer): string | null {
  const operation = paths.find(({ pattern, methods }) => pattern.test(pathname) && method in methods)?.methods[method];
  // A preflight, the twin of a GET, or what is not there or cannot be read at all.
  if (!operation) {
    const isPlain = ['options', 'head'].includes(method) || [400, 404, 413, 415].includes(status);
    return isPlain ? null : `answers ${status} and is not documented`;
  }
  const response = operation.responses[status];
  if (!response) return `answers ${status}`;
  if (headers.get('retry-after') === null && response.headers && 'Retry-After' in response.headers) {
    return `answers ${status} without Retry-After`;
  }
  if (status >= 400 && !response['x-codes']?.includes(body?.code)) return `answers ${status} ${body?.code}`;
  const type = headers.get('content-type')?.split(';')[0];
  if (!response.content) return type ? `answers ${status} with ${type}` : null;
  const media = type && (response.content[type] ?? response.content['*/*']);
  if (!media) return `answers ${status} with ${type}`;
  let validate = validators.get(media);
  if (!validate) validators.set(media, (validate = ajv.compile(strict(media.schema) as object)));
  return validate(body) ? null : `answers ${status} with ${ajv.errorsText(validate.errors)}`;
}
