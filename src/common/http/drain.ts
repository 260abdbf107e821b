import type http from 'node:http';
import net from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';

/** A turn of the event loop that did nothing is shorter. */
const IDLE_TURN_MS = 0.3;
const LONGEST_ACCEPT_MS = 2_000;
/** For the next request on a connection that is kept alive. */
const IDLE_MS = 1_000;
/** For the first request on a new connection. */
const SILENT_MS = 2_000;

/**
 * How the server stops without losing a request: what has been asked is answered, and says that nothing more may be
 * asked.
 */
@Injectable()
export class Drain {
  /** Answers say `Connection: close` from now on. */
  isOn = false;
  private underWay = 0;
  /** Open connections, since when. */
  private readonly connections = new Map<net.Socket, number>();

  opened(connection: net.Socket): void {
    this.connections.set(connection, Date.now());
    connection.once('close', () => this.connections.delete(connection));
  }

  begin(answer: http.ServerResponse): void {
    this.underWay++;
    // Not by once(): what it makes for each request grows old before it is collected (decision 43).
    answer.on('close', this.end);
  }

  private readonly end = () => void this.underWay--;

  /** Returns when nothing is under way any more. */
  async finish(server: http.Server): Promise<void> {
    await this.stopListening(server);
    // Not before: who is sent away connects again at once.
    this.isOn = true;
    const patience = Date.now() + IDLE_MS;
    while (this.underWay > 0 || this.awaitsFirst() || (this.connections.size > 0 && Date.now() < patience)) {
      await sleep(20);
    }
    server.closeIdleConnections();
  }

  /**
   * A connection that the system has accepted for us and we have not would be reset: one that comes after the look for
   * new ones, which is once in a turn of the event loop. So this waits for a turn that did nothing.
   */
  private async stopListening(server: http.Server): Promise<void> {
    const deadline = performance.now() + LONGEST_ACCEPT_MS;
    let isQuiet = true;
    server.on('connection', () => (isQuiet = false));
    await nextTurn();
    let began: number;
    do {
      isQuiet = true;
      began = performance.now();
      await nextTurn();
    } while ((!isQuiet || performance.now() - began > IDLE_TURN_MS) && began < deadline);
    // HTTP's own close() would also close what looks idle.
    net.Server.prototype.close.call(server);
  }

  private awaitsFirst(): boolean {
    const recently = Date.now() - SILENT_MS;
    return [...this.connections].some(([{ bytesRead }, since]) => bytesRead === 0 && since > recently);
  }
}
