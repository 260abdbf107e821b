import { applyDecorators, HttpCode, type Type } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiExtension,
  ApiHeader,
  ApiOperation,
  ApiParam,
  ApiResponse,
  getSchemaPath,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AccessFor, PUBLIC } from '../actor/access.js';
import { ROLES, type Role } from '../actor/roles.js';
import { FieldsInvalid, NotSignedIn, OtherGym, RoleNotAllowed } from '../errors/common.errors.js';
import { type ErrorClass, problemKind } from '../errors/domain-error.js';
import { ProblemDto } from '../errors/problem.js';

interface OperationOptions {
  summary: string;
  /** What a client developer would ask next. */
  description?: string;
  roles: readonly Role[] | typeof PUBLIC;
  /** Path parameters with values that work on the demo data. */
  params?: Record<string, number | string>;
  /** The errors of this operation, beside those that follow from its roles and fields. */
  errors?: ErrorClass[];
  /** The status of success; 200 by default, whatever the method. */
  status?: number;
  /** What it answers: one of these, or [these]. Nothing, if it is left out. */
  answer?: Type | [Type];
  /** The answer is a Page. */
  list?: boolean;
  /** It takes Idempotency-Key. */
  idempotent?: boolean;
  /** It may be used before a temporary password has been changed. */
  beforePasswordChange?: boolean;
}

/** The answer of a DELETE that keeps what has a history: the thing as it is now, or 204 if it is gone. */
export function keptOrGone<Kept extends object>(reply: FastifyReply, kept: Kept | null): Kept | undefined {
  if (kept) return kept;
  void reply.status(204);
  return undefined;
}

/** All that a route says of itself: who may use it, and its documentation. */
export function Operation(options: OperationOptions): MethodDecorator {
  const isPublic = options.roles === PUBLIC;
  const roles = isPublic ? [] : (options.roles as readonly Role[]);
  const who = isPublic ? 'anyone, without signing in' : roles.length === ROLES.length ? 'everyone' : roles.join(', ');
  const errors: ErrorClass[] = [FieldsInvalid, ...(options.errors ?? [])];
  if (!isPublic) errors.push(NotSignedIn);
  if (!isPublic && roles.length < ROLES.length) errors.push(RoleNotAllowed, OtherGym);
  return applyDecorators(
    AccessFor(options.roles, options.beforePasswordChange),
    ApiOperation({
      summary: options.summary,
      description: [options.description, `**Roles:** ${who}.`].filter(Boolean).join('\n\n'),
    }),
    ApiExtension('x-roles', isPublic ? [PUBLIC] : roles),
    ...(isPublic ? [] : [ApiBearerAuth()]),
    HttpCode(options.status ?? 200),
    success(options),
    ...pathParams(options.params ?? {}),
    ...(options.idempotent ? [idempotencyHeader()] : []),
    ...errorResponses(errors),
  );
}

function pathParams(params: Record<string, number | string>) {
  return Object.entries(params).map(([name, example]) =>
    ApiParam({ name, schema: { type: typeof example === 'number' ? 'integer' : 'string', example } }),
  );
}

/** One response a status; its description lists the codes it may carry. */
function errorResponses(errors: ErrorClass[]) {
  const descriptions = new Map<number, string[]>();
  for (const error of new Set(errors)) {
    const { code, status, title } = problemKind(error);
    descriptions.set(status, [...(descriptions.get(status) ?? []), `\`${code}\`: ${title}.`]);
  }
  return [...descriptions].map(([status, sentences]) =>
    ApiResponse({
      status,
      description: sentences.join(' '),
      content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemDto) } } },
    }),
  );
}

function success({ status = 200, answer, list }: OperationOptions) {
  const [type, isArray] = Array.isArray(answer) ? [answer[0], true] : [answer, false];
  const headers = {
    Link: {
      description: 'The next page, `<...>; rel="next"`; absent on the last',
      schema: { type: 'string' as const },
    },
    'X-Total-Count': { description: 'How many there are, with `?count=true`', schema: { type: 'integer' as const } },
  };
  return ApiResponse({ status, description: 'Done.', ...(type && { type, isArray }), ...(list && { headers }) });
}

function idempotencyHeader() {
  return ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'Any word of yours. Sent again with the same body within 24 h, nothing is done twice.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  });
}
