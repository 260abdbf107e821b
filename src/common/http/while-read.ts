import { Readable } from 'node:stream';
import { Logger } from '@nestjs/common';
import { ListQuery, type Page } from './list.js';

const logger = new Logger('SendWhileRead');

/**
 * A text that is sent while what it is made of is read: of the pages, the next one is asked for when the last one has
 * been sent, so that a slow reader holds no memory, connection or transaction, and one that has gone ends it. The first
 * is read before the answer begins; a later one that fails breaks the connection off, so that no half of an answer
 * looks like a whole one.
 */
export async function sendWhileRead<Row>(
  pages: Iterator<Row[]> | AsyncIterator<Row[]>,
  write: (rows: Row[]) => string,
  head = '',
  tail = '',
): Promise<Readable> {
  const first = await pages.next();
  const next = async () => {
    try {
      return await pages.next();
    } catch (error) {
      // No filter hears of it: the answer has begun.
      logger.error(error);
      throw error;
    }
  };
  async function* texts() {
    if (head) yield head;
    for (let page = first; !page.done; page = await next()) {
      const text = write(page.value);
      if (text) yield text;
    }
    if (tail) yield tail;
  }
  return Readable.from(texts(), { objectMode: false });
}

/** The largest page that is read at once. */
const AT_ONCE = 200;

/** All pages of a list, the largest there are, with `most` rows in all. */
export async function* allPages<Row>(
  read: (query: ListQuery) => Promise<Page<Row>>,
  most = Infinity,
): AsyncGenerator<Row[], void> {
  const query = new ListQuery();
  let left = most;
  do {
    query.limit = Math.min(AT_ONCE, left);
    const { items, next } = await read(query);
    yield items;
    left -= items.length;
    query.cursor = next ?? undefined;
  } while (query.cursor !== undefined && left > 0);
}
