import { Controller, Delete, Get, Post, Put, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { CurrentActor, EVERYONE } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { Idempotency, type IdempotencyKey } from '../common/http/idempotency.js';
import { ListQuery, type Page } from '../common/http/list.js';
import { IdInPath } from '../common/http/path.js';
import { okOrNoContent, Operation } from '../common/http/operation.js';
import { Body, Query } from '../common/http/validation.js';
import { CreateGymDto, GymDto, UpdateGymDto } from '../gyms/dto/gym.dto.js';
import { GymNameTaken, GymNotFound } from '../gyms/gyms.errors.js';
import { GymsService } from './gyms.service.js';

@ApiTags('gyms')
@Controller('gyms')
export class GymsController {
  constructor(private readonly gyms: GymsService) {}

  @Get()
  @Operation({ summary: 'All gyms, by name', roles: EVERYONE, answer: [GymDto], list: true })
  list(@CurrentActor() actor: Actor, @Query() query: ListQuery): Promise<Page<GymDto>> {
    return this.gyms.list(actor, query, false);
  }

  @Get('active')
  @Operation({ summary: 'The active gyms, by name', roles: EVERYONE, answer: [GymDto], list: true })
  listActive(@CurrentActor() actor: Actor, @Query() query: ListQuery): Promise<Page<GymDto>> {
    return this.gyms.list(actor, query, true);
  }

  @Post()
  @Operation({
    summary: 'Open a gym',
    roles: ['admin'],
    status: 201,
    answer: GymDto,
    errors: [GymNameTaken],
    idempotent: true,
  })
  create(
    @CurrentActor() actor: Actor,
    @Body() body: CreateGymDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<GymDto> {
    return this.gyms.create(actor, body, key);
  }

  @Get(':gym_id')
  @Operation({ summary: 'One gym', roles: EVERYONE, answer: GymDto, errors: [GymNotFound] })
  get(@CurrentActor() actor: Actor, @IdInPath('gym_id', 2) gymId: number): Promise<GymDto> {
    return this.gyms.get(actor, gymId);
  }

  @Put(':gym_id')
  @Operation({
    // In the zone that it has: with another, its today would be another day for the examples that follow.
    example: { name: 'Riverside Fitness Lisboa', timezone: 'Europe/Lisbon' },
    summary: 'Change a gym',
    description:
      'One that is deactivated: the hours that are booked are cancelled. Another timezone: they are at the same time of that clock.',
    roles: ['admin'],
    answer: GymDto,
    errors: [GymNotFound, GymNameTaken],
  })
  update(
    @CurrentActor() actor: Actor,
    @IdInPath('gym_id', 2) gymId: number,
    @Body() body: UpdateGymDto,
  ): Promise<GymDto> {
    return this.gyms.update(actor, gymId, body);
  }

  @Delete(':gym_id')
  @Operation({
    summary: 'Close a gym',
    description:
      'One that never had people, stock or sales is deleted (204). Any other is deactivated and answered (200). Hours that are booked there are cancelled.',
    roles: ['admin'],
    answer: GymDto,
    errors: [GymNotFound],
  })
  @ApiNoContentResponse({ description: 'It is gone: it had no history.' })
  async remove(
    @CurrentActor() actor: Actor,
    @IdInPath('gym_id', 3) gymId: number,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<GymDto | undefined> {
    return okOrNoContent(reply, await this.gyms.remove(actor, gymId));
  }
}
