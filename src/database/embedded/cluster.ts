import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { ConfigError } from '../../config/config-error.js';
import { hangUp } from '../connection.js';
import { type Account, hasCluster, isSameFolder } from './install.js';

/**
 * Every server that uses the cluster holds this advisory lock shared; the server that gets it alone may stop the
 * cluster.
 */
const IN_USE = 0x5907;
const START_TIMEOUT_MS = 60_000;
/** A PostgreSQL that has ended so often on its way will not start by itself. */
const MOST_FAILED_STARTS = 10;
const LEAVE_TIMEOUT_MS = 10_000;
/** Within this PostgreSQL notices that a server which held the lock was killed. */
const DYING_MS = 300;
const run = promisify(execFile);

/** It is starting or stopping. */
const isBusy = (error: unknown): boolean => ['57P03', '57P01'].includes((error as pg.DatabaseError).code ?? '');

export class EmbeddedCluster {
  private readonly data: string;
  private readonly log: string;
  private readonly lastPort: string;
  /** Where this server's connections go, for as long as it runs. */
  private port: number | undefined;

  constructor(
    private readonly home: string,
    private readonly native: string,
    private readonly account: Account,
    private readonly flags: string[],
  ) {
    this.data = path.join(home, 'data');
    this.log = path.join(home, 'postgres.log');
    this.lastPort = path.join(home, 'port');
  }

  url(database: string): string {
    return `postgres://app:${this.password()}@127.0.0.1:${this.port}/${database}`;
  }

