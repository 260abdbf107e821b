import type { Socket } from 'node:net';
import pg from 'pg';
import { RowParser } from './data-rows.js';

/** How often it is looked whether an answer is late. */
const LOOK_MS = 1_000;

type Wire = pg.Connection & { query(text: string): void };

/**
 * A client of PostgreSQL that reads rows as RowParser does, and waits for all its answers with one timer. pg has one
 * for each query, by which all that comes meanwhile grows old before it is collected (decision 43).
 */
export class Client extends pg.Client {
  constructor({ query_timeout: patience, ...config }: pg.ClientConfig) {
    super(config);
    const { connection } = this as unknown as { connection: Wire };
    const [sync, query] = [connection.sync.bind(connection), connection.query.bind(connection)];
    // When each query was sent that is not answered yet. They are answered in their order.
    const sent: number[] = [];
    Object.assign(connection, {
      sync() {
        sent.push(performance.now());
        sync();
      },
      query(text: string) {
        sent.push(performance.now());
        query(text);
      },
      attachListeners(stream: Socket) {
        const parser = new RowParser();
        stream.on('data', (bytes: Buffer) => {
          parser.parse(bytes, (message) => {
            connection.emit(message.name === 'error' ? 'errorMessage' : message.name, message);
          });
        });
      },
    });
    connection.on('readyForQuery', () => sent.shift());
    if (!patience) return;
    const watch = setInterval(() => {
      const [oldest = Infinity] = sent;
      if (oldest < performance.now() - patience) connection.stream.destroy(new Error('Query read timeout'));
    }, LOOK_MS);
    watch.unref();
    connection.once('end', () => clearInterval(watch));
  }
}
