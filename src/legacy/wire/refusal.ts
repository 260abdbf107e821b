import { HttpException } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { NothingHere } from '../../common/errors/common.errors.js';
import type { DomainError, ErrorClass } from '../../common/errors/domain-error.js';

/** A refusal in the words of an old client. */
export class Refusal extends HttpException {
  constructor(status: number, text: string) {
    super(text, status);
  }
}

/** What old clients are told of an error: its status and text there; without them its own. */
export type Texts = readonly (readonly [error: ErrorClass, status: number, text?: string])[];

/** The same error in the words of a family. */
export function inWordsOf(texts: Texts, thrown: unknown): unknown {
  const found = texts.find(([kind]) => thrown instanceof kind);
  return found ? new Refusal(found[1], found[2] ?? (thrown as DomainError).message) : thrown;
}

interface OwnAnswer {
  status: number;
  body: object;
}

/** Apps take these words in a 404 for the end of their session. */
const SIGNS_OUT = /user not found|session expired/i;

/** How an error is answered at this address; null: as everywhere, application/problem+json. */
export function ownAnswer(isRootPath: (route: string) => boolean) {
  return ({ url, routeOptions }: FastifyRequest, thrown: unknown, error: DomainError): OwnAnswer | null => {
    if (/^\/api\/v1(\/|$|\?)/.test(url)) return null;
    const isUnderApi = /^\/(api|gymgem-web)(\/|$)/.test(url);
    if (!isUnderApi && !isRootPath(routeOptions.url ?? '')) return null;
    const own = thrown instanceof Refusal;
    const status = own ? thrown.getStatus() : error.kind.status === 422 && isUnderApi ? 400 : error.kind.status;
    const said = own ? thrown.message : error instanceof NothingHere ? 'Not found' : error.message || error.kind.title;
    const text = status === 404 && SIGNS_OUT.test(said) ? 'Not found' : said;
    const body = isUnderApi
      ? { success: false, error: text, detail: text, message: text }
      : { detail: text, message: text };
    return { status, body };
  };
}
