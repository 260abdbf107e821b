import type { Schema } from './asyncapi-document.js';

/** `first_name` as FirstName. */
const capitalized = (name: string): string => name.replace(/(?:^|_)(\w)/g, (_, first: string) => first.toUpperCase());

/**
 * A schema of OpenAPI 3.0 as AsyncAPI reads it, which is JSON Schema: null is a type, and examples are a list.
 * @param title of an enum, which generators would otherwise number; that of a field has the name of the field, too
 */
export function toJsonSchema({ nullable, example, items, properties, ...rest }: Schema, title: string): Schema {
  const schema: Schema = {
    ...(rest.enum && { title }),
    ...rest,
    ...(items && { items: toJsonSchema(items, title) }),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, field]) => [name, toJsonSchema(field, title + capitalized(name))]),
      ),
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
