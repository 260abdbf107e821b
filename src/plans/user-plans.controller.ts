import { Controller, Delete, Get, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentActor, EVERYONE } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { DESK, MANAGERS } from '../common/actor/roles.js';
import { ChangedSinceRead } from '../common/errors/common.errors.js';
import { Idempotency, type IdempotencyKey } from '../common/http/idempotency.js';
import { GymListQuery, type Page } from '../common/http/list.js';
import { IdInPath } from '../common/http/path.js';
import { GetAllOfMember } from '../people/of-member.js';
import { MemberLeft } from '../people/people.errors.js';
import { Operation } from '../common/http/operation.js';
import { Body, Query } from '../common/http/validation.js';
import { GymInactive } from '../gyms/gyms.errors.js';
import {
  AssignPlanDto,
  CancelPlanDto,
  FreezePlanDto,
  UpdateUserPlanDto,
  UserPlanDto,
  UserPlanListQuery,
} from './dto/user-plan.dto.js';
import {
  AlreadyFrozen,
  AlreadyScheduled,
  CorrectionNotAllowed,
  NoActivePlan,
  NoSessionsLeft,
  NotAnUpgrade,
  PlanInactive,
  PlanNotActive,
  PlanReplaced,
  PlansOverlap,
  PlanTimesWrong,
  SessionsNotCounted,
  UserPlanNotFound,
} from './plans.errors.js';
import { UserPlansService } from './user-plans.service.js';

@ApiTags('user plans')
@Controller('user-plans')
export class UserPlansController {
  constructor(private readonly userPlans: UserPlansService) {}

  @Get()
  @Operation({
    summary: 'Assigned plans, the newest first',
    description: 'With `expiring_before` the first to expire first. A member sees their own.',
    roles: EVERYONE,
    answer: [UserPlanDto],
    list: true,
  })
  list(@CurrentActor() actor: Actor, @Query() query: UserPlanListQuery): Promise<Page<UserPlanDto>> {
    return this.userPlans.list(actor, query);
  }

