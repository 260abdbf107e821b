import { randomUUID } from 'node:crypto';
import { StreamableFile } from '@nestjs/common';
import type { ListQuery } from './list.js';
import { sendWhileRead } from './while-read.js';

/** As many items as there are on the largest page: a client that names no size gets all. */
export const LARGEST_PAGE = 10_000;
/** What a page far behind every end has for a number. */
const LAST_PAGE = 1_000_000;

/** Which page of a list by its number is asked for. What is no number, or out of range, is the default or the limit. */
export interface NumberedQuery {
  /** From 1, the default. */
  page?: number;
  /** Items on a page: 1 to 10,000, the default. */
  size?: number;
}

/** The filters of a list that is otherwise read by cursor. */
export type Numbered<Query extends ListQuery> = NumberedQuery & Omit<Query, keyof ListQuery>;

/** The query with its defaults, and the items before its page. */
export function numbersOf(query: NumberedQuery): { page: number; size: number; offset: number } {
  const page = within(query.page ?? 1, 1, LAST_PAGE);
  const size = within(query.size ?? LARGEST_PAGE, LARGEST_PAGE, LARGEST_PAGE);
  return { page, size, offset: (page - 1) * size };
}

const within = (number: number, byDefault: number, most: number): number =>
  Number.isFinite(number) && number >= 1 ? Math.min(Math.trunc(number), most) : byDefault;

/**
 * A page of a list by its number, for clients that do not go on from the page before, and want to know how many there
 * are in all. It is read bit by bit, and once: as `items`, or by `streamJson`.
 */
export class NumberedPage<Item> {
  constructor(
    /** From 1. */
    readonly page: number,
    /** Items on a full page. */
    readonly size: number,
    /** Items on all pages. */
    readonly total: number,
    private readonly parts: AsyncIterator<Item[]>,
  ) {}

  /** How many pages there are; at least one, which may be empty. */
  get pages(): number {
    return Math.max(1, Math.ceil(this.total / this.size));
  }

  /** The page in parts, as they are read: each one when it is asked for. */
  [Symbol.asyncIterator](): AsyncIterator<Item[]> {
    return this.parts;
  }

  /** All of it at once. */
  async items(): Promise<Item[]> {
    const items: Item[] = [];
    for await (const part of this) items.push(...part);
    return items;
  }

  /** The same page of what is made of its items. */
  map<Made>(make: (item: Item) => Made): NumberedPage<Made> {
    const { parts } = this;
    const made = async function* () {
      for (let part = await parts.next(); !part.done; part = await parts.next()) yield part.value.map(make);
    };
    return new NumberedPage(this.page, this.size, this.total, made());
  }

  /** A page without anything. */
  static empty<Item>(query: NumberedQuery): NumberedPage<Item> {
    const { page, size } = numbersOf(query);
    return new NumberedPage<Item>(page, size, 0, one([]));
  }

  /** A page that has been read. */
  static of<Item>({ page, size, total }: Omit<NumberedPage<unknown>, 'pages'>, items: Item[]): NumberedPage<Item> {
    return new NumberedPage(page, size, total, one(items));
  }
}

async function* one<Item>(items: Item[]): AsyncGenerator<Item[], void> {
  yield items;
}

/**
 * An answer with all items of a page, sent while it is read: see `sendWhileRead`.
 * @param map makes what is sent of an item
 * @param around makes the answer of the list, which stands in its place; by default it is the list alone
 */
export async function streamJson<Item>(
  page: NumberedPage<Item>,
  map: (item: Item) => unknown,
  around: (list: unknown) => unknown = (list) => list,
): Promise<StreamableFile> {
  // It stands for the list, and nothing else in the answer can be the same.
  const place = randomUUID();
  const [head, tail] = JSON.stringify(around(place)).split(`"${place}"`);
  let isBegun = false;
  const write = (items: Item[]) => {
    const text = items.map((item) => JSON.stringify(map(item))).join(',');
    const comma = isBegun && text ? ',' : '';
    isBegun ||= text !== '';
    return comma + text;
  };
  const parts = page[Symbol.asyncIterator]();
  return new StreamableFile(await sendWhileRead(parts, write, `${head}[`, `]${tail}`), { type: JSON_TYPE });
}

const JSON_TYPE = 'application/json; charset=utf-8';
