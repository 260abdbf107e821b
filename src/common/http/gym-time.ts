import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { isISO8601, ValidateBy } from 'class-validator';

const DAY = String.raw`(19|20|21)\d\d-\d\d-\d\d`;
/** The form of a local day; whether it exists is another question. */
export const LOCAL_DAY = new RegExp(`^${DAY}$`);
/** PostgreSQL knows no offset of 16 hours or more, and no zone on earth has one of 15. */
const OFFSET = String.raw`(Z|[+-](0\d|1[0-4]):?\d\d)`;
const TIME = new RegExp(String.raw`^${DAY}(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?${OFFSET}?)?$`);
const WITH_OFFSET = new RegExp(`T.*${OFFSET}$`);

/**
 * A time as a client says it: a moment (`2026-03-01T18:30:00Z`); a time on the clock of the gym
 * (`2026-03-01T18:30:00`); or a day (`2026-03-01`). Which moment it is, only the zone of a gym says: see
 * gyms/local-time.ts. It is no string, so that it cannot be taken for UTC.
 */
export class GymTime {
  constructor(readonly text: string) {}

  get isValid(): boolean {
    return TIME.test(this.text) && isISO8601(this.text, { strict: true });
  }

  get isDay(): boolean {
    return !this.text.includes('T');
  }

  get hasOffset(): boolean {
    return WITH_OFFSET.test(this.text);
  }

  /** pg asks this of what it is given as a parameter. */
  toPostgres(): never {
    throw new TypeError('What a client calls a time is no moment until it is given a gym.');
  }
}

/**
 * A time in a request. Without an offset it is the gym's own clock; a day alone is its first moment (as the end of a
 * range its last). A time that clocks skip is as much later as they skip; of one that they show twice it is the second;
 * but a range counts what the clock showed.
 * @param example of the documentation; null where a fixed day would soon be refused
 */
export function IsGymTime(example: string | null = '2026-03-01T18:30:00Z') {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? new GymTime(value) : value)),
    ValidateBy({
      name: 'isGymTime',
      constraints: [TIME],
      validator: {
        validate: (value) => value instanceof GymTime && value.isValid,
        defaultMessage: () =>
          'must be a time that exists, as ISO 8601: 2026-03-01T18:30:00Z, or on the clock of the gym 2026-03-01T18:30:00 or 2026-03-01',
      },
    }),
    ApiProperty({ type: 'string', ...(example !== null && { example }) }),
  );
}
