import { Controller, Delete, Get, Header, Post, Put } from '@nestjs/common';
import { ApiExtraModels, ApiTags } from '@nestjs/swagger';
import { CurrentActor } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import type { Role } from '../common/actor/roles.js';
import { Idempotency, type IdempotencyKey } from '../common/http/idempotency.js';
import { GymListQuery, type Page } from '../common/http/list.js';
import { IdInPath } from '../common/http/path.js';
import { GetAllOfMember } from '../people/of-member.js';
import { Operation } from '../common/http/operation.js';
import { Body, Query } from '../common/http/validation.js';
import { UserNotFound } from '../people/people.errors.js';
import {
  ChartQuery,
  CreateMeasurementDto,
  MeasurementDto,
  MeasurementListQuery,
  ProgressDto,
  RangeQuery,
  SizeProgressDto,
  UpdateMeasurementDto,
} from './dto/measurement.dto.js';
import { MeasurementNotFound, NothingMeasured } from './measurements.errors.js';
import { MeasurementsService } from './measurements.service.js';
import { drawProgress } from './progress-chart.js';

const MEASURERS = ['admin', 'manager', 'trainer'] as const satisfies Role[];
const READERS = [...MEASURERS, 'reception', 'user'] as const satisfies Role[];

@ApiTags('measurements')
@ApiExtraModels(SizeProgressDto)
@Controller('measurements')
export class MeasurementsController {
  constructor(private readonly measurements: MeasurementsService) {}

  @Get()
  @Operation({
    summary: 'Measurements, the newest first; a member sees their own',
    roles: READERS,
    answer: [MeasurementDto],
    list: true,
  })
  list(@CurrentActor() actor: Actor, @Query() query: MeasurementListQuery): Promise<Page<MeasurementDto>> {
    return this.measurements.list(actor, query);
  }

  @Post()
  @Operation({
    summary: 'Record a measurement',
    description: 'Centimetres, weight in kilograms; at least one of them.',
    roles: MEASURERS,
    status: 201,
    answer: MeasurementDto,
    errors: [NothingMeasured],
    idempotent: true,
  })
  create(
    @CurrentActor() actor: Actor,
    @Body() body: CreateMeasurementDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<MeasurementDto> {
    return this.measurements.create(actor, body, key);
  }

  @GetAllOfMember('All measurements of a member, the newest first', READERS, MeasurementDto)
  listOf(
    @CurrentActor() actor: Actor,
    @IdInPath('user_id', 8) userId: number,
    @Query() query: GymListQuery,
  ): Promise<Page<MeasurementDto>> {
    return this.measurements.listOf(actor, userId, query);
  }

  @Get('user/:user_id/latest')
  @Operation({
    summary: 'The latest measurement of a member',
    roles: READERS,
    answer: MeasurementDto,
    errors: [MeasurementNotFound],
  })
  getLatest(@CurrentActor() actor: Actor, @IdInPath('user_id', 8) userId: number): Promise<MeasurementDto> {
    return this.measurements.getLatest(actor, userId);
  }

  @Get('user/:user_id/progress')
  @Operation({
    summary: 'How the sizes of a member went',
    roles: READERS,
    answer: ProgressDto,
    errors: [UserNotFound],
  })
  progress(
    @CurrentActor() actor: Actor,
    @IdInPath('user_id', 8) userId: number,
    @Query() range: RangeQuery,
  ): Promise<ProgressDto> {
    return this.measurements.progress(actor, userId, range);
  }

  @Get('user/:user_id/progress.svg')
  @Operation({
    summary: 'The progress of a member as a chart',
    description: 'A picture (SVG) as wide as a phone, light or dark as the reader prefers.',
    roles: READERS,
    answer: 'image/svg+xml',
    errors: [UserNotFound],
  })
  @Header('Content-Type', 'image/svg+xml; charset=utf-8')
  async chart(
    @CurrentActor() actor: Actor,
    @IdInPath('user_id', 8) userId: number,
    @Query() query: ChartQuery,
  ): Promise<string> {
    return drawProgress(await this.measurements.history(actor, userId, query));
  }

  @Get(':id')
  @Operation({
    summary: 'One measurement',
    roles: READERS,
    answer: MeasurementDto,
    errors: [MeasurementNotFound],
  })
  get(@CurrentActor() actor: Actor, @IdInPath('id', 1, 'The measurement.') id: number): Promise<MeasurementDto> {
    return this.measurements.get(actor, id);
  }

  @Put(':id')
  @Operation({
    summary: 'Correct a measurement',
    roles: MEASURERS,
    answer: MeasurementDto,
    errors: [MeasurementNotFound, NothingMeasured],
  })
  update(
    @CurrentActor() actor: Actor,
    @IdInPath('id', 1, 'The measurement.') id: number,
    @Body() body: UpdateMeasurementDto,
  ): Promise<MeasurementDto> {
    return this.measurements.update(actor, id, body);
  }

  @Delete(':id')
  @Operation({
    summary: 'Delete a measurement',
    roles: MEASURERS,
    status: 204,
    errors: [MeasurementNotFound],
  })
  remove(@CurrentActor() actor: Actor, @IdInPath('id', 1, 'The measurement.') id: number): Promise<void> {
    return this.measurements.remove(actor, id);
  }
}
