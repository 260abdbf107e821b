// Asks a server as fast as it answers, over connections that stay open: one at a time on each, or on all of them at the
// same moment, which autocannon cannot do.
import net from 'node:net';

export interface Ask {
  method: 'GET' | 'POST';
  path: string;
  token?: string;
  body?: object;
}

export interface Load {
  seconds: number;
  /** How many answers had each status. */
  statuses: Map<number, number>;
  requests: number;
  /** Of an answer's body, on average. */
  bytes: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

/** One connection, with one request under way at most. */
class Connection {
  private readonly socket: net.Socket;
  /** What has come of the answer, until its head is whole. */
  private head: Buffer | null = null;
  private status = 0;
  private bytes = 0;
  private missing = 0;

  constructor(
    private readonly host: string,
    port: number,
    private readonly onAnswer: (status: number, bytes: number) => void,
    private readonly onError: (error: Error) => void,
  ) {
    this.socket = net.connect(port, host);
    this.socket.setNoDelay(true);
    this.socket.on('data', (chunk) => this.read(chunk));
    this.socket.on('error', onError);
    this.socket.on('end', () => onError(new Error('The server has closed a connection')));
  }

  send({ method, path, token, body }: Ask): void {
    let text = `${method} ${path} HTTP/1.1\r\nHost: ${this.host}\r\n`;
    if (token !== undefined) text += `Authorization: Bearer ${token}\r\n`;
    if (body === undefined) text += '\r\n';
    else {
      const json = JSON.stringify(body);
      text += `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`;
    }
    this.socket.write(text);
  }

  close(): void {
    this.socket.removeAllListeners('end').end();
  }

  private read(chunk: Buffer): void {
    if (this.missing > 0) this.missing -= chunk.length;
    else {
      const head = this.head ? Buffer.concat([this.head, chunk]) : chunk;
      const end = head.indexOf('\r\n\r\n');
      this.head = end < 0 ? head : null;
      if (end < 0) return;
      const text = head.toString('latin1', 0, end);
      this.status = Number(text.slice(9, 12));
      const length = /content-length: (\d+)/i.exec(text);
      if (!length) return this.onError(new Error(`An answer does not say how long it is: ${text}`));
      this.bytes = Number(length[1]);
      this.missing = this.bytes - (head.length - end - 4);
    }
    if (this.missing === 0) this.onAnswer(this.status, this.bytes);
  }
}

/**
 * @param next the next request
 * @param isTogether all connections ask at the same moment, and wait for the last answer before they ask again
 */
export function load(
  url: string,
  connections: number,
  seconds: number,
  next: () => Ask,
  isTogether = false,
): Promise<Load> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const statuses = new Map<number, number>();
    const latencies: number[] = [];
    const sentAt: number[] = [];
    let [underWay, allBytes] = [0, 0];
    const ask = (index: number) => {
      underWay++;
      sentAt[index] = performance.now();
      all[index]!.send(next());
    };
    const askAll = () => all.forEach((_, index) => ask(index));
    const answered = (index: number, status: number, bytes: number) => {
      const now = performance.now();
      allBytes += bytes;
      latencies.push(now - sentAt[index]!);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      underWay--;
      if (now < end) {
        if (!isTogether) ask(index);
        else if (underWay === 0) askAll();
      } else if (underWay === 0) finish(now);
    };
    const finish = (now: number) => {
      for (const connection of all) connection.close();
      latencies.sort((a, b) => a - b);
      const at = (part: number) => latencies[Math.floor((latencies.length - 1) * part)]!;
      const requests = latencies.length;
      const times = { seconds: (now - begin) / 1000, p50: at(0.5), p99: at(0.99) };
      resolve({ statuses, requests, bytes: allBytes / requests, ...times });
    };
    const all = Array.from(
      { length: connections },
      (_, index) => new Connection(hostname, Number(port), (status, bytes) => answered(index, status, bytes), reject),
    );
    const begin = performance.now();
    const end = begin + seconds * 1000;
    askAll();
  });
}

/** One request and its answer, as it came. */
export async function once(url: string, { method, path, token, body }: Ask): Promise<Answer> {
  const answer = await fetch(url + path, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const header = (name: string) => answer.headers.get(name);
  return { status: answer.status, type: header('content-type'), link: header('link'), body: await answer.text() };
}

export interface Answer {
  status: number;
  type: string | null;
  link: string | null;
  body: string;
}
