import { Injectable, Logger } from '@nestjs/common';
import { DeviceActor } from '../common/actor/actor.js';
import type { DomainError } from '../common/errors/domain-error.js';
import { toDomainError } from '../common/errors/problem.js';
import type { AppSocket } from '../common/ws/gateway.js';
import { MetricsService } from '../observability/metrics.service.js';
import { closeCode } from './handshake.js';
import { MessageTable } from './message-table.js';

/** The function that a client sends with a message, to be called with the answer. */
export type Acknowledge = (answer: unknown) => void;

interface RefusedMessage {
  acknowledge?: Acknowledge;
  payload?: unknown;
  /** What the log shows, if it is more than the error itself. */
  thrown?: unknown;
}

/** Tells clients why a message or a connection is refused, and the log, if the fault is ours. */
@Injectable()
export class Refusals {
  private readonly logger = new Logger('Realtime');

  constructor(
    private readonly table: MessageTable,
    private readonly metrics: MetricsService,
  ) {}

  /** As the event that its kind of message names, and through the acknowledgement. */
  refuseMessage(
    socket: AppSocket,
    event: string,
    error: DomainError,
    { acknowledge, payload, thrown = error }: RefusedMessage = {},
  ): void {
    const { code } = error.kind;
    const kind = this.table.kindOf(socket.nsp.name, event);
    this.log(socket, event, error, thrown);
    this.metrics.message(socket.nsp.name, kind ? event : 'unknown', code);
    const answer = {
      code,
      error: error.message,
      event: event.slice(0, 100),
      ...(error.data.errors && { errors: error.data.errors }),
      ...kind?.refused?.(error, payload),
    };
    const isDevice = socket.data.principal instanceof DeviceActor;
    socket.emit((isDevice && kind?.deviceRefusal) || (kind?.refusal ?? 'error'), answer);
    acknowledge?.(answer);
  }

  /** The error that Socket.IO sends as `connect_error`. */
  connectError(thrown: unknown): Error {
    const error = toDomainError(thrown);
    if (error.kind.status >= 500 && !error.isReported) this.logger.warn(thrown);
    const data = { code: closeCode(error), error: error.message };
    return Object.assign(new Error(error.kind.title), { data });
  }

  private log(socket: AppSocket, event: string, error: DomainError, thrown: unknown): void {
    const { code, status } = error.kind;
    if (status < 500 || error.isReported) return;
    const { user_id, gym_id } = socket.data.principal ?? {};
    const what = { namespace: socket.nsp.name, event, user_id, gym_id };
    // Of what we refuse ourselves (no reader is connected) it is known where it was thrown.
    const why = error.cause ?? (thrown === error ? error.message : thrown);
    this.logger[code === 'internal_error' ? 'error' : 'warn'](why, what);
  }
}
