import pg from 'pg';
import { connection, hangUp, sendTogether } from './connection.js';

/** So many queries of one turn of the event loop go out on one connection, and the next on another. */
const TOGETHER = 8;
/** A query is sent while its connection still answers others; one that takes longer than this is waited for. */
const SLOW_MS = 20;

/** A connection that several share. */
export interface Reader {
  readonly client: pg.Client;
  readonly connected: Promise<unknown>;
  /** When each query was sent that is not answered yet. They are answered in their order. */
  readonly sent: number[];
  /** How many of them have not gone out yet. */
  together: number;
}

/**
 * The few connections of all who only read: they send without waiting for those before them. A write could wait there
 * for a lock, and everyone behind it, so PostgreSQL refuses it.
 */
export class Readers {
  private readonly open: Reader[] = [];

  /** @param most how many there may be */
  constructor(
    private readonly url: string,
    private readonly most: number,
  ) {}

  /** The one that answers soonest; undefined if all have something slow to do. */
  pick(): Reader | undefined {
    const late = performance.now() - SLOW_MS;
    let best: Reader | undefined;
    for (const reader of this.open) {
      const [oldest = Infinity] = reader.sent;
      if (oldest <= late) continue;
      // What is sent in one turn of the event loop goes out together: each writing costs as much as a query does.
      if (reader.together > 0 && reader.together < TOGETHER) return reader;
      if (!best || reader.sent.length < best.sent.length) best = reader;
    }
    return best?.sent.length === 0 || this.open.length >= this.most ? best : this.add();
  }

  /** Does `work`, which sends a query. */
  send<Answer>(reader: Reader, work: (client: pg.Client) => Promise<Answer>): Promise<Answer> {
    if (reader.together++ === 0) {
      setImmediate(() => (reader.together = 0));
      sendTogether(reader.client, 'turn');
    }
    return work(reader.client);
  }

  /** No one is given it any more. What it was asked is still answered, unless it is broken. */
  drop(reader: Reader, isBroken: boolean): void {
    const index = this.open.indexOf(reader);
    if (index < 0) return;
    this.open.splice(index, 1);
    if (isBroken) hangUp(reader.client);
    else reader.client.end().catch(() => undefined);
  }

  async close(): Promise<void> {
    await Promise.all(this.open.splice(0).map(({ client }) => client.end()));
  }

  private add(): Reader {
    const client = new pg.Client({ ...connection(this.url, 'spotter', 'read'), pipeline: true });
    const reader: Reader = { client, connected: client.connect(), sent: [], together: 0 };
    client.on('error', () => this.drop(reader, true));
    client.on('end', () => this.drop(reader, true));
    this.open.push(reader);
    return reader;
  }
}
