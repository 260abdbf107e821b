import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { readOpenApi } from '../../src/docs/docs.js';
import { seedDemo } from '../../src/demo/seed-demo.js';
import { firstStart } from '../../src/first-start.js';
import { startApp, testConfig, type TestApp } from '../support/app.js';
import { ownDatabase } from '../support/database.js';
import type { Answer, HttpClient } from '../support/http-client.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/until.js';

interface Operation {
  method: string;
  path: string;
  operationId: string;
  'x-roles': string[];
  parameters: { name: string; in: string; schema: { example?: unknown } }[];
  requestBody?: { content: Record<string, { example: Record<string, unknown> }> };
  responses: Record<string, { links?: Record<string, { operationId: string; description: string }> }>;
}

const operations = Object.entries(readOpenApi().paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ method, path, ...operation }) as Operation),
);
const named = (id: string) => operations.find(({ operationId }) => operationId === id)!;
const bodyOf = ({ requestBody }: Operation) => requestBody?.content['application/json']?.example;

/** One who reads the document and tries it: signs in as it says, and again when that has ended. */
class Reader {
  private client: HttpClient;
  /** The answer to each operation that was tried, for the links from it. */
  private readonly answers = new Map<string, Answer>();

  private constructor(private readonly t: TestApp) {
    this.client = t.anonymous;
  }

  static async at(t: TestApp): Promise<Reader> {
    const reader = new Reader(t);
    await reader.signIn();
    return reader;
  }

  async try(operation: Operation): Promise<Answer> {
    const { method, path, operationId, parameters } = operation;
    const valueOf = (name: string) =>
      encodeURIComponent(String(parameters.find((parameter) => parameter.name === name)!.schema.example));
    const query = parameters
      .filter(({ in: place, schema }) => place === 'query' && schema.example !== undefined)
      .map(({ name }) => `${name}=${valueOf(name)}`);
    if (operationId === 'uploadCode') await this.connectBoard();
    const url = `${this.t.url}${path.replace(/\{(\w+)\}/g, (_, name: string) => valueOf(name))}?${query.join('&')}`;
    const body = bodyOf(operation);
    const isPublic = operation['x-roles'].includes('public') && operationId !== 'getAttachment';
    const sender = isPublic ? this.t.anonymous : await this.signedIn();
    const answer = await sender.send(method.toUpperCase(), url, body && { ...body, ...this.linkedTo(operation) });
    this.answers.set(operationId, answer);
    return answer;
  }

  private async signedIn(): Promise<HttpClient> {
    if ((await this.client.get('/auth/me')).status !== 200) await this.signIn();
    return this.client;
  }

  /** With the password of the example, or the one that another example has set. */
  private async signIn(): Promise<void> {
    const body = bodyOf(named('login'))!;
    const newer = { ...body, password: bodyOf(named('changePassword'))!.new_password };
    const first = await this.t.anonymous.post('/auth/login', body);
    const answer = first.status === 200 ? first : await this.t.anonymous.post('/auth/login', newer);
    this.answers.set('login', answer);
    this.client = this.t.anonymous.withToken(answer.body.access_token);
  }

  /** What an earlier answer has for this body, as its links say. */
  private linkedTo({ operationId }: Operation): Record<string, unknown> {
    const linked: Record<string, unknown> = {};
    for (const from of operations) {
      for (const response of Object.values(from.responses)) {
        const link = Object.values(response.links ?? {}).find((one) => one.operationId === operationId);
        const answer = this.answers.get(from.operationId);
        if (!link || !answer) continue;
        for (const [, field] of link.description.matchAll(/`(\w+)`/g)) linked[field!] = answer.body[field!];
      }
    }
    return linked;
  }

  /** What the upload is for: the board of the demo gym. */
  private async connectBoard(): Promise<void> {
    const desk = await this.signedIn();
    const { body } = await desk.post('/devices/2/rotate-key');
    const board = await SocketClient.connect(this.t.url, '/devices', { device_key: body.device_key });
    board.socket.on('upload', (_, answer) => answer({ success: true, output: 'hello' }));
    // It is connected before it is where uploads go.
    await until(async () => (await desk.get('/devices/2')).body.online);
  }
}

/** What is wrong with the answer, and whose it is. */
const refusal = ({ operationId }: Operation, { status, body }: Answer) => `${operationId} ${status} ${body?.detail}`;
const isGood = (operation: Operation, { status }: Answer) => status < 300 && String(status) in operation.responses;

describe('every example of the documentation works on the demo data', () => {
  let t: TestApp | undefined;
  afterEach(() => t?.close());

  beforeAll(async () => {
    const client = new pg.Client(await ownDatabase('demo'));
    await client.connect();
    await firstStart(client, testConfig());
    await seedDemo(client, testConfig());
    await client.end();
  });

  async function onFreshCopy(): Promise<Reader> {
    await t?.close();
    t = await startApp({ DATABASE_URL: await ownDatabase('example', { template: 'demo' }) });
    return Reader.at(t);
  }

  it('alone', async () => {
    const refused: string[] = [];
    let reader = await onFreshCopy();
    const readersFirst = operations.toSorted((a, b) => Number(a.method !== 'get') - Number(b.method !== 'get'));
    for (const operation of readersFirst) {
      if (operation.method !== 'get') reader = await onFreshCopy();
      const answer = await reader.try(operation);
      if (!isGood(operation, answer)) refused.push(refusal(operation, answer));
    }
    expect(refused).toEqual([]);
  });

  it('one after the other, in the order of the document', async () => {
    const refused: string[] = [];
    const reader = await onFreshCopy();
    for (const operation of operations) {
      const answer = await reader.try(operation);
      if (!isGood(operation, answer)) refused.push(refusal(operation, answer));
    }
    expect(refused).toEqual([]);
  });
});
