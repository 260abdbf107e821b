import {
  applyDecorators,
  type CallHandler,
  Controller,
  type ExecutionContext,
  HttpCode,
  type NestInterceptor,
  Param,
  type Type,
  UseInterceptors,
} from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger';
import { catchError, type Observable, throwError } from 'rxjs';
import { AccessFor, PUBLIC } from '../../common/actor/access.js';
import { FieldsInvalid } from '../../common/errors/common.errors.js';
import type { Role } from '../../common/actor/roles.js';
import { OfFamily } from '../../common/actor/route-table.js';
import { fromDigits, MAX_ID } from '../../common/http/whole.js';
import type { LegacyFamily } from '../../config/config.js';
import { inWordsOf, Refusal, type Texts } from './refusal.js';

/** Routes of old clients, at their whole paths. A shared one names each of its families. */
export const LegacyController = (families: LegacyFamily | LegacyFamily[], ...paths: string[]): ClassDecorator =>
  applyDecorators(Controller(paths), OfFamily([families].flat().join(',')));

interface WireOptions {
  summary: string;
  roles: readonly Role[] | typeof PUBLIC;
  /** The status of success; 200 by default, whatever the method. */
  status?: number;
  /** What it answers: one of these, or [these]. */
  answer?: Type | [Type];
  /** The words for its errors. */
  texts?: Texts;
  /** How it calls what an error of ours names: our field, and its own. */
  fields?: Record<string, string>;
  /** It may be used before a temporary password has been changed. */
  beforePasswordChange?: boolean;
}

/** All that a route of old clients says of itself. */
export function Wire({ summary, roles, status = 200, answer, texts, fields, beforePasswordChange }: WireOptions) {
  const [type, isArray] = Array.isArray(answer) ? [answer[0], true] : [answer, false];
  return applyDecorators(
    AccessFor(roles, beforePasswordChange),
    ApiOperation({ summary }),
    ...(roles === PUBLIC ? [] : [ApiBearerAuth()]),
    HttpCode(status),
    ApiResponse({ status, description: 'Done.', ...(type && { type, isArray }) }),
    ...(texts || fields ? [UseInterceptors(new InWords(texts ?? [], fields ?? {}))] : []),
  );
}

class InWords implements NestInterceptor {
  constructor(
    private readonly texts: Texts,
    private readonly fields: Record<string, string>,
  ) {}

  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const inWords = (thrown: unknown) => FieldsInvalid.renamed(inWordsOf(this.texts, thrown), this.fields);
    return next.handle().pipe(catchError((thrown: unknown) => throwError(() => inWords(thrown))));
  }
}

/** An id in a path. What is no id, or too large for one, is not there: 404. */
export function LegacyId(name = 'id', text = 'Not found'): ParameterDecorator {
  const transform = (value: string): number => {
    const id = fromDigits(value);
    if (typeof id === 'number' && id >= 1 && id <= MAX_ID) return id;
    throw new Refusal(404, text);
  };
  return (controller, method, index) => {
    Param(name, { transform })(controller, method, index);
    ApiParam({ name, schema: { type: 'integer', example: 1 } })(
      controller,
      method!,
      Object.getOwnPropertyDescriptor(controller, method!)!,
    );
  };
}
