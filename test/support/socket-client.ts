import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { rememberAsked } from './asked.js';
import { requireDocumentedAcknowledgement, requireDocumentedEvent } from './documented.js';

const PATIENCE_MS = 30_000;
const clients = new Set<SocketClient>();

interface Received {
  event: string;
  payload: any;
}

interface Waiting {
  event: string;
  matches: (payload: any) => boolean;
  take: (received: Received) => void;
}

/**
 * Talks to a namespace as a client does, and remembers what it was told. Each event and each acknowledgement must be as
 * asyncapi.json says.
 */
export class SocketClient {
  readonly socket: Socket;
  /** All that came, in order. */
  readonly received: Received[] = [];
  /** Why the connection ended, once it has. */
  readonly gone: Promise<string>;
  private unread: Received[] = [];
  private readonly waiting = new Set<Waiting>();

  constructor(
    base: string,
    private readonly namespace: string,
    private readonly auth?: object,
    options: Partial<ManagerOptions & SocketOptions> = {},
  ) {
    const usual = { forceNew: true, transports: ['websocket'], reconnection: false, autoConnect: false };
    this.socket = io(base + namespace, { ...usual, auth, ...options } as Partial<ManagerOptions & SocketOptions>);
    // It believes that it was recovered only if what it lost is what it gets.
    const { pid, offset } = { pid: undefined, offset: undefined, ...auth };
    if (pid !== undefined) Object.assign(this.socket, { _pid: pid, _lastOffset: offset });
    this.socket.onAny((event: string, payload: unknown) => this.receive({ event, payload }));
    this.gone = new Promise((resolve) => this.socket.once('disconnect', resolve));
    clients.add(this);
  }

  /** One that is connected. */
  static async connect(...parameters: ConstructorParameters<typeof SocketClient>): Promise<SocketClient> {
    const client = new SocketClient(...parameters);
    await client.connect();
    return client;
  }

  /** What a connection that is refused is told. */
  static async refused(...parameters: ConstructorParameters<typeof SocketClient>): Promise<unknown> {
    const client = new SocketClient(...parameters);
    return client.connect().then(
      () => 'connected',
      (error: { data?: unknown }) => client.remember(error.data, 'connection'),
    );
  }

  static closeAll(): void {
    for (const client of clients) client.socket.disconnect();
    clients.clear();
  }

  connect(): Promise<void> {
    const connected = new Promise<void>((resolve, reject) => {
      this.socket.once('connect', resolve);
      this.socket.once('connect_error', reject);
    });
    this.socket.connect();
    return connected;
  }

  /** The payload of the first such event that no one has waited for yet. */
  next(event: string, matches: (payload: any) => boolean = () => true): Promise<any> {
    const found = this.unread.find((one) => one.event === event && matches(one.payload));
    if (found) {
      this.unread = this.unread.filter((one) => one !== found);
      return Promise.resolve(found.payload);
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        event,
        matches,
        take: ({ payload }) => {
          clearTimeout(timer);
          this.waiting.delete(waiting);
          resolve(payload);
        },
      };
      const timer = setTimeout(() => {
        this.waiting.delete(waiting);
        reject(new Error(`No ${event}, but ${JSON.stringify(this.received)}`));
      }, PATIENCE_MS);
      this.waiting.add(waiting);
    });
  }

  /** Sends, and waits for the acknowledgement. */
  async ask(event: string, ...payload: unknown[]): Promise<any> {
    const answer: unknown = await this.socket.timeout(PATIENCE_MS).emitWithAck(event, ...payload);
    requireDocumentedAcknowledgement(this.namespace, event, answer);
    return this.remember(answer, event, payload[0]);
  }

  send(event: string, ...payload: unknown[]): void {
    this.socket.emit(event, ...payload);
  }

  /** Writes a frame that no decent client would. */
  sendRaw(frame: string | Buffer): void {
    (this.socket.io.engine as unknown as { send(data: unknown): void }).send(frame);
  }

  /** The payloads of all such events. */
  all(event: string): any[] {
    return this.received.filter((one) => one.event === event).map(({ payload }) => payload);
  }

  /** With what it would ask for what it missed. */
  get session(): { pid: string; offset: string } {
    const { _pid: pid, _lastOffset: offset } = this.socket as unknown as Record<string, string>;
    return { pid: pid!, offset: offset! };
  }

  /** The Wi-Fi is gone: the transport ends without a goodbye. */
  cut(): void {
    this.socket.io.engine.close();
  }

  close(): void {
    this.socket.disconnect();
  }

  private remember<Answer>(answer: Answer, event: string, sent?: unknown): Answer {
    const { token, device_key }: { token?: string; device_key?: string } = { ...this.auth };
    return rememberAsked(answer, `${this.namespace} ${event}`, sent, token ?? device_key);
  }

  private receive(received: Received): void {
    this.received.push(received);
    const taker = [...this.waiting].find(({ event, matches }) => event === received.event && matches(received.payload));
    if (taker) taker.take(received);
    else this.unread.push(received);
    requireDocumentedEvent(this.namespace, received.event, received.payload);
  }
}