  /** Makes the cluster in a draft folder and renames it, so that a crash leaves a whole cluster or none. */
  async create(): Promise<void> {
    if (hasCluster(this.home)) return;
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
      if (hasCluster(this.home)) return;
      const { stderr } = error as { stderr?: string };
      if (stderr === undefined) throw error;
      throw new ConfigError(
        `The embedded PostgreSQL could not be made in ${this.home}: ${faultIn(stderr)}. Set DATA_DIR or DATABASE_URL.`,
      );
    } finally {
      fs.rmSync(passwordFile, { force: true });
      fs.rmSync(draft, { recursive: true, force: true });
    }
  }

  /**
   * A connection that holds the cluster in use for as long as it is open. Starts PostgreSQL if need be; of several
   * servers that do so at once PostgreSQL lets one, and the others join it.
   * @param isOver whether it is not wanted any more
   */
  async join(isOver = () => false): Promise<pg.Client> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (let failed = 0; ;) {
      try {
        const keeper = await this.connect();
        // Waits while the last server before us is stopping the cluster, and is then cut off: try again.
        await keeper.query('SELECT pg_advisory_lock_shared($1)', [IN_USE]);
        this.port ??= this.recorded()?.port;
        return keeper;
      } catch (error) {
        if (isOver() || failed === MOST_FAILED_STARTS || Date.now() > deadline) {
          const said = fs.existsSync(this.log) ? fs.readFileSync(this.log, 'utf8').slice(-10_000) : '';
          throw new ConfigError(
            `The embedded PostgreSQL did not start (${faultIn(said, (error as Error).message)}). See ${this.log}, ` +
              'or set DATABASE_URL.',
          );
        }
        if (isBusy(error)) await sleep(50);
        // Where another process is recorded that one may be starting, and will answer.
        else if (!(await this.start(deadline, isOver)) && !this.recorded()) failed++;
      }
    }
  }

  /**
   * A server that leaves gives up its hold first and then looks for others: so the last one finds none, also of many at
   * once.
   */
  async leave(keeper: pg.Client): Promise<void> {
    const deadline = Date.now() + LEAVE_TIMEOUT_MS;
    for (let client: pg.Client | undefined = keeper; ; client = undefined) {
      try {
        // The keeper's connection may have ended with PostgreSQL's memory.
        client ??= await this.connect();
        await client.query('SELECT pg_advisory_unlock_shared($1)', [IN_USE]);
        await client.query(`SET lock_timeout = ${DYING_MS}`);
        await client.query('SELECT pg_advisory_lock($1)', [IN_USE]);
        await this.exec('pg_ctl', ['stop', '-D', this.data, '-m', 'fast', '-t', '8']);
        return;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        const isUsedByOthers = code === '55P03';
        const isStopped = !this.recorded() || code === 'ECONNREFUSED';
        if (isUsedByOthers || isStopped || Date.now() > deadline) return;
        await sleep(50);
      } finally {
        if (client) hangUp(client);
      }
    }
  }

  /** @returns whether the server process answers; it may have given up, for instance because one runs already */
  private async start(deadline: number, isOver: () => boolean): Promise<boolean> {
    this.forgetForeignProcess();
    await this.takeFromRoot();
    if (fs.existsSync(this.log) && fs.statSync(this.log).size > 5_000_000) fs.renameSync(this.log, `${this.log}.old`);
    const log = fs.openSync(this.log, 'a');
    const port = await this.choosePort();
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
        hangUp(await this.connect(port));
        fs.writeFileSync(this.lastPort, String(port));
        return true;
      } catch {
        // Nobody can use it yet.
        if (isOver()) server.kill('SIGINT');
        await sleep(20);
      }
    }
    await sleep(100);
    return false;
  }

  /** The one that servers which are still here know; else the last one, if it is free. */
  private async choosePort(): Promise<number> {
    if (this.port) return this.port;
    const last = this.recorded()?.port ?? (fs.existsSync(this.lastPort) ? Number(fs.readFileSync(this.lastPort)) : 0);
    return freePort(last).catch(() => freePort(0));
  }

  /** A copy that root has made is root's. What is of a third account stays so: that one may start here again. */
  private async takeFromRoot(): Promise<void> {
    const { uid, gid } = this.account;
    const owner = fs.statSync(this.data).uid;
    if (uid === undefined || owner === uid) return;
    if (owner !== 0) {
      throw new ConfigError(
        `The embedded database in ${this.home} belongs to the user with the id ${owner}. Start as that user, or give ` +
          `it to root first: chown -R root ${this.data}.`,
      );
    }
    await run('chown', ['-R', `${uid}:${gid}`, this.data]);
  }

  /** What is recorded may be of no process of ours; PostgreSQL would refuse to start. */
  private forgetForeignProcess(): void {
    const recorded = this.recorded();
    if (!recorded || !(this.isOfOriginal(recorded) || isOtherProgram(recorded.pid))) return;
    if (this.recorded()?.pid === recorded.pid) fs.rmSync(path.join(this.data, 'postmaster.pid'), { force: true });
  }

  /**
   * This folder is a copy, made while PostgreSQL ran on the other. One that was moved meanwhile is not: the same
   * process has it still.
   */
  private isOfOriginal({ pid, folder }: Recorded): boolean {
    return !isSameFolder(folder, this.data) && recordedIn(folder)?.pid === pid;
  }

  private async connect(port = this.port ?? this.recorded()?.port): Promise<pg.Client> {
    if (!port) throw new Error('it is not running');
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user: 'app',
      password: this.password(),
      database: 'postgres',
      application_name: 'spotter keeper',
      connectionTimeoutMillis: 5_000,
      query_timeout: START_TIMEOUT_MS / 2,
      keepAlive: true,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      // The original of a copied folder has the same password, and may have the same port.
      const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
      if (!isSameFolder(rows[0]!.data_directory, this.data)) throw new Error('another PostgreSQL answers at its port');
      return client;
    } catch (error) {
      hangUp(client);
      throw error;
    }
  }

  private recorded(): Recorded | null {
    return recordedIn(this.data);
  }

  private password(): string {
    try {
      return fs.readFileSync(path.join(this.data, 'app_password'), 'utf8').trim();
    } catch (error) {
      throw new ConfigError(
        `The embedded database in ${this.home} belongs to another user (${(error as Error).message}). ` +
          'Start as that user, or set DATA_DIR.',
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

interface Recorded {
  pid: number;
  /** Of its data. */
  folder: string;
  port: number;
}

/** What a PostgreSQL that runs on this data, or was killed, has written down of itself. */
function recordedIn(data: string): Recorded | null {
  try {
    const lines = fs.readFileSync(path.join(data, 'postmaster.pid'), 'utf8').split('\n');
    return { pid: Number(lines[0]), folder: lines[1]!, port: Number(lines[3]) };
  } catch {
    return null;
  }
}

/** After a reboot, or in another container, another program may have the recorded process id. */
function isOtherProgram(pid: number): boolean {
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim() !== 'postgres';
  } catch {
    return false; // no such process: PostgreSQL sees that itself; or this is no Linux
  }
}

/** What PostgreSQL's programs say is wrong, with their hint. */
function faultIn(output: string, otherwise = 'initdb failed'): string {
  const find = (kind: RegExp) =>
    output
      .split('\n')
      .findLast((line) => kind.test(line))
      ?.replace(kind, '');
  const [fault, hint] = [find(/^(.*(FATAL|PANIC|error)|postgres): +/), find(/^.*HINT: +/)];
  return [fault ?? otherwise, hint && `(${hint.replace(/\.$/, '')})`].filter(Boolean).join(' ');
}

/** Rejects if the port is taken; 0: any. */
function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().on('error', reject);
    probe.listen(wanted, '127.0.0.1', () => {
      const { port } = probe.address() as net.AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
