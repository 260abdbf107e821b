import { applyDecorators, HttpCode, type Type } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiExtension,
  ApiHeader,
  ApiOperation,
  ApiResponse,
  getSchemaPath,
  type OpenAPIObject,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AccessFor, PUBLIC } from '../actor/access.js';
import { ROLES, type Role } from '../actor/roles.js';
import {
  FieldsInvalid,
  Malformed,
  MediaTypeNotSupported,
  NotSignedIn,
  OtherGym,
  PasswordChangeRequired,
  RoleNotAllowed,
  SessionEnded,
  TooLarge,
  Unavailable,
} from '../errors/common.errors.js';
import { allProblemKinds, type ErrorClass, type ProblemKind, problemKind } from '../errors/domain-error.js';
import { ProblemDto, problemOf } from '../errors/problem.js';
import { REPEATABLE_ERRORS } from './idempotency.js';

type OperationObject = NonNullable<OpenAPIObject['paths'][string]['get']>;

interface OperationOptions {
  summary: string;
  /** What a client developer would ask next. */
  description?: string;
  roles: readonly Role[] | typeof PUBLIC;
  /** The errors of this operation, beside those that follow from its roles, its method and what it takes. */
  errors?: ErrorClass[];
  /** The status of success; 200 by default, whatever the method. */
  status?: number;
  /** What it answers: one of these, or [these], or a media type that is not JSON. Nothing, if it is left out. */
  answer?: Type | [Type] | `${string}/${string}`;
  /** The answer is a Page. */
  list?: boolean;
  /** Of its body no field must be there, but one of several: it may not be left out. */
  needsBody?: boolean;
  /** Of its body, what the example says otherwise than the examples of the fields. */
  example?: object;
  /** It takes Idempotency-Key. */
  idempotent?: boolean;
  /** It may be used before a temporary password has been changed. */
  beforePasswordChange?: boolean;
}

/** Of a DELETE that keeps what has a history: 200 with the thing as it is now, or 204 if it is gone. */
export function okOrNoContent<Kept extends object>(reply: FastifyReply, kept: Kept | null): Kept | undefined {
  if (kept) return kept;
  void reply.status(204);
  return undefined;
}

/** Where the document says these, while it is made. */
export const EXAMPLE = 'x-example';
export const NEEDS_BODY = 'x-needs-body';

/** All that a route says of itself: who may use it, and its documentation. */
export function Operation(options: OperationOptions): MethodDecorator {
  const isPublic = options.roles === PUBLIC;
  const roles = isPublic ? [] : (options.roles as readonly Role[]);
  const who = isPublic ? 'anyone, without signing in' : roles.length === ROLES.length ? 'everyone' : roles.join(', ');
  const errors: ErrorClass[] = [Malformed, FieldsInvalid, ...(options.errors ?? []), Unavailable];
  if (!isPublic) errors.push(NotSignedIn, SessionEnded);
  if (!isPublic && roles.length < ROLES.length) errors.push(RoleNotAllowed);
  if (!isPublic && !options.beforePasswordChange) errors.push(PasswordChangeRequired);
  if (options.idempotent) errors.push(...REPEATABLE_ERRORS);
  return applyDecorators(
    AccessFor(options.roles, options.beforePasswordChange),
    ApiOperation({
      summary: options.summary,
      description: [options.description, `**Roles:** ${who}.`].filter(Boolean).join('\n\n'),
    }),
    ApiExtension('x-roles', isPublic ? [PUBLIC] : roles),
    ...(options.example ? [ApiExtension(EXAMPLE, options.example)] : []),
    ...(options.needsBody ? [ApiExtension(NEEDS_BODY, true)] : []),
    ...(isPublic ? [] : [ApiBearerAuth()]),
    HttpCode(options.status ?? 200),
    success(options),
    ...(options.idempotent ? [idempotencyHeader()] : []),
    ...errorResponses(errors).map((response) => ApiResponse(response)),
  );
}

