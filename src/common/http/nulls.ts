import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { getMetadataStorage, ValidateIf } from 'class-validator';

const isNotNull = (_: object, value: unknown) => value !== null;

/** null is a value of its own: not known, none. In every other field null is the same as leaving it out: see dropNulls. */
export const IsNullable = () => ValidateIf(isNotNull);

/** A field that must be there, where the class it is taken from lets it be null or absent. */
export const IsRequired = () =>
  applyDecorators(
    ValidateIf(() => true),
    ApiProperty({ nullable: false }),
  );

/**
 * Makes of each null what it would be had the field been left out, unless the field is nullable; also in what is nested.
 * What must be sent is then missing, and refused as such.
 */
export function dropNulls(input: unknown): void {
  if (Array.isArray(input)) return input.forEach(dropNulls);
  if (typeof input !== 'object' || input === null) return;
  const prototype = Object.getPrototypeOf(input) as { constructor: new () => Record<string, unknown> } | null;
  // Free data, such as {"18": 4}, has no class that says what its fields are.
  if (prototype === null || prototype === Object.prototype) return;
  const fields = input as Record<string, unknown>;
  const type = prototype.constructor;
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null) dropNulls(value);
    else if (!nullableFields(type).has(name)) {
      // What a field that is not sent has is what its class gives it.
      fields[name] = new type()[name];
      if (fields[name] === undefined) delete fields[name];
    }
  }
}

const known = new WeakMap<object, Set<string>>();

function nullableFields(type: abstract new () => object): Set<string> {
  let names = known.get(type);
  if (!names) {
    const rules = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
    names = new Set(rules.filter(({ constraints }) => constraints?.[0] === isNotNull).map((rule) => rule.propertyName));
    known.set(type, names);
  }
  return names;
}
