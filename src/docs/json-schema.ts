import type { Schema } from './asyncapi-document.js';

/**
 * A schema of OpenAPI 3.0 as AsyncAPI reads it, which is JSON Schema: null is a type, and examples are a list.
 */
export function toJsonSchema({ nullable, example, items, properties, ...rest }: Schema): Schema {
  const schema: Schema = {
    ...rest,
    ...(items && { items: toJsonSchema(items) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, toJsonSchema(field)])),
    }),
    ...(example !== undefined && { examples: [example] }),
  };
  if (!nullable) return schema;
  const { description, examples, ...value } = schema;
  if (typeof value.type !== 'string' || value.allOf) {
    const one = value.allOf?.length === 1 ? value.allOf[0]! : value;
    return { ...(description && { description }), ...(examples && { examples }), oneOf: [one, { type: 'null' }] };
  }
  return { ...schema, type: [value.type, 'null'], ...(value.enum && { enum: [...value.enum, null] }) };
}
