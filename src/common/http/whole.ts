import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';

/** Largest id: PostgreSQL's integer. */
export const MAX_ID = 2_147_483_647;

/**
 * A whole number in a text is its digits and nothing else: no blank, no 1.0, 1e3 or 0x10, and a minus only where it may
 * be below zero.
 */
export const fromDigits = (value: unknown, isSigned = false): unknown =>
  typeof value === 'string' && (isSigned ? /^-?\d{1,10}$/ : /^\d{1,10}$/).test(value) ? Number(value) : value;

/** A whole number; no text. That is asked first: of a text it is not said that it must be at most so much. */
export const IsInteger = (min: number, max: number, message = `must be a whole number from ${min} to ${max}`) =>
  applyDecorators(IsInt({ message }), Min(min), Max(max));

/** A whole number, or (query parameters, old clients) its digits as a text. */
export const IsWhole = (min: number, max: number, message?: string) =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) => fromDigits(value, min < 0)),
    IsInteger(min, max, message),
  );

/** An id. */
export const IsId = () => IsWhole(1, MAX_ID, 'must be an id, a whole number');

/** The largest number of a device. */
export const MAX_DEVICE_NUMBER = 1_000_000;