/** What can be said only of the finished document: the errors that follow from the method and from what is taken. */
export function completeErrors(openapi: OpenAPIObject): void {
  const { paths, components } = openapi;
  for (const item of Object.values(paths)) {
    for (const [method, operation] of Object.entries(item) as [string, OperationObject][]) {
      const errors: ErrorClass[] = [];
      // A body is read, and refused, before it is known whether the operation takes one.
      if (method !== 'get') errors.push(TooLarge, MediaTypeNotSupported);
      if (operation.security?.length && namesGym(operation, components)) errors.push(OtherGym);
      for (const { status, ...response } of errorResponses(errors)) {
        const known = operation.responses[status] as typeof response | undefined;
        if (!known) operation.responses[status] = response;
        else if (!known['x-codes'].includes(response['x-codes'][0]!)) {
          known['x-codes'] = [...known['x-codes'], ...response['x-codes']];
          known.description += ` ${response.description}`;
        }
      }
    }
  }
  components!.examples = problemExamples(openapi);
}

/** A gym can be named in its query or body. */
function namesGym({ parameters = [], requestBody }: OperationObject, components: OpenAPIObject['components']): boolean {
  const content = requestBody && 'content' in requestBody ? requestBody.content : {};
  const schema = content['application/json']?.schema;
  const body = schema && '$ref' in schema ? components?.schemas?.[schema.$ref.split('/').at(-1)!] : undefined;
  const properties = (body && 'properties' in body && body.properties) || {};
  return 'gym_id' in properties || parameters.some((parameter) => 'in' in parameter && parameter.name === 'gym_id');
}

/** One response a status; `x-codes` lists the codes it may carry, and its description explains them. */
function errorResponses(errors: ErrorClass[]) {
  const kinds = [...new Set(errors)].map(problemKind);
  return [...new Set(kinds.map(({ status }) => status))].map((status) => {
    const ours = kinds.filter((kind) => kind.status === status);
    return {
      status,
      description: ours.map(({ code, title }) => `\`${code}\`: ${title}.`).join(' '),
      'x-codes': ours.map(({ code }) => code),
      content: contentOf(ours.map(({ code }) => code)),
      ...(ours.some(({ retry_after }) => retry_after !== undefined || status === 429) && { headers: RETRY_AFTER }),
    };
  });
}

/** The example is of the first of these codes. Of a schema that names them generators make a model of each answer. */
const contentOf = ([code]: string[]) => ({
  'application/problem+json': {
    schema: { $ref: getSchemaPath(ProblemDto) },
    examples: { [code!]: { $ref: `#/components/examples/${code}` } },
  },
});

/** What `contentOf` refers to. */
function problemExamples({ paths }: OpenAPIObject) {
  const operations = Object.values(paths).flatMap((item) => Object.values(item) as OperationObject[]);
  const answers = operations.flatMap(({ responses }) => Object.values(responses) as { 'x-codes'?: string[] }[]);
  const shown = new Set(answers.map((answer) => answer['x-codes']?.[0]));
  const kinds = allProblemKinds().filter(({ code }) => shown.has(code));
  return Object.fromEntries(kinds.map((kind) => [kind.code, { summary: kind.title, value: exampleOf(kind) }]));
}

/** The first of a 422 is always that of wrong fields: see Operation. */
const exampleOf = (kind: ProblemKind): ProblemDto =>
  problemOf(
    kind.status === 422
      ? FieldsInvalid.of('email', 'must be an email address')
      : { kind, message: kind.title, data: {} },
    '5f0c',
  );

const RETRY_AFTER = { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' as const } } };

/** What it answers; its sentence comes when the document is made: docs/answer-sentences.ts. */
function success({ status = 200, answer, list }: OperationOptions) {
  if (typeof answer === 'string') {
    const format = answer.startsWith('text/') ? {} : { format: 'binary' };
    return ApiResponse({ status, description: '', content: { [answer]: { schema: { type: 'string', ...format } } } });
  }
  const [type, isArray] = Array.isArray(answer) ? [answer[0], true] : [answer, false];
  const headers = {
    Link: {
      description: 'The next page, `<...>; rel="next"`; absent on the last',
      schema: { type: 'string' as const },
    },
    'X-Total-Count': { description: 'How many there are, with `?count=true`', schema: { type: 'integer' as const } },
  };
  return ApiResponse({ status, description: '', ...(type && { type, isArray }), ...(list && { headers }) });
}

function idempotencyHeader() {
  return ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description:
      'Any word of yours. Sent again with the same request within 24 h, nothing is done twice: the answer is the first one.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  });
}
