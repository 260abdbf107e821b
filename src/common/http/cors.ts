import type { FastifyReply, FastifyRequest } from 'fastify';

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
const REQUEST_HEADERS =
  'authorization, content-type, refresh, x-csrftoken, x-content-type-options, x-frame-options, x-xss-protection, x-request-id, idempotency-key';
const ANSWER_HEADERS = 'Link, X-Total-Count, X-Request-Id, Retry-After, Content-Disposition';
/** How long a browser may remember a preflight, in seconds. */
const MAX_AGE = 600;

/** What pages of other origins may do, for HTTP and Socket.IO. `origins`: a comma list, `*` for any, or nothing. */
export class CorsPolicy {
  private readonly origins: ReadonlySet<string>;

  constructor(origins: string) {
    this.origins = new Set(
      origins
        .split(',')
        .map((origin) => origin.trim())
        .filter(Boolean),
    );
  }

  allows(origin: string | undefined): origin is string {
    return origin !== undefined && (this.origins.has('*') || this.origins.has(origin));
  }

  /** The headers of every answer, errors too. The origin is echoed: with credentials `*` counts for nothing. */
  headers(origin: string | undefined): Record<string, string> {
    if (this.origins.size === 0) return {};
    if (!this.allows(origin)) return { Vary: 'Origin' };
    return {
      Vary: 'Origin',
      'Access-Control-Allow-Origin': origin,
      'Access-Control-Allow-Credentials': 'true',
      'Access-Control-Expose-Headers': ANSWER_HEADERS,
    };
  }

  /** Whether this asks what a page may send; it needs no token. */
  isPreflight({ method, headers }: FastifyRequest): boolean {
    const asks = headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
    return method === 'OPTIONS' && asks && this.origins.size > 0;
  }

  answerPreflight(request: FastifyRequest, reply: FastifyReply): void {
    if (this.allows(request.headers.origin)) {
      void reply.headers({
        'Access-Control-Allow-Methods': METHODS,
        'Access-Control-Allow-Headers': REQUEST_HEADERS,
        'Access-Control-Max-Age': MAX_AGE,
      });
    }
    void reply.status(204).send();
  }

  /** The same, as Socket.IO wants to be told it. */
  forSockets() {
    return {
      origin: (origin: string | undefined, tell: (error: null, allowed: boolean) => void) =>
        tell(null, this.allows(origin)),
      credentials: true,
      methods: METHODS,
      allowedHeaders: REQUEST_HEADERS,
      exposedHeaders: ANSWER_HEADERS,
      maxAge: MAX_AGE,
    };
  }
}
