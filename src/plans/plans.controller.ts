import { Controller, Delete, Get, Post, Put, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { CurrentActor, EVERYONE } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { MANAGERS } from '../common/actor/roles.js';
import { Idempotency, type IdempotencyKey } from '../common/http/idempotency.js';
import { type Page } from '../common/http/list.js';
import { IdInPath } from '../common/http/path.js';
import { okOrNoContent, Operation } from '../common/http/operation.js';
import { Body, Query } from '../common/http/validation.js';
import { GymInactive } from '../gyms/gyms.errors.js';
import { CreatePlanDto, PlanDto, PlanListQuery, UpdatePlanDto } from './dto/plan.dto.js';
import { PlanIncomplete, PlanNameTaken, PlanNotFound } from './plans.errors.js';
import { PlansService } from './plans.service.js';

@ApiTags('plans')
@Controller('plans')
export class PlansController {
  constructor(private readonly plans: PlansService) {}

  @Get()
  @Operation({
    summary: 'The plans, by name; a member sees those that are sold',
    roles: EVERYONE,
    answer: [PlanDto],
    list: true,
  })
  list(@CurrentActor() actor: Actor, @Query() query: PlanListQuery): Promise<Page<PlanDto>> {
    return this.plans.list(actor, query, false);
  }

  @Get('active')
  @Operation({ summary: 'The plans that are sold, by name', roles: EVERYONE, answer: [PlanDto], list: true })
  listActive(@CurrentActor() actor: Actor, @Query() query: PlanListQuery): Promise<Page<PlanDto>> {
    return this.plans.list(actor, query, true);
  }

  @Post()
  @Operation({
    summary: 'Offer a plan',
    description: 'Without `kind` it is by sessions if it has a `session_count`, else by time.',
    roles: MANAGERS,
    status: 201,
    answer: PlanDto,
    errors: [PlanIncomplete, PlanNameTaken, GymInactive],
    idempotent: true,
  })
  create(
    @CurrentActor() actor: Actor,
    @Body() body: CreatePlanDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<PlanDto> {
    return this.plans.create(actor, body, key);
  }

  @Get(':plan_id')
  @Operation({ summary: 'One plan', roles: EVERYONE, answer: PlanDto, errors: [PlanNotFound] })
  get(@CurrentActor() actor: Actor, @IdInPath('plan_id') planId: number): Promise<PlanDto> {
    return this.plans.get(actor, planId);
  }

  @Put(':plan_id')
  @Operation({
    summary: 'Change a plan',
    description: 'What members bought before keeps its price and its terms.',
    roles: MANAGERS,
    answer: PlanDto,
    errors: [PlanNotFound, PlanIncomplete, PlanNameTaken],
  })
  update(
    @CurrentActor() actor: Actor,
    @IdInPath('plan_id') planId: number,
    @Body() body: UpdatePlanDto,
  ): Promise<PlanDto> {
    return this.plans.update(actor, planId, body);
  }

  @Delete(':plan_id')
  @Operation({
    summary: 'Stop offering a plan',
    description: 'One that was never bought is deleted (204). Any other is deactivated and answered (200).',
    roles: MANAGERS,
    answer: PlanDto,
    errors: [PlanNotFound],
  })
  @ApiNoContentResponse({ description: 'It is gone: it had no history.' })
  async remove(
    @CurrentActor() actor: Actor,
    @IdInPath('plan_id', 7) planId: number,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PlanDto | undefined> {
    return okOrNoContent(reply, await this.plans.remove(actor, planId));
  }
}
