import { Injectable, type PipeTransform } from '@nestjs/common';
import { FieldsInvalid } from '../common/errors/common.errors.js';

/** An hour in a path. */
@Injectable()
export class SlotIdPipe implements PipeTransform<string, number> {
  transform(value: string): number {
    if (/^\d{1,2}$/.test(value) && Number(value) <= 23) return Number(value);
    throw FieldsInvalid.of('slot_id', 'must be an hour from 0 to 23');
  }
}
