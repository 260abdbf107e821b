import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Server } from 'socket.io';
import { Actor, type Principal } from '../../common/actor/actor.js';
import { DomainError } from '../../common/errors/domain-error.js';

/** What a namespace sends by itself. */
export type Hear = (event: string, payload: unknown) => void;
/** Why the namespace ended the connection: the code of the refusal before it, if there was one. */
export type Ended = (code: string | undefined) => void;

/** A message or a connection that was refused: what Socket.IO's own clients would have been told. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
    /** Of a connection: 4001 not signed in, 4003 not allowed, 4004 not found, 4000 our fault. */
    readonly close_code: number | undefined,
    readonly data: Record<string, unknown>,
  ) {
    super(message);
  }
}

interface Question {
  answer: (answer: unknown) => void;
  refuse: (reason: Error) => void;
}

/** The packets of Socket.IO's protocol that go to a client. */
const [DISCONNECTED, EVENT, ANSWER, REFUSED] = ['1', '2', '3', '4'];
const PACKET = /^(\d)(?:\/[^,]*,)?(\d*)/;

/** A broadcast is one text for all sockets, so it is parsed once. */
let last: { packet: string; data: unknown } = { packet: '', data: null };
function parse(packet: string, start: number): unknown {
  if (packet !== last.packet) last = { packet, data: JSON.parse(packet.slice(start)) };
  return last.data;
}

/**
 * A client of Socket.IO inside of the server: it speaks the same protocol, over no network. What an old client may do,
 * and what it is told, is decided where it is decided for all (docs/decisions/0037).
 */
export class PlainConnection extends EventEmitter {
  // What Socket.IO reads of a connection of Engine.IO.
  readonly id = randomUUID();
  readonly protocol = 4;
  readonly transport: { readonly name: string; readonly writable: boolean };
  readyState: 'open' | 'closed' = 'open';
  readonly remoteAddress: string;

  private readonly questions = new Map<number, Question>();
  private numberOfQuestions = 0;
  private entering: Question | undefined;
  private lastRefusal: string | undefined;

  private constructor(
    readonly request: IncomingMessage,
    private readonly namespace: string,
    /** Whose it is, if that was found out before. */
    readonly principal: Principal | undefined,
    isWritable: () => boolean,
    private readonly hear: Hear,
    private readonly ended: Ended,
  ) {
    super();
    this.remoteAddress = request.socket.remoteAddress ?? '';
    this.transport = {
      name: 'websocket',
      get writable() {
        return isWritable();
      },
    };
  }

  /**
   * Connects to a namespace, as `io('/checkins', {auth: {token}})` does.
   * @param auth or the person, who has shown in another way who they are
   * @throws Refused
   */
  static async open(
    io: Server,
    request: IncomingMessage,
    { namespace, auth }: { namespace: string; auth: object | Actor },
    told: { isWritable: () => boolean; hear: Hear; ended: Ended },
  ): Promise<PlainConnection> {
    const asked = Object.assign(request, { _query: { EIO: '4', transport: 'websocket' } });
    const person = auth instanceof Actor ? auth : undefined;
    const connection = new PlainConnection(asked, namespace, person, told.isWritable, told.hear, told.ended);
    io.engine.emit('connection', connection);
    try {
      await new Promise<unknown>((answer, refuse) => {
        connection.entering = { answer, refuse };
        connection.say(`0${namespace},${JSON.stringify(person ? {} : auth)}`);
      });
    } catch (error) {
      connection.leave();
      throw error;
    }
    connection.entering = undefined;
    return connection;
  }

  /** Sends a message. @returns its acknowledgement  @throws Refused */
  async ask<Answer = unknown>(event: string, payload: unknown = {}): Promise<Answer> {
    if (this.readyState === 'closed') throw new Refused('not_signed_in', 'The connection has ended.', undefined, {});
    const number = this.numberOfQuestions++;
    return new Promise<unknown>((answer, refuse) => {
      this.questions.set(number, { answer, refuse });
      this.say(`2${this.namespace},${number}${JSON.stringify([event, payload])}`);
    }) as Promise<Answer>;
  }

  /** The old client has gone. */
  leave(): void {
    this.end();
    this.emit('close', 'the old client has gone');
  }

  /** Called by Socket.IO with each packet for the client. */
  write(packet: string): void {
    const [head, type, number] = PACKET.exec(packet)!;
    if (type === EVENT) {
      const [event, payload] = parse(packet, head.length) as [string, unknown];
      if (event === 'error') this.lastRefusal = (payload as { code?: string }).code;
      this.hear(event, payload);
    } else if (type === ANSWER) {
      const question = this.questions.get(Number(number));
      this.questions.delete(Number(number));
      const [answer] = JSON.parse(packet.slice(head.length)) as [unknown];
      const refusal = refusalIn(answer);
      if (refusal) question?.refuse(refusal);
      else question?.answer(answer);
    } else if (type === REFUSED) {
      const { data, message } = JSON.parse(packet.slice(head.length)) as {
        message: string;
        data?: { code: number; error: string };
      };
      this.entering?.refuse(new Refused('refused', data?.error ?? message, data?.code ?? 4000, {}));
    } else if (type === DISCONNECTED) this.close();
  }

  /** Called when the server has let it in: from now on it misses nothing. */
  welcomed(): void {
    this.entering?.answer(undefined);
  }

  /** Called by Socket.IO when it ends the connection. */
  close(): void {
    if (this.readyState === 'closed') return;
    this.end();
    this.ended(this.lastRefusal);
  }

  private say(packet: string): void {
    this.emit('packet', { type: 'message', data: packet });
    this.emit('data', packet);
  }

  private end(): void {
    this.readyState = 'closed';
    const gone = new Refused('not_signed_in', 'The connection has ended.', undefined, {});
    for (const { refuse } of this.questions.values()) refuse(gone);
    this.questions.clear();
    this.entering?.refuse(gone);
  }
}

/** A refusal is acknowledged with its code, its text and the event that was refused (RefusalDto). */
function refusalIn(answer: unknown): Refused | undefined {
  const { code, error, event, ...data } = { ...(answer as Record<string, unknown> | null) };
  const isRefusal = typeof code === 'string' && typeof error === 'string' && typeof event === 'string';
  return isRefusal ? new Refused(code, error, undefined, data) : undefined;
}

/** A refusal, whether a service or a namespace told it. */
export const isRefusal = (thrown: unknown): thrown is Refused | DomainError =>
  thrown instanceof Refused || thrown instanceof DomainError;

/** The client may come again. */
export const isOurFault = (code: string | undefined): boolean => code === 'unavailable' || code === 'internal_error';

export const codeOf = (refusal: Refused | DomainError): string =>
  refusal instanceof Refused ? refusal.code : refusal.kind.code;
