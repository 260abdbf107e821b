import type pg from 'pg';
import { connection, hangUp, sendTogether } from './connection.js';
import { Client } from './client.js';

/** So many queries of one turn of the event loop go out on one connection, and the next on another. */
const TOGETHER = 8;
/** A query is sent while its connection still answers others; one that takes longer than this is waited for. */
const SLOW_MS = 20;

/** A connection that several share. */
export interface Lane {
  readonly client: pg.Client;
  readonly connected: Promise<unknown>;
  /** When each query was sent that is not answered yet. They are answered in their order. */
  readonly sent: number[];
  /** How many of them have not gone out yet. */
  together: number;
}

/** The few connections that all share: they send a query without waiting for the answers to those before it. */
export class Lanes {
  private readonly open: Lane[] = [];

  /** @param most how many there may be */
  constructor(
    private readonly url: string,
    private readonly most: number,
    private readonly work: 'read' | 'write',
  ) {}

  /** The one that answers soonest; undefined if all have something slow to do. */
  pick(): Lane | undefined {
    const late = performance.now() - SLOW_MS;
    let best: Lane | undefined;
    for (const lane of this.open) {
      const [oldest = Infinity] = lane.sent;
      if (oldest <= late) continue;
      // What is sent in one turn of the event loop goes out together: each writing costs as much as a query does.
      if (lane.together > 0 && lane.together < TOGETHER) return lane;
      if (!best || lane.sent.length < best.sent.length) best = lane;
    }
    return best?.sent.length === 0 || this.open.length >= this.most ? best : this.add();
  }

  /** Does `work`, which sends a query. */
  send<Answer>(lane: Lane, work: (client: pg.Client) => Promise<Answer>): Promise<Answer> {
    if (lane.together++ === 0) {
      setImmediate(() => (lane.together = 0));
      sendTogether(lane.client, 'turn');
    }
    return work(lane.client);
  }

  /** No one is given it any more. What it was asked is still answered, unless it is broken. */
  drop(lane: Lane, isBroken: boolean): void {
    const index = this.open.indexOf(lane);
    if (index < 0) return;
    this.open.splice(index, 1);
    if (isBroken) hangUp(lane.client);
    else lane.client.end().catch(() => undefined);
  }

  async close(): Promise<void> {
    await Promise.all(this.open.splice(0).map(({ client }) => client.end()));
  }

  private add(): Lane {
    const client = new Client({ ...connection(this.url, 'spotter', this.work), pipeline: true });
    const lane: Lane = { client, connected: client.connect(), sent: [], together: 0 };
    client.on('error', () => this.drop(lane, true));
    client.on('end', () => this.drop(lane, true));
    this.open.push(lane);
    return lane;
  }
}
