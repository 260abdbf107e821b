import type { TestApp } from '../../support/app.js';
import { plain, type PlainAnswer } from '../../support/plain-http.js';

/** The two bases of the family: of its first clients, and of later ones. */
export const BASES = ['', '/gymgem-web'] as const;
export type Base = (typeof BASES)[number];

/** One who asks at a base as the family's clients do. */
export interface Asking {
  get(path: string): Promise<PlainAnswer>;
  post(path: string, body?: unknown): Promise<PlainAnswer>;
  put(path: string, body?: unknown): Promise<PlainAnswer>;
  patch(path: string, body?: unknown): Promise<PlainAnswer>;
  delete(path: string): Promise<PlainAnswer>;
}

export function asking({ url }: TestApp, base: Base, token?: string): Asking {
  const send = (method: string) => (path: string, body?: unknown) =>
    plain(method, `${url}${base}/api/${path}`, { token, body });
  return { get: send('GET'), post: send('POST'), put: send('PUT'), patch: send('PATCH'), delete: send('DELETE') };
}

/** The id of a person without a profile, at this base. */
export const idAt = (base: Base, { id }: { id: number }): number => (base ? -id : id);

/** The only shape of an error under /api. */
export const refusal = (text: unknown) => ({ success: false, error: text, detail: text, message: text });
