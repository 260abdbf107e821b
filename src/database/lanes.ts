import type pg from 'pg';
import { Unavailable } from '../common/errors/common.errors.js';
import { connecting, connection, hangUp, streamOf } from './connection.js';
import { Client } from './client.js';

/** So many queries of one turn of the event loop go out on one idle connection, and the next on another. */
const TOGETHER = 8;
/** Behind a query that takes longer than this no other is put. */
const SLOW_MS = 20;

/** A connection that several share. */
export interface Lane {
  readonly client: pg.Client;
  readonly connected: Promise<unknown>;
  /** `connected` need not be waited for. */
  isConnected: boolean;
  /** Since when each query waits that is not answered yet. They are answered in their order. */
  readonly sent: number[];
  /** Those of them that have not gone out yet. */
  readonly held: Set<unknown>;
  /** At the end of this turn of the event loop it is looked whether they can go. */
  isLookedAfter: boolean;
}

/** Nothing that went out is unanswered. */
const isIdle = ({ sent, held }: Lane): boolean => sent.length === held.size;

function lookAfter(lane: Lane): void {
  if (lane.isLookedAfter) return;
  lane.isLookedAfter = true;
  setImmediate(letGo, lane);
}

function letGo(lane: Lane): void {
  lane.isLookedAfter = false;
  if (!isIdle(lane)) return;
  lane.held.clear();
  const stream = streamOf(lane.client);
  if (stream.writableCorked > 0) stream.uncork();
}

/** The few connections that all share, so that no one waits for a connection of their own. */
export class Lanes {
  private readonly open: Lane[] = [];
  private isClosed = false;

  /** @param most how many there may be */
  constructor(
    private readonly url: string,
    private readonly most: number,
    private readonly work: 'read' | 'write',
  ) {}

  /** The one that answers soonest; undefined if all have something slow to do. @throws Unavailable after `close` */
  pick(): Lane | undefined {
    const late = performance.now() - SLOW_MS;
    let best: Lane | undefined;
    for (const lane of this.open) {
      if (isIdle(lane) && lane.held.size > 0 && lane.held.size < TOGETHER) return lane;
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
      if (!lane.isConnected) await connecting(lane.connected);
      const stream = streamOf(lane.client);
      if (stream.writableCorked === 0) {
        stream.cork();
        lookAfter(lane);
      }
      lane.held.add(work);
      return await work(lane.client);
    } finally {
      lane.sent.shift();
      lane.held.delete(work);
      // Not before others of this turn have joined those that are held.
      lookAfter(lane);
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
    this.isClosed = true;
    await Promise.all(this.open.splice(0).map(({ client }) => client.end()));
  }

  private add(): Lane {
    // What goes on in the background while the server stops: no one would end a connection that it opened.
    if (this.isClosed) throw Object.assign(new Unavailable(), { isReported: true });
    const client = new Client({ ...connection(this.url, 'spotter', this.work), pipeline: true });
    const lane: Lane = {
      client,
      connected: client.connect().then(() => (lane.isConnected = true)),
      ...{ isConnected: false, sent: [], held: new Set(), isLookedAfter: false },
    };
    client.on('error', () => this.drop(lane, true));
    client.on('end', () => this.drop(lane, true));
    this.open.push(lane);
    return lane;
  }
}
