import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable, Logger } from '@nestjs/common';
import { WebSocketServer } from 'ws';
import { clientAddress } from '../../common/http/address.js';
import { Config } from '../../config/config.js';
import { MetricsService } from '../../observability/metrics.service.js';
import { Sockets } from '../../realtime/sockets.js';
import { CLOSE, PlainSocket } from './plain-socket.js';

/** More than this in one frame: 1009. */
const LARGEST_FRAME = 1_048_576;
const PING_MS = 30_000;

/** Where a family's sockets connect. */
export interface PlainRoute {
  /** Of the path without a slash at its end, from start to end. */
  path: RegExp;
  /** @param groups the groups of the path, decoded  @returns headers of the answer to the upgrade, if any */
  open(socket: PlainSocket, groups: Record<string, string>, query: URLSearchParams): Promise<void> | void;
  /** Headers of the answer to the upgrade. */
  headers?(request: IncomingMessage): string[];
}

/** The plain WebSockets of all families, on the server's own port. */
@Injectable()
export class PlainSockets {
  private readonly logger = new Logger('Legacy');
  private readonly routes: PlainRoute[] = [];
  private readonly server = new WebSocketServer({
    noServer: true,
    maxPayload: LARGEST_FRAME,
    perMessageDeflate: false,
  });
  private readonly open = new Set<PlainSocket>();
  private heartbeat: NodeJS.Timeout | undefined;

  constructor(
    private readonly sockets: Sockets,
    private readonly config: Config,
    metrics: MetricsService,
  ) {
    metrics.gauge('plain_socket_connections', 'Open sockets of old clients', () => this.open.size);
    this.sockets.beforeClose.push(() => this.stop());
  }

  add(route: PlainRoute): void {
    this.routes.push(route);
  }

  isPath(url: string): boolean {
    return this.find(url) !== undefined;
  }

  /** Takes the upgrades of these paths. */
  attach(server: HttpServer): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, behind: Buffer) => {
      const found = this.find(request.url ?? '');
      if (found) this.accept(found, request, socket, behind);
    });
    this.server.on('headers', (lines: string[], request: IncomingMessage) => {
      lines.push(...(this.find(request.url ?? '')?.route.headers?.(request) ?? []));
    });
    this.heartbeat = setInterval(() => {
      for (const socket of this.open) socket.ping();
    }, PING_MS).unref();
  }

  private accept({ route, groups, query }: Found, request: IncomingMessage, stream: Duplex, behind: Buffer): void {
    this.server.handleUpgrade(request, stream, behind, (webSocket) => {
      const address = clientAddress(
        request.headers['x-forwarded-for'],
        request.socket.remoteAddress ?? '',
        this.config.TRUST_PROXY_HOPS,
      );
      const socket = new PlainSocket(
        ...([webSocket, request, address] as const),
        () => this.sockets.io,
        (error) => this.logger.error(error),
      );
      this.open.add(socket);
      socket.whenGone(() => this.open.delete(socket));
      if (this.sockets.io === null) return socket.close(CLOSE.restart);
      socket.start(() => route.open(socket, groups, query));
    });
  }

  private find(url: string): Found | undefined {
    const [path = '', query = ''] = url.split('?', 2);
    const bare = path.length > 1 ? path.replace(/\/$/, '') : path;
    for (const route of this.routes) {
      const match = route.path.exec(bare);
      if (match) return { route, groups: decoded(match.groups), query: new URLSearchParams(query) };
    }
    return undefined;
  }

  private stop(): void {
    clearInterval(this.heartbeat);
    for (const socket of this.open) socket.close(CLOSE.restart, 'The server restarts.');
  }
}

interface Found {
  route: PlainRoute;
  groups: Record<string, string>;
  query: URLSearchParams;
}

/** What is no well-formed part of an address stays as it is: no id looks like it. */
function decoded(groups: Record<string, string | undefined> = {}): Record<string, string> {
  const given = Object.entries(groups).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  try {
    return Object.fromEntries(given.map(([name, value]) => [name, decodeURIComponent(value)]));
  } catch {
    return Object.fromEntries(given);
  }
}
