import { registerDecorator } from 'class-validator';

/** Bytes. A template of ISO/IEC 19794-2 has about 30 for a header and 6 a minutia; vendors' own are some kilobytes. */
const SMALLEST = 16;
const LARGEST = 16_384;

/** A fingerprint template in base64, written as RFC 4648 says, so that what comes back is what was sent. */
export function IsTemplate(): PropertyDecorator {
  return (target, propertyKey) =>
    registerDecorator({
      name: 'isTemplate',
      target: target.constructor,
      propertyName: propertyKey as string,
      validator: {
        validate(value) {
          if (typeof value !== 'string') return false;
          const bytes = Buffer.from(value, 'base64');
          return bytes.length >= SMALLEST && bytes.length <= LARGEST && bytes.toString('base64') === value;
        },
        defaultMessage: () => `must be base64 of ${SMALLEST} to ${LARGEST} bytes`,
      },
    });
}
