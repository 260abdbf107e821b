import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type ArgumentMetadata, type Type, ValidationPipe } from '@nestjs/common';
import { IntersectionType, PartialType, PickType } from '@nestjs/swagger';
import { Exclude, Expose, Transform, Type as TypeIs } from 'class-transformer';
import {
  Allow,
  getMetadataStorage,
  IsDefined,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  MaxLength,
  Min,
  registerDecorator,
  Validate,
  ValidateIf,
  ValidateNested,
  type ValidationError,
  ValidatorConstraint,
  type ValidatorOptions,
} from 'class-validator';
import type { FieldError } from '../errors/domain-error.js';
import { CompiledDto, rulesOf } from './compiled-dto.js';
import { dtosOf } from './dto-table.js';
import { IsText } from './fields.js';
import { IsNullable, isNullable } from './nulls.js';
import { wordsOf } from './rule-words.js';
import { validation as compiled } from './validation.js';
import { IsId } from './whole.js';

// What the libraries do, with the rule for null, is how it was done before: the compiled DTOs must do the same.

const withoutName = (message: string, name: string) =>
  message.startsWith(`${name} `) ? message.slice(name.length + 1) : message;
const flatten = (errors: ValidationError[], parent = ''): FieldError[] =>
  errors.flatMap(({ property, value, constraints = {}, children = [] }) => [
    ...Object.values(constraints).map((message) => ({
      field: parent + property,
      // Of what is not there each rule is broken: that it is not there says more.
      message: message.startsWith('Validation failed')
        ? 'must be a JSON object'
        : value === undefined
          ? 'is required'
          : withoutName(message, property),
    })),
    ...flatten(children, `${parent}${property}.`),
  ]);

function dropNulls(input: unknown): void {
  if (Array.isArray(input)) return input.forEach(dropNulls);
  if (typeof input !== 'object' || input === null) return;
  const type = input.constructor as Type;
  if (type === Object) return;
  const fields = input as Record<string, unknown>;
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null) dropNulls(value);
    else if (!isNullable(rulesOf(type).filter(({ propertyName }) => propertyName === name))) {
      fields[name] = new type()[name];
      if (fields[name] === undefined) delete fields[name];
    }
  }
}

class OfTheLibraries extends ValidationPipe {
  protected override validate(input: object, options?: ValidatorOptions) {
    dropNulls(input);
    return super.validate(input, options);
  }
}

const ofTheLibraries = new OfTheLibraries({
  ...{ whitelist: true, transform: true, stopAtFirstError: true },
  exceptionFactory: (errors) => Object.assign(new Error(), { data: { errors: flatten(errors) } }),
});

async function outcomeOf(pipe: typeof compiled, input: unknown, where: ArgumentMetadata) {
  try {
    return { value: (await pipe.transform(input, where)) as unknown };
  } catch (error) {
    return {
      wrong: (error as { data?: { errors: FieldError[] } }).data?.errors ?? [{ field: '', message: String(error) }],
    };
  }
}

// Inputs, as JSON: what one way does with its own must not be seen by the other.

