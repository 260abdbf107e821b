import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type pg from 'pg';
import { EmbeddedCluster } from './cluster.js';
import { findHome, linkHome, nativeFolder, unprivilegedAccount } from './install.js';

export interface EmbeddedPostgres {
  url: string;
  /** The folder that it is in. */
  home: string;
  /** Leaves the cluster, and stops it unless another server still uses it. */
  release(): Promise<void>;
}

const RETRY_MS = 1_000;

/**
 * Starts the PostgreSQL that npm installed, or joins it if a server beside this one (or a killed one) left it running;
 * and starts it again, at the same address, if it dies. The package's own class is not used: its exit hooks would stop
 * the database before the server has drained.
 * @param isOver whether it is not wanted any more
 * @throws ConfigError if this machine cannot run it
 */
export async function startEmbeddedPostgres(
  folder: string,
  database: string,
  flags: string[] = [],
  isOver?: () => boolean,
): Promise<EmbeddedPostgres> {
  const account = unprivilegedAccount();
  const ownFolder = path.resolve(folder);
  const home = findHome(ownFolder, account);
  const native = await nativeFolder(home, account);
  const cluster = new EmbeddedCluster(home, native, account, flags);
  await cluster.create();
  linkHome(ownFolder, home);
  const keeper = await cluster.join(isOver);
  const known = await keeper.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
  if (known.rowCount === 0) {
    await keeper.query(`CREATE DATABASE ${keeper.escapeIdentifier(database)}`).catch((error: pg.DatabaseError) => {
      const createdByAnother = error.code === '42P04' || error.code === '23505';
      if (!createdByAnother) throw error;
    });
  }
  const membership = new Membership(cluster, keeper);
  return { url: cluster.url(database), home, release: () => membership.leave() };
}

/** This server's part in the cluster, from its first connection until it leaves. */
class Membership {
  private readonly logger = new Logger('Database');
  private isLeaving = false;
  private comingBack: Promise<void> | undefined;

  constructor(
    private readonly cluster: EmbeddedCluster,
    private keeper: pg.Client,
  ) {
    this.watch();
  }

  async leave(): Promise<void> {
    this.isLeaving = true;
    await this.comingBack;
    await this.cluster.leave(this.keeper);
  }

  /** The connection that holds the cluster in use ends when PostgreSQL does: by itself only if that died. */
  private watch(): void {
    this.keeper.once('end', () => {
      if (!this.isLeaving) this.comingBack = this.comeBack();
    });
  }

  private async comeBack(): Promise<void> {
    while (!this.isLeaving) {
      try {
        this.keeper = await this.cluster.join(() => this.isLeaving);
        this.watch();
        this.logger.warn('The embedded PostgreSQL had ended and is there again');
        return;
      } catch (error) {
        if (!this.isLeaving) this.logger.error((error as Error).message);
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
  }
}
