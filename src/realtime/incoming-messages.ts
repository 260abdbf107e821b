import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { MessageMappingProperties } from '@nestjs/websockets';
import { TooManyRequests } from '../common/errors/common.errors.js';
import { toDomainError } from '../common/errors/problem.js';
import { findFault } from '../common/http/json-body.js';
import type { AppSocket } from '../common/ws/gateway.js';
import { MetricsService } from '../observability/metrics.service.js';
import { Handshake } from './handshake.js';
import { bytesOfLastMessage, LARGEST_MESSAGE, LONGEST_QUEUE, RateLimit } from './message-limits.js';
import { MessageTable } from './message-table.js';
import { MessageTooLarge, UnknownEvent } from './realtime.errors.js';
import { type Acknowledge, Refusals } from './refusals.js';
import { queueOf } from './socket-queue.js';

/** A method of a gateway, with its guard and validation around it. */
type Handler = (payload: unknown) => Promise<unknown>;

interface IncomingMessage {
  event: string;
  payload: unknown;
  acknowledge?: Acknowledge;
  /** In bytes. */
  size: number;
}

/** Every message of every socket: is it well-formed, who sends it, and what do they get as an answer. */
@Injectable()
export class IncomingMessages {
  /** The handlers of a socket by event, of all gateways of its namespace. */
  private readonly handlers = new WeakMap<AppSocket, Map<string, Handler>>();
  /** Messages that are being handled. */
  private underWay = 0;
  private isStopped = false;

  constructor(
    private readonly table: MessageTable,
    private readonly handshake: Handshake,
    private readonly refusals: Refusals,
    private readonly metrics: MetricsService,
  ) {}

  /** Adds the handlers of one gateway. */
  handleWith(socket: AppSocket, gatewayHandlers: MessageMappingProperties[]): void {
    const known = this.handlers.get(socket);
    const handlers = known ?? new Map<string, Handler>();
    for (const { message, callback } of gatewayHandlers) handlers.set(message as string, callback as Handler);
    if (known) return;
    this.handlers.set(socket, handlers);
    this.receiveFrom(socket, handlers);
  }

  /** Takes no more messages, and returns when those under way are answered, or after the time. */
  async finish(longestMs: number): Promise<void> {
    this.isStopped = true;
    const deadline = Date.now() + longestMs;
    while (this.underWay > 0 && Date.now() < deadline) await sleep(10);
  }

  private receiveFrom(socket: AppSocket, handlers: Map<string, Handler>): void {
    const queue = queueOf(socket);
    const rateLimit = new RateLimit();
    socket.use((packet: unknown[]) => {
      const message = { ...read(packet), size: bytesOfLastMessage(socket) };
      if (rateLimit.takeOne() && queue.pendingCount < LONGEST_QUEUE) {
        void queue(() => this.handle(socket, message, handlers.get(message.event)));
      } else if (message.acknowledge || rateLimit.mayComplain()) {
        this.refusals.refuseMessage(socket, message.event, new TooManyRequests(1), message);
      }
    });
  }

  private async handle(socket: AppSocket, message: IncomingMessage, handler: Handler | undefined): Promise<void> {
    if (!socket.connected || this.isStopped) return;
    const { event, payload, acknowledge } = message;
    this.underWay++;
    try {
      this.requireWellFormed(message);
      if (!handler) throw new UnknownEvent(`${socket.nsp.name} knows no event "${event.slice(0, 50)}".`);
      await this.refreshSender(socket);
      const answer = await handler(payload);
      const answerKind = this.table.kindOf(socket.nsp.name, event)?.answer;
      if (answerKind && answer !== undefined) socket.emit(answerKind.event, answer);
      acknowledge?.(answer ?? {});
      this.metrics.message(socket.nsp.name, event, 'ok');
    } catch (thrown) {
      this.refusals.refuseMessage(socket, event, toDomainError(thrown), { acknowledge, payload, thrown });
    } finally {
      this.underWay--;
    }
  }

  /** @throws MessageTooLarge, or what findFault says of the payload */
  private requireWellFormed({ size, payload }: IncomingMessage): void {
    if (size > LARGEST_MESSAGE) throw new MessageTooLarge(`At most ${LARGEST_MESSAGE} bytes.`);
    const fault = findFault(payload);
    if (fault) throw fault;
  }

  /** Looks the sender up again: a session may have ended while the database could not tell us. @throws NotSignedIn */
  private async refreshSender(socket: AppSocket): Promise<void> {
    const { principal } = socket.data;
    if (!principal) return;
    try {
      socket.data.principal = await this.handshake.currentPrincipal(principal);
    } catch (thrown) {
      if (toDomainError(thrown).kind.status === 401) setImmediate(() => socket.disconnect(true));
      throw thrown;
    }
  }
}

/** An event of Socket.IO: its name, parameters of which the first counts, and perhaps an acknowledgement at the end. */
function read([name, ...parameters]: unknown[]): Omit<IncomingMessage, 'size'> {
  const last = parameters.at(-1);
  const acknowledge = typeof last === 'function' ? (last as Acknowledge) : undefined;
  const payload = acknowledge && parameters.length === 1 ? undefined : parameters[0];
  // The protocol allows numbers as names, too.
  return { event: String(name), payload, acknowledge };
}
