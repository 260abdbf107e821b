import { Controller, Delete, Get, Post, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { CurrentActor, EVERYONE } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { Operation } from '../common/http/operation.js';
import { IdInPath, TextInPath } from '../common/http/path.js';
import { Body } from '../common/http/validation.js';
import { CreateProfileDto, ProfileDto } from '../people/dto/profile.dto.js';
import { UserNotFound } from '../people/people.errors.js';
import { NotYourAccount, ProfileHasCourses, ProfileNotFound } from './accounts.errors.js';
import { ProfilesService } from './profiles.service.js';

/** `/accounts/{account_id}/profiles`: what a person is, beside their role in the gym. */
@ApiTags('accounts')
@Controller('accounts/:account_id/profiles')
export class ProfilesController {
  constructor(private readonly profiles: ProfilesService) {}

  @Get()
  @Operation({
    summary: 'The profiles of an account, the oldest first',
    roles: EVERYONE,
    answer: [ProfileDto],
    errors: [UserNotFound],
  })
  list(@CurrentActor() actor: Actor, @IdInPath('account_id', 8) accountId: number): Promise<ProfileDto[]> {
    return this.profiles.list(actor, accountId);
  }

  @Post()
  @Operation({
    summary: 'Add a profile, or choose it again',
    description:
      'Each type once: one that is there already is answered with 200. Your own is then your current one. A `trainer` ' +
      'profile shows your name in all gyms and lets you publish courses; it gives no right of staff. An admin does this ' +
      'for anyone, a manager for the people of the gym.',
    roles: EVERYONE,
    status: 201,
    answer: ProfileDto,
    errors: [UserNotFound, NotYourAccount],
  })
  @ApiOkResponse({ type: ProfileDto, description: 'The profile that was there already.' })
  async choose(
    @CurrentActor() actor: Actor,
    @IdInPath('account_id', 8) accountId: number,
    @Body() { profile_type }: CreateProfileDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProfileDto> {
    const { profile, isNew } = await this.profiles.choose(actor, accountId, profile_type);
    if (!isNew) void reply.status(200);
    return profile;
  }

  @Delete(':profile_type')
  @Operation({
    summary: 'Remove a profile',
    description: 'Who may add it may remove it. A trainer deletes their courses first.',
    roles: EVERYONE,
    status: 204,
    errors: [UserNotFound, NotYourAccount, ProfileNotFound, ProfileHasCourses],
  })
  remove(
    @CurrentActor() actor: Actor,
    @IdInPath('account_id', 8) accountId: number,
    @TextInPath('profile_type', 'trainee') profileType: string,
  ): Promise<void> {
    return this.profiles.remove(actor, accountId, profileType);
  }
}