/** Values that a field expects, or nearly, or not at all. */
const VALUES = [
  ...[
    null,
    true,
    false,
    0,
    -1,
    1,
    2,
    5,
    7,
    23,
    24,
    1.5,
    35.55,
    35.555,
    1e-7,
    1e308,
    2 ** 31,
    2 ** 53,
    10_001,
    1_000_001,
  ],
  ...[
    '',
    ' ',
    'x',
    'no',
    ' x ',
    '1',
    '23',
    '007',
    '12345678901',
    '0x10',
    '1e3',
    ' 1',
    '1.50',
    '1.505',
    '-1',
    'NaN',
    'null',
  ],
  ...['true', 'member', 'user', 'active', 'time', 'now', 'en', 'UTC', 'Nowhere/Land', 'CET', 'a@example.com', 'a@b'],
  ...['2026-02-28', '2026-02-30', '1899-01-01', '2026-03-01T18:30:00Z', '2026-03-01T18:30:00', '2026-02-30T18:30:00Z'],
  ...['e\u0301', '\u200b', '\u2800', '$value $property $constraint1 $target $& $$', 'weight,hips', 'weight,$&', 'é b'],
  ...['+1 234 567 891', '12', 'Rk1SACAyMAABGgAzAAAA/AFEAMUAxQEAAAAoJ4CfAKUlAA==', 'Rk1SACAyMAABGgAzAAAA/AFEAMUAxQE'],
  ...['7'.repeat(400), 'x'.repeat(51), 'é'.repeat(40), 'x'.repeat(1001), 'x'.repeat(2002)],
  ...[
    [],
    [1],
    ['weight', 'hips'],
    ['1', 2],
    [null],
    [[]],
    [{}],
    [[{}]],
    [[{ id: 0 }]],
    Array.from({ length: 101 }, () => ({})),
    {},
  ],
  ...[{ a: 1 }, { length: 5 }, { toString: 'x' }, { 18: 4 }, { 24: 4 }, { 18: -1 }, { 18: 4, valueOf: 1 }],
  ...[
    { 18: 4, constructor: 1 },
    { 18: 4, prototype: 1 },
    { 18: 4, ['__proto__']: 1 },
    { 18: { a: { hasOwnProperty: 1 } } },
  ],
].map((value) => JSON.stringify(value));
const UNKNOWN = ['unknown', '__proto__', 'constructor', 'prototype', 'toString', 'length'];
/** Of what is no object. */
const WHOLES = ['null', '5', '0', 'true', '""', '"x"', '[]', '[5]', '[[]]', '[{}]', '[null]'];

/** The same numbers in each run. */
function* numbers(state = 20_260_101): Generator<number, never> {
  for (;;) yield (state = (state * 48_271) % 0x7fff_ffff) / 0x7fff_ffff;
}
const random = numbers();
const below = (end: number) => Math.floor(random.next().value * end);
const oneOf = <Item>(items: Item[]): Item => items[below(items.length)]!;

type Place = [holder: any, name: string];
/** Every place in it, as what holds it and under which name. */
const placesIn = (value: unknown): Place[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([name, inner]) => [[value, name], ...placesIn(inner)])
    : [];

function put(holder: any, name: string, text: string) {
  // As JSON.parse does it: also under the name __proto__.
  Object.defineProperty(holder, name, {
    value: JSON.parse(text) as unknown,
    ...{ writable: true, enumerable: true, configurable: true },
  });
}

function changed(example: object): string {
  const input = JSON.parse(JSON.stringify(example)) as object;
  for (let left = 1 + below(4); left > 0; left--) {
    const [holder, name] = oneOf([...placesIn(input), [input, oneOf(UNKNOWN)] as const]);
    const change = below(6);
    if (change === 0 && !Array.isArray(holder)) delete holder[name];
    else if (change === 1) put(holder, name, JSON.stringify([holder[name], holder[name]]));
    else if (change === 2) put(holder, name, JSON.stringify(JSON.stringify(holder[name]) ?? ''));
    else if (change === 3 && !Array.isArray(holder)) put(holder, oneOf(UNKNOWN), oneOf(VALUES));
    else put(holder, name, oneOf(VALUES));
  }
  return JSON.stringify(input);
}

/** Each of its places gets each of the values once; all at once, because what is wrong is told of each field. */
const filled = (example: object, placesOf: (input: object) => Place[]): string[] =>
  VALUES.map((_, round) => {
    const input = JSON.parse(JSON.stringify(example)) as object;
    for (const [index, [holder, name]] of placesOf(input).entries()) {
      put(holder, name, VALUES[(round + 31 * index) % VALUES.length]!);
    }
    return JSON.stringify(input);
  });

/** One of its places has another value that may be good. */
const varied = (example: object): string[] =>
  placesIn(example).flatMap(([holder, name]) => {
    const before: unknown = holder[name];
    return [null, String(before), ` ${String(before).normalize('NFD')} `].map((value) => {
      holder[name] = value;
      const input = JSON.stringify(example);
      holder[name] = before;
      return input;
    });
  });

