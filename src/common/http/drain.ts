import type http from 'node:http';
import net from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';

/** Turns of the event loop without a new connection after which none waits to be accepted. */
const QUIET_TURNS = 5;
const LONGEST_ACCEPT_MS = 500;
/** For the request that was on its way on a connection that looked idle. */
const IDLE_MS = 700;

/** How the server stops without losing a request: what has been asked is answered, and says that nothing more may be asked. */
@Injectable()
export class Drain {
  /** Answers say `Connection: close` from now on. */
  isOn = false;
  private underWay = 0;

  begin(answer: http.ServerResponse): void {
    this.underWay++;
    answer.once('close', () => this.underWay--);
  }

  /** Returns when nothing is under way any more. */
  async finish(server: http.Server): Promise<void> {
    this.isOn = true;
    await stopListening(server);
    const patience = Date.now() + IDLE_MS;
    while (this.underWay > 0 || (Date.now() < patience && (await hasConnections(server)))) await sleep(20);
    server.closeIdleConnections();
  }
}

/** A connection that the system has accepted for us and we have not would be reset. */
async function stopListening(server: http.Server): Promise<void> {
  const deadline = Date.now() + LONGEST_ACCEPT_MS;
  let quiet = 0;
  server.on('connection', () => (quiet = 0));
  for (; quiet < QUIET_TURNS && Date.now() < deadline; quiet++) await nextTurn();
  // HTTP's own close() would also close what looks idle.
  net.Server.prototype.close.call(server);
}

const hasConnections = (server: http.Server): Promise<boolean> =>
  new Promise((resolve) => server.getConnections((_error, count) => resolve(count > 0)));
