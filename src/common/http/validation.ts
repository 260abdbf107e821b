import {
  type ArgumentMetadata,
  Body as UncheckedBody,
  type PipeTransform,
  Query as UncheckedQuery,
  type Type,
} from '@nestjs/common';
import { MessageBody as UncheckedMessageBody } from '@nestjs/websockets';
import { FieldsInvalid } from '../errors/common.errors.js';
import type { FieldError, FieldErrors } from '../errors/domain-error.js';
import { CompiledDto } from './compiled-dto.js';

/** What says nothing of its fields. */
const WITHOUT_RULES = new Set<unknown>([String, Boolean, Number, Array, Object, Buffer, Date]);

/** The same rules for REST bodies and queries and for socket messages: fields a DTO does not name are ignored. */
export const validation: PipeTransform = { transform: validate };

// What clients send comes through these. Nest's own check nothing; a pipe for all parameters would also be asked for
// those that no client sends, which costs more than most checks.

export const Body = (): ParameterDecorator => UncheckedBody(validation);
export const Query = (): ParameterDecorator => UncheckedQuery(validation);
export const MessageBody = (): ParameterDecorator => UncheckedMessageBody(validation);

function validate(sent: unknown, { type, metatype }: ArgumentMetadata): unknown {
  if (!metatype || WITHOUT_RULES.has(metatype)) return sent;
  // Nest asks the pipes of all parameters at once, and tells what is refused first. Those of the path come before this
  // one, so that a wrong address is not told as a wrong body.
  return Promise.resolve().then(() => validated(metatype, sent, type));
}

/**
 * What was sent as this class; nothing is an object without fields.
 * @param place what a fault is called that is in no field
 * @throws FieldsInvalid
 */
export function validated<Dto>(metatype: Type<Dto>, sent: unknown, place = 'body'): Dto {
  const fields = sent ?? {};
  const compiled = CompiledDto.of(metatype);
  const isObject = typeof fields === 'object' && !Array.isArray(fields);
  const dto = isObject ? compiled.read(fields) : {};
  const faults = compiled.faultsOf(dto);
  // An array or a text has no field, and not each DTO needs one.
  if (!isObject && faults.length === 0) {
    faults.push({ field: place, message: 'must be a JSON object' });
  }
  // What a query names twice is a list, and no query takes one: that would be told as a wrong value.
  const isTwice = ({ field }: FieldError) =>
    place === 'query' && Array.isArray((fields as Record<string, unknown>)[field]);
  const told = faults.map((fault) => (isTwice(fault) ? { ...fault, message: 'must be given once' } : fault));
  if (told.length > 0) throw new FieldsInvalid(told as FieldErrors);
  return dto as Dto;
}
