import type { LoggerService } from '@nestjs/common';
import type { FastifyBaseLogger } from 'fastify';

type Level = 'trace' | 'debug' | 'warn' | 'error' | 'fatal';

/**
 * Nest's log goes where Fastify's goes, one JSON line each. `new Logger('Name').warn(what, { request_id })`: an object
 * after the message becomes fields of the line.
 */
export class PinoLogger implements LoggerService {
  constructor(private readonly pino: FastifyBaseLogger) {}

  /** How Nest wires itself up is of use to its developers only. */
  log(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  /** Nest appends the name of the logger; before it may come a stack (its own errors) or fields (ours). */
  private write(level: Level, message: unknown, rest: unknown[]): void {
    const context = rest.pop();
    const [extra] = rest;
    const fields = typeof extra === 'object' ? extra : { stack: extra };
    const stack = message instanceof Error ? message.stack : undefined;
    const text = message instanceof Error ? message.message : String(message);
    this.pino[level]({ context, ...fields, ...(stack && { stack }) }, text);
  }
}
