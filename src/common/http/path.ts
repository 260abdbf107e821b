import { Param, type PipeTransform } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { isISO8601 } from 'class-validator';
import { FieldsInvalid } from '../errors/common.errors.js';
import { LOCAL_DAY } from './gym-time.js';
import { fromDigits, MAX_DEVICE_NUMBER, MAX_ID } from './whole.js';

// The parameters of paths: what makes a value of them, and their documentation, with an example that works on the demo
// data.

/** What the parameters mean. Each name means one thing, but for `id`: that is said where it stands. */
const MEANINGS: Record<string, string> = {
  user_id: 'The person.',
  account_id: 'The account: the same as the person.',
  session_id: 'Where you are signed in, from GET /auth/sessions.',
  gym_id: 'The gym.',
  plan_id: 'The plan.',
  course_id: 'The course.',
  product_id: 'The product.',
  sale_id: 'The sale.',
  attendance_id: 'The visit.',
  conversation_id: 'The conversation.',
  message_id: 'The message.',
  device_id: 'The device.',
  device_number: 'The number of the device in its gym.',
  slot_id: 'The hour of the day, 0 to 23.',
  date: 'The local day.',
  document_id: 'The whole number of the document.',
  phone_number: 'A part of the phone number, at least 3 digits.',
  qr_code: 'What the pass shows.',
  profile_type: 'The type of the profile: gym, trainer, store or trainee.',
};

interface Schema {
  type: 'integer' | 'string';
  format?: string;
  example: number | string;
  minimum?: number;
  maximum?: number;
  pattern?: string;
}

function inPath(name: string, schema: Schema, meaning = MEANINGS[name], ...pipes: PipeTransform[]): ParameterDecorator {
  return (controller, method, index) => {
    Param(name, ...pipes)(controller, method, index);
    ApiParam({ name, schema, description: meaning })(
      controller,
      method!,
      Object.getOwnPropertyDescriptor(controller, method!)!,
    );
  };
}

function wholeInPath(
  name: string,
  example: number,
  minimum: number,
  maximum: number,
  meaning?: string,
): ParameterDecorator {
  const transform = (value: string): number => {
    const number = fromDigits(value);
    if (typeof number === 'number' && number >= minimum && number <= maximum) return number;
    throw FieldsInvalid.of(name, `must be a whole number from ${minimum} to ${maximum}`);
  };
  return inPath(name, { type: 'integer', example, minimum, maximum }, meaning, { transform });
}

/** An id: `@IdInPath('user_id', 8) userId: number`. */
export const IdInPath = (name: string, example = 1, meaning?: string) => wholeInPath(name, example, 1, MAX_ID, meaning);

/** An hour of the day. */
export const SlotIdInPath = (name: string, example: number) => wholeInPath(name, example, 0, 23);

/** The number of a device in its gym. */
export const DeviceNumberInPath = (name: string, example = 1) => wholeInPath(name, example, 0, MAX_DEVICE_NUMBER);

/** A local day. */
export const DateInPath = (name: string, example: string) =>
  inPath(name, { type: 'string', format: 'date', example }, undefined, {
    transform(value: string): string {
      if (LOCAL_DAY.test(value) && isISO8601(value, { strict: true })) return value;
      throw FieldsInvalid.of(name, 'must be a date that exists, as YYYY-MM-DD');
    },
  });

/** A text. */
export const TextInPath = (name: string, example: string) => inPath(name, { type: 'string', example });
