import { requireDocumented } from './documented.js';

export interface PlainAnswer {
  status: number;
  body: any;
  headers: Headers;
}

/**
 * Asks over HTTP as an old client does: it knows nothing of our code. JSON if `body` is an object. Each answer must be as
 * the document of its family says.
 */
export async function plain(
  method: string,
  url: string,
  { token, body, headers }: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<PlainAnswer> {
  const isRaw = body === undefined || typeof body === 'string' || body instanceof FormData;
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(!isRaw && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: isRaw ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') && text !== '';
  const answer = { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  requireDocumented(method, url, answer);
  return answer;
}
