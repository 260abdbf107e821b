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

/** One answer of a list. The client gets the items as an array and the rest as headers. */
export class Page<Item> {
  constructor(
    readonly items: Item[],
    /** Cursor of the next page; null at the end. */
    readonly next: string | null,
    /** How many there are in all, if it was asked for. */
    readonly total?: number,
  ) {}
}

/** Sends a Page as an array with `Link` (RFC 8288) and `X-Total-Count`. */
export function sendPages(fastify: FastifyInstance): void {
  fastify.addHook('preSerialization', (request, reply, answer, done) => {
    if (!(answer instanceof Page)) return done(null, answer);
    if (answer.total !== undefined) void reply.header('X-Total-Count', answer.total);
    if (answer.next !== null) {
      const { pathname, searchParams } = new URL(request.url, 'http://localhost');
      searchParams.set('cursor', answer.next);
      void reply.header('Link', `<${pathname}?${searchParams.toString()}>; rel="next"`);
    }
    return done(null, answer.items);
  });
}
