import { registerDecorator } from 'class-validator';

/** Bytes. Templates of ISO/IEC 19794-2 have some hundreds, vendors' own some kilobytes; only a reader reads them. */
const LARGEST = 16_384;

/** A fingerprint template in base64, written as RFC 4648 says, so that what comes back is what was sent. */
export function IsTemplate(): PropertyDecorator {
  return (target, propertyKey) =>
    registerDecorator({
      name: 'isTemplate',
      constraints: [1, LARGEST],
      target: target.constructor,
      propertyName: propertyKey as string,
      validator: {
        validate(value) {
          if (typeof value !== 'string') return false;
          const bytes = Buffer.from(value, 'base64');
          return bytes.length > 0 && bytes.length <= LARGEST && bytes.toString('base64') === value;
        },
        defaultMessage: () => `must be base64 of 1 to ${LARGEST} bytes`,
      },
    });
}
