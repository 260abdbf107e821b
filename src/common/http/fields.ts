import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsBoolean, IsString, Length, registerDecorator, ValidateIf } from 'class-validator';

/** Text that people type: blanks around it are dropped, and nothing but blanks is nothing. */
export function IsText(min: number, max: number) {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value)),
    IsString(),
    Length(min, max),
  );
}

/** The value in lower case, for what is unique without regard to case. */
export const LowerCase = () =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim().toLowerCase() : value));

/** null is a value of its own: not known. Left out is still left out. */
export const IsNullable = () => ValidateIf((_, value) => value !== null);

/** A yes or no in a query: `?count=true`. */
export function IsQueryFlag() {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value)),
    IsBoolean(),
  );
}

/** bcrypt reads 72 bytes; a longer password would be cut off silently. */
export function IsPassword(): PropertyDecorator {
  return (target, propertyKey) =>
    registerDecorator({
      name: 'isPassword',
      target: target.constructor,
      propertyName: propertyKey as string,
      validator: {
        validate: (value) => typeof value === 'string' && value.length >= 8 && Buffer.byteLength(value) <= 72,
        defaultMessage: () => 'must have at least 8 characters and at most 72 bytes',
      },
    });
}
