import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { ByteRange } from '../../common/http/byte-range.js';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Config } from '../../config/config.js';
import { Storage } from './storage.js';

type Sdk = typeof import('@aws-sdk/client-s3');

/** In a bucket of S3, or of a service that speaks its language. */
export class S3Storage extends Storage {
  private readonly drafts = path.join(os.tmpdir(), `spotter-${randomUUID()}`);

  private constructor(
    private readonly sdk: Sdk,
    private readonly client: S3Client,
    private readonly bucket: string,
  ) {
    super();
  }

  /** The library is large: it is loaded where it is needed. */
  static async open(config: Config): Promise<S3Storage> {
    const sdk = await import('@aws-sdk/client-s3');
    const client = new sdk.S3Client({
      region: config.S3_REGION,
      endpoint: config.S3_ENDPOINT,
      forcePathStyle: config.S3_FORCE_PATH_STYLE,
      credentials: { accessKeyId: config.S3_ACCESS_KEY_ID!, secretAccessKey: config.S3_SECRET_ACCESS_KEY! },
      requestHandler: { connectionTimeout: 3_000, requestTimeout: 20_000 },
      // Not each service that speaks S3 knows the checksums that the library would add.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    return new S3Storage(sdk, client, config.S3_BUCKET!);
  }

  async draftOf(key: string): Promise<string> {
    // Each time: what is not used for days may be tidied away.
    await mkdir(this.drafts, { recursive: true, mode: 0o700 });
    return path.join(this.drafts, key);
  }

  async keep(key: string, contentType: string): Promise<void> {
    const draft = await this.draftOf(key);
    // In one piece, so that the library can send it again.
    const bytes = await readFile(draft);
    await this.client.send(
      new this.sdk.PutObjectCommand({ ...this.objectOf(key), Body: bytes, ContentType: contentType }),
    );
    await rm(draft, { force: true });
  }

  async read(key: string, range?: ByteRange): Promise<Readable> {
    const bytes = range && `bytes=${range.start}-${range.end}`;
    const { Body } = await this.client.send(new this.sdk.GetObjectCommand({ ...this.objectOf(key), Range: bytes }));
    return Body as Readable;
  }

  async remove(key: string): Promise<void> {
    await rm(await this.draftOf(key), { force: true });
    await this.client.send(new this.sdk.DeleteObjectCommand(this.objectOf(key)));
  }

  private objectOf(key: string) {
    return { Bucket: this.bucket, Key: `attachments/${key}` };
  }
}