  @Post()
  @Operation({
    summary: 'Assign a plan to a member',
    description:
      'Beside a current plan, `now` replaces it: an admin or manager may always, reception and trainer if it is an ' +
      'upgrade (one that is longer or costs more). `after_current` waits until it ends.',
    roles: DESK,
    status: 201,
    answer: UserPlanDto,
    errors: [PlanInactive, GymInactive, NotAnUpgrade, AlreadyScheduled],
    idempotent: true,
  })
  assign(
    @CurrentActor() actor: Actor,
    @Body() body: AssignPlanDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<UserPlanDto> {
    return this.userPlans.assign(actor, body, key);
  }

  @GetAllOfMember('All plans of a member, the newest first', EVERYONE, UserPlanDto)
  listOf(
    @CurrentActor() actor: Actor,
    @IdInPath('user_id', 8) userId: number,
    @Query() query: GymListQuery,
  ): Promise<Page<UserPlanDto>> {
    return this.userPlans.listOf(actor, userId, query);
  }

  @Get('user/:user_id/active')
  @Operation({
    summary: 'The active plan of a member',
    roles: EVERYONE,
    answer: UserPlanDto,
    errors: [NoActivePlan],
  })
  getActive(@CurrentActor() actor: Actor, @IdInPath('user_id', 8) userId: number): Promise<UserPlanDto> {
    return this.userPlans.getActive(actor, userId);
  }

  @Get(':id')
  @Operation({
    summary: 'One assigned plan',
    roles: EVERYONE,
    answer: UserPlanDto,
    errors: [UserPlanNotFound],
  })
  get(@CurrentActor() actor: Actor, @IdInPath('id', 1, 'The assigned plan.') id: number): Promise<UserPlanDto> {
    return this.userPlans.get(actor, id);
  }

  @Put(':id')
  @Operation({
    summary: 'Sell another plan instead, or correct this one',
    description:
      'With a `plan_id` the plan of this id becomes cancelled and the answer is the new one, with an id of its own; ' +
      'reception and trainer may do that if this one has expired or the other is an upgrade. The same again answers that ' +
      'new one and sells nothing. Status, expiry and sessions ' +
      'are corrected by an admin or manager. What was paid never changes.',
    roles: DESK,
    answer: UserPlanDto,
    errors: [
      UserPlanNotFound,
      ChangedSinceRead,
      CorrectionNotAllowed,
      MemberLeft,
      NotAnUpgrade,
      PlanReplaced,
      AlreadyScheduled,
      PlanInactive,
      GymInactive,
      PlanNotActive,
      SessionsNotCounted,
      PlansOverlap,
      PlanTimesWrong,
    ],
  })
  update(
    @CurrentActor() actor: Actor,
    @IdInPath('id', 1, 'The assigned plan.') id: number,
    @Body() body: UpdateUserPlanDto,
  ): Promise<UserPlanDto> {
    return this.userPlans.update(actor, id, body);
  }

  @Delete(':id')
  @Operation({
    summary: 'Take back an assignment made by mistake',
    description:
      'As if it had never been, its money included: the plan that it replaced counts again, unless another has its ' +
      'place by now. To end a plan, set its status to cancelled.',
    roles: MANAGERS,
    status: 204,
    errors: [UserPlanNotFound],
  })
  remove(@CurrentActor() actor: Actor, @IdInPath('id', 1, 'The assigned plan.') id: number): Promise<void> {
    return this.userPlans.remove(actor, id);
  }

  @Post(':id/deduct')
  @Operation({
    summary: 'Deduct a session',
    description: 'At 0 the plan is expired, and one that waits for it begins.',
    roles: DESK,
    answer: UserPlanDto,
    errors: [UserPlanNotFound, NoSessionsLeft, SessionsNotCounted, PlanNotActive],
    idempotent: true,
  })
  deduct(
    @CurrentActor() actor: Actor,
    @IdInPath('id', 2, 'The assigned plan.') id: number,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<UserPlanDto> {
    return this.userPlans.deduct(actor, id, key);
  }

  @Post(':id/freeze')
  @Operation({
    summary: 'Stop the time of an active plan',
    description:
      'With `days` it runs again by itself, at the same hour of the gym, and `expires_at` moves at once; without, when it is unfrozen. ' +
      'The member gets the time it stood still, and a plan that waits for it starts as much later. For other days, unfreeze it first.',
    roles: MANAGERS,
    answer: UserPlanDto,
    errors: [UserPlanNotFound, PlanNotActive, AlreadyFrozen],
    idempotent: true,
  })
  freeze(
    @CurrentActor() actor: Actor,
    @IdInPath('id', 2, 'The assigned plan.') id: number,
    @Body() body: FreezePlanDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<UserPlanDto> {
    return this.userPlans.freeze(actor, id, body, key);
  }

  @Post(':id/unfreeze')
  @Operation({
    summary: 'Let a frozen plan run again now',
    description: 'Of a freeze with days, the rest is taken from `expires_at` again. One that is active stays as it is.',
    roles: MANAGERS,
    answer: UserPlanDto,
    errors: [UserPlanNotFound, PlanNotActive],
    idempotent: true,
  })
  unfreeze(
    @CurrentActor() actor: Actor,
    @IdInPath('id', 2, 'The assigned plan.') id: number,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<UserPlanDto> {
    return this.userPlans.unfreeze(actor, id, key);
  }

  @Post(':id/cancel')
  @Operation({
    summary: 'End a plan before its time',
    description:
      'One that is active, frozen or scheduled; a plan that waits for it begins now. What was paid stays in the numbers. ' +
      'The reason is a note for the staff. One that is cancelled stays as it is.',
    roles: MANAGERS,
    answer: UserPlanDto,
    errors: [UserPlanNotFound, PlanNotActive],
    idempotent: true,
  })
  cancel(
    @CurrentActor() actor: Actor,
    @IdInPath('id', 2, 'The assigned plan.') id: number,
    @Body() body: CancelPlanDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<UserPlanDto> {
    return this.userPlans.cancel(actor, id, body, key);
  }
}
