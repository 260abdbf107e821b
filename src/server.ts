import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import helmet from '@fastify/helmet';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyHttpOptions, type FastifyInstance, LogController } from 'fastify';
import { AppModule } from './app.module.js';
import { TooLarge, Malformed } from './common/errors/common.errors.js';
import { problemOf } from './common/errors/problem.js';
import { checkAddress, readJsonBodies } from './common/http/json-body.js';
import { requestContext } from './common/http/request-context.js';
import type { Config } from './config/config.js';
import { serveSwaggerUi } from './docs/docs.js';
import { PinoLogger } from './operations/pino-logger.js';
import { MetricsService } from './operations/metrics.service.js';

const REQUEST_ID = /^[\w.:/+=-]{1,100}$/;
/** What the watching machines and the documentation ask for stands outside /api/v1. */
const UNPREFIXED = ['health/live', 'health/ready', 'metrics', 'openapi.json', 'redoc', 'redoc.standalone.js', 'errors'];

/** The application, ready to listen; migrations have run. */
export async function createApp(config: Config): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter(fastifyOptions(config));
  const fastify = adapter.getInstance<FastifyInstance>();
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.with(config), adapter, {
    bodyParser: false,
    bufferLogs: false,
    logger: new PinoLogger(fastify.log),
    abortOnError: false,
  });
  app.setGlobalPrefix('api/v1', { exclude: UNPREFIXED });
  followRequests(fastify, app.get(MetricsService));
  readJsonBodies(fastify);
  await app.register(helmet, { contentSecurityPolicy: contentSecurityPolicy });
  if (config.CORS_ORIGINS) {
    app.enableCors({
      origin: config.CORS_ORIGINS === '*' ? '*' : config.CORS_ORIGINS.split(',').map((origin) => origin.trim()),
      exposedHeaders: ['Link', 'X-Total-Count', 'X-Request-Id', 'Retry-After'],
      maxAge: 600,
    });
  }
  serveSwaggerUi(app);
  return app;
}

/** The documentation pages run their own scripts and style themselves inline; nothing comes from elsewhere. */
const contentSecurityPolicy = {
  directives: {
    defaultSrc: ["'self'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    workerSrc: ["'self'", 'blob:'],
    upgradeInsecureRequests: null,
  },
};

function fastifyOptions(config: Config): FastifyHttpOptions<Server> {
  return {
    bodyLimit: config.BODY_LIMIT,
    // X-Forwarded-For is believed as far as our own proxies wrote it.
    trustProxy: (_address, hop) => hop < config.TRUST_PROXY_HOPS,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 300 },
    // A client gets 10 s for its headers and 30 s for its whole request; an idle connection stays for 75 s.
    requestTimeout: 30_000,
    keepAliveTimeout: 75_000,
    http: { headersTimeout: 10_000 },
    genReqId: ({ headers }) => {
      const given = headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    // One line a request is written by followRequests, with who it was.
    logController: new LogController({ disableRequestLogging: true }),
    logger: {
      level: config.LOG_LEVEL,
      mixin: () => requestContext.getStore() ?? {},
      formatters: { level: (level) => ({ level }), bindings: () => ({}) },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
    },
    clientErrorHandler(error, socket) {
      const problem = error.code === 'HPE_HEADER_OVERFLOW' ? new TooLarge() : new Malformed('This is not valid HTTP.');
      const body = JSON.stringify(problemOf(problem, randomUUID()));
      if (socket.writable) {
        socket.end(
          `HTTP/1.1 ${problem.kind.status} Error\r\nContent-Type: application/problem+json\r\n` +
            `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
        );
      } else socket.destroy();
    },
  };
}

/** Gives each request its id and context, and writes one log line and one measurement for each answer. */
function followRequests(fastify: FastifyInstance, metrics: MetricsService): void {
  fastify.addHook('onRequest', async (request, reply) => {
    requestContext.enterWith({ request_id: request.id });
    void reply.header('X-Request-Id', request.id);
    checkAddress([request.params, request.query]);
  });
  fastify.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    metrics.answered(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
    // The route, not the address: what people searched for is nobody's business.
    const line = { method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) };
    if (route.startsWith('/health') || route === '/metrics') fastify.log.debug(line, 'answered');
    else fastify.log.info(line, 'answered');
  });
}
