import net from 'node:net';

export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  /** The JSON of a problem, else the text. */
  body: any;
}

/**
 * Writes `text` on a connection of its own, past what an HTTP client would put right, and reads until the server
 * closes. `afterAnswer` follows when the first answer has come.
 */
export async function sayRaw(url: string, text: string | Buffer, afterAnswer?: string): Promise<RawAnswer> {
  const { port } = new URL(url);
  const answer = await new Promise<string>((resolve) => {
    const socket = net.connect(Number(port), '127.0.0.1', () => socket.write(text));
    let all = '';
    socket.setTimeout(20_000, () => socket.destroy());
    if (afterAnswer) socket.once('data', () => socket.write(afterAnswer));
    socket.on('data', (chunk) => (all += chunk.toString()));
    socket.on('close', () => resolve(all));
    socket.on('error', () => {});
  });
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  const [start = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.split(':')[0]!.toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const body = rest.join('\r\n\r\n');
  const isJson = headers['content-type']?.includes('json') && !body.includes('HTTP/1.1');
  return { status: Number(start.split(' ')[1]), headers, body: isJson && body ? JSON.parse(body) : body };
}

/** A request line and headers as they stand; the connection ends with the answer. */
export const rawRequest = (line: string, headers: Record<string, string> = {}, body = ''): string =>
  `${line} HTTP/1.1\r\n${Object.entries({ Host: 'x', Connection: 'close', ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n${body}`;
