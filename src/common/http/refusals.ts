import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { ExpectationFailed, HeadersTooLarge, Malformed, NothingHere, RequestTimeout } from '../errors/common.errors.js';
import type { DomainError } from '../errors/domain-error.js';
import { problemOf } from '../errors/problem.js';
import type { CorsPolicy } from './cors.js';

/** An error that Node found before there was a request. */
interface ConnectionError extends Error {
  code?: string;
  /** What had come, as a Buffer. */
  rawPacket?: unknown;
}

/** What cannot be read as HTTP gets a problem, as everything else does. */
export function answerConnectionError(error: ConnectionError, socket: Duplex, cors: CorsPolicy): void {
  // The client is gone, or an answer has begun: Node keeps it here.
  const begun = (socket as unknown as Record<string, ServerResponse | undefined>)['_httpMessage'];
  if (error.code === 'ECONNRESET' || !socket.writable || begun?.headersSent) {
    socket.destroy();
    return;
  }
  const origin = /\r\norigin: *([^\r\n]+)\r\n/i.exec(
    Buffer.isBuffer(error.rawPacket) ? error.rawPacket.toString('latin1') : '',
  )?.[1];
  write(socket, refusal(problemOfCode(error.code), randomUUID(), cors, origin));
}

function write(socket: Duplex, { status, headers, body }: ReturnType<typeof refusal>): void {
  const lines = Object.entries({ ...headers, Connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
}

function problemOfCode(code: string | undefined): DomainError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new HeadersTooLarge();
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new RequestTimeout();
    default:
      return new Malformed('This is not valid HTTP.');
  }
}

function refusal(error: DomainError, id: string, cors: CorsPolicy, origin: string | undefined) {
  const body = JSON.stringify(problemOf(error, id));
  const headers = {
    'Content-Type': 'application/problem+json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'X-Request-Id': id,
    ...cors.headers(origin),
  };
  return { status: error.kind.status, headers, body };
}

/**
 * Takes over what Node would answer without us: an `Expect` that it does not know, and an upgrade to what is not ours.
 */
export function answerInsteadOfNode(server: Server, cors: CorsPolicy, isUpgraded: (url: string) => boolean): void {
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const { status, headers, body } = refusal(new ExpectationFailed(), randomUUID(), cors, request.headers.origin);
    response.writeHead(status, { ...headers, Connection: 'close' }).end(body);
  });
  server.on('connect', ({ headers }: IncomingMessage, socket: Duplex) => {
    write(socket, refusal(new NothingHere(), randomUUID(), cors, headers.origin));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, behind: Buffer) => {
    if (isUpgraded(request.url ?? '')) return;
    // An upgrade may be ignored (RFC 9110, 7.8), and Java asks for HTTP/2 with whatever it sends: the same request is
    // read again without asking for it. Node 24 and newer ask first (fastifyOptions), and do not come here.
    const { method, url, httpVersion, rawHeaders } = request;
    const lines = [`${method} ${url} HTTP/${httpVersion}`];
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const name = rawHeaders[index]!;
      if (!/^(upgrade|connection|http2-settings)$/i.test(name)) lines.push(`${name}: ${rawHeaders[index + 1]}`);
    }
    lines.push('Connection: close');
    socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), behind]));
    server.emit('connection', socket);
  });
}
