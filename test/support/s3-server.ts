import http from 'node:http';
import type { AddressInfo } from 'node:net';

const BUCKET = 'gym-files';
const ACCESS_KEY = 'AKIATESTTESTTEST';
/** Where the server would find a bucket in the name of the host, it cannot be reached: paths are used. */
const PREFIX = `/${BUCKET}/attachments/`;

/** Speaks the three calls of S3 that we use: PUT, GET (with a range) and DELETE of an object. */
export class S3Server {
  /** Answers 503 to all. */
  isDown = false;
  private readonly objects = new Map<string, { bytes: Buffer; type: string }>();
  private readonly server = http.createServer((request, response) => void this.answer(request, response));

  static async started(): Promise<S3Server> {
    const s3 = new S3Server();
    await new Promise<void>((resolve) => s3.server.listen(0, '127.0.0.1', resolve));
    return s3;
  }

  get settings(): Record<string, string> {
    return {
      ...{ S3_BUCKET: BUCKET, S3_REGION: 'eu-central-1', S3_FORCE_PATH_STYLE: 'true' },
      S3_ENDPOINT: `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`,
      ...{ S3_ACCESS_KEY_ID: ACCESS_KEY, S3_SECRET_ACCESS_KEY: 'a secret that only the tests know' },
    };
  }

  keys(): string[] {
    return [...this.objects.keys()].toSorted();
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private async answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { pathname } = new URL(request.url!, 'http://x');
    const key = pathname.slice(PREFIX.length);
    const isSigned = request.headers.authorization?.startsWith(`AWS4-HMAC-SHA256 Credential=${ACCESS_KEY}/`);
    if (this.isDown) return refuse(response, 503, 'SlowDown');
    if (!pathname.startsWith(PREFIX) || key === '') return refuse(response, 404, 'NoSuchBucket');
    if (!isSigned) return refuse(response, 403, 'AccessDenied');
    const object = this.objects.get(key);
    switch (request.method) {
      case 'PUT':
        this.objects.set(key, { bytes: Buffer.concat(chunks), type: request.headers['content-type']! });
        response.writeHead(200, { ETag: '"x"' }).end();
        return;
      case 'DELETE':
        this.objects.delete(key);
        response.writeHead(204).end();
        return;
      default: {
        if (!object) return refuse(response, 404, 'NoSuchKey');
        const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
        const bytes = start ? object.bytes.subarray(Number(start), Number(end) + 1) : object.bytes;
        response
          .writeHead(start ? 206 : 200, { 'Content-Type': object.type, 'Content-Length': bytes.length })
          .end(bytes);
      }
    }
  }
}

function refuse(response: http.ServerResponse, status: number, code: string): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  response.writeHead(status, { 'Content-Type': 'application/xml' }).end(body);
}
