import { applyDecorators, Injectable, type PipeTransform } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';
import { FieldsInvalid } from '../errors/common.errors.js';

/** Largest id: PostgreSQL's integer. */
export const MAX_ID = 2_147_483_647;

/** A whole number in a text is its digits and nothing else: no sign, no blank, no 1.0, 1e3 or 0x10. */
const fromDigits = (value: unknown): unknown =>
  typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value;

/** A whole number, or (query parameters, old clients) its digits as a text. */
export function IsWhole(min: number, max: number, message = `must be a whole number from ${min} to ${max}`) {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => fromDigits(value)),
    IsInt({ message }),
    Min(min),
    Max(max),
    ApiProperty({ type: 'integer', minimum: min, maximum: max }),
  );
}

/** An id. */
export const IsId = () => IsWhole(1, MAX_ID, 'must be an id, a whole number');

/** A whole number in a path. */
class WholePipe implements PipeTransform<string, number> {
  constructor(
    private readonly min: number,
    private readonly max: number,
  ) {}

  transform(value: string, { data }: { data?: string }): number {
    const number = fromDigits(value);
    if (typeof number === 'number' && number >= this.min && number <= this.max) return number;
    throw FieldsInvalid.of(data ?? 'id', `must be a whole number from ${this.min} to ${this.max}`);
  }
}

/** An id in a path. */
@Injectable()
export class IdPipe extends WholePipe {
  constructor() {
    super(1, MAX_ID);
  }
}

/** An hour of the day in a path. */
@Injectable()
export class SlotIdPipe extends WholePipe {
  constructor() {
    super(0, 23);
  }
}

/** The largest number of a device. */
export const MAX_DEVICE_NUMBER = 1_000_000;

/** The number of a device in a path. */
@Injectable()
export class DeviceNumberPipe extends WholePipe {
  constructor() {
    super(0, MAX_DEVICE_NUMBER);
  }
}
