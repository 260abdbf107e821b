import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Config, loadConfig, SETTINGS } from './config.js';
import { ConfigError } from './config-error.js';

describe('the configuration', () => {
  const DATA_DIR = mkdtempSync(path.join(os.tmpdir(), 'spotter-config-'));
  afterAll(() => rmSync(DATA_DIR, { recursive: true }));

  it('is documented in .env.example: every setting with its default, and no other', () => {
    const lines = readFileSync('.env.example', 'utf8').matchAll(/^(\w+)=(.*)$/gm);
    const documented = Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
    const defaults = Object.fromEntries(
      [...SETTINGS].map((name) => [name, String(new Config()[name as keyof Config] ?? '')]),
    );
    expect(documented).toEqual(defaults);
  });

  it('takes defaults for what is not set or empty, and numbers as numbers', () => {
    const config = loadConfig({ DATA_DIR, PORT: '', DATABASE_URL: '', DATABASE_POOL_SIZE: '7', SEED_DEMO: 'true' });
    expect(config).toMatchObject({ PORT: 8000, DATABASE_POOL_SIZE: 7, SEED_DEMO: true, NODE_ENV: 'development' });
    expect(config.DATABASE_URL).toBeUndefined();
  });

  it('generates secrets once, for this user only', () => {
    const [first, second] = [loadConfig({ DATA_DIR }), loadConfig({ DATA_DIR })];
    expect(first.JWT_SECRET.length).toBeGreaterThanOrEqual(32);
    expect(second.JWT_SECRET).toBe(first.JWT_SECRET);
    expect(second.ENCRYPTION_KEYS).toBe(first.ENCRYPTION_KEYS);
    expect(second.FINGERPRINT_KEYS).toBe(first.FINGERPRINT_KEYS);
    expect(first.FINGERPRINT_KEYS).not.toBe(first.ENCRYPTION_KEYS);
    for (const file of ['secrets.json', 'fingerprint-keys.json']) {
      expect(statSync(path.join(DATA_DIR, file)).mode & 0o077).toBe(0);
    }
  });

  it('names every wrong setting, and shows no secret', () => {
    const wrong = {
      DATA_DIR,
      PORT: 'x',
      NODE_ENV: 'prod',
      JWT_SECRET: 'too short',
      SEED_DEMO: 'yes',
      BCRYPT_ROUNDS: '99',
    };
    const load = () => loadConfig(wrong);
    expect(load).toThrow(ConfigError);
    for (const name of ['PORT', 'NODE_ENV', 'JWT_SECRET', 'SEED_DEMO', 'BCRYPT_ROUNDS']) expect(load).toThrow(name);
    expect(load).not.toThrow('too short');
  });

  it('wants secrets in production on a database that other servers may use', () => {
    const production = { DATA_DIR, NODE_ENV: 'production', DATABASE_URL: 'postgres://a@b/c' };
    expect(() => loadConfig(production)).toThrow('JWT_SECRET and ENCRYPTION_KEYS must be set in production');
    expect(() => loadConfig({ ...production, JWT_SECRET: 'x'.repeat(40) })).toThrow('ENCRYPTION_KEYS must be set');
    const others = { JWT_SECRET: 'x'.repeat(40), ENCRYPTION_KEYS: `k:${Buffer.alloc(32).toString('base64')}` };
    expect(() => loadConfig({ ...production, ...others })).toThrow('FINGERPRINT_KEYS must be set');
  });

  it('wants an id of its own for each key, and names the one that is there twice, not the key', () => {
    const key = Buffer.alloc(32, 7).toString('base64');
    for (const name of ['ENCRYPTION_KEYS', 'FINGERPRINT_KEYS']) {
      const load = () => loadConfig({ DATA_DIR, [name]: `new:${key},old:${key},new:${key}` });
      expect(load).toThrow(`${name} has two keys with the id new`);
      expect(load).not.toThrow(key);
    }
  });

  it('adds no demo where real people are, and takes no password that bcrypt would cut', () => {
    expect(() => loadConfig({ DATA_DIR, NODE_ENV: 'production', SEED_DEMO: 'true' })).toThrow('NODE_ENV=production');
    expect(() => loadConfig({ DATA_DIR, ADMIN_PASSWORD: 'é'.repeat(37) })).toThrow('ADMIN_PASSWORD');
    expect(loadConfig({ DATA_DIR, ADMIN_PASSWORD: 'é'.repeat(36) }).ADMIN_PASSWORD).toHaveLength(36);
  });
});
