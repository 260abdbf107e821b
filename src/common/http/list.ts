import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { IsQueryFlag } from './fields.js';
import { IsId } from './validation.js';

/** The query parameters that every list takes. */
export class ListQuery {
  /** Rows in one answer. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(200)
  limit: number = 50;

  /** Where the previous answer ended: taken from its `Link` header. */
  @IsOptional()
  @IsString()
  @MaxLength(1000)
  cursor?: string;

  /** `true` adds the header `X-Total-Count`, at the price of counting. */
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

/** Turns a Page into an array with `Link` (RFC 8288) and `X-Total-Count`. */
@Injectable()
export class PageInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      map((answer: unknown) => {
        if (!(answer instanceof Page)) return answer;
        const http = context.switchToHttp();
        const reply = http.getResponse<FastifyReply>();
        if (answer.total !== undefined) void reply.header('X-Total-Count', answer.total);
        if (answer.next !== null) {
          const { pathname, searchParams } = new URL(http.getRequest<FastifyRequest>().url, 'http://localhost');
          searchParams.set('cursor', answer.next);
          void reply.header('Link', `<${pathname}?${searchParams.toString()}>; rel="next"`);
        }
        return answer.items as unknown;
      }),
    );
  }
}
