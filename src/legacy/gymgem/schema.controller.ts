import { Get, Header, Req } from '@nestjs/common';
import { ApiExcludeController, type OpenAPIObject } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { PUBLIC } from '../../common/actor/access.js';
import { readLegacyOpenApi } from '../../docs/docs.js';
import { redocPage, swaggerPage } from '../../docs/page.js';
import { LegacyController, Wire } from '../wire/route.js';

const TITLE = 'Spotter for clients of gymgem';
const schemaOf = ({ routeOptions }: FastifyRequest) => /^.*\/schema/.exec(routeOptions.url!)![0];

/** What this family is served, at both bases. */
@ApiExcludeController()
@LegacyController('gymgem', 'api/schema', 'gymgem-web/api/schema')
export class GymgemSchemaController {
  @Get()
  @Wire({ summary: 'OpenAPI, as JSON', roles: PUBLIC })
  document(): OpenAPIObject {
    return readLegacyOpenApi('gymgem');
  }

  @Get('swagger-ui')
  @Wire({ summary: 'The same as a page', roles: PUBLIC })
  @Header('Content-Type', 'text/html; charset=utf-8')
  swagger(@Req() request: FastifyRequest): string {
    return swaggerPage(TITLE, `${schemaOf(request)}/swagger-ui.js`);
  }

  @Get('swagger-ui.js')
  @Wire({ summary: 'What the page does', roles: PUBLIC })
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  script(@Req() request: FastifyRequest): string {
    return `SwaggerUIBundle({ url: '${schemaOf(request)}/', dom_id: '#swagger-ui' });\n`;
  }

  @Get('redoc')
  @Wire({ summary: 'Another page', roles: PUBLIC })
  @Header('Content-Type', 'text/html; charset=utf-8')
  redoc(@Req() request: FastifyRequest): string {
    return redocPage(TITLE, `${schemaOf(request)}/`);
  }
}
