import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AbstractWsAdapter, type MessageMappingProperties } from '@nestjs/websockets';
import pLimit, { type LimitFunction } from 'p-limit';
import { type Namespace, Server } from 'socket.io';
import { DeviceActor } from '../common/actor/actor.js';
import { NotSignedIn, TooManyRequests } from '../common/errors/common.errors.js';
import { DomainError } from '../common/errors/domain-error.js';
import { toDomainError } from '../common/errors/problem.js';
import type { CorsPolicy } from '../common/http/cors.js';
import { findFault } from '../common/http/json-body.js';
import type { AppSocket } from '../common/ws/gateway.js';
import { Config } from '../config/config.js';
import { MetricsService } from '../observability/metrics.service.js';
import { Broadcaster } from './broadcaster.js';
import { Cluster } from './cluster.js';
import { closeCode, Handshake } from './handshake.js';
import { MessageTable } from './message-table.js';
import { RECOVERY_MS } from './postgres-adapter.js';
import { MessageTooLarge, UnknownEvent, UnknownNamespace } from './realtime.errors.js';
import { Sockets } from './sockets.js';

/** Of one message, in bytes. */
const LARGEST_MESSAGE = 262_144;
/** What is larger than this is not even read: the connection breaks. */
const LARGEST_FRAME = 4_194_304;
/** Messages a socket may send at once, and then in every second. */
const BURST = 100;
const PER_SECOND = 50;
/** Of messages that wait for the ones before them. */
const LONGEST_QUEUE = 100;
const SIGN_IN_SECONDS = 10;
const PATH = '/socket.io';
/** Socket.IO's own method, in which it restores a lost socket. */
const CREATE_SOCKET = '_createSocket';
const LONGEST_FINISH_MS = 5_000;

/** Whether Socket.IO answers it. */
export const isSocketPath = (url: string): boolean => url.startsWith(`${PATH}/`);

type Ack = (answer: unknown) => void;
type Callback = (data: unknown) => Promise<unknown>;

/**
 * Socket.IO for Nest's gateways. Every connection and every message of every namespace comes through here: who is it, may
 * they, is it well-formed, and what do they get as an answer.
 */
export class RealtimeAdapter extends AbstractWsAdapter {
  private readonly io: Server;
  private readonly trustedHops: number;
  private readonly logger = new Logger('Realtime');
  private readonly handshake: Handshake;
  private readonly sockets: Sockets;
  private readonly table: MessageTable;
  private readonly metrics: MetricsService;
  private readonly cluster: Cluster;
  private readonly broadcaster: Broadcaster;
  private closing: Promise<void> | undefined;
  /** Messages that are being handled. */
  private underWay = 0;
  /** What a socket does, one after the other. */
  private readonly turns = new WeakMap<AppSocket, LimitFunction>();

  constructor(app: NestFastifyApplication, cors: CorsPolicy) {
    super(app);
    this.handshake = app.get(Handshake);
    this.sockets = app.get(Sockets);
    this.table = app.get(MessageTable);
    this.metrics = app.get(MetricsService);
    this.cluster = app.get(Cluster);
    this.broadcaster = app.get(Broadcaster);
    const config = app.get(Config);
    this.trustedHops = config.TRUST_PROXY_HOPS;
    this.io = new Server(app.getHttpServer(), {
      serveClient: false,
      maxHttpBufferSize: LARGEST_FRAME,
      // A phone whose Wi-Fi is gone is noticed within 20 s; only then can it be recovered.
      pingInterval: 10_000,
      pingTimeout: 10_000,
      connectTimeout: 10_000,
      connectionStateRecovery: { maxDisconnectionDuration: RECOVERY_MS, skipMiddlewares: true },
      ...(config.CORS_ORIGINS && { cors: cors.forSockets() }),
      // What is not for it goes on to HTTP.
      path: PATH,
      destroyUpgrade: false,
      adapter: this.cluster.adapter,
    });
    this.io.engine.on('connection', measureMessages);
    this.io.of('/').use((_socket, next) => next(this.connectError(new UnknownNamespace())));
    this.sockets.io = this.io;
    if (this.cluster.isRedisReady !== null) {
      this.metrics.gauge('redis_up', 'Whether Redis answers', () => Number(this.cluster.isRedisReady));
    }
    this.metrics.gauge('socket_connections', 'Open sockets', () => this.io.engine.clientsCount);
  }

