import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import {
  IsBoolean,
  IsISO8601,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  registerDecorator,
  ValidateBy,
} from 'class-validator';
import { LOCAL_DAY } from './gym-time.js';

/**
 * A letter, digit, sign or picture that leaves ink: not a blank, a control, a lone accent or a character of no width.
 */
export const VISIBLE = /(?![\p{Default_Ignorable_Code_Point}\u2800])[\p{L}\p{N}\p{P}\p{S}]/u;

/** What people type: blanks around it are dropped, and é is written in one way (Unicode NFC). */
export const trimmed = (typed: string): string => typed.normalize('NFC').trim();

/** The same for a field. */
export const Trimmed = () =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? trimmed(value) : value));

/** Text that people type; where there must be some, some of it can be seen. */
export function IsText(min: number, max: number) {
  return applyDecorators(
    ...(min > 0 ? [Matches(VISIBLE, { message: 'must have a character that can be seen' })] : []),
    Trimmed(),
    IsString(),
    Length(min, max),
  );
}

/** A yes or no in a query: `?count=true`. */
export function IsQueryFlag() {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value)),
    IsBoolean(),
  );
}

/** A number with at most two decimals, or (old clients) the same in a string. */
export function IsDecimal(min: number, max: number) {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' && /^\d{1,10}(\.\d{1,2})?$/.test(value) ? Number(value) : value,
    ),
    // Not IsNumber: its count of decimals breaks on 1e-7.
    ValidateBy({
      name: 'isDecimal',
      validator: {
        validate: (value) => typeof value === 'number' && Number(value.toFixed(2)) === value,
        defaultMessage: () => 'must be a number with at most two decimals',
      },
    }),
    Min(min),
    Max(max),
  );
}

/** An amount of money; what numeric(12,2) holds. */
export const IsMoney = () => IsDecimal(0, 9_999_999_999.99);

/** A local day of the gym, YYYY-MM-DD. */
export function IsLocalDate() {
  return applyDecorators(
    Matches(LOCAL_DAY, { message: 'must be a date as YYYY-MM-DD' }),
    IsISO8601({ strict: true }, { message: 'must be a date that exists' }),
  );
}

/** bcrypt reads so many bytes; a longer password would be cut off silently, and fit with any end. */
export const LONGEST_PASSWORD = 72;

/** A password that is tried. */
export function IsTriedPassword() {
  return applyDecorators(
    IsString(),
    ValidateBy({
      name: 'isPassword',
      constraints: [1, LONGEST_PASSWORD],
      validator: {
        validate: (value) => typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= LONGEST_PASSWORD,
        defaultMessage: () => `must have 1 to ${LONGEST_PASSWORD} bytes`,
      },
    }),
  );
}

/** A new password, of so many characters at least. */
export function IsPassword(shortest = 8): PropertyDecorator {
  return (target, propertyKey) =>
    registerDecorator({
      name: 'isPassword',
      constraints: [shortest, LONGEST_PASSWORD],
      target: target.constructor,
      propertyName: propertyKey as string,
      validator: {
        validate: (value) =>
          typeof value === 'string' && value.length >= shortest && Buffer.byteLength(value) <= LONGEST_PASSWORD,
        defaultMessage: () => `must have at least ${shortest} characters and at most ${LONGEST_PASSWORD} bytes`,
      },
    });
}
