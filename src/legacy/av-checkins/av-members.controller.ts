import { Delete, Get, Post, Put, type StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AttendanceService } from '../../attendance/attendance.service.js';
import { CurrentActor } from '../../common/actor/access.js';
import type { Actor } from '../../common/actor/actor.js';
import { DESK, STAFF } from '../../common/actor/roles.js';
import { Idempotency, type IdempotencyKey } from '../../common/http/idempotency.js';
import { streamJson } from '../../common/http/numbered.js';
import { Body, Query, validated } from '../../common/http/validation.js';
import { NewMemberDto, UpdateUserDto } from '../../members/dto/user.dto.js';
import { MembersService } from '../../members/members.service.js';
import { RecordsService } from '../../members/records.service.js';
import { UserNotFound } from '../../people/people.errors.js';
import { LegacyController, LegacyId, Wire } from '../wire/route.js';
import type { Texts } from '../wire/refusal.js';
import { AvChangedMemberDto, AvCheckInDto, AvMemberDto, AvNewMemberDto, AvSearchQuery } from './av-checkins.dto.js';
import { readId, readMembershipNumber, toCheckIn, toMember } from './av-checkins.wire.js';
import { AvDesk } from './av-desk.js';

const NO_MEMBER = 'Member not found';
const TEXTS: Texts = [[UserNotFound, 404, NO_MEMBER]];
const FIELDS = { phone_number: 'phone', is_active: 'status' };
const MOST_FOUND = 10;

@ApiTags('members')
@LegacyController('av-checkins', 'api/members')
export class AvMembersController {
  constructor(
    private readonly desk: AvDesk,
    private readonly members: MembersService,
    private readonly records: RecordsService,
    private readonly attendance: AttendanceService,
  ) {}

  @Get()
  @Wire({ summary: 'All members, by name; at most 10,000', roles: STAFF, answer: [AvMemberDto] })
  async list(@CurrentActor() actor: Actor): Promise<StreamableFile> {
    const gymId = await this.desk.gymOf(actor);
    return streamJson(await this.records.list(actor, { gym_id: gymId, order: 'name' }), toMember);
  }

  @Get('search')
  @Wire({ summary: 'Find members, at most 10', roles: STAFF, answer: [AvMemberDto] })
  async search(@CurrentActor() actor: Actor, @Query() { q = '' }: AvSearchQuery): Promise<AvMemberDto[]> {
    const number = readMembershipNumber(q);
    if (number !== null) return this.ofNumber(actor, number);
    const id = readId(q.trim());
    const exact = id === null ? [] : await this.ofNumber(actor, id);
    const found = await this.records.search(actor, q, MOST_FOUND, await this.desk.gymOf(actor));
    return [...exact, ...found.filter((member) => member.id !== id).map(toMember)].slice(0, MOST_FOUND);
  }

  @Post()
  @Wire({
    summary: 'Add a member, who is inactive until the first plan',
    roles: DESK,
    status: 201,
    answer: AvMemberDto,
    fields: FIELDS,
  })
  async create(
    @CurrentActor() actor: Actor,
    @Body() { phone, ...body }: AvNewMemberDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<AvMemberDto> {
    const gymId = await this.desk.gymOf(actor);
    const input = validated(NewMemberDto, { ...body, phone_number: phone, gym_id: gymId });
    return toMember(await this.members.createWaitingMember(actor, input, key));
  }

  @Get(':id')
  @Wire({ summary: 'A member', roles: STAFF, answer: AvMemberDto, texts: TEXTS })
  async get(@CurrentActor() actor: Actor, @LegacyId('id', NO_MEMBER) id: number): Promise<AvMemberDto> {
    return toMember(await this.desk.member(actor, id));
  }

  @Put(':id')
  @Wire({ summary: 'Change a member', roles: DESK, answer: AvMemberDto, texts: TEXTS, fields: FIELDS })
  async update(
    @CurrentActor() actor: Actor,
    @LegacyId('id', NO_MEMBER) id: number,
    @Body() { full_name, phone, status }: AvChangedMemberDto,
  ): Promise<AvMemberDto> {
    await this.desk.member(actor, id);
    const changes = {
      full_name,
      phone_number: phone === '' ? null : phone,
      is_active: status && status === 'active',
    };
    return toMember(await this.members.update(actor, id, validated(UpdateUserDto, changes)));
  }

  @Delete(':id')
  @Wire({ summary: 'Delete a member', roles: ['admin'], status: 204, texts: TEXTS })
  async remove(@CurrentActor() actor: Actor, @LegacyId('id', NO_MEMBER) id: number): Promise<void> {
    await this.desk.member(actor, id);
    await this.members.remove(actor, id);
  }

  @Get(':id/checkins')
  @Wire({
    summary: 'All check-ins of a member, the newest first; at most 10,000',
    roles: DESK,
    answer: [AvCheckInDto],
    texts: TEXTS,
  })
  async listCheckIns(@CurrentActor() actor: Actor, @LegacyId('id', NO_MEMBER) id: number): Promise<StreamableFile> {
    const { gym_id } = await this.desk.member(actor, id);
    return streamJson(await this.attendance.listNumbered(actor, { gym_id: gym_id!, user_id: id }), toCheckIn);
  }

  private async ofNumber(actor: Actor, id: number): Promise<AvMemberDto[]> {
    try {
      return [toMember(await this.desk.member(actor, id))];
    } catch (error) {
      if (error instanceof UserNotFound) return [];
      throw error;
    }
  }
}
