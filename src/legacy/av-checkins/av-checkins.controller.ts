import { Get, Post, type StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  AlreadyCheckedIn,
  AlreadyCheckedOut,
  MemberInactive,
  VisitNotFound,
} from '../../attendance/attendance.errors.js';
import { AttendanceService, type VisitsQuery } from '../../attendance/attendance.service.js';
import { CurrentActor } from '../../common/actor/access.js';
import type { Actor } from '../../common/actor/actor.js';
import { DESK } from '../../common/actor/roles.js';
import { GymTime } from '../../common/http/gym-time.js';
import { Idempotency, type IdempotencyKey } from '../../common/http/idempotency.js';
import { CheckOutDto } from '../../attendance/dto/visit.dto.js';
import { streamJson } from '../../common/http/numbered.js';
import { Body, Query } from '../../common/http/validation.js';
import { GymInactive } from '../../gyms/gyms.errors.js';
import { UserNotFound } from '../../people/people.errors.js';
import { LegacyController, LegacyId, Wire } from '../wire/route.js';
import { Refusal } from '../wire/refusal.js';
import {
  AvCheckInDto,
  AvCheckInsQuery,
  AvHistoryDto,
  AvHistoryQuery,
  AvNewCheckInDto,
  AvStatsDto,
} from './av-checkins.dto.js';
import { readId, readMembershipNumber, toCheckIn, toHistory, toStats } from './av-checkins.wire.js';
import { AvDesk } from './av-desk.js';

const NO_VISIT = 'Check-in not found';
const MOST_LISTED = 1_000;
const RECENT = { count: 20, ms: 86_400_000 };
const PAGE = { byDefault: 10, most: 100 };

const STATUS = {
  all: undefined,
  checked_in: 'checked_in',
  in: 'checked_in',
  checked_out: 'checked_out',
  out: 'checked_out',
} as const;
/** Local days, as days before today. */
const RANGE = {
  all: undefined,
  today: { first: 0, last: 0 },
  yesterday: { first: 1, last: 1 },
  week: { first: 6, last: 0 },
  month: { first: 29, last: 0 },
} as const;

@ApiTags('check-ins')
@LegacyController('av-checkins', 'api/checkins')
export class AvCheckInsController {
  constructor(
    private readonly desk: AvDesk,
    private readonly attendance: AttendanceService,
  ) {}

  @Get()
  @Wire({ summary: 'Check-ins, the newest first; at most 1,000', roles: DESK, answer: [AvCheckInDto] })
  async list(
    @CurrentActor() actor: Actor,
    @Query() { member, date }: AvCheckInsQuery,
  ): Promise<StreamableFile | AvCheckInDto[]> {
    const userId = member === undefined ? undefined : (readId(member) ?? readMembershipNumber(member));
    if (userId === null) return [];
    const day = date === undefined ? {} : { start_date: new GymTime(date), end_date: new GymTime(date) };
    return this.stream(actor, { user_id: userId, size: MOST_LISTED, ...day });
  }

  @Get('recent')
  @Wire({ summary: 'The 20 newest of the last 24 hours', roles: DESK, answer: [AvCheckInDto] })
  listRecent(@CurrentActor() actor: Actor): Promise<StreamableFile> {
    const begin = new GymTime(new Date(Date.now() - RECENT.ms).toISOString());
    return this.stream(actor, { size: RECENT.count, start_date: begin });
  }

  @Get('history')
  @Wire({ summary: 'Check-ins by pages, the newest first', roles: DESK, answer: AvHistoryDto })
  async history(@CurrentActor() actor: Actor, @Query() query: AvHistoryQuery): Promise<AvHistoryDto> {
    const { q, status = 'all', dateRange = 'all', page: asked = 0, perPage = PAGE.byDefault } = query;
    const number = q === undefined ? null : readMembershipNumber(q);
    const size = perPage >= 1 ? Math.min(perPage, PAGE.most) : PAGE.byDefault;
    const page = await this.attendance.listNumbered(actor, {
      gym_id: await this.desk.gymOf(actor),
      ...(number === null ? { search: q } : { user_id: number }),
      ...{ status: STATUS[status], days_ago: RANGE[dateRange] },
      ...{ page: Math.max(0, asked) + 1, size },
    });
    return toHistory(await page.items(), page.total, page.page - 1, size);
  }

  @Get('stats')
  @Wire({ summary: 'The gym in numbers, now', roles: DESK, answer: AvStatsDto })
  async stats(@CurrentActor() actor: Actor): Promise<AvStatsDto> {
    return toStats(await this.desk.stats(await this.desk.gymOf(actor)));
  }

  @Post()
  @Wire({
    summary: 'Check a member in',
    roles: DESK,
    status: 201,
    answer: AvCheckInDto,
    texts: [
      [UserNotFound, 404, 'Member not found'],
      [MemberInactive, 400],
      [GymInactive, 400],
    ],
  })
  async checkIn(
    @CurrentActor() actor: Actor,
    @Body() { member: card, location, notes }: AvNewCheckInDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<AvCheckInDto> {
    const { id, full_name } = await this.desk.memberOfCard(actor, card);
    try {
      return toCheckIn(await this.attendance.checkIn(actor, { user_id: id, location, notes }, key));
    } catch (error) {
      throw error instanceof AlreadyCheckedIn ? new Refusal(400, `${full_name} is already checked in`) : error;
    }
  }

  @Post(':id/checkout')
  @Wire({
    summary: 'Check a member out',
    roles: DESK,
    answer: AvCheckInDto,
    texts: [
      [VisitNotFound, 404, NO_VISIT],
      [AlreadyCheckedOut, 400, 'Already checked out'],
    ],
  })
  async checkOut(
    @CurrentActor() actor: Actor,
    @LegacyId('id', NO_VISIT) id: number,
    @Body() body: CheckOutDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<AvCheckInDto> {
    await this.desk.visit(actor, id);
    return toCheckIn(await this.attendance.checkOut(actor, id, body, key));
  }

  private async stream(actor: Actor, query: VisitsQuery): Promise<StreamableFile> {
    const gymId = await this.desk.gymOf(actor);
    return streamJson(await this.attendance.listNumbered(actor, { ...query, gym_id: gymId }), toCheckIn);
  }
}
