import { Param, type PipeTransform } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { isISO8601 } from 'class-validator';
import { FieldsInvalid } from '../errors/common.errors.js';
import { LOCAL_DAY } from './gym-time.js';
import { fromDigits, MAX_DEVICE_NUMBER, MAX_ID } from './whole.js';

// The parameters of paths: what makes a value of them, and their documentation, with an example that works on the demo
// data.

type Schema = { type: 'integer' | 'string'; example: number | string; minimum?: number; maximum?: number };

function inPath(name: string, schema: Schema, ...pipes: PipeTransform[]): ParameterDecorator {
  return (controller, method, index) => {
    Param(name, ...pipes)(controller, method, index);
    ApiParam({ name, schema })(controller, method!, Object.getOwnPropertyDescriptor(controller, method!)!);
  };
}

function wholeInPath(name: string, example: number, minimum: number, maximum: number): ParameterDecorator {
  const transform = (value: string): number => {
    const number = fromDigits(value);
    if (typeof number === 'number' && number >= minimum && number <= maximum) return number;
    throw FieldsInvalid.of(name, `must be a whole number from ${minimum} to ${maximum}`);
  };
  return inPath(name, { type: 'integer', example, minimum, maximum }, { transform });
}

/** An id: `@IdInPath('user_id', 8) userId: number`. */
export const IdInPath = (name: string, example = 1) => wholeInPath(name, example, 1, MAX_ID);

/** An hour of the day. */
export const SlotIdInPath = (name: string, example: number) => wholeInPath(name, example, 0, 23);

/** The number of a device in its gym. */
export const DeviceNumberInPath = (name: string, example = 1) => wholeInPath(name, example, 0, MAX_DEVICE_NUMBER);

/** A local day. */
export const DateInPath = (name: string, example: string) =>
  inPath(
    name,
    { type: 'string', example },
    {
      transform(value: string): string {
        if (LOCAL_DAY.test(value) && isISO8601(value, { strict: true })) return value;
        throw FieldsInvalid.of(name, 'must be a date that exists, as YYYY-MM-DD');
      },
    },
  );

/** A text. */
export const TextInPath = (name: string, example: string) => inPath(name, { type: 'string', example });
