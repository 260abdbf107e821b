import { applyDecorators, Injectable, type PipeTransform, ValidationPipe } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, isISO8601, Max, Min, type ValidationError, type ValidatorOptions } from 'class-validator';
import type { FieldError } from '../errors/domain-error.js';
import { FieldsInvalid } from '../errors/common.errors.js';
import { dropNulls } from './nulls.js';

/** Largest id: PostgreSQL's integer. */
export const MAX_ID = 2_147_483_647;

/** The same rules for REST bodies and queries and for socket messages: fields a DTO does not name are ignored. */
export const validationPipe = () =>
  new Validation({ whitelist: true, transform: true, stopAtFirstError: true, exceptionFactory: fieldsInvalid });

class Validation extends ValidationPipe {
  protected override validate(
    input: object,
    options?: ValidatorOptions,
  ): Promise<ValidationError[]> | ValidationError[] {
    dropNulls(input);
    return super.validate(input, options);
  }
}

function fieldsInvalid(errors: ValidationError[]): FieldsInvalid {
  const flat = flatten(errors);
  return new FieldsInvalid(isSome(flat) ? flat : [{ field: 'body', message: 'must be a JSON object' }]);
}

const isSome = (errors: FieldError[]): errors is [FieldError, ...FieldError[]] => errors.length > 0;

function flatten(errors: ValidationError[], parent = ''): FieldError[] {
  return errors.flatMap((error) => {
    const own = Object.values(error.constraints ?? {}).map((message) => ({
      field: parent + error.property,
      message: message.replace(`${error.property} `, ''),
    }));
    return [...own, ...flatten(error.children ?? [], `${parent}${error.property}.`)];
  });
}

const toNumber = (value: unknown): unknown =>
  typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value;

/** An id: a whole number, or (old clients, query parameters) its digits as a string. */
export function IsId() {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => toNumber(value)),
    IsInt({ message: 'must be an id, a whole number' }),
    Min(1),
    Max(MAX_ID),
    ApiProperty({ type: 'integer', minimum: 1, maximum: MAX_ID }),
  );
}

/** An id in a path. */
@Injectable()
export class IdPipe implements PipeTransform<string, number> {
  transform(value: string, { data }: { data?: string }): number {
    const id = toNumber(value);
    // The ValidationPipe before this one has made a number of whatever looks like one: 1.5 too.
    if (Number.isInteger(id) && (id as number) >= 1 && (id as number) <= MAX_ID) return id as number;
    throw FieldsInvalid.of(data ?? 'id', `must be a whole number from 1 to ${MAX_ID}`);
  }
}

/** A local day in a path. */
@Injectable()
export class LocalDatePipe implements PipeTransform<string, string> {
  transform(value: string, { data }: { data?: string }): string {
    if (/^(19|20|21)\d\d-\d\d-\d\d$/.test(value) && isISO8601(value, { strict: true })) return value;
    throw FieldsInvalid.of(data ?? 'date', 'must be a date that exists, as YYYY-MM-DD');
  }
}
