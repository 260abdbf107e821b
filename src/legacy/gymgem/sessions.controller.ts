import { Headers, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ProfileNotFound } from '../../accounts/accounts.errors.js';
import { ProfilesService } from '../../accounts/profiles.service.js';
import { AuthService } from '../../auth/auth.service.js';
import { clientOf } from '../../auth/client.js';
import { CurrentActor, EVERYONE, PUBLIC } from '../../common/actor/access.js';
import type { Actor } from '../../common/actor/actor.js';
import { Body } from '../../common/http/validation.js';
import { CreateProfileDto } from '../../people/dto/profile.dto.js';
import { refreshTokenOf, REFRESH_TEXTS } from '../sign-in/sign-in.js';
import { SignInController } from '../sign-in/sign-in.controller.js';
import { LegacyController, Wire } from '../wire/route.js';
import {
  GymgemAccessDto,
  GymgemProfileDto,
  GymgemProfileRefDto,
  GymgemRefreshDto,
  GymgemTokensDto,
} from './gymgem.dto.js';

/** The sign-in that families share, at the second base. */
@LegacyController('gymgem', 'gymgem-web/api/auth')
export class GymgemWebSignInController extends SignInController {}

/** What is beside it at both bases. */
@LegacyController('gymgem', 'api/auth', 'gymgem-web/api/auth')
export class GymgemSessionsController {
  constructor(private readonly auth: AuthService) {}

  @Post('refresh-token')
  @Wire({ summary: 'A fresh access token', roles: PUBLIC, answer: GymgemAccessDto, texts: REFRESH_TEXTS })
  async refresh(
    @Body() { refresh, refresh_token }: GymgemRefreshDto,
    @Headers('refresh') header: string | undefined,
    @Req() request: FastifyRequest,
  ): Promise<GymgemAccessDto> {
    const token = refreshTokenOf(header, refresh, refresh_token);
    return { access: await this.auth.renewAccess(token, clientOf(request)) };
  }
}

/** What only later versions of the client ask for. */
@LegacyController('gymgem', 'gymgem-web/api')
export class GymgemWebSessionsController {
  constructor(
    private readonly auth: AuthService,
    private readonly profiles: ProfilesService,
  ) {}

  @Post('profiles/create')
  @Wire({
    summary: 'Add a profile; it is then the current one',
    roles: EVERYONE,
    status: 201,
    answer: GymgemProfileDto,
  })
  async createProfile(@CurrentActor() actor: Actor, @Body() { profile_type: type }: CreateProfileDto) {
    const { id, profile_type } = (await this.profiles.choose(actor, actor.user_id, type)).profile;
    return { id, profile_type };
  }

  @Post(['auth/switch-profile', 'auth/renew-refresh'])
  @Wire({
    summary: 'Make one of your profiles the current one; the session stays',
    roles: EVERYONE,
    answer: GymgemTokensDto,
    texts: [[ProfileNotFound, 403, 'This is not your profile']],
  })
  async switchProfile(
    @CurrentActor() actor: Actor,
    @Body() { profile_id }: GymgemProfileRefDto,
  ): Promise<GymgemTokensDto> {
    await this.profiles.switchProfile(actor, profile_id);
    const { access_token: access, refresh_token: refresh } = await this.auth.tokensOf(actor);
    return { access, refresh };
  }

  @Post('auth/logout-all')
  @Wire({ summary: 'End all your sessions', roles: EVERYONE, status: 205, beforePasswordChange: true })
  logoutAll(@CurrentActor() actor: Actor): Promise<void> {
    return this.auth.logoutAll(actor);
  }
}
