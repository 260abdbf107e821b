import { HttpException } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { NothingHere } from '../../common/errors/common.errors.js';
import type { DomainError, ErrorClass } from '../../common/errors/domain-error.js';
import { problemOf } from '../../common/errors/problem.js';

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
  type: 'application/json' | 'application/problem+json';
  body: object;
}

/** Apps take these words in a 404 for the end of their session. */
const SIGNS_OUT = /user not found|session expired/i;

/**
 * How an error is answered at this address; null: as everywhere, application/problem+json.
 * @param rootPaths what is served at the root for old clients
 */
export function ownAnswer(rootPaths: () => string[]) {
  return (request: FastifyRequest, thrown: unknown, error: DomainError): OwnAnswer | null => {
    const { id, is404, routeOptions, url } = request;
    if (/^\/api\/v1(\/|$|\?)/.test(url)) return null;
    const isUnderApi = /^\/(api|gymgem-web)(\/|$)/.test(url);
    const atRoot = isUnderApi ? [] : rootPaths();
    const isUnknown = is404 && atRoot.length > 0;
    if (!isUnderApi && !isUnknown && !atRoot.includes(routeOptions.url ?? '')) return null;
    const own = thrown instanceof Refusal;
    const status = own ? thrown.getStatus() : error.kind.status === 422 && isUnderApi ? 400 : error.kind.status;
    const words = own ? thrown.message : error instanceof NothingHere ? 'Not found' : error.message || error.kind.title;
    const text = status === 404 && SIGNS_OUT.test(words) ? 'Not found' : words;
    const said = { detail: text, message: text };
    // New clients that have lost their way want a problem there.
    if (isUnknown) return { status, type: 'application/problem+json', body: { ...problemOf(error, id), ...said } };
    return { status, type: 'application/json', body: isUnderApi ? { success: false, error: text, ...said } : said };
  };
}
