import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { FieldsInvalid } from '../errors/common.errors.js';
import { DomainError, FieldsError, Problem } from '../errors/domain-error.js';
import { IDEMPOTENCY_KEY, KEY_RULE, type RepeatableDto } from './idempotency.dto.js';

@Problem({ code: 'idempotency_key_reused', status: 422, title: 'This Idempotency-Key was used for another request' })
export class IdempotencyKeyReused extends FieldsError {
  constructor() {
    super([{ field: 'Idempotency-Key', message: 'was used for another request' }]);
  }
}

@Problem({
  code: 'answer_gone',
  status: 409,
  title: 'This was done before, and its answer is not there for you any more',
})
export class AnswerGone extends DomainError {}

/** What a request or message with a key may meet. */
export const REPEATABLE_ERRORS = [IdempotencyKeyReused, AnswerGone];

/** A request that a client may send again without doing its effect twice. */
export interface IdempotencyKey {
  /** The client's word for this request. */
  readonly key: string;
  /** Method and path pattern, or namespace and event: a key belongs to its account (or device) and route. */
  readonly route: string;
  /** What is asked for, to tell a repetition from a reuse. Only its keyed hash is stored. */
  readonly meaning: string;
}

/** The request's Idempotency-Key, or null. */
export const Idempotency = createParamDecorator((_: unknown, context: ExecutionContext): IdempotencyKey | null => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key)) throw FieldsInvalid.of('Idempotency-Key', KEY_RULE);
  const params = Object.entries(request.params as Record<string, string>).map(([name, value]) => [
    name,
    // 007 and 7 are one id.
    /^\d+$/.test(value) ? Number(value) : value,
  ]);
  return {
    key,
    route: `${request.method} ${request.routeOptions.url}`,
    meaning: meaningOf({ params: Object.fromEntries(params), query: request.query, body: request.body ?? {} }),
  };
});

/** The key of a message, or null. @param route namespace and event */
export function keyOfMessage(route: string, { idempotency_key: key, ...body }: RepeatableDto): IdempotencyKey | null {
  return key ? { key, route, meaning: meaningOf({ body }) } : null;
}

/**
 * What was meant, however it was written: the order of names does not count, null is the same as left out, a number the
 * same as its digits in a text. Passwords are left out: a repetition is known without them; whether one is to be given
 * (true or false) is not.
 */
export function meaningOf(value: unknown): string {
  return JSON.stringify(canonical(value));
}

function canonical(value: unknown): unknown {
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const named = Object.entries(value)
    .filter(([, field]) => field !== null && field !== undefined)
    .filter(([name, field]) => !name.includes('password') || typeof field === 'boolean')
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return named.map(([name, field]) => [name, canonical(field)]);
}