function inputsFor(fields: string[], example: object): string[] {
  const isNested = ([holder, name]: Place) => typeof holder[name] === 'object';
  const whole = JSON.stringify(example);
  return [
    ...['{}', whole, `[${whole}]`, ...WHOLES],
    ...varied(example),
    ...filled(example, (input) => fields.map((name) => [input, name])),
    // Where it stands for an id, the id is looked at only without it.
    ...(fields.includes('qr_code') ? filled(example, (input) => [[input, 'user_id']]) : []),
    ...(placesIn(example).some(isNested)
      ? filled(example, (input) => placesIn(input).filter((place) => !isNested(place)))
      : []),
    ...Array.from({ length: 50 }, () => changed(example)),
  ];
}

// The classes.

/** What no DTO of the app has, and one may have. */
class Inner {
  @IsId()
  id: number;

  @IsOptional()
  @IsString({ message: ({ value, property, targetName }) => `${targetName} ${property} is ${JSON.stringify(value)}` })
  text?: string;
}

class Base {
  @MaxLength(3, { message: '$property of $target: $value has more than $constraint1' })
  @IsString()
  short: string;

  @IsInt({ each: true })
  @Min(1, { each: true })
  each: number[];

  @Allow()
  free: unknown;

  @IsIn(['a', 'b'])
  defaulted = 'a';
}

@ValidatorConstraint({ name: 'classRule' })
class ClassRule {
  validate = (value: unknown) => value !== 5;
  defaultMessage = () => '$property must not be 5';
}

class Unusual extends IntersectionType(PickType(Base, ['short', 'defaulted']), PartialType(PickType(Base, ['each']))) {
  @ValidateIf((input: Unusual) => input.short !== 'no')
  @TypeIs(() => Inner)
  @ValidateNested()
  one: Inner;

  @IsNullable()
  @TypeIs(() => Inner)
  @ValidateNested({ each: true, message: 'each of $property must be one' })
  many: Inner[] | null;

  @Transform(({ value, key, obj }) => (value === 1 ? `${key} of ${(obj as Unusual).short}` : value))
  @Transform(({ value }) => (value === 0 ? null : value))
  @Validate(ClassRule)
  @IsOptional()
  made: unknown;
}

class Child extends Base {
  @IsIn(['b'])
  override defaulted = 'b';

  @IsNullable()
  @IsText(1, 5)
  override short: string;
}

/** The same message with other numbers or values is the same. */
const shapeOf = (message: string) =>
  message.replace(/one of .*/, 'one of ...').replace(/(?<![\w-])\d+(\.\d+)?(?![\w-])/g, 'N');

