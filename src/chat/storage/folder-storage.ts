import { mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { ByteRange } from '../../common/http/byte-range.js';
import { Storage } from './storage.js';

/** In a folder. Several servers need one that they share. */
export class FolderStorage extends Storage {
  constructor(private readonly folder: string) {
    super();
  }

  async draftOf(key: string): Promise<string> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    return this.fileOf(key);
  }

  /** It is in its place already. What is not written down is that the folder has one file more. */
  async keep(): Promise<void> {
    const folder = await open(this.folder);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  async read(key: string, range?: ByteRange): Promise<Readable> {
    const file = await open(this.fileOf(key));
    return file.createReadStream(range);
  }

  async remove(key: string): Promise<void> {
    await rm(this.fileOf(key), { force: true });
  }

  private fileOf(key: string): string {
    return path.join(this.folder, key);
  }
}
