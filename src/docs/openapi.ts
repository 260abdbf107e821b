import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { ProblemDto } from '../common/errors/problem.js';
import { completeErrors } from '../common/http/operation.js';

/** Makes the document that is committed as openapi.json; `metadata` is what the types and comments of the DTOs say. */
export async function createOpenApi(
  app: NestFastifyApplication,
  metadata: () => Promise<Record<string, unknown>>,
): Promise<OpenAPIObject> {
  await SwaggerModule.loadPluginMetadata(metadata);
  const document = new DocumentBuilder()
    .setTitle('Spotter')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'From POST /api/v1/auth/login' })
    .build();
  const openapi = SwaggerModule.createDocument(app, document, {
    extraModels: [ProblemDto],
    operationIdFactory: (controller, method) => `${controller.replace('Controller', '')}_${method}`,
  });
  completeErrors(openapi);
  return openapi;
}

const DESCRIPTION = `The open backend that runs a gym, or a chain of them.

Sign in with \`POST /api/v1/auth/login\` and send \`Authorization: Bearer <access_token>\`. Times are ISO 8601 in UTC,
a date is the gym's local day, money has at most two decimals. A list answers an array; its \`Link\` header carries the
next page.

Every error is \`application/problem+json\` (RFC 9457): \`code\` is for programs, \`detail\` for people, \`errors\`
names the fields. [All codes](/errors); each answer of an operation lists its own as \`x-codes\`. \`null\` in a field
that is optional is the same as leaving it out, unless null is a value of the field; what a GET gave can be sent back
by PUT.`;
