import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { getMetadataStorage, ValidateIf } from 'class-validator';

const isNotNull = (_: object, value: unknown) => value !== null;
const isRequired = () => true;

/**
 * null is a value of its own: not known, none. In every other field null is the same as leaving it out: see dropNulls.
 */
export const IsNullable = () => ValidateIf(isNotNull);

/** A field that must be there, where the class that it is taken from lets it be null. */
export const IsRequired = () => applyDecorators(ValidateIf(isRequired), ApiProperty({ nullable: false }));

/**
 * Makes of each null what it would be had the field been left out, unless the field is nullable; also in what is
 * nested. What must be sent is then missing, and refused as such.
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
    const having = (condition: unknown) =>
      rules.filter(({ constraints }) => constraints?.[0] === condition).map(({ propertyName }) => propertyName);
    const required = having(isRequired);
    names = new Set(having(isNotNull).filter((name) => !required.includes(name)));
    known.set(type, names);
  }
  return names;
}
