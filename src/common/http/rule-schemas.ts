import { VISIBLE } from './fields.js';

/** What JSON Schema can say of a value. */
export interface RuleSchema {
  type?: 'string' | 'integer' | 'number' | 'boolean';
  format?: string;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
}

/**
 * What a rule says, for the documentation: never more than it wants, so that a client which believes the schema is
 * refused nothing that the server takes. By the name of class-validator, or its own.
 */
const SCHEMAS: Record<string, (...constraints: never[]) => RuleSchema> = {
  isBoolean: () => ({ type: 'boolean' }),
  isString: () => ({ type: 'string' }),
  isInt: () => ({ type: 'integer' }),
  // No multipleOf: 2.01 is no multiple of 0.01 for those who divide binary fractions.
  isDecimal: () => ({ type: 'number', format: 'double' }),
  isEmail: () => ({ format: 'email' }),
  isIso8601: () => ({ type: 'string', format: 'date' }),
  isTimeZone: () => ({ type: 'string' }),
  isGymTime: (pattern: RegExp) => ({ type: 'string', pattern: sourceOf(pattern) }),
  isPassword: (least: number, most: number) => ({
    type: 'string',
    format: 'password',
    minLength: least,
    maxLength: most,
  }),
  isTemplate: (least: number, most: number) => ({
    type: 'string',
    format: 'byte',
    minLength: lengthInBase64(least),
    maxLength: lengthInBase64(most),
  }),
  isContent: (most: number) => ({ maxLength: most }),
  isIn: (values: unknown[]) => ({ enum: [...values] }),
  min: (least: number) => ({ minimum: least }),
  max: (most: number) => ({ maximum: most }),
  isLength: (least: number, most?: number) => ({ minLength: least, maxLength: most }),
  minLength: (least: number) => ({ minLength: least }),
  maxLength: (most: number) => ({ maxLength: most }),
  isNotEmpty: () => ({ minLength: 1 }),
  // Few generators know Unicode's classes: of what can be seen they are told that it is no blank.
  matches: (pattern: RegExp) => ({ type: 'string', pattern: pattern === VISIBLE ? String.raw`\S` : sourceOf(pattern) }),
  arrayMaxSize: (most: number) => ({ maxItems: most }),
  isArray: () => ({}),
  isObject: () => ({}),
  // Says it with @ApiProperty: what it holds is no single value.
  isCapacities: () => ({}),
};

/** JavaScript alone escapes a slash, and generators write broken files of it. */
const sourceOf = (pattern: RegExp): string => pattern.source.replaceAll(String.raw`\/`, '/');

const lengthInBase64 = (bytes: number): number => 4 * Math.ceil(bytes / 3);

interface Rule {
  name?: string;
  type: string;
  each: boolean;
  constraints?: unknown[];
}

/** What these rules of one field say together. @throws Error of a rule that SCHEMAS does not have */
export function schemaOfRules(rules: Rule[]): RuleSchema & { items?: RuleSchema } {
  const ofEach = rules.filter(({ each }) => each);
  const items = merged(ofEach);
  return { ...merged(rules.filter(({ each }) => !each)), ...(Object.keys(items).length > 0 && { items }) };
}

function merged(rules: Rule[]): RuleSchema {
  const schemas = rules.map(({ name, type, constraints = [] }) => {
    const schema = SCHEMAS[name ?? type];
    if (!schema) throw new Error(`The rule ${name ?? type} has no schema: see rule-schemas.ts`);
    return schema(...(constraints as never[]));
  });
  const all = Object.assign({}, ...schemas.map(withoutUndefined)) as RuleSchema;
  // Of several limits the narrowest counts.
  for (const [key, narrowest] of Object.entries(NARROWEST)) {
    const limits = schemas
      .map((schema) => schema[key as keyof typeof NARROWEST])
      .filter((limit) => limit !== undefined);
    if (limits.length > 0) all[key as keyof typeof NARROWEST] = narrowest(...limits);
  }
  // Generators that make a date of it refuse a pattern, which is for texts.
  if (all.format === 'date') delete all.pattern;
  return all;
}

const NARROWEST = { minLength: Math.max, maxLength: Math.min, minimum: Math.max, maximum: Math.min };

const withoutUndefined = (schema: RuleSchema): RuleSchema =>
  Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined));
