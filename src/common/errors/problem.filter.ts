import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { whoAsked } from '../actor/access.js';
import { InternalError } from './common.errors.js';
import type { DomainError } from './domain-error.js';
import { problemOf, toDomainError } from './problem.js';

/** Answers every error of a request as application/problem+json; logs what is our fault. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Problem');

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const error = toDomainError(thrown);
    if (error instanceof InternalError) this.logger.error(thrown, whoAsked(request));
    else if (error.kind.status >= 500 && !error.isReported) {
      // Of what we refuse ourselves (no reader is connected) it is known where it was thrown.
      this.logger.warn(error.cause ?? error.message, whoAsked(request));
    }
    if (!reply.sent) sendProblem(error, request, reply, thrown);
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    /** How an error is answered at an address that has a way of its own; null: as everywhere. */
    ownAnswer?: (
      request: FastifyRequest,
      thrown: unknown,
      error: DomainError,
    ) => { status: number; type: string; body: object } | null;
  }
}

export function sendProblem(
  error: DomainError,
  request: FastifyRequest,
  reply: FastifyReply,
  thrown: unknown = error,
): void {
  const problem = problemOf(error, request.id);
  if (problem.status === 401) void reply.header('WWW-Authenticate', 'Bearer');
  const retryAfter = error.data.retry_after ?? error.kind.retry_after;
  if (retryAfter !== undefined) void reply.header('Retry-After', Math.ceil(retryAfter));
  const own = request.server.ownAnswer?.(request, thrown, error);
  if (own) return void reply.status(own.status).type(own.type).send(JSON.stringify(own.body));
  void reply.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}
