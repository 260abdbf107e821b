import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Config } from './config.js';
import { ConfigError } from './config-error.js';

interface Secrets {
  JWT_SECRET: string;
  ENCRYPTION_KEYS: string;
}

/**
 * Secrets that the operator did not set come from `secrets.json` in the data folder, which is generated once. In
 * production on a database of the operator's they must be set: a second server would generate others and both would
 * refuse each other's tokens.
 */
export function fillSecrets(config: Config): void {
  if (config.JWT_SECRET && config.ENCRYPTION_KEYS) return;
  if (config.NODE_ENV === 'production' && config.DATABASE_URL) {
    const missing = (['JWT_SECRET', 'ENCRYPTION_KEYS'] as const).filter((name) => !config[name]);
    throw new ConfigError(`${missing.join(' and ')} must be set in production. See .env.example.`);
  }
  const secrets = readOrCreate(config.data_dir);
  config.JWT_SECRET ??= secrets.JWT_SECRET;
  config.ENCRYPTION_KEYS ??= secrets.ENCRYPTION_KEYS;
}

function readOrCreate(folder: string): Secrets {
  const file = path.join(folder, 'secrets.json');
  try {
    fs.mkdirSync(folder, { recursive: true });
    if (!fs.existsSync(file)) {
      const fresh: Secrets = {
        JWT_SECRET: randomBytes(48).toString('base64url'),
        ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      };
      const draft = `${file}.${process.pid}`;
      const handle = fs.openSync(draft, 'w', 0o600);
      fs.writeSync(handle, JSON.stringify(fresh, null, 2));
      fs.fsyncSync(handle);
      fs.closeSync(handle);
      try {
        // link() never replaces: of several servers starting at once, the first one's secrets are everybody's.
        fs.linkSync(draft, file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      } finally {
        fs.rmSync(draft, { force: true });
      }
    }
    return JSON.parse(fs.readFileSync(file, 'utf8')) as Secrets;
  } catch (error) {
    throw new ConfigError(`Secrets could not be read from or written to ${file}: ${(error as Error).message}.`);
  }
}
