import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Controller, Get, Header, Req } from '@nestjs/common';
import { ApiExcludeController, type OpenAPIObject } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { AccessFor, PUBLIC } from '../common/actor/access.js';
import { allProblemKinds } from '../common/errors/domain-error.js';
import { Config } from '../config/config.js';
import { packageRoot } from '../config/package-root.js';
import type { AsyncApiDocument } from './asyncapi-document.js';
import { describeEvents } from './asyncapi-page.js';
import { readAsyncApi, readOpenApi } from './docs.js';
import { page, REDOC_START, redocPage, STYLE } from './page.js';

/** The pages a client developer reads. */
@ApiExcludeController()
@Controller()
export class DocsController {
  private readonly document = readOpenApi();
  private readonly events = readAsyncApi();

  constructor(private readonly config: Config) {}

  @Get('openapi.json')
  @AccessFor(PUBLIC)
  openapi(): OpenAPIObject {
    return this.document;
  }

  @Get('asyncapi.json')
  @AccessFor(PUBLIC)
  asyncapi(@Req() request: FastifyRequest): AsyncApiDocument {
    return this.eventsAt(request);
  }

  @Get('asyncapi')
  @AccessFor(PUBLIC)
  @Header('Content-Type', 'text/html; charset=utf-8')
  asyncapiPage(@Req() request: FastifyRequest): string {
    return page('Spotter events', STYLE, describeEvents(this.eventsAt(request)));
  }

  @Get('redoc')
  @AccessFor(PUBLIC)
  @Header('Content-Type', 'text/html; charset=utf-8')
  redoc(): string {
    return redocPage('Spotter API', '/openapi.json');
  }

  @Get('redoc.standalone.js')
  @AccessFor(PUBLIC)
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  @Header('Cache-Control', 'public, max-age=86400')
  redocBundle(): Buffer {
    return readFileSync(path.join(packageRoot, 'dist/assets/redoc.standalone.js'));
  }

  @Get('redoc.start.js')
  @AccessFor(PUBLIC)
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  redocStart(): string {
    return REDOC_START;
  }

  /** A dumbbell. */
  @Get('favicon.ico')
  @AccessFor(PUBLIC)
  @Header('Content-Type', 'image/svg+xml')
  @Header('Cache-Control', 'public, max-age=86400')
  favicon(): string {
    return (
      '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="#d97706"><path d="M11 14h10v4H11zM6 7h5v18H6z' +
      'M21 7h5v18h-5zM2 11h4v10H2zM26 11h4v10h-4z"/></svg>'
    );
  }

  /** The document with the address of this server: as the operator has set it, or as it was asked for. */
  private eventsAt({ protocol, host }: FastifyRequest): AsyncApiDocument {
    const url = new URL(this.config.PUBLIC_URL ?? `${protocol}://${host}`);
    const own = this.events.servers.own!;
    const server = {
      ...own,
      host: url.host,
      protocol: url.protocol === 'https:' ? 'wss' : 'ws',
      description: 'This server',
    };
    return { ...this.events, servers: { own: server } };
  }

  /** What the `type` of a problem points to. */
  @Get('errors')
  @AccessFor(PUBLIC)
  @Header('Content-Type', 'text/html; charset=utf-8')
  errors(): string {
    const rows = allProblemKinds().map(
      ({ code, status, title }) =>
        `<tr id="${code}"><td><code>${code.replaceAll('_', '_<wbr>')}</code></td><td>${status}</td><td>${title}</td></tr>`,
    );
    return page(
      'Spotter errors',
      STYLE,
      `<h1>Errors</h1><table><tr><th>code</th><th>status</th><th>meaning</th></tr>${rows.join('')}</table>`,
    );
  }
}
