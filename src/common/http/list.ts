import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, MaxLength } from 'class-validator';
import type { FastifyInstance } from 'fastify';
import { IsQueryFlag } from './fields.js';
import { GymTime, IsGymTime } from './gym-time.js';
import { IsId, IsWhole } from './whole.js';

/** The query parameters that every list takes. */
export class ListQuery {
  /** Rows in one answer. */
  @IsOptional()
  @IsWhole(1, 200)
  limit: number = 50;

  /** Where the previous answer ended: taken from its `Link` header. */
  @IsOptional()
  @IsString()
  @MaxLength(1000)
  cursor?: string;

  /** `true` adds the header `X-Total-Count`, at the price of counting. */
  @ApiPropertyOptional()
  @IsOptional()
  @IsQueryFlag()
  count: boolean = false;
}

/** The query parameters of lists of what belongs to a gym. */
export class GymListQuery extends ListQuery {
  /** Only of this gym. Default: one's own; for an admin all. */
  @IsOptional()
  @IsId()
  gym_id?: number;
}

/** The query parameters of lists that may be limited to a time. */
export class PeriodListQuery extends GymListQuery {
  /** From this local day (or time) on. @example "2026-01-01" */
  @IsOptional()
  @IsGymTime()
  start_date?: GymTime;

  /** Until the end of this local day (or until this time). @example "2026-12-31" */
  @IsOptional()
  @IsGymTime()
  end_date?: GymTime;
}

/** Items that are made into objects, or into JSON, when that is asked for. */
export interface Items<Item> {
  readonly length: number;
  toArray(): Item[];
  toJson(): string;
}

/** One answer of a list. The client gets the items as an array and the rest as headers. */
export class Page<Item> {
  static readonly EMPTY = new Page<never>({ length: 0, toArray: () => [], toJson: () => '[]' });

  constructor(
    private readonly rows: Items<Item>,
    /** Cursor of the next page; null at the end. */
    readonly next: string | null = null,
    /** How many there are in all, if it was asked for. */
    readonly total?: number,
    /** The query parameter that takes it. */
    readonly nextIn = 'cursor',
  ) {}

  /** A page of objects. */
  static of<Item>(items: Item[], next: string | null, nextIn?: string, total?: number): Page<Item> {
    const rows = { length: items.length, toArray: () => items, toJson: () => JSON.stringify(items) };
    return new Page(rows, next, total, nextIn);
  }

  /** The same page of what is made of its items. */
  map<Made>(make: (item: Item) => Made): Page<Made> {
    return Page.of(this.items.map(make), this.next, this.nextIn, this.total);
  }

  get isEmpty(): boolean {
    return this.rows.length === 0;
  }

  get items(): Item[] {
    return this.rows.toArray();
  }

  toJson(): string {
    return this.rows.toJson();
  }
}

const TO_JSON = Symbol('how its JSON is made');

/**
 * Says how the JSON of an object is made without looking at all of it. It must not change afterwards; a copy of it does
 * not know. (A WeakMap would keep all of them from being collected while they are young.)
 */
export const knowJson = (answer: object, make: () => string): void =>
  void Object.defineProperty(answer, TO_JSON, { value: make });

/** The JSON of an object that says how it is made. */
export function knownJson(value: unknown): string | undefined {
  const { [TO_JSON]: make } = (value ?? {}) as { [TO_JSON]?: () => string };
  return make?.();
}

const jsonOf = (answer: unknown): string =>
  answer instanceof Page ? answer.toJson() : (knownJson(answer) ?? JSON.stringify(answer));

/** Sends a Page as an array with `Link` (RFC 8288) and `X-Total-Count`. */
export function sendPages(fastify: FastifyInstance): void {
  fastify.addHook('preSerialization', (request, reply, answer, done) => {
    if (answer instanceof Page) {
      if (answer.total !== undefined) void reply.header('X-Total-Count', answer.total);
      if (answer.next !== null) {
        const { pathname, searchParams } = new URL(request.url, 'http://localhost');
        searchParams.set(answer.nextIn, answer.next);
        void reply.header('Link', `<${pathname}?${searchParams.toString()}>; rel="next"`);
      }
    }
    done(null, answer);
  });
  fastify.setReplySerializer(jsonOf);
}
