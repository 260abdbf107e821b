import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyHttpOptions, type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import { AppModule } from './app.module.js';
import { Malformed, NothingHere } from './common/errors/common.errors.js';
import { toDomainError } from './common/errors/problem.js';
import { sendProblem } from './common/errors/problem.filter.js';
import { whoAsked } from './common/actor/access.js';
import { CorsPolicy } from './common/http/cors.js';
import { Drain } from './common/http/drain.js';
import { sendPages } from './common/http/list.js';
import { findFault, readJsonBodies } from './common/http/json-body.js';
import { readForms } from './common/http/multipart.js';
import { answerConnectionError, answerInsteadOfNode } from './common/http/refusals.js';
import type { Config } from './config/config.js';
import { serveSwaggerUi } from './docs/docs.js';
import { Cluster } from './realtime/cluster.js';
import { isSocketPath, RealtimeAdapter } from './realtime/realtime.adapter.js';
import { type Log, openLog } from './observability/log-stream.js';
import { PinoLogger } from './observability/pino-logger.js';
import { MetricsService } from './observability/metrics.service.js';

const REQUEST_ID = /^[\w.:/+=-]{1,100}$/;

/** The application, ready to listen; migrations have run. */
export async function createApp(config: Config, log = openLog(config)): Promise<NestFastifyApplication> {
  const cors = new CorsPolicy(config.CORS_ORIGINS);
  let isPlainPath: ((url: string) => boolean) | undefined;
  const isUpgraded = (url: string) => isSocketPath(url) || Boolean(isPlainPath?.(url));
  const adapter: Adapter = new Adapter(fastifyOptions(config, cors, log, isUpgraded, () => adapter.securityHeaders()));
  const fastify = adapter.getInstance<FastifyInstance>();
  // Loaded only where it is wanted.
  const legacy = config.legacy_families.length > 0 ? await import('./legacy/legacy.module.js') : null;
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.with(config, legacy ? [legacy.LegacyModule.with(config)] : []),
    adapter,
    {
      bodyParser: false,
      bufferLogs: false,
      logger: new PinoLogger(fastify.log),
      abortOnError: false,
    },
  );
  app.useSecurityHeaders({ contentSecurityPolicy });
  followRequests(fastify, cors, app.get(MetricsService), app.get(Drain));
  secureAnswers(fastify, adapter.securityHeaders());
  readJsonBodies(fastify);
  await readForms(fastify);
  sendPages(fastify);
  serveSwaggerUi(app);
  await app.get(Cluster).connect();
  app.useWebSocketAdapter(new RealtimeAdapter(app, cors));
  isPlainPath = legacy?.serveLegacy(app);
  answerInsteadOfNode(app.getHttpServer(), cors, isUpgraded);
  return app;
}

/** Nest sets each of its security headers on each answer; here they are asked for once: see secureAnswers. */
class Adapter extends FastifyAdapter {
  private setHeaders: Parameters<FastifyAdapter['registerSecurityHook']>[0] | undefined;

  override registerSecurityHook(hook: NonNullable<typeof this.setHeaders>): void {
    this.setHeaders = hook;
  }

  securityHeaders(): HeaderSet {
    const headers: HeaderSet = {};
    const answer = { setHeader: (name: string, value: string) => (headers[name] = value), removeHeader: () => {} };
    const request = {} as FastifyRequest;
    this.setHeaders?.(request, answer);
    return headers;
  }
}

/** The documentation pages run their own scripts and style themselves inline; nothing comes from elsewhere. */
const contentSecurityPolicy = {
  directives: {
    styleSrc: ["'self'", "'unsafe-inline'"],
    workerSrc: ["'self'", 'blob:'],
    upgradeInsecureRequests: null,
  },
};