  create(_port: number, { namespace }: { namespace?: string }): Namespace {
    // Nest asks for the server first, and then for each namespace of it.
    if (namespace === undefined) return this.io.of('/');
    const nsp = this.io.of(namespace);
    this.askWhoComesBack(nsp);
    nsp.use((socket: AppSocket, next) => {
      void this.admit(namespace, socket, next);
    });
    return nsp;
  }

  override bindClientConnect(nsp: Namespace, connected: (socket: AppSocket) => void): void {
    nsp.on('connection', (socket: AppSocket) => {
      const address = clientAddress(socket, this.trustedHops);
      // Servers tell each other of their sockets with the handshake: its token or key must not travel, or be stored.
      Object.assign(socket.handshake, { address, auth: {}, headers: {}, query: {}, url: '' });
      const inTurn = pLimit(1);
      this.turns.set(socket, inTurn);
      // Before its first message: what the welcome does must not undo what that asks for.
      void inTurn(() => this.arrived(socket));
      connected(socket);
    });
  }

  override bindClientDisconnect(socket: AppSocket, disconnected: (reason: string) => void): void {
    socket.once('disconnect', disconnected);
  }

  /** Nest gives us the handlers of the namespace, with guard and validation around each. */
  bindMessageHandlers(socket: AppSocket, handlers: MessageMappingProperties[]): void {
    const callbacks = new Map(handlers.map(({ message, callback }) => [message as string, callback as Callback]));
    const inTurn = this.turns.get(socket)!;
    const bucket = new Bucket();
    socket.use(([name, ...parameters]: [unknown, ...unknown[]]) => {
      // The protocol allows numbers too.
      const event = String(name);
      const last = parameters.at(-1);
      const ack = typeof last === 'function' ? (last as Ack) : undefined;
      const payload = ack && parameters.length === 1 ? undefined : parameters[0];
      const size = takeSize(socket);
      // One complaint a second tells a client that it floods; answering each message would be a flood of our own.
      if (!bucket.take() || inTurn.pendingCount >= LONGEST_QUEUE) {
        if (ack || bucket.mayComplain()) this.refuse(socket, event, new TooManyRequests(1), { ack, payload });
        return;
      }
      void inTurn(() => this.receive(socket, event, { payload, size, handle: callbacks.get(event) }, ack));
    });
  }

  /** Nest asks once for each namespace. */
  override close(): Promise<void> {
    return (this.closing ??= this.closeAll());
  }

  /**
   * What was asked is done and what has happened is told, to the other servers' sockets too. Then connections end, and with
   * them their transports: clients connect again, to another server.
   */
  private async closeAll(): Promise<void> {
    const deadline = Date.now() + LONGEST_FINISH_MS;
    while (this.underWay > 0 && Date.now() < deadline) await sleep(10);
    await this.broadcaster.flush();
    await this.cluster.flush();
    this.sockets.io = null;
    this.io.engine.close();
    // Tells the other servers not to wait for our answers any more, and stops the heartbeats.
    for (const name of ['/', ...this.table.namespaces.keys()]) void this.io.of(name).adapter.close();
    // Lets the sockets that were cut off be stored, so that they can go on elsewhere.
    await sleep(50);
    await this.cluster.flush();
  }

  /** Socket.IO gives a lost socket and what it missed to any connection that names it: here only to the one whose it is. */
  private askWhoComesBack(nsp: Namespace): void {
    const inside = nsp as unknown as Record<
      string,
      (client: unknown, auth: Record<string, unknown>) => Promise<unknown>
    >;
    const create = inside[CREATE_SOCKET]!.bind(nsp);
    inside[CREATE_SOCKET] = (client, auth) =>
      typeof auth.pid === 'string'
        ? this.handshake.reclaiming(nsp.name, auth, () => create(client, auth))
        : create(client, auth);
  }

  private async admit(namespace: string, socket: AppSocket, next: (error?: Error) => void): Promise<void> {
    let refusal: Error | undefined;
    try {
      socket.data.principal = (await this.handshake.admit(namespace, socket.handshake.auth)) ?? undefined;
    } catch (thrown) {
      refusal = this.connectError(thrown);
    }
    next(refusal);
  }

  private async arrived(socket: AppSocket): Promise<void> {
    const { principal } = socket.data;
    if (principal) {
      const entering = socket.recovered
        ? this.sockets.welcomeBack(socket, principal)
        : this.sockets.enter(socket, principal);
      await entering.catch((thrown: unknown) => {
        this.refuse(socket, 'connect', toDomainError(thrown), { thrown });
        socket.disconnect(true);
      });
      return;
    }
    const timer = setTimeout(() => {
      if (socket.data.principal) return;
      this.refuse(socket, 'connect', new NotSignedIn(`Nobody signed in within ${SIGN_IN_SECONDS} s.`));
      socket.disconnect(true);
    }, SIGN_IN_SECONDS * 1000);
    socket.once('disconnect', () => clearTimeout(timer));
  }

