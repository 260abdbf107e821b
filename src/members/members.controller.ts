import { Controller, Delete, Get, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentActor, EVERYONE } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { DESK, MANAGERS, STAFF } from '../common/actor/roles.js';
import { OtherGym, TooManyRequests } from '../common/errors/common.errors.js';
import { EmailTaken, UsernameTaken } from '../auth/auth.errors.js';
import { Idempotency, type IdempotencyKey } from '../common/http/idempotency.js';
import { GymListQuery, type Page } from '../common/http/list.js';
import { IdInPath, TextInPath } from '../common/http/path.js';
import { Operation } from '../common/http/operation.js';
import { Body, Query } from '../common/http/validation.js';
import { GymInactive } from '../gyms/gyms.errors.js';
import { PlanInactive } from '../plans/plans.errors.js';
import {
  CreateMemberDto,
  CreateMemberWithPlanDto,
  CreateStaffDto,
  GymQuery,
  SearchQuery,
  UpdateUserDto,
  UserDto,
  UserListQuery,
} from './dto/user.dto.js';
import { UserNotFound } from '../people/people.errors.js';
import { DocumentIdTaken, FieldsNotChangeable, LastAdmin, RoleNotAssignable } from './members.errors.js';
import { MembersService } from './members.service.js';
import { SearchService } from './search.service.js';

const NOT_UNIQUE = [EmailTaken, UsernameTaken, DocumentIdTaken];

/** `/users`: staff and members of the gyms. */
@ApiTags('users')
@Controller('users')
export class MembersController {
  constructor(
    private readonly members: MembersService,
    private readonly search: SearchService,
  ) {}

  @Get()
  @Operation({ summary: 'Staff and members, by name', roles: STAFF, answer: [UserDto], list: true })
  list(@CurrentActor() actor: Actor, @Query() query: UserListQuery): Promise<Page<UserDto>> {
    return this.members.list(actor, query);
  }

  @Get('trainers')
  @Operation({ summary: 'The trainers, by name', roles: STAFF, answer: [UserDto], list: true })
  listTrainers(@CurrentActor() actor: Actor, @Query() query: GymListQuery): Promise<Page<UserDto>> {
    return this.members.list(actor, { ...query, role: 'trainer' });
  }

  @Get('users')
  @Operation({ summary: 'The members, by name', roles: STAFF, answer: [UserDto], list: true })
  listMembers(@CurrentActor() actor: Actor, @Query() query: GymListQuery): Promise<Page<UserDto>> {
    return this.members.list(actor, { ...query, role: 'user' });
  }

  @Get('search')
  @Operation({
    summary: 'Find a person by anything typed',
    description: 'Words of a name, an email, a document or a phone; the best match first.',
    roles: STAFF,
    answer: [UserDto],
  })
  searchByText(@CurrentActor() actor: Actor, @Query() query: SearchQuery): Promise<Page<UserDto>> {
    return this.search.byText(actor, query);
  }

  @Get('search/document/:document_id')
  @Operation({
    summary: 'Find the person with this document',
    roles: STAFF,
    answer: UserDto,
    errors: [UserNotFound],
  })
  searchByDocument(
    @CurrentActor() actor: Actor,
    @TextInPath('document_id', 'DEMO-0001') documentId: string,
    @Query() { gym_id }: GymQuery,
  ): Promise<UserDto> {
    return this.members.getByDocument(actor, documentId, gym_id);
  }

  @Get('search/phone/:phone_number')
  @Operation({
    summary: 'Find people by a part of their phone number',
    description: 'At least 3 digits; however they are written, only digits count. At most 50 people.',
    roles: STAFF,
    answer: [UserDto],
  })
  searchByPhone(
    @CurrentActor() actor: Actor,
    @TextInPath('phone_number', '910 000') phone: string,
    @Query() { gym_id }: GymQuery,
  ): Promise<Page<UserDto>> {
    return this.search.byPhone(actor, phone, gym_id);
  }

  @Post('admin-trainer')
  @Operation({
    example: { email: 'joao.reis@example.com', username: 'joao.reis', document_id: 'AB200001' },
    summary: 'Hire staff',
    description: 'An admin gives any role; a manager reception, accountant or trainer, in their own gym.',
    roles: MANAGERS,
    status: 201,
    answer: UserDto,
    errors: [RoleNotAssignable, GymInactive, TooManyRequests, ...NOT_UNIQUE],
    idempotent: true,
  })
  createStaff(
    @CurrentActor() actor: Actor,
    @Body() body: CreateStaffDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<UserDto> {
    return this.members.createStaff(actor, body, key);
  }

  @Post('regular')
  @Operation({
    example: { email: 'lena.vogel@example.com', username: 'lena.vogel', document_id: 'AB200002' },
    summary: 'Add a member without a plan',
    roles: ['admin'],
    status: 201,
    answer: UserDto,
    errors: [GymInactive, TooManyRequests, ...NOT_UNIQUE],
    idempotent: true,
  })
  createMember(
    @CurrentActor() actor: Actor,
    @Body() body: CreateMemberDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<UserDto> {
    return this.members.createMember(actor, body, key);
  }

  @Post('with-plan')
  @Operation({
    example: { email: 'nour.adel@example.com', username: 'nour.adel', document_id: 'AB200003' },
    summary: 'Add a member with a plan',
    description: 'Both or neither.',
    roles: DESK,
    status: 201,
    answer: UserDto,
    errors: [GymInactive, PlanInactive, TooManyRequests, ...NOT_UNIQUE],
    idempotent: true,
  })
  createMemberWithPlan(
    @CurrentActor() actor: Actor,
    @Body() body: CreateMemberWithPlanDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<UserDto> {
    return this.members.createMemberWithPlan(actor, body, key);
  }

  @Get(':user_id')
  @Operation({
    summary: 'One person; a member sees themselves',
    roles: EVERYONE,
    answer: UserDto,
    errors: [UserNotFound],
  })
  get(@CurrentActor() actor: Actor, @IdInPath('user_id', 8) userId: number): Promise<UserDto> {
    return this.members.get(actor, userId);
  }

  @Put(':user_id')
  @Operation({
    example: { email: 'ana.costa@example.com', username: 'ana.costa', document_id: 'AB200004', gym_id: 2 },
    summary: 'Change a person',
    description:
      'An admin changes everything. A manager changes members and lower staff of the gym, but not the gym. Reception ' +
      'and trainer change members of the gym, but not role, gym or password. Everyone changes their own email, username ' +
      'and phone number, and keeps one of them to sign in with. The old address of a person with a password is told of a new one. ' +
      'Of those whom one may change, fields that are sent unchanged do no harm.',
    roles: EVERYONE,
    answer: UserDto,
    errors: [
      UserNotFound,
      OtherGym,
      FieldsNotChangeable,
      RoleNotAssignable,
      LastAdmin,
      GymInactive,
      TooManyRequests,
      ...NOT_UNIQUE,
    ],
  })
  update(
    @CurrentActor() actor: Actor,
    @IdInPath('user_id', 8) userId: number,
    @Body() body: UpdateUserDto,
  ): Promise<UserDto> {
    return this.members.update(actor, userId, body);
  }

  @Delete(':user_id')
  @Operation({
    summary: 'Delete a person',
    description: 'Personal data and sessions go at once; visits and sales stay in the numbers, under no name.',
    roles: ['admin'],
    status: 204,
    errors: [UserNotFound, LastAdmin],
  })
  remove(@CurrentActor() actor: Actor, @IdInPath('user_id', 30) userId: number): Promise<void> {
    return this.members.remove(actor, userId);
  }
}
