import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { CannotDecrypt, KeyMissing, KeyRing } from './key-ring.js';

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;

describe('the key ring', () => {
  const [old, fresh] = [key('old'), key('new')];
  const ring = new KeyRing(old);

  it('opens what it sealed, and seals the same differently every time', () => {
    const [one, two] = [ring.encrypt('secret', 'users 1'), ring.encrypt('secret', 'users 1')];
    expect(one).not.toBe(two);
    expect(one).not.toContain('secret');
    expect([one, two].map((sealed) => ring.decrypt(sealed, 'users 1').toString())).toEqual(['secret', 'secret']);
  });

  it('opens old values after a new key came, and seals with the new one', () => {
    const sealed = ring.encrypt('secret', 'users 1');
    const rotated = new KeyRing(`${fresh},${old}`);
    expect(rotated.decrypt(sealed, 'users 1').toString()).toBe('secret');
    expect(rotated.encrypt('secret', 'users 1')).toMatch(/^new\./);
    expect(() => new KeyRing(fresh).decrypt(sealed, 'users 1')).toThrow(KeyMissing);
  });

  it('refuses what was changed, cut, moved to another place, or sealed by another', () => {
    const sealed = ring.encrypt('secret', 'users 1');
    const [id, text] = sealed.split('.') as [string, string];
    const bytes = Buffer.from(text, 'base64url');
    for (let position = 0; position < bytes.length; position++) {
      const changed = Buffer.from(bytes);
      changed[position]! ^= 1;
      expect(() => ring.decrypt(`${id}.${changed.toString('base64url')}`, 'users 1')).toThrow(CannotDecrypt);
    }
    const refusal = (by: KeyRing, stored: string, place = 'users 1') => {
      try {
        return by.decrypt(stored, place);
      } catch (error) {
        return (error as Error).constructor;
      }
    };
    for (const wrong of ['', id, `${id}.`, `${id}.${text.slice(0, 20)}`, text]) {
      expect(refusal(ring, wrong)).toBe(CannotDecrypt);
    }
    expect(refusal(ring, sealed, 'users 2')).toBe(CannotDecrypt);
    expect(refusal(new KeyRing(key('old')), sealed)).toBe(CannotDecrypt);
    expect(refusal(ring, `other.${text}`)).toBe(KeyMissing);
  });
});
