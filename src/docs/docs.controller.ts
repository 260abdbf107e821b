import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController, type OpenAPIObject } from '@nestjs/swagger';
import { AccessFor, PUBLIC } from '../common/actor/access.js';
import { allProblemKinds } from '../common/errors/domain-error.js';
import { packageRoot } from '../config/package-root.js';
import type { AsyncApiDocument } from './asyncapi-document.js';
import { describeEvents } from './asyncapi-page.js';
import { readAsyncApi, readOpenApi } from './docs.js';

const page = (title: string, head: string, body: string): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>${head}</head>
<body>${body}</body>
</html>
`;

const STYLE = `<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 48rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
pre { overflow-x: auto; padding: .6rem; background: #8882; border-radius: 4px; font-size: 85% }
code { overflow-wrap: anywhere }
summary { padding: .3rem 0; cursor: pointer }
details > :not(summary) { margin-left: 1.1rem }
td, th { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid #8884 }
:target { background: #fd06 }
</style>`;

/** The pages a client developer reads. */
@ApiExcludeController()
@Controller()
export class DocsController {
  private readonly document = readOpenApi();
  private readonly events = readAsyncApi();

  @Get('openapi.json')
  @AccessFor(PUBLIC)
  openapi(): OpenAPIObject {
    return this.document;
  }

  @Get('asyncapi.json')
  @AccessFor(PUBLIC)
  asyncapi(): AsyncApiDocument {
    return this.events;
  }

  @Get('asyncapi')
  @AccessFor(PUBLIC)
  @Header('Content-Type', 'text/html; charset=utf-8')
  asyncapiPage(): string {
    return page('Spotter events', STYLE, describeEvents(this.events));
  }

  @Get('redoc')
  @AccessFor(PUBLIC)
  @Header('Content-Type', 'text/html; charset=utf-8')
  redoc(): string {
    return page(
      'Spotter API',
      '<style>body { margin: 0 }</style>',
      '<redoc spec-url="/openapi.json" disable-search="true"></redoc><script src="/redoc.standalone.js"></script>',
    );
  }

  @Get('redoc.standalone.js')
  @AccessFor(PUBLIC)
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  @Header('Cache-Control', 'public, max-age=86400')
  redocBundle(): Buffer {
    return readFileSync(path.join(packageRoot, 'dist/assets/redoc.standalone.js'));
  }

  /** What the `type` of a problem points to. */
  @Get('errors')
  @AccessFor(PUBLIC)
  @Header('Content-Type', 'text/html; charset=utf-8')
  errors(): string {
    const rows = allProblemKinds().map(
      ({ code, status, title }) =>
        `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${title}</td></tr>`,
    );
    return page(
      'Spotter errors',
      STYLE,
      `<h1>Errors</h1><table><tr><th>code</th><th>status</th><th>meaning</th></tr>${rows.join('')}</table>`,
    );
  }
}
