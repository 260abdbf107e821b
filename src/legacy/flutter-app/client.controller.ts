import { Get, Post, Req, type StreamableFile } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AttendanceService } from '../../attendance/attendance.service.js';
import { WrongCredentials } from '../../auth/auth.errors.js';
import { AuthService } from '../../auth/auth.service.js';
import type { ProvenPerson } from '../../auth/password-proof.service.js';
import { clientOf } from '../../auth/client.js';
import { ChangePasswordDto } from '../../auth/dto/auth.dto.js';
import { CurrentActor, PUBLIC } from '../../common/actor/access.js';
import type { Actor } from '../../common/actor/actor.js';
import { Body, Query } from '../../common/http/validation.js';
import { RecordsService } from '../../members/records.service.js';
import { UserPlansService } from '../../plans/user-plans.service.js';
import { identifierOf, REFRESH_TEXTS, refreshTokenOf, SIGN_IN_TEXTS } from '../sign-in/sign-in.js';
import { LegacyController, Wire } from '../wire/route.js';
import { allOf, Branches } from './branches.js';
import {
  ClientCodeAnswer,
  ClientEntryWire,
  ClientLoginBody,
  ClientMeWire,
  ClientRefreshBody,
  ClientSignedInWire,
  ClientSubscriptionWire,
  ClientTokenWire,
  Done,
  EntriesQuery,
  NothingAnswer,
} from './flutter-app.dto.js';
import { activeOf, done, entryOf, listedBare, memberOf, numbersIn } from './flutter-app.wire.js';

const MEMBERS = ['user'] as const;
const HOUR_MS = 3_600_000;

/** Staff have an app of their own. @throws WrongCredentials */
function onlyMembers({ role }: ProvenPerson): void {
  if (role !== 'user') throw new WrongCredentials();
}

/** The member's app. It never asks for a new password, so that all of this works under a temporary one. */
@LegacyController('flutter-app', 'api/client')
export class FlutterClientController {
  constructor(
    private readonly auth: AuthService,
    private readonly records: RecordsService,
    private readonly userPlans: UserPlansService,
    private readonly attendance: AttendanceService,
    private readonly branches: Branches,
  ) {}

  @Post('auth/login')
  @Wire({
    summary: 'Sign in as a member',
    roles: PUBLIC,
    answer: Done(ClientSignedInWire),
    texts: SIGN_IN_TEXTS,
  })
  async login(@Body() { phone, password }: ClientLoginBody, @Req() request: FastifyRequest) {
    const who = identifierOf(phone, password);
    const signedIn = await this.auth.openFixedSession(who, clientOf(request), onlyMembers);
    const { member, gyms } = await this.load(signedIn.actor);
    const { access_token, refresh_token } = signedIn;
    const { password_changed } = member;
    return done(
      { access_token, refresh_token, password_changed, customer: memberOf(member, gyms) },
      'Login successful',
    );
  }

  @Post('auth/refresh')
  @Wire({ summary: 'A fresh access token', roles: PUBLIC, answer: Done(ClientTokenWire), texts: REFRESH_TEXTS })
  async refresh(@Body() { refresh_token }: ClientRefreshBody, @Req() request: FastifyRequest) {
    return done({ access_token: await this.auth.renewAccess(refreshTokenOf(refresh_token), clientOf(request)) });
  }

  @Post('auth/logout')
  @Wire({ summary: 'Sign out', roles: MEMBERS, answer: NothingAnswer, beforePasswordChange: true })
  async logout(@CurrentActor() actor: Actor) {
    await this.auth.logout(actor);
    return done(null, 'Logout successful');
  }

  @Get('me')
  @Wire({ summary: 'Who am I', roles: MEMBERS, answer: Done(ClientMeWire), beforePasswordChange: true })
  async me(@CurrentActor() actor: Actor) {
    const { member, gyms } = await this.load(actor);
    return done({ ...memberOf(member, gyms), active_subscription: activeOf(member, gyms) });
  }

  @Get('subscription')
  @Wire({
    summary: 'What I have now, or null',
    roles: MEMBERS,
    answer: Done(ClientSubscriptionWire, true),
    beforePasswordChange: true,
  })
  async subscription(@CurrentActor() actor: Actor) {
    const { member, gyms } = await this.load(actor);
    return done(activeOf(member, gyms));
  }

  @Get('entry-history')
  @Wire({
    summary: 'My visits, the newest first',
    roles: MEMBERS,
    answer: Done([ClientEntryWire]),
    beforePasswordChange: true,
  })
  async entries(@CurrentActor() actor: Actor, @Query() query: EntriesQuery): Promise<StreamableFile> {
    const { user_id } = actor;
    const [gyms, plans, visits] = await Promise.all([
      this.branches.known(actor),
      allOf((page) => this.userPlans.listOf(actor, user_id, page)),
      this.attendance.listNumbered(actor, { ...numbersIn(query), user_id }),
    ]);
    return listedBare(visits, (visit) => entryOf(visit, plans, gyms));
  }

  @Post(['qr/refresh', 'refresh-qr'])
  @Wire({ summary: 'The code of my pass', roles: MEMBERS, answer: ClientCodeAnswer, beforePasswordChange: true })
  async code(@CurrentActor() actor: Actor) {
    const { qr_code } = await this.records.get(actor, actor.user_id);
    return { success: true, status: 'success', data: { qr_code, expires_at: new Date(Date.now() + HOUR_MS) } };
  }

  @Post('change-password')
  @Wire({ summary: 'Set my own password', roles: MEMBERS, answer: Done(ClientTokenWire), beforePasswordChange: true })
  async changePassword(@CurrentActor() actor: Actor, @Body() body: ChangePasswordDto) {
    await this.auth.changePassword(actor, body);
    const { access_token } = await this.auth.tokensOf(actor);
    return done({ access_token }, 'Password changed successfully');
  }

  private async load(actor: Actor) {
    const [member, gyms] = await Promise.all([this.records.get(actor, actor.user_id), this.branches.known(actor)]);
    return { member, gyms };
  }
}
