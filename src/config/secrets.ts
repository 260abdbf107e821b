import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Config } from './config.js';

type Secret = 'JWT_SECRET' | 'ENCRYPTION_KEYS' | 'FINGERPRINT_KEYS';

const newKey = () => `k1:${randomBytes(32).toString('base64')}`;
/** The files of the data folder, and what is generated into them. The keys of fingerprints lie apart. */
const FILES: Record<string, Partial<Record<Secret, () => string>>> = {
  'secrets.json': { JWT_SECRET: () => randomBytes(48).toString('base64url'), ENCRYPTION_KEYS: newKey },
  'fingerprint-keys.json': { FINGERPRINT_KEYS: newKey },
};

export const isGenerated = (name: string): boolean => Object.values(FILES).some((secrets) => name in secrets);

/**
 * Secrets that the operator did not set come from files in the data folder, which are generated once. In
 * production on a database of the operator's they must be set: a second server would generate others and both would
 * refuse each other's tokens.
 * @returns what is wrong
 */
export function fillSecrets(config: Config): string[] {
  const faults: string[] = [];
  for (const [file, secrets] of Object.entries(FILES)) {
    const missing = (Object.keys(secrets) as Secret[]).filter((name) => !config[name]);
    if (missing.length === 0) continue;
    if (config.NODE_ENV === 'production' && config.DATABASE_URL) {
      faults.push(...missing.map((name) => `${name} must be set in production`));
      continue;
    }
    try {
      const stored = parse(readOrCreate(config.data_dir, file));
      for (const name of missing) if (typeof stored[name] === 'string') config[name] = stored[name];
      const lost = missing.filter((name) => !config[name]);
      if (lost.length > 0) {
        const place = path.join(config.data_dir, file);
        faults.push(
          `${place} has no ${lost.join(' and no ')}: put the file back from your backup, or set what it lacks`,
        );
      }
    } catch (error) {
      return [`DATA_DIR: ${file} could not be read or written there (${(error as Error).message})`];
    }
  }
  return faults;
}

/** Empty if it cannot be parsed; what JSON.parse says of that would show a part of it. */
function parse(text: string): Partial<Record<Secret, unknown>> {
  try {
    return (JSON.parse(text) ?? {}) as Partial<Record<Secret, unknown>>;
  } catch {
    return {};
  }
}

function readOrCreate(folder: string, name: string): string {
  const file = path.join(folder, name);
  fs.mkdirSync(folder, { recursive: true });
  if (!fs.existsSync(file)) {
    const fresh = Object.fromEntries(Object.entries(FILES[name]!).map(([secret, generate]) => [secret, generate()]));
    const draft = `${file}.${process.pid}`;
    const handle = fs.openSync(draft, 'w', 0o600);
    fs.writeSync(handle, JSON.stringify(fresh, null, 2));
    fs.fsyncSync(handle);
    fs.closeSync(handle);
    try {
      // link() never replaces: of several servers starting at once, all use the secrets of the first one.
      fs.linkSync(draft, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      fs.rmSync(draft, { force: true });
    }
  }
  return fs.readFileSync(file, 'utf8');
}
