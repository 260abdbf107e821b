// What stands around the routes of the hand-written server: who asks, refusals, and what other servers must hear.
import { createSecretKey } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import jwt from 'jsonwebtoken';
import { ask, listen, type Row } from './hand-written-db.js';
import { NUMBERS, PUBLISH, SESSION } from './hand-written-sql.js';

export const KEY = createSecretKey(Buffer.from(process.env.JWT_SECRET!));
export const STAFF = ['admin', 'manager', 'reception', 'accountant', 'trainer'];
export const DESK = ['admin', 'manager', 'reception', 'trainer'];
export const DESK_AND_MEMBERS = [...DESK, 'user'];

/** Who asks. An admin's gym is their home, in which they look; what they do may be in any (`scope` is null). */
export interface Actor {
  user_id: number;
  role: string;
  gym_id: number | null;
  scope: number | null;
}

/** What a client is told went wrong. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail = title,
    readonly field?: { field: string; message: string },
  ) {
    super(detail);
  }
}

export const invalid = (field: string, message: string): Problem =>
  new Problem(422, 'fields_invalid', 'Some fields are missing or wrong', `${field} ${message}`, { field, message });

export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = error instanceof Problem ? error : unexpected(error as Error);
  const { status, code, title, detail, field } = known;
  const errors = field && [field];
  const instance = `urn:request:${request.id}`;
  const problem = { type: `/errors#${code}`, title, status, detail, instance, code, errors };
  void reply.code(status).header('content-type', 'application/problem+json').send(JSON.stringify(problem));
}

/** What ajv or Fastify refuse keeps their status. */
function unexpected(error: { statusCode?: number; stack?: string }): Problem {
  const { statusCode = 500, stack } = error;
  if (statusCode >= 500) process.stderr.write(`${stack}\n`);
  return new Problem(statusCode, 'refused', 'The request was refused');
}

const JSON_TYPE = 'application/json; charset=utf-8';
/** The answer is a text already. */
export const send = (reply: FastifyReply, json: string, status = 200): FastifyReply =>
  reply.code(status).header('content-type', JSON_TYPE).send(json);

interface Known extends Actor {
  expires: number;
}

/** Tokens whose signature was right and whose session lives; PostgreSQL tells when that of a person changes. */
const known = new Map<string, Known>();
const tokensOf = new Map<number, string[]>();
let changes = 0;

await listen('access_changed', (userId) => {
  changes++;
  for (const token of tokensOf.get(Number(userId)) ?? []) known.delete(token);
  tokensOf.delete(Number(userId));
});

const notSignedIn = () => new Problem(401, 'not_signed_in', 'Sign in first');

/** @throws Problem if no one of these roles asks */
export async function signedInAs(request: FastifyRequest, roles: readonly string[]): Promise<Actor> {
  const token = request.headers.authorization?.slice('Bearer '.length) ?? '';
  const cached = known.get(token);
  const actor = cached && cached.expires > Date.now() ? cached : await lookUp(token);
  if (!roles.includes(actor.role)) throw new Problem(403, 'role_not_allowed', 'Your role may not do this');
  return actor;
}

async function lookUp(token: string): Promise<Known> {
  let claims: { typ: string; sid: number; exp: number };
  try {
    claims = jwt.verify(token, KEY, { algorithms: ['HS256'] }) as never;
  } catch {
    throw notSignedIn();
  }
  if (claims.typ !== 'access') throw notSignedIn();
  const changesBefore = changes;
  const [row] = await ask(SESSION, claims.sid);
  if (!row || row[3] === 't') throw notSignedIn();
  const [userId, role, home] = row as [string, string, string | null];
  const gymId = home === null ? null : Number(home);
  const actor: Known = {
    ...{ user_id: Number(userId), role, gym_id: gymId, scope: role === 'admin' ? null : gymId },
    expires: claims.exp * 1000,
  };
  // A change that was told meanwhile may not be in what was read.
  if (changes === changesBefore) {
    known.set(token, actor);
    tokensOf.set(actor.user_id, [...(tokensOf.get(actor.user_id) ?? []), token]);
  }
  return actor;
}

const unsent: string[] = [];
let isSending = false;

/**
 * Tells other servers, whose sockets must hear of it: what comes while one statement is under way goes with the next.
 * It is stored in a table of the bench, so that the server that is measured does not read it.
 */
export function tell(message: string): void {
  unsent.push(message);
  if (!isSending) void sendAll();
}

async function sendAll(): Promise<void> {
  isSending = true;
  while (unsent.length > 0) await ask(PUBLISH, `[${unsent.splice(0).join(',')}]`);
  isSending = false;
}

const changed = new Set<string>();

/** The numbers of the gym are other ones now: they are told once a second. */
export const numbersChanged = (gymId: string): void => void changed.add(gymId);

setInterval(() => {
  for (const gymId of changed) {
    void ask(NUMBERS, gymId).then(([row]: Row[]) => tell(JSON.stringify(['check_in_stats', gymId, row])));
  }
  changed.clear();
}, 1000);
