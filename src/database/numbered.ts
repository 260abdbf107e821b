import { NumberedPage, type NumberedQuery, numbersOf } from '../common/http/numbered.js';
import { allPages } from '../common/http/while-read.js';
import type { Queryable } from './database.js';
import { countAll, listPage, type ListSource } from './keyset.js';

/**
 * A page of a list by its number. Its first part is found by counting from the beginning, the others by keyset behind
 * it: so a page of 10,000 rows costs no more memory than one of 200, and nothing is held between its parts.
 */
export async function numberedPage<Row extends object>(
  db: Queryable,
  query: NumberedQuery,
  source: ListSource<Row>,
): Promise<NumberedPage<Row>> {
  const { page, size, offset } = numbersOf(query);
  const parts = allPages((part) => listPage(db, part, source, part.cursor === undefined ? offset : 0), size);
  const [first, total] = await Promise.all([parts.next(), countAll(db, source.from)]);
  async function* all() {
    if (first.done) return;
    yield first.value;
    yield* parts;
  }
  return new NumberedPage(page, size, total, all());
}
