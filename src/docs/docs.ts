import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { packageRoot } from '../config/package-root.js';
import type { AsyncApiDocument } from './asyncapi-document.js';

/** The committed document: what is served is what was reviewed. `npm run openapi` writes it, CI finds drift. */
const read = (file: string): unknown => JSON.parse(readFileSync(path.join(packageRoot, file), 'utf8'));

export const readOpenApi = () => read('openapi.json') as OpenAPIObject;
export const readAsyncApi = () => read('asyncapi.json') as AsyncApiDocument;
export const readLegacyOpenApi = (family: string) => read(`docs/legacy/${family}.openapi.json`) as OpenAPIObject;

export function serveSwaggerUi(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, readOpenApi, {
    raw: false,
    customSiteTitle: 'Spotter API',
    // Nest's page says nothing of phones, and has no place for what goes into its head but the icon's.
    customfavIcon: `/favicon.ico'><meta name='viewport' content='width=device-width, initial-scale=1`,
    // A phone has no place for a column that says "No links" nearly everywhere.
    customCss: '@media (max-width: 640px) { .swagger-ui .response-col_links { display: none } }',
    swaggerOptions: { persistAuthorization: true, displayRequestDuration: true, docExpansion: 'none' },
  });
}
