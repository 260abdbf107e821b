import type { Logger } from '@nestjs/common';
import { DomainError } from './errors/domain-error.js';

/**
 * Tells the log once that something we stand on is gone, and once that it is back; not with every request in between.
 */
export class Outage {
  private since: number | null = null;

  constructor(
    private readonly logger: Logger,
    private readonly what: string,
  ) {}

  get isOn(): boolean {
    return this.since !== null;
  }

  lost(reason: unknown): void {
    if (this.since !== null) return;
    this.since = Date.now();
    this.logger.error(`${this.what} is lost: ${sentence(reason)}`);
  }

  back(): void {
    if (this.since === null) return;
    const seconds = Math.ceil((Date.now() - this.since) / 1000);
    this.since = null;
    this.logger.warn(`${this.what} is back after ${seconds} s`);
  }
}

/** Of what the server could not do by itself; nothing more in an outage, which is told once. */
export function warnOf(logger: Logger, what: string, error: unknown): void {
  if (!(error instanceof DomainError && error.isReported)) logger.warn(`${what}: ${sentence(error)}`);
}

/** Node packs the failures of all addresses of a host into one error without a message. */
function sentence(reason: unknown): string {
  const [error = reason] = reason instanceof AggregateError ? (reason.errors as unknown[]) : [];
  return error instanceof Error ? error.message || error.name : String(error);
}
