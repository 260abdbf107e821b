import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createClient } from 'redis';
import { freePort } from './server-process.js';
import { until } from './until.js';

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
if (!hasRedis) console.warn('There is no redis-server here: servers over Redis are NOT tested.');

/** A Redis of one's own, which can be stopped, killed and frozen. */
export class Redis {
  url = '';
  private process: ChildProcess | undefined;

  static async started(): Promise<Redis> {
    const redis = new Redis();
    const port = await freePort();
    redis.url = `redis://127.0.0.1:${port}`;
    await redis.start();
    return redis;
  }

  /** Empty, where it was before. */
  async start(): Promise<void> {
    const options = ['--port', new URL(this.url).port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const redis = spawn('redis-server', options, { cwd: '/tmp', stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    redis.stdout.on('data', (chunk) => (output += chunk));
    await until(() => output.includes('Ready to accept connections'));
    this.process = redis;
  }

  /** What it answers. */
  async ask<Answer>(...command: string[]): Promise<Answer> {
    const client = await createClient({ url: this.url }).connect();
    try {
      return await client.sendCommand(command);
    } finally {
      client.destroy();
    }
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.process!.kill(signal);
  }

  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    const ended = new Promise((resolve) => this.process!.once('close', resolve));
    if (this.process!.exitCode !== null || this.process!.signalCode !== null) return;
    this.process!.kill(signal);
    await ended;
  }
}
