import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** A stored value that does not open: it was changed, or moved to another place. */
export class CannotDecrypt extends Error {}

/** Nothing is wrong with the value: this ring lacks its key, which others may have. */
export class KeyMissing extends CannotDecrypt {
  /** As what it is answered; the log has the message. */
  readonly statusCode = 503;
}

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM with several keys: the first encrypts, each decrypts what names it. A value is `key id.base64url(nonce,
 * ciphertext, tag)`; `place` (say, `users.temporary_password 7`) is authenticated with it, so that a value that was
 * copied to another row does not open there.
 */
export class KeyRing {
  private readonly keys: ReadonlyMap<string, Buffer>;
  readonly ids: string[];
  /** The id of the key that encrypts. */
  readonly newest: string;

  /** @param keys `id:base64` pairs, comma-separated, each of 32 bytes */
  constructor(keys: string) {
    const pairs = keys.split(',').map((pair) => pair.split(':') as [string, string]);
    this.keys = new Map(pairs.map(([id, key]) => [id, Buffer.from(key, 'base64')]));
    this.ids = [...this.keys.keys()];
    this.newest = this.ids[0]!;
  }

  encrypt(plain: Buffer | string, place: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.keys.get(this.newest)!, nonce).setAAD(Buffer.from(place));
    const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    return `${this.newest}.${sealed.toString('base64url')}`;
  }

  /** @throws CannotDecrypt, KeyMissing */
  decrypt(stored: string, place: string): Buffer {
    const [id = '', text = ''] = stored.split('.');
    const key = this.keys.get(id);
    // Without a text it is no value of any key.
    if (!key && text) throw new KeyMissing(`There is no key "${id}" for ${place}. Restart this server with it.`);
    const sealed = Buffer.from(text, 'base64url');
    try {
      const decipher = createDecipheriv(ALGORITHM, key!, sealed.subarray(0, NONCE_BYTES));
      decipher.setAAD(Buffer.from(place)).setAuthTag(sealed.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch {
      throw new CannotDecrypt(`The stored value of ${place} was changed or belongs elsewhere`);
    }
  }
}
