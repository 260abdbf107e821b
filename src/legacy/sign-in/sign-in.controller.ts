import { Headers, Module, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AccountsModule } from '../../accounts/accounts.module.js';
import { type HeldProfiles, ProfilesService } from '../../accounts/profiles.service.js';
import { AuthService } from '../../auth/auth.service.js';
import { clientOf } from '../../auth/client.js';
import { CurrentActor, EVERYONE, PUBLIC } from '../../common/actor/access.js';
import type { Actor } from '../../common/actor/actor.js';
import { Body } from '../../common/http/validation.js';
import type { AccountDto } from '../../people/dto/account.dto.js';
import { LegacyController, Wire } from '../wire/route.js';
import {
  LegacyAccessDto,
  LegacyRefreshDto,
  LegacySignedInDto,
  LegacySignInDto,
  type LegacyUserDto,
} from './sign-in.dto.js';
import { identifierOf, REFRESH_TEXTS, refreshTokenOf, SIGN_IN_TEXTS } from './sign-in.js';

/** Signing in, as gymgem and flutter-app do at the same paths. */
@LegacyController(['gymgem', 'flutter-app'], 'api/auth')
export class SignInController {
  constructor(
    private readonly auth: AuthService,
    private readonly profiles: ProfilesService,
  ) {}

  @Post('login')
  @Wire({ summary: 'Sign in', roles: PUBLIC, answer: LegacySignedInDto, texts: SIGN_IN_TEXTS })
  async login(
    @Body() { username, email, phone, password }: LegacySignInDto,
    @Req() request: FastifyRequest,
  ): Promise<LegacySignedInDto> {
    const who = identifierOf(username || email || phone, password);
    const { actor, account, access_token, refresh_token } = await this.auth.openFixedSession(who, clientOf(request));
    const held = await this.profiles.held(actor, actor.user_id);
    return toSignedIn(account, held, { access_token, refresh_token });
  }

  @Post('logout')
  @Wire({ summary: 'Sign out', roles: EVERYONE, status: 205, beforePasswordChange: true })
  logout(@CurrentActor() actor: Actor): Promise<void> {
    return this.auth.logout(actor);
  }

  @Post('refresh')
  @Wire({ summary: 'A fresh access token', roles: PUBLIC, answer: LegacyAccessDto, texts: REFRESH_TEXTS })
  async refresh(
    @Headers('refresh') header: string | undefined,
    @Body() body: LegacyRefreshDto,
    @Req() request: FastifyRequest,
  ): Promise<LegacyAccessDto> {
    return { access: await this.auth.renewAccess(refreshTokenOf(header, body.refresh), clientOf(request)) };
  }
}

export function toSignedIn(
  account: AccountDto,
  { profile_types, profiles, current_profile }: HeldProfiles,
  tokens: { access_token: string; refresh_token: string },
): LegacySignedInDto {
  const { id, email } = account;
  const username = account.username ?? email ?? '';
  return {
    access: tokens.access_token,
    refresh: tokens.refresh_token,
    account: { id, username, email, profile_types, profiles, current_profile },
    success: true,
    message: 'Login successful',
    data: { ...tokens, user: toUser(account) },
  };
}

/** The app's router knows these two by other names. */
const ROLE_NAMES: Record<string, string> = { admin: 'owner', manager: 'branch_manager' };

const toUser = ({ id, username, email, full_name, role, gym_id, language }: AccountDto): LegacyUserDto => ({
  ...{ id, username: username ?? email ?? '', full_name, role: ROLE_NAMES[role] ?? role },
  ...{ branch_id: gym_id, preferred_language: language },
});

@Module({ imports: [AccountsModule], controllers: [SignInController] })
export class SignInModule {}
