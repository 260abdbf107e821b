import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is sent is on its way for so long: who answers meanwhile has not been heard yet. */
const DELAY_MS = 150;

/** A long way to a server: what is on it is lost when it is cut, and until it is mended there is no way. */
export class SlowLine {
  private isCut = false;
  private readonly open = new Set<net.Socket>();
  private readonly server = net.createServer((client) => this.connect(client));

  private constructor(private readonly end: URL) {}

  static async to(address: string): Promise<SlowLine> {
    const line = new SlowLine(new URL(address));
    await new Promise<void>((resolve) => line.server.listen(0, '127.0.0.1', resolve));
    return line;
  }

  /** The same address, over this line. */
  get url(): string {
    const url = new URL(this.end);
    url.host = `127.0.0.1:${(this.server.address() as net.AddressInfo).port}`;
    return url.href;
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.open) socket.destroy();
  }

  mend(): void {
    this.isCut = false;
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private connect(client: net.Socket): void {
    if (this.isCut) return void client.destroy();
    const server = net.connect(Number(this.end.port), this.end.hostname);
    client.on('data', (data) => void sleep(DELAY_MS).then(() => server.write(data)));
    server.on('data', (data) => client.write(data));
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.open.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        this.open.delete(one);
        other.destroy();
      });
    }
  }
}
