import { setTimeout as sleep } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { MessageMappingProperties } from '@nestjs/websockets';
import { Namespace, type Server, type ServerOptions } from 'socket.io';
import { Adapter } from 'socket.io-adapter';
import type { CorsPolicy } from '../common/http/cors.js';
import type { AppSocket } from '../common/ws/gateway.js';
import { Config } from '../config/config.js';
import { MetricsService } from '../observability/metrics.service.js';
import { Broadcaster } from './broadcaster.js';
import { ChatBroadcaster } from './chat-broadcaster.js';
import { Cluster } from './cluster.js';
import { Connections } from './connections.js';
import { IncomingMessages } from './incoming-messages.js';
import { LARGEST_FRAME, measureMessages } from './message-limits.js';
import { NAMESPACES } from './namespaces.js';
import { RECOVERY_MS } from './postgres-relay.js';
import { Sockets } from './sockets.js';

const PATH = '/socket.io';
const LONGEST_FINISH_MS = 5_000;
/** For sockets to end, when their connections are cut, and to be stored. */
const LONGEST_CUT_MS = 1_000;
const LONGEST_STORE_MS = 2_000;

/** Whether Socket.IO answers it. */
export const isSocketPath = (url: string): boolean => url.startsWith(`${PATH}/`);

/**
 * Socket.IO for Nest's gateways: opens the server and its namespaces, and closes them in order. Who may connect is
 * decided in Connections, what is done with a message in IncomingMessages (docs/decisions/0027).
 */
export class RealtimeAdapter extends IoAdapter {
  private readonly config: Config;
  private readonly cluster: Cluster;
  private readonly connections: Connections;
  private readonly messages: IncomingMessages;
  private readonly sockets: Sockets;
  private readonly broadcaster: Broadcaster;
  private readonly chat: ChatBroadcaster;
  private readonly metrics: MetricsService;
  private io: Server;
  /** Those that have a gateway. */
  private readonly namespaces = new Set<Namespace>();
  private closing: Promise<void> | undefined;

  constructor(
    app: NestFastifyApplication,
    private readonly cors: CorsPolicy,
  ) {
    super(app);
    this.config = app.get(Config);
    this.cluster = app.get(Cluster);
    this.connections = app.get(Connections);
    this.messages = app.get(IncomingMessages);
    this.sockets = app.get(Sockets);
    this.broadcaster = app.get(Broadcaster);
    this.chat = app.get(ChatBroadcaster);
    this.metrics = app.get(MetricsService);
  }

  /** Nest asks once for the server, and then for the namespace of each gateway; several gateways may share one. */
  override create(port: number, options?: ServerOptions & { namespace?: string; server?: Server }): Server | Namespace {
    const created = super.create(port, options);
    if (created instanceof Namespace && !this.namespaces.has(created)) {
      this.namespaces.add(created);
      this.connections.guard(created);
    }
    return created;
  }

  override createIOServer(port: number, options?: ServerOptions): Server {
    const io = super.createIOServer(port, { ...options, ...this.serverOptions() } as ServerOptions);
    this.io = io;
    measureMessages(io);
    this.connections.refuseUnknownNamespaces(io);
    this.sockets.io = io;
    if (this.cluster.isRedisReady !== null) {
      this.metrics.gauge('redis_up', 'Whether Redis answers', () => Number(this.cluster.isRedisReady));
    }
    this.metrics.gauge('socket_connections', 'Open sockets', () => io.engine.clientsCount);
    return io;
  }

  /**
   * In place of IoAdapter's own, which handles messages of one socket at the same time and never answers a refused one.
   */
  override bindMessageHandlers(socket: AppSocket, handlers: MessageMappingProperties[]): void {
    this.messages.handleWith(socket, handlers);
  }

  /** Nest asks once for each gateway. */
  override close(): Promise<void> {
    return (this.closing ??= this.closeAll());
  }

  private serverOptions(): Partial<ServerOptions> {
    const { adapter: overServers } = this.cluster;
    return {
      serveClient: false,
      maxHttpBufferSize: LARGEST_FRAME,
      // A phone whose Wi-Fi is gone is noticed within 20 s; only then can it be recovered.
      pingInterval: 10_000,
      pingTimeout: 10_000,
      connectTimeout: 10_000,
      connectionStateRecovery: { maxDisconnectionDuration: RECOVERY_MS, skipMiddlewares: true },
      ...(this.config.CORS_ORIGINS && { cors: this.cors.forSockets() }),
      // What is not for it goes on to HTTP.
      path: PATH,
      destroyUpgrade: false,
      // Socket.IO calls it with `new`. In a namespace that is not ours there is no socket, on no server.
      adapter: function adapter(namespace: Namespace) {
        return namespace.name in NAMESPACES ? overServers(namespace) : new Adapter(namespace);
      },
      cleanupEmptyChildNamespaces: true,
    };
  }

  /**
   * What was asked is done and what has happened is told, to the other servers' sockets too. Then connections end, and
   * with them their transports: clients connect again, to another server.
   */
  private async closeAll(): Promise<void> {
    await this.messages.finish(LONGEST_FINISH_MS);
    await this.broadcaster.flush();
    await this.chat.flush();
    await this.cluster.flush();
    this.sockets.io = null;
    for (const call of this.sockets.beforeClose) call();
    this.io.engine.close();
    // Tells the other servers not to wait for our answers any more, and stops the heartbeats.
    for (const { adapter } of [this.io.of('/'), ...this.namespaces]) void adapter.close();
    // The sockets that were cut off are stored, so that they can go on elsewhere.
    for (const deadline = Date.now() + LONGEST_CUT_MS; this.io.engine.clientsCount > 0 && Date.now() < deadline;) {
      await sleep(20);
    }
    await Promise.race([this.cluster.flush(), sleep(LONGEST_STORE_MS, undefined, { ref: false })]);
  }
}
