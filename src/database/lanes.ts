import type pg from 'pg';
import { connecting, connection, hangUp, streamOf } from './connection.js';
import { Client } from './client.js';

/** So many queries of one turn of the event loop go out on one idle connection, and the next on another. */
const TOGETHER = 8;
/** A query is sent while its connection still answers others; one that takes longer than this is waited for. */
const SLOW_MS = 20;

/** A connection that several share. */
export interface Lane {
  readonly client: pg.Client;
  readonly connected: Promise<unknown>;
  /** When each query was sent that is not answered yet. They are answered in their order. */
  readonly sent: number[];
  /** How many of them have not gone out yet: the last ones. */
  held: number;
}

/** Nothing that went out is unanswered. */
const isIdle = ({ sent, held }: Lane): boolean => sent.length === held;

function letGo(lane: Lane): void {
  if (lane.held === 0 || !isIdle(lane)) return;
  lane.held = 0;
  streamOf(lane.client).uncork();
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
      if (isIdle(lane) && lane.held > 0 && lane.held < TOGETHER) return lane;
      if ((lane.sent[0] ?? Infinity) > late && (!best || lane.sent.length < best.sent.length)) best = lane;
    }
    return best?.sent.length === 0 || this.open.length >= this.most ? best : this.add();
  }

  /**
   * Does `work`, which sends a query. It goes out at the end of this turn of the event loop, or when what went out
   * before it is answered: PostgreSQL would not begin it sooner, and each writing costs as much as a query does.
   * @throws Unavailable
   */
  async send<Answer>(lane: Lane, work: (client: pg.Client) => Promise<Answer>): Promise<Answer> {
    lane.sent.push(performance.now());
    try {
      await connecting(lane.connected);
      if (lane.held++ === 0) {
        streamOf(lane.client).cork();
        setImmediate(letGo, lane);
      }
      return await work(lane.client);
    } finally {
      lane.sent.shift();
      // Not before others of this turn have joined those that are held.
      if (lane.held > 0) setImmediate(letGo, lane);
    }
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
    const lane: Lane = { client, connected: client.connect(), sent: [], held: 0 };
    client.on('error', () => this.drop(lane, true));
    client.on('end', () => this.drop(lane, true));
    this.open.push(lane);
    return lane;
  }
}
