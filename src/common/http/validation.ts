import { ValidationPipe } from '@nestjs/common';
import { type ValidationError, type ValidatorOptions } from 'class-validator';
import type { FieldError } from '../errors/domain-error.js';
import { FieldsInvalid } from '../errors/common.errors.js';
import { dropNulls } from './nulls.js';

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

  /** What a text in an address means, its own pipe says: Nest's would make a number of 0x10, 1e3 and a blank. */
  protected override transformPrimitive(value: unknown): unknown {
    return value;
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
