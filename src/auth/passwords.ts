import path from 'node:path';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Piscina } from 'piscina';
import { Unavailable } from '../common/errors/common.errors.js';
import { Config } from '../config/config.js';
import { packageRoot } from '../config/package-root.js';
import type { PasswordTask } from './password-worker.js';

const THREADS = 2;
/** About 15 s of work: who comes later is told to come back, instead of waiting beyond the client's time-out. */
export const LONGEST_QUEUE = 400;

/** bcrypt, off the event loop. */
@Injectable()
export class Passwords implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly pool: Piscina;
  private decoy: string;

  constructor(private readonly config: Config) {
    this.pool = new Piscina({
      filename: path.join(packageRoot, 'dist/src/auth/password-worker.js'),
      minThreads: THREADS,
      maxThreads: THREADS,
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    this.decoy = await this.hash('a password that no account has');
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.close();
  }

  hash(password: string): Promise<string> {
    return this.run({ password, rounds: this.config.BCRYPT_ROUNDS });
  }

  /** Whether the password fits. Without a hash (no such account) it takes as long and says no. */
  async matches(password: string, hash: string | null | undefined): Promise<boolean> {
    const fits = await this.run<boolean>({ password, hash: hash ?? this.decoy });
    return fits && Boolean(hash);
  }

  /** @throws Unavailable if more wait than can be served in time */
  private async run<Result>(task: PasswordTask): Promise<Result> {
    if (this.pool.queueSize >= LONGEST_QUEUE)
      throw new Unavailable('Too many passwords are checked right now. Try again.');
    return (await this.pool.run(task)) as Result;
  }
}