  private async receive(
    socket: AppSocket,
    event: string,
    { payload, size, handle }: { payload: unknown; size: number; handle: Callback | undefined },
    ack?: Ack,
  ): Promise<void> {
    if (!socket.connected || this.closing) return;
    this.underWay++;
    try {
      if (size > LARGEST_MESSAGE) throw new MessageTooLarge(`At most ${LARGEST_MESSAGE} bytes.`);
      const fault = findFault(payload);
      if (fault) throw fault;
      if (!handle) throw new UnknownEvent(`${socket.nsp.name} knows no event "${event.slice(0, 50)}".`);
      const { principal } = socket.data;
      if (principal) socket.data.principal = await this.renew(socket);
      const answer = await handle(payload);
      const kind = this.kindOf(socket, event)?.answer;
      if (kind && answer !== undefined) socket.emit(kind.event, answer);
      ack?.(answer ?? {});
      this.metrics.message(socket.nsp.name, event, 'ok');
    } catch (thrown) {
      this.refuse(socket, event, toDomainError(thrown), { ack, payload, thrown });
    } finally {
      this.underWay--;
    }
  }

  /** A session may have ended while the database could not tell us. */
  private async renew(socket: AppSocket) {
    try {
      return await this.handshake.renew(socket.data.principal!);
    } catch (thrown) {
      if (toDomainError(thrown).kind.status === 401) setImmediate(() => socket.disconnect(true));
      throw thrown;
    }
  }

  private refuse(
    socket: AppSocket,
    event: string,
    error: DomainError,
    { ack, payload, thrown = error }: { ack?: Ack; payload?: unknown; thrown?: unknown } = {},
  ): void {
    const { code, status } = error.kind;
    const kind = this.kindOf(socket, event);
    if (status >= 500 && !error.isReported) {
      const { user_id, gym_id } = socket.data.principal ?? {};
      const what = { namespace: socket.nsp.name, event, user_id, gym_id };
      this.logger[code === 'internal_error' ? 'error' : 'warn'](error.cause ?? thrown, what);
    }
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
    ack?.(answer);
  }

  private kindOf(socket: AppSocket, event: string) {
    return this.table.namespaces.get(socket.nsp.name)?.messages.get(event);
  }

  private connectError(thrown: unknown): Error {
    const error = toDomainError(thrown);
    if (error.kind.status >= 500 && !error.isReported) this.logger.warn(thrown);
    const data = { code: closeCode(error), error: error.message };
    return Object.assign(new Error(error.kind.title), { data });
  }
}

/** Where it comes from, as far as our own proxies wrote X-Forwarded-For. */
function clientAddress({ handshake }: AppSocket, trustedHops: number): string {
  const forwarded = String(handshake.headers['x-forwarded-for'] ?? '').split(',');
  const chain = [...forwarded.map((one) => one.trim()).filter(Boolean), handshake.address];
  return chain[Math.max(0, chain.length - 1 - trustedHops)]!;
}

/** A leaky bucket in memory: one socket is on one server. */
class Bucket {
  private left = BURST;
  private filledAt = Date.now();
  private complainedAt = 0;

  take(): boolean {
    const now = Date.now();
    this.left = Math.min(BURST, this.left + ((now - this.filledAt) / 1000) * PER_SECOND);
    this.filledAt = now;
    if (this.left < 1) return false;
    this.left -= 1;
    return true;
  }

  mayComplain(): boolean {
    const now = Date.now();
    if (now - this.complainedAt < 1000) return false;
    this.complainedAt = now;
    return true;
  }
}

interface Measured {
  received?: number;
}
interface RawConnection extends Measured {
  on(event: 'packet', listener: (packet: { type: string; data?: string | Buffer }) => void): void;
}

/** Counts the bytes of each message before it is decoded: a text, and the binary attachments that follow it. */
function measureMessages(connection: RawConnection): void {
  connection.on('packet', ({ type, data }) => {
    if (type !== 'message' || !data) return;
    connection.received = typeof data === 'string' ? Buffer.byteLength(data) : (connection.received ?? 0) + data.length;
  });
}

const takeSize = (socket: AppSocket): number => (socket.conn as unknown as Measured).received ?? 0;
