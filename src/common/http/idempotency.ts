import { createHash } from 'node:crypto';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { FieldsInvalid } from '../errors/common.errors.js';
import { FieldsError, Problem } from '../errors/domain-error.js';

@Problem({ code: 'idempotency_key_reused', status: 422, title: 'This Idempotency-Key was used for another request' })
export class IdempotencyKeyReused extends FieldsError {
  constructor() {
    super([{ field: 'Idempotency-Key', message: 'was used for another request' }]);
  }
}

/** A request that a client may send again without doing its effect twice. */
export interface IdempotencyKey {
  /** The client's word for this request. */
  readonly key: string;
  /** Method and path pattern: a key belongs to its account and route. */
  readonly route: string;
  /** SHA-256 of path and body, to tell a repetition from a reuse. */
  readonly fingerprint: Buffer;
}

/** The request's Idempotency-Key, or null. */
export const Idempotency = createParamDecorator((_: unknown, context: ExecutionContext): IdempotencyKey | null => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw FieldsInvalid.of('Idempotency-Key', 'must be 1 to 255 visible ASCII characters');
  }
  const [path] = request.url.split('?');
  return {
    key,
    route: `${request.method} ${request.routeOptions.url}`,
    fingerprint: createHash('sha256')
      .update(`${path}\n${JSON.stringify(request.body ?? null)}`)
      .digest(),
  };
});
