import { type ChildProcess, spawn } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { HttpClient } from './http-client.js';

const MAIN = path.resolve('dist/src/main.js');

/** A server as an operator runs it: its own process, from the build. */
export class ServerProcess {
  output = '';
  /** Its stdout and its stderr alone. */
  logged = '';
  errors = '';
  readonly exited: Promise<number | null>;
  private readonly child: ChildProcess;

  /** @param stdout where it writes its log instead */
  constructor(settings: Record<string, string>, stdout: 'pipe' | number = 'pipe') {
    // Only what the test says: a developer's own environment must not change the outcome.
    const { PATH = '', HOME = '' } = process.env;
    // What a library will not allow any more in its next version ends the server already now.
    this.child = spawn(process.execPath, ['--throw-deprecation', MAIN], {
      env: { PATH, HOME, PORT: '0', BCRYPT_ROUNDS: '4', ...settings },
      stdio: ['ignore', stdout, 'pipe'],
      cwd: settings.DATA_DIR,
    });
    const hear = (stream: 'logged' | 'errors') => (chunk: Buffer) => {
      this[stream] += chunk.toString();
      this.output += chunk.toString();
    };
    this.child.stdout?.on('data', hear('logged'));
    this.child.stderr!.on('data', hear('errors'));
    this.exited = new Promise((resolve) => this.child.once('close', resolve));
  }

  /** Its client, once it runs. */
  async ready(): Promise<HttpClient> {
    for (;;) {
      const url = /running at ([^\s"]+)/.exec(this.output)?.[1];
      if (url) return new HttpClient(`${url}/api/v1`);
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`The server ended: ${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Its lines of log. */
  get log(): Record<string, unknown>[] {
    const lines = this.output.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async kill(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    return this.exited;
  }
}

export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
