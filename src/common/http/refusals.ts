import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { ExpectationFailed, HeadersTooLarge, Malformed, RequestTimeout } from '../errors/common.errors.js';
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
  // The client is gone, or an answer has begun.
  if (error.code === 'ECONNRESET' || !socket.writable || (socket as { bytesWritten?: number }).bytesWritten) {
    socket.destroy();
    return;
  }
  const origin = /\r\norigin: *([^\r\n]+)\r\n/i.exec(
    Buffer.isBuffer(error.rawPacket) ? error.rawPacket.toString('latin1') : '',
  )?.[1];
  const { status, headers, body } = refusal(problemOfCode(error.code), randomUUID(), cors, origin);
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

/** Takes over what Node would answer without us: an `Expect` that it does not know, and an upgrade to what is not ours. */
export function answerInsteadOfNode(server: Server, cors: CorsPolicy, isSocketPath: (url: string) => boolean): void {
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const { status, headers, body } = refusal(new ExpectationFailed(), randomUUID(), cors, request.headers.origin);
    response.writeHead(status, { ...headers, Connection: 'close' }).end(body);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    if (isSocketPath(request.url ?? '')) return;
    // One may ignore an upgrade (RFC 9110, 7.8): the request is answered as if it had not asked for one.
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0]);
    response.on('finish', () => socket.end());
    socket.on('error', () => socket.destroy());
    server.emit('request', request, response);
  });
}
