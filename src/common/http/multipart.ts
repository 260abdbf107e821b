import multipart, { type MultipartFile } from '@fastify/multipart';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { FieldsInvalid, Malformed, MediaTypeNotSupported, TooLarge } from '../errors/common.errors.js';
import { DomainError } from '../errors/domain-error.js';
import { findFault } from './json-body.js';

const MOST_FIELDS = 20;
const LARGEST_FIELD = 65_536;

/** A file that is coming. */
export interface UploadedFile {
  /** As the client calls it. */
  name: string;
  /** `truncated`: it was larger than it may be, and the rest is left out. */
  bytes: MultipartFile['file'];
}

/** A route that takes multipart/form-data beside JSON. */
export const TakesFiles = () => RouteConfig({ takesFiles: true });

const takesFiles = ({ routeOptions }: FastifyRequest) =>
  Boolean((routeOptions.config as { takesFiles?: true }).takesFiles);

/** Reads forms with files, where a route takes them; elsewhere they are refused before they are read. */
export async function readForms(fastify: FastifyInstance): Promise<void> {
  // What is too large is cut off and said to be so: the library's own error comes after the file.
  await fastify.register(multipart, { throwFileSizeLimit: false });
  fastify.addHook('preParsing', (request, _reply, payload, done) => {
    const isForm = /^multipart\/form-data\b/i.test(request.headers['content-type'] ?? '');
    done(isForm && !takesFiles(request) ? new MediaTypeNotSupported() : null, payload);
  });
}

/**
 * The fields of a form, while it comes, and what `receive` makes of its file; it may have one.
 * @throws Malformed, TooLarge, and what `receive` throws
 */
export async function readForm<File>(
  request: FastifyRequest,
  { name, largest }: { name: string; largest: number },
  receive: (file: UploadedFile) => Promise<File>,
): Promise<{ fields: Record<string, string>; file: File | null }> {
  const limits = { files: 1, fields: MOST_FIELDS, fieldSize: LARGEST_FIELD, fileSize: largest };
  const fields: Record<string, string> = {};
  let file: File | null = null;
  // The library would log all headers, with the access token.
  request.log = request.log.child({}, { level: 'silent' });
  try {
    for await (const part of request.parts({ limits })) {
      if (part.type === 'field') {
        if (part.valueTruncated) throw new TooLarge();
        fields[part.fieldname] = String(part.value);
        const fault = findFault(part.value);
        if (fault) throw fault;
      } else if (part.fieldname === name) file = await receive({ name: part.filename, bytes: part.file });
      else part.file.resume();
    }
  } catch (error) {
    // What is still coming is read and dropped, or the connection would be stuck.
    request.raw.unpipe().resume();
    if ((error as { code?: string }).code === 'FST_FILES_LIMIT')
      throw FieldsInvalid.of(name, 'may be one file, not more');
    throw error instanceof DomainError || isOfRequest(error) ? error : notAForm(error);
  }
  return { fields, file };
}

/** The library says how it is to be answered. */
const isOfRequest = (error: unknown) => (error as { statusCode?: number }).statusCode !== undefined;
const notAForm = (cause: unknown) =>
  Object.assign(new Malformed('The body is not a complete multipart/form-data.'), { cause });
