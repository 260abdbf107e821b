import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RequestMethod, type Type } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { CompiledDto, rulesOf } from '../../src/common/http/compiled-dto.js';
import { LEGACY_FAMILIES } from '../../src/config/config.js';
import { readLegacyOpenApi, readOpenApi } from '../../src/docs/docs.js';
import { startApp, type TestApp } from '../support/app.js';

interface FieldSchema {
  type?: string;
  format?: string;
  default?: unknown;
  example?: unknown;
  nullable?: boolean;
  enum?: unknown[];
}
/** A field of a body or a query, and what the document says of it. */
interface Field {
  where: string;
  dto: Type;
  name: string;
  schema: FieldSchema;
  isRequired: boolean;
  isOfBody: boolean;
}
interface Operation {
  parameters: { name: string; in: string; required: boolean; schema: FieldSchema }[];
  requestBody?: { content: Record<string, { schema: { $ref: string } }> };
  responses: Record<string, { content?: Record<string, { examples?: object }> }>;
}

const document = readOpenApi();
const ajv = new Ajv({ strict: false });
addFormats.default(ajv, ['date', 'email', 'byte']);
for (const format of ['int32', 'int64', 'double', 'password', 'binary', 'date-time']) ajv.addFormat(format, true);
const families = Object.fromEntries(LEGACY_FAMILIES.map((family) => [family, readLegacyOpenApi(family)]));
for (const [id, one] of Object.entries({ openapi: document, ...families })) ajv.addSchema(one, id);
const PROBLEM = 'application/problem+json';
const NAMED = { $ref: expect.stringMatching(/^#\/components\/schemas\/\w+$/) };

/** What no schema can say: a zone that exists, bytes in the one form of base64, two decimals, an object with rules. */
const SAYS_MORE = new Set(['isTimeZone', 'isTemplate', 'isDecimal', 'isCapacities']);

describe('the schemas of what is taken', () => {
  let t: TestApp;
  let fields: Field[];

  beforeAll(async () => {
    t = await startApp({ LEGACY_CLIENTS: 'none' });
    fields = takenBy(t).flatMap(([where, dto, operation]) => fieldsOf(where, dto, operation));
  });
  afterAll(() => t.close());

  it('are of all fields', () => {
    expect(fields.length).toBeGreaterThan(350);
    const unknown = fields.filter(({ schema }) => !schema).map(({ where, name }) => `${where} ${name}`);
    expect(unknown).toEqual([]);
  });

  it('allow and refuse the same as the rules: at each bound, beyond it, and in each enum', () => {
    const different: string[] = [];
    let probed = 0;
    for (const { where, dto, name, schema } of fields) {
      const says = ajv.compile(schema);
      const rules = rulesOf(dto).filter(({ propertyName }) => propertyName === name);
      for (const value of probesOf(rules, schema)) {
        probed++;
        const isTaken = faultOf(dto, name, { [name]: value }) === undefined;
        const isSaid = says(value);
        if (isTaken && !isSaid) different.push(`${where} ${name} takes ${show(value)}, which the document refuses`);
        if (isSaid && !isTaken && !rules.some((rule) => SAYS_MORE.has(rule.name!))) {
          different.push(`${where} ${name} refuses ${show(value)}, which the document allows`);
        }
      }
    }
    expect(different).toEqual([]);
    expect(probed).toBeGreaterThan(2000);
  });

  it('say what may be null, what is required and what is set by default', () => {
    for (const { where, dto, name, schema, isRequired, isOfBody } of fields) {
      const preset = (new dto() as Record<string, unknown>)[name];
      // One of user_id and qr_code.
      const isEither = name === 'user_id' && rulesOf(dto).some(({ propertyName }) => propertyName === 'qr_code');
      expect({ isRequired, default: schema.default }).toEqualFor([where, name], {
        isRequired: faultOf(dto, name, {}) === 'is required' && !isEither,
        default: preset,
      });
      // null is a value, or the same as nothing; no query has one. Of those of which one is needed the other is there.
      const isTaken = isEither || faultOf(dto, name, { [name]: null }) === undefined;
      expect(ajv.validate(schema, null)).toEqualFor([where, name], isOfBody && isTaken);
    }
  });

  it('say of an object that may be null which one it is, and that it is nullable: nothing else that generators know', () => {
    let checked = 0;
    for (const [id, { components }] of Object.entries({ openapi: document, ...families })) {
      each(components, (node, place) => {
        expect([node.anyOf, node.oneOf]).toEqualFor([id, place], [undefined, undefined]);
        // Of an enum of null alone generators make clients that do not compile, or that refuse null.
        expect(node.enum).not.toEqualFor(place, [null]);
        if (!node.nullable || !node.allOf) return;
        checked++;
        expect(node).toEqualFor([id, place], expect.objectContaining({ type: 'object', allOf: [NAMED] }));
      });
    }
    expect(checked).toBeGreaterThan(13);
  });

  it('write patterns without what only JavaScript needs', () => {
    each(document, ({ pattern }, place) => expect(String(pattern).includes(String.raw`\/`)).toEqualFor(place, false));
  });

  it('say of a date no pattern, which generators refuse', () => {
    let checked = 0;
    each({ document, ...families }, ({ format, pattern }, place) => {
      if (format !== 'date' && format !== 'date-time') return;
      checked++;
      expect(pattern).toEqualFor(place, undefined);
    });
    expect(checked).toBeGreaterThan(100);
  });

  it('say which numbers are whole, and how large they get', () => {
    const numbers: string[] = [];
    each(document, (node, place) => {
      if (node.type === 'integer') expect(node.format).toEqualFor(place, expect.stringMatching(/^int(32|64)$/));
      if (node.format === 'int32') expect((node.maximum as number) ?? 0).toBeLessThanOrEqual(2_147_483_647);
      // An amount is known by its rule, or by the decimals of its example.
      const isAmount = node.format === 'double' || String(node.example).includes('.');
      if (node.type === 'number' && !isAmount) numbers.push(place);
    });
    expect(numbers).toEqual([]);
  });

  it('are kept by each example', () => {
    each(document, (node, place) => {
      if (node.type === 'object' || node.example === undefined || node.format === 'date-time') return;
      if (node.nullable && node.example === null) return;
      expect(ajv.validate(node, node.example)).toEqualFor([place, node.example], true);
    });
  });

  it('are kept by the example of each refusal, which has the status of its answer', () => {
    let checked = 0;
    for (const [path, item] of Object.entries(document.paths)) {
      for (const [method, { responses }] of Object.entries(item) as [string, Operation][]) {
        for (const [status, { content = {} }] of Object.entries(responses)) {
          for (const code of Object.keys(content[PROBLEM]?.examples ?? {})) {
            const { value } = document.components!.examples![code] as { value: object };
            expect(value).toEqualFor(code, expect.objectContaining({ status: Number(status), code }));
            expect('errors' in value).toEqualFor(code, status === '422');
            const place = ['', 'paths', path, method, 'responses', status, 'content', PROBLEM, 'schema'];
            const says = ajv.getSchema(`openapi#${place.map((key) => key.replaceAll('/', '~1')).join('/')}`)!;
            expect(says(value)).toEqualFor([path, method, value], true);
            checked++;
          }
        }
      }
    }
    expect(checked).toBeGreaterThan(900);
  });

  const show = (value: unknown) => JSON.stringify(value)?.slice(0, 60);
});

/** What is wrong with a field, if all of this is sent. */
function faultOf(dto: Type, name: string, sent: object): string | undefined {
  const compiled = CompiledDto.of(dto);
  return compiled.faultsOf(compiled.read(sent)).find(({ field }) => field.split('.')[0] === name)?.message;
}

/** Values at each bound of the rules and beyond, of the type that the document says. */
function probesOf(rules: { name?: string; constraints?: unknown[] }[], schema: FieldSchema): unknown[] {
  const bounds = rules.flatMap(({ constraints = [] }) => constraints).filter((one) => typeof one === 'number');
  const values = rules
    .flatMap(({ constraints = [] }) => constraints)
    .filter(Array.isArray)
    .flat();
  const near = [0, 1, ...bounds].flatMap((bound) => [bound - 1, bound, bound + 1]);
  switch (schema.type) {
    case 'integer':
    case 'number':
      return [...near, ...[...bounds, 60].map((bound) => bound + 0.5), 60.25, 60.255];
    case 'boolean':
      return [true, false];
    case 'string':
      return [
        ...near.filter((length) => length >= 0 && length < 300_000).map((length) => 'a'.repeat(length)),
        ...near.filter((length) => length >= 0 && length < 300_000).map((length) => '7'.repeat(length)),
        ...[...values, schema.example].filter((value) => value !== undefined && value !== null),
        ...['2026-01-31', '2026-1-31', '2026-01-31T10:00:00Z', '2026-01-31T10:00', 'a@example.com', 'a b', 'a/b', 'é'],
      ];
    default:
      return [];
  }
}

/** The routes of the document, each with the classes of its query and its body. */
function takenBy({ app }: TestApp): [where: string, dto: Type, operation: Operation][] {
  const scanner = new MetadataScanner();
  return app
    .get(DiscoveryService, { strict: false })
    .getControllers()
    .flatMap((controller) => {
      const metatype = controller.metatype as Type;
      const prototype = metatype.prototype as Record<string, object>;
      const base = Reflect.getMetadata('path', metatype) as string;
      return scanner.getAllMethodNames(prototype).flatMap((name) => {
        const handler = prototype[name]!;
        const paths = [Reflect.getMetadata('path', handler) as string | string[]].flat();
        const method = RequestMethod[Reflect.getMetadata('method', handler) as number]?.toLowerCase();
        const types = (Reflect.getMetadata('design:paramtypes', prototype, name) ?? []) as Type[];
        return paths.flatMap((path) => {
          const address = `/api/v1/${base}/${path}`
            .replace(/\/+/g, '/')
            .replace(/\/$/, '')
            .replace(/:(\w+)/g, '{$1}');
          const operation = (document.paths[address] as Record<string, Operation> | undefined)?.[method!];
          const dtos = types.filter((type) => typeof type === 'function' && rulesOf(type).length > 0);
          return operation
            ? dtos.map((dto): [string, Type, Operation] => [`${method} ${address}`, dto, operation])
            : [];
        });
      });
    });
}

function fieldsOf(where: string, dto: Type, { parameters, requestBody }: Operation): Field[] {
  const names = [...new Set(rulesOf(dto).map(({ propertyName }) => propertyName))];
  const reference = requestBody?.content['application/json']?.schema.$ref.split('/').at(-1);
  if (reference !== dto.name) {
    return names.map((name) => {
      const parameter = parameters.find((one) => one.name === name && one.in === 'query');
      const schema = parameter?.schema as FieldSchema;
      return { where, dto, name, schema, isRequired: parameter?.required ?? false, isOfBody: false };
    });
  }
  const body = document.components!.schemas![reference] as {
    properties: Record<string, FieldSchema>;
    required?: string[];
  };
  return names.map((name) => ({
    ...{ where, dto, name, schema: body.properties[name]! },
    isRequired: body.required?.includes(name) ?? false,
    isOfBody: true,
  }));
}

/** Looks at each schema in the document. */
function each(node: unknown, look: (node: Record<string, unknown>, place: string) => void, place = ''): void {
  if (typeof node !== 'object' || node === null) return;
  const schema = node as Record<string, unknown>;
  if (typeof schema.type === 'string' || schema.anyOf || schema.oneOf) look(schema, place);
  for (const [key, child] of Object.entries(schema)) if (key !== 'example') each(child, look, `${place}/${key}`);
}
