import { rememberAsked, rememberCaller } from './asked.js';
import { requireDocumented } from './documented.js';

export interface Answer<Body = any> {
  status: number;
  body: Body;
  headers: Headers;
}

/** Talks to the API as a client does: HTTP, JSON, a bearer token. Each answer must be as openapi.json says. */
export class HttpClient {
  constructor(
    readonly base: string,
    readonly token?: string,
  ) {}

  withToken(token: string): HttpClient {
    return new HttpClient(this.base, token);
  }

  get(path: string, headers?: Record<string, string>) {
    return this.send('GET', path, undefined, headers);
  }

  post(path: string, body?: unknown, headers?: Record<string, string>) {
    return this.send('POST', path, body, headers);
  }

  /** All items of a list, page by page. */
  async all(path: string): Promise<any[]> {
    const { status, body, headers } = await this.get(path);
    if (status !== 200) throw new Error(`${path} answered ${status}: ${JSON.stringify(body)}`);
    const next = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
    return next ? [...body, ...(await this.all(new URL(next, this.base).href))] : body;
  }

  put(path: string, body?: unknown) {
    return this.send('PUT', path, body);
  }

  patch(path: string, body?: unknown) {
    return this.send('PATCH', path, body);
  }

  delete(path: string) {
    return this.send('DELETE', path);
  }

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const url = path.startsWith('http') ? path : this.base + path;
    const response = await fetch(url, {
      method,
      headers: {
        ...(this.token && { authorization: `Bearer ${this.token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    const answer = { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers };
    requireDocumented(method, url, answer);
    if (answer.body?.account) rememberCaller(answer.body.access_token, answer.body.account);
    return rememberAsked(answer, `${method} ${path}`, body, this.token);
  }
}
