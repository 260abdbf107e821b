import { Controller, Get, type StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentActor } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { STAFF } from '../common/actor/roles.js';
import { CSV } from '../common/http/csv.js';
import { Operation } from '../common/http/operation.js';
import { Query } from '../common/http/validation.js';
import { MoneyNotShown } from './dashboard.errors.js';
import { DashboardService } from './dashboard.service.js';
import { DashboardDto, DashboardQuery, PeriodQuery, SeriesPointDto, SeriesQuery } from './dto/dashboard.dto.js';
import { ExportsService } from './exports.service.js';

const FILE =
  "A file for a spreadsheet: UTF-8 with a mark for Excel, CRLF. A `'` stands before what would be taken for a formula.";

/** `/dashboard`: the gym in numbers. */
@ApiTags('dashboard')
@Controller('dashboard')
export class DashboardController {
  constructor(
    private readonly dashboard: DashboardService,
    private readonly exports: ExportsService,
  ) {}

  @Get()
  @Operation({
    summary: 'The gym in numbers, as it is now',
    description:
      "Days and months are the gym's own. An admin who names no gym sees all of them together, each with its own day. " +
      'Reception sees no money; a trainer only what they did themselves. What a role does not see is null.',
    roles: STAFF,
    answer: DashboardDto,
  })
  show(@CurrentActor() actor: Actor, @Query() query: DashboardQuery): Promise<DashboardDto> {
    return this.dashboard.show(actor, query);
  }

  @Get('series')
  @Operation({
    summary: 'A number day by day, week by week or month by month',
    description:
      'Each interval of the period is there, also those with 0; at most 1,000. The sum of the values is the figure of ' +
      'the period.',
    roles: ['admin', 'manager', 'reception', 'accountant'],
    answer: [SeriesPointDto],
    errors: [MoneyNotShown],
  })
  series(@CurrentActor() actor: Actor, @Query() query: SeriesQuery): Promise<SeriesPointDto[]> {
    return this.dashboard.series(actor, query);
  }

  @Get('report.csv')
  @Operation({
    summary: 'Money, visits and new members of each local day',
    description: `At most 1,000 days. ${FILE}`,
    roles: ['admin', 'manager', 'accountant'],
    answer: CSV,
  })
  report(@CurrentActor() actor: Actor, @Query() query: PeriodQuery): Promise<StreamableFile> {
    return this.exports.report(actor, query);
  }

  @Get('members.csv')
  @Operation({
    summary: 'All members, with their plan and last visit',
    description: `In the order in which they joined; of several gyms, one gym after the other. ${FILE}`,
    roles: ['admin', 'manager', 'reception', 'accountant'],
    answer: CSV,
  })
  members(@CurrentActor() actor: Actor, @Query() query: DashboardQuery): Promise<StreamableFile> {
    return this.exports.members(actor, query);
  }
}