describe('a compiled DTO', () => {
  let dtos: Type[];
  const examples = new Map<string, object>();

  beforeAll(async () => {
    const root = path.resolve('src');
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(controller|gateway)\.ts$/.test(file))
      .toSorted();
    const modules = await Promise.all(files.map((file) => import(path.join(root, file)) as Promise<object>));
    dtos = [...dtosOf(modules.flatMap((module) => Object.values(module))), Unusual, Child];

    // The libraries are told our words, so that what is compared is which rule is broken.
    const all = (
      getMetadataStorage() as unknown as Record<'validationMetadatas', Map<unknown, ReturnType<typeof rulesOf>>>
    ).validationMetadatas;
    for (const rule of [...all.values()].flat()) {
      if (!rule.message || rule.type === 'nestedValidation') rule.message = wordsOf(rule) ?? rule.message;
    }

    const documentOf = (file: string) => JSON.parse(readFileSync(file, 'utf8'));
    const openapi = documentOf('openapi.json');
    const pool: Record<string, unknown> = {};
    const known = ([name, { example }]: [string, any]) => (example === undefined ? [] : [[name, example]]);
    for (const [name, { properties = {} }] of Object.entries<any>(openapi.components.schemas)) {
      examples.set(name, Object.fromEntries(Object.entries(properties).flatMap(known)));
      Object.assign(pool, examples.get(name));
    }
    const ofOldClients = readdirSync('docs/legacy').filter((file) => file.endsWith('.json'));
    for (const { components } of ofOldClients.map((file) => documentOf(path.join('docs/legacy', file)))) {
      for (const [name, { properties = {} }] of Object.entries<any>(components.schemas ?? {})) {
        if (!examples.has(name)) examples.set(name, Object.fromEntries(Object.entries(properties).flatMap(known)));
      }
    }
    for (const { payload, examples: [shown] = [] } of Object.values<any>(
      documentOf('asyncapi.json').components.messages,
    )) {
      if (payload.$ref && shown) examples.set(payload.$ref.split('/').at(-1), shown.payload);
    }
    // Without it there must be an id.
    delete pool.qr_code;
    // A query has no schema of its own, and some fields have an example only where they are answered.
    const more = {
      refresh_token: 'x',
      token: 'x',
      metric: 'visits',
      date: '2026-01-31',
      limit: '20',
      count: 'true',
      q: 'maria',
      fields: 'weight,hips',
      cursor: 'x',
      threshold: '3',
      ...{ phone: '010 7782 7638', customer_id: 8, service_id: 1, subscription_id: 31, preferred_language: 'en' },
    };
    for (const dto of dtos) {
      const fields = new Set(rulesOf(dto).map(({ propertyName }) => propertyName));
      const others = Object.entries({ ...pool, ...more }).filter(([name]) => fields.has(name));
      examples.set(dto.name, { ...Object.fromEntries(others), ...examples.get(dto.name) });
    }
    examples.set(Unusual.name, {
      short: 'x',
      each: [1, 2],
      one: { id: 1 },
      many: [{ id: 1, text: 'x' }, { id: 2 }],
      made: 1,
    });
    examples.set(Child.name, { short: 'x', each: [1, 2], free: { a: [1, { b: 1 }] }, defaulted: 'b' });
  });

  it('makes of each input the same instance, or finds the same faults in the same order, as the libraries do', async () => {
    const differences: unknown[] = [];
    const seen = { good: 0, wrong: 0 };
    for (const dto of dtos) {
      const example = examples.get(dto.name) as Record<string, unknown>;
      const fields = [...new Set(rulesOf(dto).map(({ propertyName }) => propertyName))];
      // Of a query, what is a list has a reason of its own.
      const where: ArgumentMetadata = { type: 'body', metatype: dto };
      // What is an example elsewhere may be wrong here.
      const { wrong = [] } = await outcomeOf(ofTheLibraries, { ...example }, where);
      for (const { field } of wrong) delete example[field];
      expect(await outcomeOf(ofTheLibraries, { ...example }, where)).toEqualFor(dto.name, { value: expect.any(dto) });
      for (const input of inputsFor(fields, example)) {
        const expected = await outcomeOf(ofTheLibraries, JSON.parse(input), where);
        const actual = await outcomeOf(compiled, JSON.parse(input), where);
        if (!isDeepStrictEqual(actual, expected)) differences.push({ dto, input, expected, actual });
        seen[expected.wrong ? 'wrong' : 'good']++;
      }
    }
    expect(differences.slice(0, 3)).toEqual([]);
    expect(dtos.length).toBeGreaterThan(50);
    // The inputs are none if all of them are good, or all of them wrong.
    expect(seen.good).toBeGreaterThan(2000);
    expect(seen.wrong).toBeGreaterThan(2000);
  });

  it('says what is wrong in plain English, each of its messages', async () => {
    const messages = new Set<string>();
    for (const dto of dtos.filter((one) => ![Unusual, Child].includes(one as never))) {
      const example = examples.get(dto.name) as Record<string, unknown>;
      const fields = [...new Set(rulesOf(dto).map(({ propertyName }) => propertyName))];
      for (const input of inputsFor(fields, example)) {
        const { wrong = [] } = await outcomeOf(compiled, JSON.parse(input), { type: 'body', metatype: dto });
        for (const { message } of wrong) messages.add(shapeOf(message));
      }
    }
    expect([...messages].toSorted()).toEqual([
      'is required',
      'must be N',
      'must be N to N letters, digits, dots, dashes or underscores',
      'must be N to N visible ASCII characters',
      'must be a JSON object',
      'must be a date as YYYY-MM-DD',
      'must be a date that exists',
      'must be a number with at most two decimals',
      'must be a phone number of N to N digits',
      'must be a text',
      'must be a time that exists, as ISO N: 2026-03-01T18:N:00Z, or on the clock of the gym 2026-03-01T18:N:N or 2026-03-01',
      'must be a whole number',
      'must be a whole number from -1000000 to N',
      'must be a whole number from N to N',
      'must be an IANA time zone such as America/New_York, written like that, or UTC',
      'must be an email address',
      'must be an hour from N to N',
      'must be an id, a whole number',
      'must be an object',
      'must be at least N',
      'must be at most N',
      'must be base64 of N to N bytes',
      'must be hours from N to N with capacities from N to N: {"N": N}',
      'must be one of ...',
      'must be the id of a person, a whole number',
      'must be true or false',
      'must each be one of ...',
      'must have N to N bytes',
      'must have N to N characters',
      'must have a character that can be seen',
      'must have at least N characters and at most N bytes',
      'must have at most N characters',
      'must have at most N items',
      'must have letters, digits, dashes and underscores only',
      'must not be empty',
    ]);
  });

  it('takes a query that has no prototype, and leaves alone what has no rules', async () => {
    const query = Object.assign(Object.create(null) as object, { short: ' x ', each: [1] });
    const where: ArgumentMetadata = { type: 'query', metatype: Child };
    const read = await outcomeOf(compiled, query, where);
    expect(read).toEqual({ value: { short: 'x', each: [1], defaulted: 'b' } });
    expect(read.value).toBeInstanceOf(Child);
    expect(await compiled.transform('0x10', { type: 'body', metatype: Number })).toBe('0x10');
  });

  describe('is refused, with its name and that of the field, because of', () => {
    const of = (...decorators: PropertyDecorator[]) => {
      class Refused {
        @IsOptional()
        good: unknown;
      }
      for (const decorate of decorators) decorate(Refused.prototype, 'bad');
      return Refused;
    };
    class WithAccessor {
      @IsInt()
      get bad() {
        return 1;
      }
    }
    class WithSharedDefault {
      @Allow()
      bad: number[] = [];
    }
    class WithDefaultAlone {
      @Allow()
      good: number;

      bad = 1;
    }
    const isLater = ({ constructor }: object, name: string | symbol) => ({
      ...{ name: 'later', target: constructor, propertyName: name as string },
      validator: { validate: () => Promise.resolve(true) },
    });

    it.each<[string, Type]>([
      ['isDefined', of(IsDefined())],
      ['later', of((target, name) => registerDecorator({ ...isLater(target, name), async: true }))],
      ['@Validate of a class', of(Validate(class WithoutDecorator extends ClassRule {}))],
      ['groups', of(IsInt({ groups: ['a'] }))],
      ['always', of(IsInt({ always: true }))],
      ['context', of(IsInt({ context: {} }))],
      ['validateIf', of(IsInt({ validateIf: () => false }))],
      ['@Expose', of(IsInt(), Expose())],
      ['@Exclude', of(IsInt(), Exclude())],
      [
        '@Transform with options',
        of(
          IsInt(),
          Transform(() => 1, { since: 1 }),
        ),
      ],
      ['@Type', of(ValidateNested())],
      [
        '@ValidateNested',
        of(
          Allow(),
          TypeIs(() => Inner),
        ),
      ],
      [
        '@Type with options',
        of(
          ValidateNested(),
          TypeIs(() => Inner, { keepDiscriminatorProperty: true }),
        ),
      ],
      [
        '@Type and @Transform',
        of(
          ValidateNested(),
          TypeIs(() => Inner),
          Transform(() => 1),
        ),
      ],
      ['an accessor', WithAccessor],
      ['a default that requests would share', WithSharedDefault],
      ['a default, but no rule', WithDefaultAlone],
    ])('%s', async (why, dto) => {
      expect(() => CompiledDto.of(dto)).toThrow(new RegExp(`^${dto.name}: (it|bad) has .*${why}`));
      // It does not come through the second time, either.
      await expect(compiled.transform({}, { type: 'body', metatype: dto })).rejects.toThrow();
    });

    it('a rule that says later whether it is kept', async () => {
      const dto = of((target, name) => registerDecorator(isLater(target, name)));
      const asked = compiled.transform({ bad: 1 }, { type: 'body', metatype: dto });
      await expect(asked).rejects.toThrow('later must answer');
    });
  });
});
