import { createHash } from 'node:crypto';
import { type ListQuery, Page } from '../common/http/list.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import type { Queryable } from './database.js';
import { type Columns, empty, join, raw, type ScopedSql, type Sql, sql } from './sql.js';

interface ListSource<Row> {
  columns: Columns<Row>;
  /** FROM and WHERE. */
  from: ScopedSql;
  /** The order, as row field -> SQL; the last one unique, and an index over all of them. */
  keys: Partial<Record<keyof NoInfer<Row> & string, string>>;
  direction?: 'ASC' | 'DESC';
}

/** One page of a list by keyset: it starts behind the last row of the page before, so every page costs the same. */
export async function listPage<Row extends object>(
  db: Queryable,
  query: ListQuery,
  { columns, from, keys, direction = 'ASC' }: ListSource<Row>,
): Promise<Page<Row>> {
  const fields = Object.keys(keys) as (keyof Row & string)[];
  const order = fields.map((field) => raw(keys[field]!));
  const list = idOf(from, [direction, ...fields]);
  const last = query.cursor === undefined ? null : decode(query.cursor, list, fields.length);
  const behind = last ? sql`AND (${join(order)}) ${raw(direction === 'ASC' ? '>' : '<')} (${join(last)})` : empty;
  const sorted = join(order.map((key) => sql`${key} ${raw(direction)}`));
  // One row more than asked for tells whether there is a next page.
  const rows = await db
    .query<Row>(sql`SELECT ${columns} ${from} ${behind} ORDER BY ${sorted} LIMIT ${query.limit + 1}`)
    .catch((error: unknown) => {
      // Its values are not of the types that the order has: it is not one that we gave.
      throw last && error instanceof FieldsInvalid ? wrongCursor() : error;
    });
  const items = rows.slice(0, query.limit);
  const end = items.at(-1);
  const next =
    rows.length > query.limit && end
      ? encode(
          list,
          fields.map((field) => end[field]),
        )
      : null;
  const total = query.count
    ? (await db.query<{ total: number }>(sql`SELECT count(*) AS total ${from}`))[0]!.total
    : undefined;
  return new Page(items, next, total);
}

const isWhole = (value: unknown) => typeof value === 'string' || Number.isSafeInteger(value);

/** A cursor is good for the list it was given for: the same rows (whose, and with which filters) in the same order. */
const idOf = (from: Sql, order: string[]): string =>
  createHash('sha256')
    .update(JSON.stringify([from.sql, from.values, order]))
    .digest('base64url')
    .slice(0, 8);

const encode = (list: string, values: unknown[]): string =>
  Buffer.from(JSON.stringify([list, ...values])).toString('base64url');

function decode(cursor: string, list: string, length: number): (string | number)[] {
  try {
    const [id, ...values] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    if (id === list && values.length === length && values.every(isWhole)) return values as (string | number)[];
  } catch {
    // Not one of ours: see below.
  }
  throw wrongCursor();
}

const wrongCursor = () =>
  FieldsInvalid.of('cursor', 'must be taken from the Link header of the previous page of the same list');