function fastifyOptions(
  config: Config,
  cors: CorsPolicy,
  log: Log,
  isUpgraded: (url: string) => boolean,
  securityHeaders: () => HeaderSet,
): FastifyHttpOptions<Server> & { skipMiddie: boolean } {
  // From Node 24 on, which its types of Node 20 do not know: all other requests to upgrade are read as they are.
  const upgrades = { shouldUpgradeCallback: ({ url = '' }: IncomingMessage) => isUpgraded(url) };
  return {
    // Nothing here is Connect middleware, so its layer is left out.
    skipMiddie: true,
    bodyLimit: config.BODY_LIMIT,
    // X-Forwarded-For is believed as far as our own proxies wrote it.
    trustProxy: (_address, hop) => hop < config.TRUST_PROXY_HOPS,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 300 },
    // A client gets 10 s for its headers and 120 s for its whole request: a slow phone sends a file of 10 MB. An idle
    // connection stays for 75 s.
    requestTimeout: 120_000,
    keepAliveTimeout: 75_000,
    // Node would refuse a request without a Host by itself: see followRequests.
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 5_000, requireHostHeader: false, ...upgrades },
    // What comes on an open connection while the server stops is answered like anything else (Drain).
    return503OnClosing: false,
    genReqId: ({ headers }) => {
      const given = headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    // What cannot even be routed: a wrongly encoded or over-long address.
    frameworkErrors(error, request, reply) {
      void reply
        .headers(forJson(securityHeaders()))
        .headers(cors.headers(request.headers.origin))
        .header('X-Request-Id', request.id);
      if (cors.isPreflight(request)) cors.answerPreflight(request, reply);
      else sendProblem(toDomainError(error), request, reply);
    },
    childLoggerFactory: (logger) => logger,
    // One line a request is written by followRequests, with who it was.
    logController: new LogController({ disableRequestLogging: true }),
    loggerInstance: log,
    clientErrorHandler: (error, socket) => answerConnectionError(error, socket, cors),
  };
}

/** Gives each request its id and context, and writes one log line and one measurement for each answer. */
function followRequests(fastify: FastifyInstance, cors: CorsPolicy, metrics: MetricsService, drain: Drain): void {
  fastify.server.on('connection', (connection) => drain.opened(connection));
  fastify.addHook('onRequest', (request, reply, done) => {
    drain.begin(reply.raw);
    void reply.headers(cors.headers(request.headers.origin)).header('X-Request-Id', request.id);
    const { httpVersion, headers } = request.raw;
    if (cors.isPreflight(request)) cors.answerPreflight(request, reply);
    else if (isBrowserAtRoot(request)) void reply.redirect('/docs');
    else if (httpVersion === '1.1' && headers.host === undefined) done(new Malformed('The header Host is missing.'));
    // Before its body is looked at: of an address that is not here no body is right.
    else if (request.is404) done(new NothingHere());
    else done(findFault([request.params, request.query]));
  });
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    if (drain.isOn) void reply.header('Connection', 'close');
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const { method } = request;
    const { statusCode: status, elapsedTime: elapsed } = reply;
    const route = request.routeOptions.url ?? 'unknown';
    metrics.answered(method, route, status, elapsed / 1000);
    // The route, not the address: what people searched for stays out of the log.
    const level = route.startsWith('/health') || route === '/metrics' ? 'debug' : 'info';
    // Not with two objects spread into one, which goes straight into old memory (decision 43).
    const line = Object.assign(whoAsked(request), { method, route, status, ms: Math.round(elapsed) });
    fastify.log[level](line, 'answered');
    done();
  });
}

type HeaderSet = Record<string, string>;

/** Those that mean something where nothing is shown or run. */
const FOR_JSON = [
  'Strict-Transport-Security',
  'X-Content-Type-Options',
  'X-Frame-Options',
  'Cross-Origin-Resource-Policy',
];

/** Much is about people, and some opens doors: a browser keeps none of it on its disk. */
const UNSTORED: HeaderSet = { 'Cache-Control': 'no-store' };

/** https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers */
const forJson = (security: HeaderSet): HeaderSet => ({
  ...Object.fromEntries(FOR_JSON.map((name) => [name, security[name]!])),
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  ...UNSTORED,
});

/** JSON gets its few; of all else what a route has set by itself stays. */
function secureAnswers(fastify: FastifyInstance, forPages: HeaderSet): void {
  const ofJson = forJson(forPages);
  const ofOthers = { ...forPages, ...UNSTORED };
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    if (/^application\/(problem\+)?json/.test(String(reply.getHeader('content-type')))) void reply.headers(ofJson);
    else for (const name in ofOthers) if (!reply.hasHeader(name)) void reply.header(name, ofOthers[name]);
    done();
  });
}

/** A person who has typed the address; a program asks for JSON. */
const isBrowserAtRoot = ({ method, url, headers }: FastifyRequest): boolean =>
  method === 'GET' && /^\/(\?|$)/.test(url) && Boolean(headers.accept?.includes('text/html'));
