import { Post, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { AccountInactive, WrongCredentials } from '../../auth/auth.errors.js';
import { AuthService } from '../../auth/auth.service.js';
import type { ProvenPerson } from '../../auth/password-proof.service.js';
import { clientOf } from '../../auth/client.js';
import { PUBLIC } from '../../common/actor/access.js';
import { Body } from '../../common/http/validation.js';
import { LegacyAccessDto, LegacyRefreshDto } from '../sign-in/sign-in.dto.js';
import { identifierOf, REFRESH_TEXTS, refreshTokenOf } from '../sign-in/sign-in.js';
import { Refusal, type Texts } from '../wire/refusal.js';
import { LegacyController, Wire } from '../wire/route.js';
import { AvSignInDto, AvTokensDto } from './av-checkins.dto.js';

const REFUSED = 'No active account found with the given credentials';
const TEXTS: Texts = [
  [WrongCredentials, 401, REFUSED],
  [AccountInactive, 401, REFUSED],
];

/** These clients are for staff. */
function refuseMembers({ role }: ProvenPerson): void {
  if (role === 'user') throw new Refusal(401, REFUSED);
}

@ApiTags('sign-in')
@LegacyController('av-checkins', 'api/auth/token')
export class AvSignInController {
  constructor(private readonly auth: AuthService) {}

  @Post()
  @Wire({ summary: 'Sign in, as staff', roles: PUBLIC, answer: AvTokensDto, texts: TEXTS })
  async signIn(@Body() { username, password }: AvSignInDto, @Req() request: FastifyRequest): Promise<AvTokensDto> {
    const who = identifierOf(username, password);
    const tokens = await this.auth.openFixedSession(who, clientOf(request), refuseMembers);
    return { access: tokens.access_token, refresh: tokens.refresh_token };
  }

  @Post('refresh')
  @Wire({ summary: 'A fresh access token', roles: PUBLIC, answer: LegacyAccessDto, texts: REFRESH_TEXTS })
  async refresh(@Body() { refresh }: LegacyRefreshDto, @Req() request: FastifyRequest): Promise<LegacyAccessDto> {
    return { access: await this.auth.renewAccess(refreshTokenOf(refresh), clientOf(request)) };
  }
}
