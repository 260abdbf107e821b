// The clients of bench/live.ts, in a process of their own. They speak Engine.IO and Socket.IO by hand, on bare TCP
// connections: socket.io-client would cost more than the servers that are measured.
import { randomBytes } from 'node:crypto';
import net from 'node:net';

export type Command =
  | { what: 'connect'; url: string; namespace: string; auths: object[]; first: string | null }
  | { what: 'expect'; event: string }
  | { what: 'send'; event: string; payload: object }
  | { what: 'close' };

/** What a group answers to a command, or tells by itself; `at` is on the clock that all processes share. */
export type Told =
  | { what: 'connected' | 'armed' | 'had_all'; at: number }
  | { what: 'heard'; at: number; samples: Record<string, string> };

/** So many connect at the same time. */
const AT_ONCE = 50;
const now = () => Number(process.hrtime.bigint()) / 1e6;
const tell = (told: Told) => process.send!(told);

/** The sockets of the group, and what they wait for. */
const watchers: Watcher[] = [];
let expected = '';
let missing = 0;
/** The last text of each event, as the first socket got it. */
const samples: Record<string, string> = {};

class Watcher {
  private readonly socket: net.Socket;
  private pending: Buffer = Buffer.alloc(0);
  private isUpgraded = false;
  private isWaiting = false;
  private onFirst: (() => void) | undefined;
  readonly ready: Promise<void>;

  constructor(
    url: URL,
    private readonly namespace: string,
    private readonly auth: object,
    private readonly first: string | null,
  ) {
    this.socket = net.connect(Number(url.port), url.hostname).setNoDelay(true);
    this.ready = new Promise((resolve, reject) => {
      this.onFirst = resolve;
      this.socket.on('error', reject);
      this.socket.on('close', () => reject(new Error('closed')));
    });
    this.ready.catch(() => undefined);
    this.socket.on('data', (chunk: Buffer) => this.receive(chunk));
    this.socket.write(
      `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\n` +
        `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nUser-Agent: bench\r\n` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
  }

  wait(): void {
    this.isWaiting = true;
  }

  private send(text: string): void {
    const payload = Buffer.from(text);
    const size = payload.length;
    // With a mask of zeros the payload stays as it is.
    const head = size < 126 ? Buffer.from([0x81, 0x80 | size]) : Buffer.from([0x81, 0x80 | 126, size >> 8, size & 255]);
    this.socket.write(Buffer.concat([head, Buffer.alloc(4), payload]));
  }

  emit(event: string, payload: object): void {
    this.send(`42${this.namespace},${JSON.stringify([event, payload])}`);
  }

  close(): void {
    this.socket.removeAllListeners('error').on('error', () => undefined);
    this.socket.destroy();
  }

  private receive(chunk: Buffer): void {
    let rest = this.pending.length > 0 ? Buffer.concat([this.pending, chunk]) : chunk;
    if (!this.isUpgraded) {
      const end = rest.indexOf('\r\n\r\n');
      if (end < 0) return void (this.pending = rest);
      this.isUpgraded = true;
      rest = rest.subarray(end + 4);
    }
    while (rest.length >= 2) {
      const short = rest[1]! & 127;
      const start = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (rest.length < start) break;
      const size = short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
      if (rest.length < start + size) break;
      this.take(rest.subarray(start, start + size));
      rest = rest.subarray(start + size);
    }
    this.pending = rest;
  }

  private take(packet: Buffer): void {
    const head = packet.toString('latin1', 0, 60);
    if (head[0] === '0') return this.send(`40${this.namespace},${JSON.stringify(this.auth)}`);
    if (head[0] === '2') return this.send('3');
    if (head.startsWith('44')) return void this.socket.destroy(new Error(packet.toString()));
    if (head.startsWith('40') && this.first === null) return this.onFirst?.();
    if (!head.startsWith('42')) return;
    const begin = head.indexOf('["') + 2;
    const event = head.slice(begin, head.indexOf('"', begin));
    if (event === this.first) this.onFirst?.();
    if (this === watchers[0]) samples[event] = packet.toString();
    if (!this.isWaiting || event !== expected) return;
    this.isWaiting = false;
    if (--missing === 0) tell({ what: 'had_all', at: now() });
  }
}

async function connect({ url, namespace, auths, first }: Extract<Command, { what: 'connect' }>): Promise<void> {
  const waiting = [...auths];
  const next = async () => {
    for (let auth = waiting.pop(); auth; auth = waiting.pop()) {
      const watcher = new Watcher(new URL(url), namespace, auth, first);
      watchers.push(watcher);
      await watcher.ready;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  tell({ what: 'connected', at: now() });
}

process.on('message', (command: Command) => {
  if (command.what === 'connect') void connect(command);
  else if (command.what === 'expect') {
    expected = command.event;
    missing = watchers.length;
    for (const watcher of watchers) watcher.wait();
    tell({ what: 'armed', at: now() });
  } else if (command.what === 'send') {
    watchers[0]!.emit(command.event, command.payload);
  } else {
    for (const watcher of watchers.splice(0)) watcher.close();
    tell({ what: 'heard', at: now(), samples });
  }
});
