import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Injectable, Logger } from '@nestjs/common';
import { fileTypeFromFile } from 'file-type/node';
import type { Actor } from '../common/actor/actor.js';
import { TooLarge, Unavailable } from '../common/errors/common.errors.js';
import type { ByteRange } from '../common/http/byte-range.js';
import type { UploadedFile } from '../common/http/multipart.js';
import { Database, type Transaction } from '../database/database.js';
import { everyGym } from '../database/sql.js';
import { AttachmentNotFound, AttachmentType } from './chat.errors.js';
import { fileName, isAttachmentType } from './chat.rules.js';
import { visibleMessage } from './chat.sql.js';
import { Storage } from './storage/storage.js';

/** Of a file. */
export const LARGEST_FILE = 10 * 1024 * 1024;
/** An upload that takes longer has failed: what has no message then is removed. */
const UPLOADED_WITHIN = everyGym`interval '1 hour'`;
const AT_ONCE = 100;

/** A file that is stored and waits for its message. */
export interface StoredFile {
  id: number;
  name: string;
  content_type: string;
  size: number;
  /** Of its bytes, to tell a repetition by. */
  hash: string;
}

/** A file to be sent to a reader. */
export interface ReadableFile {
  name: string;
  content_type: string;
  size: number;
  storage_key: string;
}

/** The files of messages: a row each in the database, bytes in the storage. */
@Injectable()
export class AttachmentsService {
  private readonly logger = new Logger('Attachments');

  constructor(
    private readonly db: Database,
    private readonly storage: Storage,
  ) {}

  /** Stores a file while it comes. @throws TooLarge, AttachmentType; then nothing is left of it */
  async receive({ user_id }: Actor, file: UploadedFile): Promise<StoredFile> {
    const key = randomUUID();
    // Before there is a file: what remains of us if this server dies can be found by it.
    const [attachment] = await this.db.change<{ id: number }>(everyGym`
      INSERT INTO attachments (uploaded_by_id, storage_key) VALUES (${user_id}, ${key}) RETURNING id`);
    const { id } = attachment!;
    try {
      return { id, name: fileName(file.name), ...(await this.store(key, file)) };
    } catch (error) {
      await this.discard([id]);
      // The disk or the storage; what is wrong with the upload itself has no system call.
      throw (error as NodeJS.ErrnoException).syscall ? unavailable(error) : error;
    }
  }

  /** Gives a stored file to its message. */
  async attach(tx: Transaction, messageId: number, { id, name, content_type, size }: StoredFile): Promise<void> {
    const [attached] = await tx.query(everyGym`
      UPDATE attachments SET message_id = ${messageId}, name = ${name}, content_type = ${content_type}, size = ${size}
      WHERE id = ${id} AND message_id IS NULL AND created_at > now() - ${UPLOADED_WITHIN} RETURNING 1`);
    if (!attached) throw new Unavailable();
  }

  /** For the two of its conversation, or (null) who holds a link to it. @throws AttachmentNotFound */
  async find(reader: Actor | null, attachmentId: number): Promise<ReadableFile> {
    const [file] = await this.db.query<ReadableFile>(everyGym`
      SELECT a.name, a.content_type, a.size, a.storage_key
      FROM attachments a JOIN messages m ON m.id = a.message_id AND m.deleted_at IS NULL
      WHERE a.id = ${attachmentId} AND ${reader ? visibleMessage(reader) : everyGym`TRUE`}`);
    if (!file) throw new AttachmentNotFound();
    return file;
  }

  read({ storage_key }: ReadableFile, range?: ByteRange): Promise<Readable> {
    return this.storage.read(storage_key, range).catch((error: unknown) => {
      throw unavailable(error);
    });
  }

  /** Removes those of these files that no message has. What cannot be removed now goes at the next purge. */
  async discard(ids: number[]): Promise<void> {
    if (ids.length === 0) return;
    try {
      // No message can take them from now on. One that is just being stored is waited for: then it has its file.
      const unused = await this.db.change<{ id: number; storage_key: string }>(everyGym`
        UPDATE attachments SET created_at = '-infinity' WHERE id = ANY(${ids}) AND message_id IS NULL
        RETURNING id, storage_key`);
      for (const { id, storage_key } of unused) {
        await this.storage.remove(storage_key);
        await this.db.change(everyGym`DELETE FROM attachments WHERE id = ${id}`);
      }
    } catch (error) {
      this.logger.warn(`Files of messages are removed later: ${(error as Error).message}`);
    }
  }

  /** Removes the files that no message has, and that are in no upload any more. */
  async purge(): Promise<void> {
    let last = 0;
    for (;;) {
      const unused = await this.db.query<{ id: number }>(everyGym`
        SELECT id FROM attachments
        WHERE message_id IS NULL AND created_at < now() - ${UPLOADED_WITHIN} AND id > ${last}
        ORDER BY id LIMIT ${AT_ONCE}`);
      if (unused.length === 0) return;
      // One by one: a file that resists keeps no other.
      for (const { id } of unused) await this.discard([id]);
      last = unused.at(-1)!.id;
    }
  }

  private async store(key: string, { bytes }: UploadedFile) {
    const draft = await this.storage.draftOf(key);
    const hash = createHash('sha256');
    let size = 0;
    const measured = async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        size += chunk.length;
        hash.update(chunk);
        yield chunk;
      }
    };
    await pipeline(bytes, measured, createWriteStream(draft, { flags: 'wx', mode: 0o600, flush: true }));
    if (bytes.truncated) throw new TooLarge(`An attachment has at most ${LARGEST_FILE} bytes.`);
    const contentType = (await fileTypeFromFile(draft))?.mime;
    if (!isAttachmentType(contentType)) throw new AttachmentType();
    await this.storage.keep(key, contentType).catch((error: unknown) => {
      throw unavailable(error);
    });
    return { content_type: contentType, size, hash: hash.digest('base64') };
  }
}

const unavailable = (error: unknown) => Object.assign(new Unavailable(), { cause: error });
