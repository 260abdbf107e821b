import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentActor } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { STAFF } from '../common/actor/roles.js';
import { type Page } from '../common/http/list.js';
import { Operation } from '../common/http/operation.js';
import { Query } from '../common/http/validation.js';
import { StaffListQuery, UserDto } from './dto/user.dto.js';
import { MembersService } from './members.service.js';

@ApiTags('users')
@Controller('staff')
export class StaffController {
  constructor(private readonly members: MembersService) {}

  @Get()
  @Operation({ summary: 'The staff, by name', roles: STAFF, answer: [UserDto], list: true })
  list(@CurrentActor() actor: Actor, @Query() query: StaffListQuery): Promise<Page<UserDto>> {
    return this.members.list(actor, query, true);
  }
}
