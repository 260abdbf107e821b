import { Controller, Delete, Get, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentActor } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { DESK, DESK_AND_MEMBERS } from '../common/actor/roles.js';
import { ChangedSinceRead } from '../common/errors/common.errors.js';
import { Idempotency, type IdempotencyKey } from '../common/http/idempotency.js';
import { GymListQuery, type Page } from '../common/http/list.js';
import { DateInPath, IdInPath } from '../common/http/path.js';
import { GetAllOfMember } from '../people/of-member.js';
import { Operation } from '../common/http/operation.js';
import { Body, Query } from '../common/http/validation.js';
import { GymInactive } from '../gyms/gyms.errors.js';
import { MemberLeft, UserNotFound } from '../people/people.errors.js';
import {
  AlreadyCheckedIn,
  CHECK_IN_ERRORS,
  CHECK_OUT_ERRORS,
  MemberInactive,
  VisitNotFound,
  VisitTimesWrong,
} from './attendance.errors.js';
import { AttendanceService } from './attendance.service.js';
import { VisitNumbers } from './visit-numbers.js';
import { CheckInDto, CheckOutDto, UpdateVisitDto, VisitDto, VisitListQuery, VisitSummaryDto } from './dto/visit.dto.js';

@ApiTags('attendance')
@Controller('attendance')
export class AttendanceController {
  constructor(
    private readonly attendance: AttendanceService,
    private readonly numbers: VisitNumbers,
  ) {}

  @Get()
  @Operation({
    summary: 'Visits, the newest first; a member sees their own',
    roles: DESK_AND_MEMBERS,
    answer: [VisitDto],
    list: true,
  })
  list(@CurrentActor() actor: Actor, @Query() query: VisitListQuery): Promise<Page<VisitDto>> {
    return this.attendance.list(actor, query);
  }

  @Post()
  @Operation({
    summary: 'Check a member in',
    description:
      'By `user_id` or by the `qr_code` of the pass. The answer shows the membership, so that the desk sees who must renew. ' +
      'Visit and deduction are one transaction. A trainer, who sees no codes, is refused for some seconds after ten ' +
      'unknown ones in a minute.',
    roles: DESK,
    status: 201,
    answer: VisitDto,
    errors: CHECK_IN_ERRORS,
    idempotent: true,
    needsBody: true,
  })
  checkIn(
    @CurrentActor() actor: Actor,
    @Body() body: CheckInDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<VisitDto> {
    return this.attendance.checkIn(actor, body, key);
  }

  @Get('current')
  @Operation({ summary: 'Who is inside, the last to come first', roles: DESK, answer: [VisitDto], list: true })
  listCurrent(@CurrentActor() actor: Actor, @Query() query: GymListQuery): Promise<Page<VisitDto>> {
    return this.attendance.listCurrent(actor, query);
  }

  @Get('daily/:date')
  @Operation({
    summary: 'The visits that began on a local day, the newest first',
    roles: DESK,
    answer: [VisitDto],
    list: true,
  })
  listDaily(
    @CurrentActor() actor: Actor,
    @DateInPath('date', '2026-01-31') date: string,
    @Query() query: GymListQuery,
  ): Promise<Page<VisitDto>> {
    return this.attendance.listDaily(actor, date, query);
  }

  @GetAllOfMember('The visits of a member, the newest first', DESK_AND_MEMBERS, VisitDto)
  listOf(
    @CurrentActor() actor: Actor,
    @IdInPath('user_id', 8) userId: number,
    @Query() query: GymListQuery,
  ): Promise<Page<VisitDto>> {
    return this.attendance.listOf(actor, userId, query);
  }

  @Get('user/:user_id/summary')
  @Operation({
    summary: "A member's visits in numbers",
    roles: DESK_AND_MEMBERS,
    answer: VisitSummaryDto,
    errors: [UserNotFound],
  })
  summarize(@CurrentActor() actor: Actor, @IdInPath('user_id', 8) userId: number): Promise<VisitSummaryDto> {
    return this.numbers.summarize(actor, userId);
  }

  @Post(':attendance_id/check-out')
  @Operation({
    summary: 'Check a member out',
    roles: DESK,
    answer: VisitDto,
    errors: CHECK_OUT_ERRORS,
    idempotent: true,
  })
  checkOut(
    @CurrentActor() actor: Actor,
    @IdInPath('attendance_id') visitId: number,
    @Body() body: CheckOutDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<VisitDto> {
    return this.attendance.checkOut(actor, visitId, body, key);
  }

  @Put(':attendance_id')
  @Operation({
    summary: 'Correct a visit',
    description: 'Its times, place and notes; `check_out_time: null` opens it again.',
    roles: DESK,
    answer: VisitDto,
    errors: [
      ...[VisitNotFound, VisitTimesWrong, AlreadyCheckedIn, MemberLeft, MemberInactive, GymInactive],
      ChangedSinceRead,
    ],
  })
  update(
    @CurrentActor() actor: Actor,
    @IdInPath('attendance_id', 2) visitId: number,
    @Body() body: UpdateVisitDto,
  ): Promise<VisitDto> {
    return this.attendance.update(actor, visitId, body);
  }

  @Delete(':attendance_id')
  @Operation({
    summary: 'Delete a visit',
    description: 'A session that was deducted for it is not given back; correct the plan for that.',
    roles: ['admin'],
    status: 204,
    errors: [VisitNotFound],
  })
  remove(@CurrentActor() actor: Actor, @IdInPath('attendance_id', 2) visitId: number): Promise<void> {
    return this.attendance.remove(actor, visitId);
  }
}
