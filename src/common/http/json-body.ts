import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { Malformed, MediaTypeNotSupported } from '../errors/common.errors.js';

/** Deeper than any body of this API; what reads it recurses and would overflow the stack. */
const DEEPEST = 20;

/** Reads JSON bodies; text that PostgreSQL cannot store and endless nesting are refused. */
export function readJsonBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addHook('preParsing', ({ headers }, _reply, payload, done) => {
    const { 'content-encoding': encoding = '' } = headers;
    const hasBody = Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined;
    done(
      encoding !== '' && hasBody && !/^identity$/i.test(encoding)
        ? new MediaTypeNotSupported('Send the body uncompressed.')
        : null,
      payload,
    );
  });
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.addContentTypeParser(['application/json'], { parseAs: 'buffer' }, (request, body, done) => {
    // Many clients name the content type of a body that they do not send.
    if (body.length === 0) return done(null, undefined);
    if (!isUtf8(body as Buffer)) return done(new Malformed('The body is not UTF-8.'));
    return parse(request, body.toString(), (error, value: unknown) => {
      if (error) return done(new Malformed('The body is not valid JSON.'));
      return done(findFault(value) ?? null, value);
    });
  });
}

/** What no service should ever see, in a body or an address. */
export function findFault(value: unknown, depth = 0): Malformed | undefined {
  if (depth > DEEPEST) return new Malformed(`The body is nested deeper than ${DEEPEST} levels.`);
  if (typeof value === 'string') {
    if (value.includes('\0')) return new Malformed('A text contains the character NUL.');
    if (!value.isWellFormed()) return new Malformed('A text contains half a character (a lone surrogate).');
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (ArrayBuffer.isView(value)) return new Malformed('Binary data is not taken here; send base64.');
  for (const key in value) {
    const fault = findFault(key, depth + 1) ?? findFault((value as Record<string, unknown>)[key], depth + 1);
    if (fault) return fault;
  }
  return undefined;
}
