import net from 'node:net';

/** In front of several servers, as in production: each connection goes to the next of them that is there. */
export class Balancer {
  url = '';
  private turn = 0;
  private readonly server = net.createServer((client) => this.connect(client, this.turn++, this.ports.length));
  private readonly open = new Set<net.Socket>();

  private constructor(private readonly ports: number[]) {}

  static async before(...urls: string[]): Promise<Balancer> {
    const balancer = new Balancer(urls.map((url) => Number(new URL(url).port)));
    await new Promise<void>((resolve) => balancer.server.listen(0, '127.0.0.1', resolve));
    balancer.url = `http://127.0.0.1:${(balancer.server.address() as net.AddressInfo).port}`;
    return balancer;
  }

  close(): void {
    for (const socket of this.open) socket.destroy();
    this.server.close();
  }

  private connect(client: net.Socket, turn: number, left: number): void {
    const server = net.connect(this.ports[turn % this.ports.length]!, '127.0.0.1');
    let isConnected = false;
    server.once('connect', () => {
      isConnected = true;
      client.pipe(server).pipe(client);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.open.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        this.open.delete(one);
        if (one === server && !isConnected && left > 1) this.connect(client, turn + 1, left - 1);
        // What it has said is passed on first.
        else other.destroySoon();
      });
    }
  }
}
