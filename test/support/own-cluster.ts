import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** The folder of a server with an embedded PostgreSQL of its own, and that PostgreSQL as the system sees it. */
export class OwnCluster {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'spotter-test-'));

  constructor() {
    // As root, PostgreSQL runs as another account, which must be able to enter.
    chmodSync(this.folder, 0o755);
  }

  get isRunning(): boolean {
    return existsSync(this.file('postmaster.pid'));
  }

  /** Its main process. */
  get postmaster(): number {
    return Number(this.recorded[0]);
  }

  get port(): number {
    return Number(this.recorded[3]);
  }

  get url(): string {
    return `postgres://app:${readFileSync(this.file('app_password'), 'utf8').trim()}@127.0.0.1:${this.port}/spotter`;
  }

  /** The end of its log. */
  get said(): string {
    return readFileSync(path.join(this.folder, 'postgres/postgres.log'), 'utf8').slice(-1000);
  }

  /** All its processes: freezing the first alone would let the others answer. */
  get processes(): number[] {
    const children = readFileSync(`/proc/${this.postmaster}/task/${this.postmaster}/children`, 'utf8');
    return [this.postmaster, ...children.trim().split(' ').map(Number)];
  }

  /** Of a stopped main process no child is born or goes: so it is stopped first, and goes on last. */
  freeze(): void {
    const { postmaster } = this;
    process.kill(postmaster, 'SIGSTOP');
    while (!/\) T /.test(readFileSync(`/proc/${postmaster}/stat`, 'utf8')));
    for (const pid of this.processes) process.kill(pid, 'SIGSTOP');
  }

  thaw(): void {
    for (const pid of this.processes.toReversed()) process.kill(pid, 'SIGCONT');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get recorded(): string[] {
    return readFileSync(this.file('postmaster.pid'), 'utf8').split('\n');
  }

  private file(name: string): string {
    return path.join(this.folder, 'postgres/data', name);
  }
}
