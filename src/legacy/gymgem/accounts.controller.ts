import { Delete, Get, Patch, Post, Put, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { NotYourAccount } from '../../accounts/accounts.errors.js';
import { AccountsService } from '../../accounts/accounts.service.js';
import { UpdateAccountDto } from '../../accounts/dto/accounts.dto.js';
import { EmailTaken, UsernameTaken } from '../../auth/auth.errors.js';
import { AuthService } from '../../auth/auth.service.js';
import { clientOf } from '../../auth/client.js';
import { CreateAccountDto } from '../../auth/dto/auth.dto.js';
import { CurrentActor, EVERYONE, PUBLIC } from '../../common/actor/access.js';
import type { Actor } from '../../common/actor/actor.js';
import { Body, validated } from '../../common/http/validation.js';
import { UserNotFound } from '../../people/people.errors.js';
import { cutName } from '../wire/names.js';
import { Refusal, type Texts } from '../wire/refusal.js';
import { LegacyController, LegacyId, Wire } from '../wire/route.js';
import {
  GymgemAccountChangesDto,
  GymgemAccountDto,
  GymgemDoneDto,
  GymgemIdDto,
  GymgemNewAccountDto,
  GymgemOneAccountDto,
} from './gymgem.dto.js';
import { accountWire, oneAccountWire } from './gymgem.wire.js';

const MOST_ACCOUNTS = 500;
const NOT_FOUND = 'Account not found';
const PASSWORD_ELSEWHERE = 'The password is not changed here, but with POST /api/v1/auth/change-password';
const TAKEN: Texts = [
  [EmailTaken, 400],
  [UsernameTaken, 400],
];
const TEXTS: Texts = [[UserNotFound, 404, NOT_FOUND], ...TAKEN];
const FIELDS = { full_name: 'firstName' };
const UPDATE = { summary: 'Change your account', roles: EVERYONE, answer: GymgemDoneDto, texts: TEXTS, fields: FIELDS };

/** null: it stays as it is, or is made of the username. */
const fullName = (firstName: string, lastName: string): string | null => `${firstName} ${lastName}`.trim() || null;

/** People, at both bases. */
@LegacyController('gymgem', 'api/accounts', 'gymgem-web/api/accounts')
export class GymgemAccountsController {
  constructor(
    private readonly accounts: AccountsService,
    private readonly auth: AuthService,
  ) {}

  @Post(['', 'create'])
  @Wire({
    summary: 'Register as a member',
    roles: PUBLIC,
    status: 201,
    answer: GymgemIdDto,
    texts: TAKEN,
    fields: FIELDS,
  })
  async create(@Body() body: GymgemNewAccountDto, @Req() request: FastifyRequest): Promise<GymgemIdDto> {
    const { confirmPassword, firstName = '', lastName = '', ...account } = body;
    if (account.password !== confirmPassword) throw new Refusal(400, 'Passwords do not match');
    const input = validated(CreateAccountDto, { ...account, full_name: fullName(firstName, lastName) });
    const { id } = await this.auth.register(input, clientOf(request));
    return { id };
  }

  @Get()
  @Wire({
    summary: 'The people of your gym, and the trainers of all gyms',
    roles: EVERYONE,
    answer: [GymgemAccountDto],
  })
  async list(@CurrentActor() actor: Actor): Promise<GymgemAccountDto[]> {
    const page = await this.accounts.listNumbered(actor, { size: MOST_ACCOUNTS });
    return (await page.items()).map((account) => accountWire(account));
  }

  @Get(':id')
  @Wire({ summary: 'One of them', roles: EVERYONE, answer: GymgemOneAccountDto, texts: TEXTS })
  async get(@CurrentActor() actor: Actor, @LegacyId('id', NOT_FOUND) id: number): Promise<GymgemOneAccountDto> {
    return oneAccountWire(await this.accounts.get(actor, id));
  }

  @Put(':id')
  @Wire(UPDATE)
  async update(
    @CurrentActor() actor: Actor,
    @LegacyId('id', NOT_FOUND) id: number,
    @Body() { firstName, lastName, password, confirmPassword, ...account }: GymgemAccountChangesDto,
  ): Promise<GymgemDoneDto> {
    await this.accounts.change(actor, id, ({ full_name }) => {
      if (password || confirmPassword) throw new Refusal(400, PASSWORD_ELSEWHERE);
      const { first_name, last_name } = cutName(full_name);
      const [first, last] = [firstName ?? first_name, lastName ?? last_name];
      const isSame = first === first_name && last === last_name;
      return validated(UpdateAccountDto, { ...account, full_name: isSame ? null : fullName(first, last) });
    });
    return { message: 'Account updated successfully' };
  }

  @Patch(':id')
  @Wire(UPDATE)
  patch(
    @CurrentActor() actor: Actor,
    @LegacyId('id', NOT_FOUND) id: number,
    @Body() body: GymgemAccountChangesDto,
  ): Promise<GymgemDoneDto> {
    return this.update(actor, id, body);
  }

  @Delete(':id')
  @Wire({
    summary: 'Delete your account; that of staff is deleted by an admin',
    roles: ['admin', 'user'],
    answer: GymgemDoneDto,
    texts: TEXTS,
  })
  async remove(@CurrentActor() actor: Actor, @LegacyId('id', NOT_FOUND) id: number): Promise<GymgemDoneDto> {
    await this.accounts.get(actor, id);
    if (id !== actor.user_id) throw new NotYourAccount();
    await this.accounts.remove(actor, id);
    return { message: 'Account deleted successfully' };
  }
}
