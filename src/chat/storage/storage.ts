import type { Readable } from 'node:stream';
import type { ByteRange } from '../../common/http/byte-range.js';

/** Keeps the bytes of attachments, each under a random key. A key is written once. */
export abstract class Storage {
  /** The file into which the bytes are written first. */
  abstract draftOf(key: string): Promise<string>;

  /** Keeps what was written to the draft: when it returns, it is safe. */
  abstract keep(key: string, contentType: string): Promise<void>;

  abstract read(key: string, range?: ByteRange): Promise<Readable>;

  /** Removes what is kept, and the draft; what is not there is no error. */
  abstract remove(key: string): Promise<void>;
}
