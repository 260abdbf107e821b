import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateIf } from 'class-validator';

const isNotNull = (_: object, value: unknown) => value !== null;
const isRequired = () => true;

/**
 * null is a value of its own: not known, none. In every other field null is the same as leaving it out.
 */
export const IsNullable = () => ValidateIf(isNotNull);

/** A field that must be there, where the class that it is taken from lets it be null. */
export const IsRequired = () => applyDecorators(ValidateIf(isRequired), ApiProperty({ nullable: false }));

/** A field that must be there where the other is not, and is checked where it is. */
export const IsRequiredWithout = (other: string) =>
  applyDecorators(
    ValidateIf((dto: Record<string, unknown>, value: unknown) => !dto[other] || value !== undefined),
    ApiProperty({ nullable: true }),
  );

/** Whether null is a value of the field that has these rules. */
export function isNullable(rules: { constraints?: unknown[] }[]): boolean {
  const has = (condition: unknown) => rules.some(({ constraints }) => constraints?.[0] === condition);
  return has(isNotNull) && !has(isRequired);
}
