import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import { Outage } from '../common/outage.js';
import { Config } from '../config/config.js';
import { connection, hangUp } from './connection.js';
import { showAsRunning } from './running-servers.js';

const PING_MS = 10_000;

/**
 * What PostgreSQL NOTIFYs, on one connection of its own. While that connection is down messages are missed: a class
 * that keeps a copy of something must ask `connected` before trusting it, and drop it in `onReset`.
 */
@Injectable()
export class Notifications implements OnApplicationBootstrap, OnApplicationShutdown {
  connected = false;
  private readonly outage = new Outage(new Logger(Notifications.name), 'Listening to the database');
  private readonly listeners = new Map<string, ((payload: string) => void)[]>();
  private readonly resets: (() => void)[] = [];
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(private readonly config: Config) {}

  /** Calls the listener with every payload of the channel. To be asked before the application has started. */
  listen(channel: string, listener: (payload: string) => void): void {
    this.listeners.set(channel, [...(this.listeners.get(channel) ?? []), listener]);
  }

  /** Called whenever the connection was lost or is new. */
  onReset(reset: () => void): void {
    this.resets.push(reset);
  }

  onApplicationBootstrap(): void {
    this.running = this.keepListening();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async keepListening(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await this.listenOnce(signal);
      } catch (error) {
        if (!signal.aborted) this.outage.lost(error);
      }
      this.reset(false);
      await sleep(1000, undefined, { signal }).catch(() => undefined);
    }
  }

  private async listenOnce(signal: AbortSignal): Promise<void> {
    const client = new pg.Client({ ...connection(this.config.DATABASE_URL!, 'spotter'), query_timeout: PING_MS / 2 });
    const ended = new AbortController();
    let ping: NodeJS.Timeout | undefined;
    try {
      await new Promise<never>((_, reject) => {
        client.on('error', reject);
        client.on('end', () => reject(new Error('the connection was closed')));
        client.on('notification', ({ channel, payload }) => {
          for (const listener of this.listeners.get(channel) ?? []) listener(payload ?? '');
        });
        signal.addEventListener('abort', () => reject(new Error('stopping')), { once: true, signal: ended.signal });
        // A connection can die without a word (a sleeping laptop, a firewall); only asking tells.
        ping = setInterval(() => void client.query('SELECT 1').catch(reject), PING_MS);
        this.subscribe(client).catch(reject);
      });
    } finally {
      clearInterval(ping);
      ended.abort();
      hangUp(client);
    }
  }

  private async subscribe(client: pg.Client): Promise<void> {
    await client.connect();
    for (const channel of this.listeners.keys()) await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
    await showAsRunning(client, this.config);
    this.outage.back();
    this.reset(true);
  }

  private reset(connected: boolean): void {
    this.connected = connected;
    for (const reset of this.resets) reset();
  }
}
