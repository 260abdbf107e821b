import { Controller, Delete, Get, Post, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { CurrentActor, EVERYONE, PUBLIC } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { NotSignedIn, SessionEnded, TooManyRequests } from '../common/errors/common.errors.js';
import { IdInPath } from '../common/http/path.js';
import { Operation } from '../common/http/operation.js';
import { Body } from '../common/http/validation.js';
import {
  AccountInactive,
  EmailTaken,
  ResetLinkInvalid,
  SessionNotFound,
  UsernameTaken,
  WrongCredentials,
  WrongPassword,
} from './auth.errors.js';
import { AuthService } from './auth.service.js';
import { clientOf } from './client.js';
import { AccountDto } from '../people/dto/account.dto.js';
import {
  ChangePasswordDto,
  ForgotPasswordDto,
  LoginDto,
  RefreshDto,
  RegisterDto,
  ResetPasswordDto,
  SignedInDto,
} from './dto/auth.dto.js';
import { PasswordResets } from './password-resets.service.js';
import { SessionDto } from './dto/session.dto.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('auth')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly sessions: SessionsService,
    private readonly resets: PasswordResets,
  ) {}

  @Post('register')
  @Operation({
    summary: 'Register as a member',
    roles: PUBLIC,
    status: 201,
    answer: AccountDto,
    errors: [EmailTaken, UsernameTaken, TooManyRequests],
  })
  register(@Body() body: RegisterDto, @Req() request: FastifyRequest): Promise<AccountDto> {
    return this.auth.register(body, clientOf(request));
  }

  @Post('login')
  @Operation({
    summary: 'Sign in',
    description: 'At most 5 sessions a person: the sixth ends the oldest.',
    roles: PUBLIC,
    answer: SignedInDto,
    errors: [WrongCredentials, AccountInactive, TooManyRequests],
  })
  login(@Body() body: LoginDto, @Req() request: FastifyRequest): Promise<SignedInDto> {
    return this.auth.login(body, clientOf(request));
  }

  @Post('refresh')
  @Operation({
    summary: 'Exchange the refresh token for a fresh pair',
    description: 'A refresh token is good for one use; using one again ends its session.',
    roles: PUBLIC,
    answer: SignedInDto,
    errors: [NotSignedIn, SessionEnded],
  })
  refresh(@Body() body: RefreshDto, @Req() request: FastifyRequest): Promise<SignedInDto> {
    return this.auth.refresh(body.refresh_token, clientOf(request));
  }

  @Post('logout')
  @Operation({ summary: 'Sign out: end this session', roles: EVERYONE, status: 205, beforePasswordChange: true })
  logout(@CurrentActor() actor: Actor): Promise<void> {
    return this.auth.logout(actor);
  }

  @Get('me')
  @Operation({ summary: 'Who am I', roles: EVERYONE, answer: AccountDto, beforePasswordChange: true })
  me(@CurrentActor() actor: Actor): Promise<AccountDto> {
    return this.auth.me(actor);
  }

  @Get('sessions')
  @Operation({ summary: 'Where you are signed in', roles: EVERYONE, answer: [SessionDto] })
  listSessions(@CurrentActor() actor: Actor): Promise<SessionDto[]> {
    return this.sessions.list(actor);
  }

  @Delete('sessions/:session_id')
  @Operation({
    summary: 'Sign out elsewhere',
    roles: EVERYONE,
    status: 204,
    errors: [SessionNotFound],
  })
  revoke(@CurrentActor() actor: Actor, @IdInPath('session_id') sessionId: number): Promise<void> {
    return this.sessions.revoke(actor, sessionId);
  }

  @Post('change-password')
  @Operation({
    summary: 'Change your password',
    description: 'Ends all your other sessions.',
    roles: EVERYONE,
    status: 204,
    errors: [WrongPassword, TooManyRequests],
    beforePasswordChange: true,
  })
  changePassword(@CurrentActor() actor: Actor, @Body() body: ChangePasswordDto): Promise<void> {
    return this.auth.changePassword(actor, body);
  }

  @Post('forgot-password')
  @Operation({
    summary: 'Ask for a link to a new password',
    description:
      'The link comes by mail and is good for 30 minutes and one use. The answer is the same whether there is such an ' +
      'account or not.',
    roles: PUBLIC,
    status: 204,
    errors: [TooManyRequests],
  })
  forgotPassword(@Body() body: ForgotPasswordDto, @Req() request: FastifyRequest): Promise<void> {
    return this.resets.ask(body, clientOf(request));
  }

  @Post('reset-password')
  @Operation({
    summary: 'Set a new password with the token of the link',
    description: 'Ends all your sessions.',
    roles: PUBLIC,
    status: 204,
    errors: [ResetLinkInvalid, TooManyRequests],
  })
  resetPassword(@Body() body: ResetPasswordDto, @Req() request: FastifyRequest): Promise<void> {
    return this.resets.use(body, clientOf(request));
  }
}
