import { hash } from 'node:crypto';
import { type ListQuery, Page } from '../common/http/list.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import type { Queryable } from './database.js';
import { type Columns, empty, join, raw, type ScopedSql, type Sql, sql } from './sql.js';

export interface ListSource<Row> {
  columns: Columns<Row>;
  /** FROM and WHERE: all that is needed to find the rows. */
  from: ScopedSql;
  /** What is joined to a row only to show it, and the row's alias: that is done for a page, when it is found. */
  shown?: { alias: string; joins: Sql };
  /** The order, as row field -> SQL; the last one unique, and an index over all of them. */
  keys: Partial<Record<keyof NoInfer<Row> & string, string>>;
  direction?: 'ASC' | 'DESC';
}

/** So many rows are read for a page: of few texts each is planned once, and all are kept. */
const READ = [10, 25, 50, 100, 200];

/**
 * One page of a list by keyset: it starts behind the last row of the page before, so every page costs the same.
 * @param offset rows that are left out before it: for lists by page number alone, because they are read
 */
export async function listPage<Row extends object>(
  db: Queryable,
  query: ListQuery,
  { columns, from, shown, keys, direction = 'ASC' }: ListSource<Row>,
  offset = 0,
): Promise<Page<Row>> {
  const fields = Object.keys(keys) as (keyof Row & string)[];
  const order = fields.map((field) => raw(keys[field]!));
  const list = idOf(from, [direction, ...fields]);
  const last = query.cursor === undefined ? null : decode(query.cursor, list, fields.length);
  const behind = last ? sql`AND (${join(order)}) ${raw(direction === 'ASC' ? '>' : '<')} (${join(last)})` : empty;
  const sorted = join(order.map((key) => sql`${key} ${raw(direction)}`));
  // The limit stands in the text, so that PostgreSQL plans for it. One row more tells whether there is a next page.
  const limit = READ.find((rows) => rows >= query.limit)! + 1;
  const skipped = offset > 0 ? sql` OFFSET ${offset}` : empty;
  const page = sql`${from} ${behind} ORDER BY ${sorted} LIMIT ${raw(String(limit))}${skipped}`;
  const alias = raw(shown?.alias ?? '');
  const found = shown
    ? sql`SELECT ${columns} FROM (SELECT ${alias}.* ${page}) ${alias} ${shown.joins} ORDER BY ${sorted}`
    : sql`SELECT ${columns} ${page}`;
  const rows = await db.rows<Row>(found as ScopedSql).catch((error: unknown) => {
    // Its values are not of the types that the order has: it is not one that we gave.
    throw last && error instanceof FieldsInvalid ? wrongCursor() : error;
  });
  const hasMore = rows.length > query.limit;
  const end = hasMore && rows.at(query.limit - 1);
  const next = end
    ? encode(
        list,
        fields.map((field) => end[field]),
      )
    : null;
  const total = query.count ? await countAll(db, from) : undefined;
  return new Page(hasMore ? rows.first(query.limit) : rows, next, total);
}

/** How many rows a list has in all. @param from FROM and WHERE */
export async function countAll(db: Queryable, from: ScopedSql): Promise<number> {
  const [counted] = await db.query<{ total: number }>(sql`SELECT count(*) AS total ${from}`);
  return counted!.total;
}

const isWhole = (value: unknown) => typeof value === 'string' || Number.isSafeInteger(value);

/** A cursor is good for the list it was given for: the same rows (whose, and with which filters) in the same order. */
const idOf = (from: Sql, order: string[]): string =>
  hash('sha256', JSON.stringify([from.text, from.values, order]), 'base64url').slice(0, 8);

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
