import type { IncomingHttpHeaders } from 'node:http';
import { WebSocket } from 'ws';

const PATIENCE_MS = 30_000;
const clients = new Set<PlainClient>();

/** A plain WebSocket, as old clients have it: it knows nothing of our code. */
export class PlainClient {
  readonly socket: WebSocket;
  /** All frames that came, in order. */
  readonly frames: any[] = [];
  private readonly unread: any[] = [];
  private wake: (() => void)[] = [];
  /** The code with which it was closed. */
  readonly closed: Promise<number>;
  isClosed = false;
  /** Of the answer to the upgrade. */
  headers: IncomingHttpHeaders = {};

  private constructor(url: string, headers: Record<string, string>) {
    this.socket = new WebSocket(url.replace(/^http/, 'ws'), { headers });
    this.socket.on('message', (data) => {
      const frame: unknown = JSON.parse((data as Buffer).toString());
      this.frames.push(frame);
      this.unread.push(frame);
      for (const call of this.wake.splice(0)) call();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('upgrade', ({ headers: answered }) => (this.headers = answered));
    this.closed = new Promise((resolve) =>
      this.socket.on('close', (code) => {
        this.isClosed = true;
        for (const call of this.wake.splice(0)) call();
        resolve(code);
      }),
    );
    clients.add(this);
  }

  /** One that is connected. @param url as http://host:port/path */
  static async open(url: string, headers: Record<string, string> = {}): Promise<PlainClient> {
    const client = new PlainClient(url, headers);
    await new Promise<void>((resolve, reject) => {
      client.socket.once('open', resolve);
      client.socket.once('error', reject);
    });
    return client;
  }

  /** The status with which an upgrade is refused; 101 if it is not. */
  static status(url: string, headers: Record<string, string> = {}): Promise<number> {
    const { socket } = new PlainClient(url, headers);
    return new Promise((resolve) => {
      socket.once('open', () => resolve(101));
      socket.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode!));
    });
  }

  static closeAll(): void {
    for (const client of clients) client.socket.terminate();
    clients.clear();
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** The first such frame that no one has waited for yet. @param wanted its type, or a test of it */
  async next(wanted: string | ((frame: any) => boolean)): Promise<any> {
    const matches = typeof wanted === 'string' ? ({ type }: any) => type === wanted : wanted;
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const place = this.unread.findIndex((frame) => matches(frame));
      if (place >= 0) return this.unread.splice(place, 1)[0];
      if (this.isClosed || Date.now() > deadline) {
        throw new Error(`no ${String(wanted)}${this.isClosed ? ', closed' : ''}; came: ${JSON.stringify(this.frames)}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.wake.push(() => (clearTimeout(timer), resolve()));
      });
    }
  }

  /** Sends a frame and waits for the answer. */
  ask(frame: unknown, wanted: string | ((frame: any) => boolean)): Promise<any> {
    this.send(frame);
    return this.next(wanted);
  }

  /** The types of all frames that came, in order. */
  get types(): string[] {
    return this.frames.map(({ type }) => type as string);
  }
}
