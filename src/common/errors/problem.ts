import { HttpException } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import {
  ExpectationFailed,
  HeadersTooLarge,
  InternalError,
  Malformed,
  MediaTypeNotSupported,
  MethodNotAllowed,
  NothingHere,
  RequestTimeout,
  TooLarge,
  TooManyRequests,
  Unavailable,
} from './common.errors.js';
import { DomainError, type FieldError } from './domain-error.js';

export class FieldErrorDto implements FieldError {
  /** Where it is in the body. @example "email" */
  field: string;
  /** What is wrong with it. @example "must be an email address" */
  message: string;
}

/** What went wrong, as RFC 9457 (application/problem+json). */
export class ProblemDto {
  /** Where this kind of problem is described. @example "/errors#fields_invalid" */
  type: string;
  /** What went wrong; the same for every problem of its kind. @example "Some fields are missing or wrong" */
  title: string;
  /** The HTTP status. @example 422 */
  @ApiProperty({ type: 'integer' })
  status: number;
  /** This occurrence, for people. @example "email must be an email address" */
  detail: string;
  /** This occurrence, for the log: it holds the request id. @example "urn:request:5f0c" */
  instance: string;
  /** Stable word for programs. @example "fields_invalid" */
  code: string;
  /** The wrong fields, on 422. */
  errors?: FieldErrorDto[];
}

export function problemOf(error: Pick<DomainError, 'kind' | 'message' | 'data'>, requestId: string): ProblemDto {
  const { code, status, title } = error.kind;
  return {
    type: `/errors#${code}`,
    title,
    status,
    detail: error.message,
    instance: `urn:request:${requestId}`,
    code,
    ...(error.data.errors && { errors: error.data.errors }),
  };
}

/** Whatever was thrown, as an error that may be shown. What is not known becomes InternalError and tells nothing. */
export function toDomainError(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  const status = error instanceof HttpException ? error.getStatus() : (error as { statusCode?: number }).statusCode;
  switch (status) {
    case 400:
      return new Malformed('Its address, headers or body are not what HTTP and JSON allow.');
    case 403: // A file server's answer to `/docs/../package.json`.
    case 404:
      return new NothingHere();
    case 405:
      return new MethodNotAllowed();
    case 408:
      return new RequestTimeout();
    case 417:
      return new ExpectationFailed();
    case 431:
      return new HeadersTooLarge();
    case 503:
      return Object.assign(new Unavailable(), { cause: error });
    case 413:
      return new TooLarge();
    case 414:
      return new Malformed('A part of the address is too long.');
    case 415:
      return new MediaTypeNotSupported();
    case 429:
      return new TooManyRequests(60);
    default:
      if (status !== undefined && status >= 400 && status < 500)
        return new Malformed('It cannot be answered like this.');
      return new InternalError('The problem is recorded. If it stays, give its instance to the operator.');
  }
}
