import type { IncomingMessage } from 'node:http';
import pLimit from 'p-limit';
import type { Server } from 'socket.io';
import type { RawData, WebSocket } from 'ws';
import type { Actor } from '../../common/actor/actor.js';
import { findFault } from '../../common/http/json-body.js';
import { LARGEST_MESSAGE, LONGEST_QUEUE, RateLimit } from '../../realtime/message-limits.js';
import { type Hear, isOurFault, PlainConnection, Refused } from './plain-connection.js';

/** So much may wait for a client that does not read; then it is gone. */
const MOST_UNSENT = 1_048_576;
const SIGN_IN_MS = 10_000;
const GOODBYE_MS = 2_000;

/** The close codes of old clients. */
export const CLOSE = {
  done: 1000,
  restart: 1012,
  our_fault: 4000,
  not_signed_in: 4001,
  not_allowed: 4003,
  not_found: 4004,
} as const;

/** @param code how the namespace has refused the connection that it ends; without one, it is a sign-out */
function closeCodeAfter(code: string | undefined): number {
  if (isOurFault(code)) return CLOSE.our_fault;
  return code === 'role_not_allowed' ? CLOSE.not_allowed : CLOSE.not_signed_in;
}

/** What a client sent, once it is an object of JSON. */
export type Frame = Record<string, unknown>;

/** How one family's socket is spoken with. */
export interface Conversation {
  /** A frame; the next one waits until it is done. */
  frame(frame: Frame): Promise<void> | void;
  /** What cannot be taken at all: no JSON, no object, too large, too many. The socket lives. */
  nonsense(problem: Nonsense, text: string): void;
}
export type Nonsense = 'no_json' | 'no_object' | 'too_large' | 'too_many';

/** What is sent to many sockets is made into bytes once. */
const bytesOf = new WeakMap<object, Buffer>();

/** One plain WebSocket of an old client. */
export class PlainSocket {
  private readonly queue = pLimit(1);
  private readonly rateLimit = new RateLimit();
  private conversation: Conversation | undefined;
  /** What was heard while a frame is handled: its answer goes first. */
  private held: (() => void)[] | null = null;
  private readonly onGone = new Set<() => void>();
  private signInTimer: NodeJS.Timeout | undefined;
  isAlive = true;
  private missedPings = 0;

  constructor(
    private readonly socket: WebSocket,
    readonly request: IncomingMessage,
    /** Of the client, as far as our own proxies wrote X-Forwarded-For. */
    readonly address: string,
    private readonly io: () => Server | null,
    /** Told of what is our fault. */
    private readonly fault: (error: unknown) => void,
  ) {
    socket.on('message', (data, isBinary) => this.receive(data, isBinary));
    socket.on('pong', () => (this.missedPings = 0));
    // A frame that is too large, or no WebSocket frame at all: the library closes the socket with the code for it.
    socket.on('error', () => undefined);
    socket.on('close', () => this.gone());
  }

  /** What comes before the first frame; frames wait for it. */
  start(open: () => Promise<void> | void): void {
    void this.queue(async () => this.guarded(open));
  }

  /** What is done with the frames from now on. */
  converse(conversation: Conversation): void {
    this.conversation = conversation;
  }

  /** Sends a frame. The same object sent to many sockets is made into bytes once, so it must not change. */
  send(frame: object): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    let bytes = bytesOf.get(frame);
    if (!bytes) bytesOf.set(frame, (bytes = Buffer.from(JSON.stringify(frame))));
    this.socket.send(bytes, { binary: false });
    if (this.socket.bufferedAmount > MOST_UNSENT) this.socket.terminate();
  }

  close(code: number, reason = ''): void {
    this.socket.close(code, reason);
    // One that does not say goodbye does not keep the server waiting.
    setTimeout(() => this.socket.terminate(), GOODBYE_MS).unref();
  }

  ping(): void {
    if (this.missedPings === 2) this.socket.terminate();
    this.missedPings++;
    this.socket.ping();
  }

  /** Calls it when the socket has gone; at once, if it has. @returns what forgets it again */
  whenGone(call: () => void): () => void {
    if (this.isAlive) this.onGone.add(call);
    else call();
    return () => this.onGone.delete(call);
  }

  /** Closes the socket with 4001 if `signedIn` is not called in time. */
  expectSignIn(): void {
    this.signInTimer = setTimeout(() => this.close(CLOSE.not_signed_in), SIGN_IN_MS).unref();
  }

  signedIn(): void {
    clearTimeout(this.signInTimer);
  }

  /**
   * Connects this socket to a namespace: what happens there is heard, and messages can be asked. If the namespace ends
   * it (a sign-out, a lost role, our fault), the old socket is closed with the code for that.
   * @param auth what the client shows: {token}; or the person, who has shown in another way who they are
   * @throws Refused
   */
  async join(namespace: string, auth: object | Actor, hear: Hear): Promise<PlainConnection> {
    const io = this.io();
    if (!io) throw new Refused('unavailable', 'The server is stopping.', CLOSE.our_fault, {});
    const connection = await PlainConnection.open(
      io,
      this.request,
      { namespace, auth },
      {
        isWritable: () => this.socket.bufferedAmount === 0,
        hear: (event, payload) => this.inOrder(() => hear(event, payload)),
        ended: (code) => this.close(closeCodeAfter(code)),
      },
    );
    const forget = this.whenGone(() => connection.leave());
    connection.once('close', forget);
    return connection;
  }

  /** Tells news at once, or, while a frame is handled, when it is answered. */
  inOrder(tell: () => void): void {
    if (this.held) this.held.push(tell);
    else this.tellNow(tell);
  }

  /** Ends the socket: what went wrong is our fault. */
  fail(error: unknown): void {
    if (this.isAlive) this.fault(error);
    this.close(CLOSE.our_fault);
  }

  /** A translation that fails ends this socket, and not the broadcast to the others, nor the process. */
  private tellNow(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.fail(error);
    }
  }

  private receive(data: RawData, isBinary: boolean): void {
    const text = isBinary ? '' : (data as Buffer).toString();
    if (!this.rateLimit.takeOne() || this.queue.pendingCount >= LONGEST_QUEUE) {
      if (this.rateLimit.mayComplain()) this.conversation?.nonsense('too_many', '');
      return;
    }
    void this.queue(() => this.handle(text));
  }

  private async handle(text: string): Promise<void> {
    if (!this.isAlive) return;
    const held: (() => void)[] = [];
    this.held = held;
    const read = readFrame(text);
    await this.guarded(() =>
      typeof read === 'string' ? this.conversation?.nonsense(read, text) : this.conversation?.frame(read),
    );
    this.held = null;
    for (const tell of held) this.tellNow(tell);
  }

  /** A family answers its refusals itself: what is thrown here is our fault. */
  private async guarded(work: () => Promise<void> | void): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.fail(error);
    }
  }

  private gone(): void {
    this.isAlive = false;
    this.signedIn();
    for (const call of this.onGone) call();
  }
}

function readFrame(text: string): Frame | Nonsense {
  if (Buffer.byteLength(text) > LARGEST_MESSAGE) return 'too_large';
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return 'no_json';
  }
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame) || findFault(frame)) return 'no_object';
  return frame as Frame;
}
