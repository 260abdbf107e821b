import type { Schema } from './asyncapi-document.js';

/** The schemas of DTOs, by the names of their classes. */
export type SchemasByName = Record<string, Schema>;
const nameOf = ($ref: string): string => $ref.split('/').at(-1)!;

/**
 * What a payload looks like: the examples of its fields, and otherwise the first value that fits.
 * @param isSent by a client: then fields that may be left out are left out, unless they have an example of their own
 */
export function exampleOf(schema: Schema, schemas: SchemasByName, isSent: boolean): unknown {
  if (schema.example !== undefined) return schema.example;
  if (schema.nullable && !isSent) return null;
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (reference) return exampleOf(schemas[nameOf(reference)]!, schemas, isSent);
  if (schema.enum) return schema.enum[0];
  if (schema.type === 'array') return [exampleOf(schema.items!, schemas, isSent)];
  if (schema.format === 'date-time') return '2026-01-31T18:30:00.000Z';
  if (schema.type === 'object' || schema.properties) return exampleOfObject(schema, schemas, isSent);
  return { boolean: true, integer: 1, number: 1, string: 'text' }[(schema.type as string | undefined) ?? 'string'];
}

function exampleOfObject(schema: Schema, schemas: SchemasByName, isSent: boolean): object {
  const isShown = (name: string, field: Schema) =>
    !isSent || schema.required?.includes(name) || field.example !== undefined || field.type === 'array' || !field.type;
  const shown = Object.entries(schema.properties ?? {}).filter(([name, field]) => isShown(name, field));
  return Object.fromEntries(shown.map(([name, field]) => [name, exampleOf(field, schemas, isSent)]));
}
