import { Controller, Delete, Get, Patch, Post, Put, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { EmailTaken, UsernameTaken } from '../auth/auth.errors.js';
import { AuthService } from '../auth/auth.service.js';
import { clientOf } from '../auth/client.js';
import { CreateAccountDto } from '../auth/dto/auth.dto.js';
import { CurrentActor, EVERYONE, PUBLIC } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { TooManyRequests } from '../common/errors/common.errors.js';
import type { Page } from '../common/http/list.js';
import { Operation } from '../common/http/operation.js';
import { IdInPath } from '../common/http/path.js';
import { Body, Query } from '../common/http/validation.js';
import { LastAdmin } from '../members/members.errors.js';
import { AccountDto } from '../people/dto/account.dto.js';
import { UserNotFound } from '../people/people.errors.js';
import { NotYourAccount } from './accounts.errors.js';
import { AccountsService } from './accounts.service.js';
import { AccountListQuery, AccountViewDto, UpdateAccountDto } from './dto/accounts.dto.js';

const UPDATE = {
  example: { email: 'admin@gym.com', username: 'admin', full_name: 'Alex Admin' },
  summary: 'Change your account',
  description: 'What is not sent, or null, stays as it is. All else of a person is changed at PUT /users/{user_id}.',
  roles: EVERYONE,
  answer: AccountViewDto,
  errors: [UserNotFound, NotYourAccount, EmailTaken, UsernameTaken],
};

/** `/accounts`: people as they meet each other. */
@ApiTags('accounts')
@Controller('accounts')
export class AccountsController {
  constructor(
    private readonly accounts: AccountsService,
    private readonly auth: AuthService,
  ) {}

  @Get()
  @Operation({
    summary: 'The people of your gym, and the trainers of all gyms',
    description:
      'Contact data is filled in for the staff of that gym (an admin: for all), and in your own entry. Members see of ' +
      'other members the username and the profiles. `search` finds by what you are shown.',
    roles: EVERYONE,
    answer: [AccountViewDto],
    list: true,
  })
  list(@CurrentActor() actor: Actor, @Query() query: AccountListQuery): Promise<Page<AccountViewDto>> {
    return this.accounts.list(actor, query);
  }

  @Post()
  @Operation({
    example: { email: 'mia.berg@example.com', username: 'mia.berg' },
    summary: 'Register as a member, with a username or an email',
    description: 'The same as POST /auth/register, which needs the email.',
    roles: PUBLIC,
    status: 201,
    answer: AccountDto,
    errors: [EmailTaken, UsernameTaken, TooManyRequests],
  })
  create(@Body() body: CreateAccountDto, @Req() request: FastifyRequest): Promise<AccountDto> {
    return this.auth.register(body, clientOf(request));
  }

  @Get(':account_id')
  @Operation({
    summary: 'One of the accounts that you can list',
    roles: EVERYONE,
    answer: AccountViewDto,
    errors: [UserNotFound],
  })
  get(@CurrentActor() actor: Actor, @IdInPath('account_id', 8) accountId: number): Promise<AccountViewDto> {
    return this.accounts.get(actor, accountId);
  }

  @Put(':account_id')
  @Operation(UPDATE)
  update(
    @CurrentActor() actor: Actor,
    @IdInPath('account_id', 1) accountId: number,
    @Body() body: UpdateAccountDto,
  ): Promise<AccountViewDto> {
    return this.accounts.update(actor, accountId, body);
  }

  @Patch(':account_id')
  @Operation(UPDATE)
  patch(
    @CurrentActor() actor: Actor,
    @IdInPath('account_id', 1) accountId: number,
    @Body() body: UpdateAccountDto,
  ): Promise<AccountViewDto> {
    return this.accounts.update(actor, accountId, body);
  }

  @Delete(':account_id')
  @Operation({
    summary: 'Delete your account',
    description:
      'Members delete their own; an admin that of anyone. Personal data, sessions, profiles and courses go at once; ' +
      'visits and sales stay in the numbers, under no name.',
    roles: ['admin', 'user'],
    status: 204,
    errors: [UserNotFound, NotYourAccount, LastAdmin],
  })
  remove(@CurrentActor() actor: Actor, @IdInPath('account_id', 31) accountId: number): Promise<void> {
    return this.accounts.remove(actor, accountId);
  }
}
