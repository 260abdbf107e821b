import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { packageRoot } from '../config/package-root.js';
import type { AsyncApiDocument } from './asyncapi-document.js';

/** The committed document: what is served is what was reviewed. `npm run openapi` writes it, CI finds drift. */
export function readOpenApi(): OpenAPIObject {
  return JSON.parse(readFileSync(path.join(packageRoot, 'openapi.json'), 'utf8')) as OpenAPIObject;
}

export function readAsyncApi(): AsyncApiDocument {
  return JSON.parse(readFileSync(path.join(packageRoot, 'asyncapi.json'), 'utf8')) as AsyncApiDocument;
}

export function serveSwaggerUi(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, readOpenApi, {
    raw: false,
    customSiteTitle: 'Spotter API',
    swaggerOptions: { persistAuthorization: true, displayRequestDuration: true, docExpansion: 'none' },
  });
}
