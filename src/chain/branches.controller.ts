import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentActor } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { STAFF } from '../common/actor/roles.js';
import { GymListQuery, type Page } from '../common/http/list.js';
import { Operation } from '../common/http/operation.js';
import { Query } from '../common/http/validation.js';
import { BranchDto } from '../gyms/dto/gym.dto.js';
import { GymsService } from './gyms.service.js';

@ApiTags('gyms')
@Controller('branches')
export class BranchesController {
  constructor(private readonly gyms: GymsService) {}

  @Get()
  @Operation({
    summary: 'The gyms and how many people they have, by name',
    description: 'An admin sees all, everyone else their own.',
    roles: STAFF,
    answer: [BranchDto],
    list: true,
  })
  list(@CurrentActor() actor: Actor, @Query() query: GymListQuery): Promise<Page<BranchDto>> {
    return this.gyms.listBranches(actor, query);
  }
}
