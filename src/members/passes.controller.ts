import { Controller, Get, Header, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { EmailTaken, UsernameTaken } from '../auth/auth.errors.js';
import { CurrentActor } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { DESK, RECEPTION, RECEPTION_AND_MEMBERS } from '../common/actor/roles.js';
import { TooManyRequests } from '../common/errors/common.errors.js';
import { Idempotency, type IdempotencyKey } from '../common/http/idempotency.js';
import { Operation } from '../common/http/operation.js';
import { IdInPath, TextInPath } from '../common/http/path.js';
import { Body } from '../common/http/validation.js';
import { GymInactive } from '../gyms/gyms.errors.js';
import { UserNotFound } from '../people/people.errors.js';
import { PassDto } from './dto/pass.dto.js';
import { NewMemberDto, UserDto } from './dto/user.dto.js';
import { DocumentIdTaken } from './members.errors.js';
import { MembersService } from './members.service.js';
import { PassesService } from './passes.service.js';

/** `/members`: their passes. All else about a member is at `/users`. */
@ApiTags('members')
@Controller('members')
export class PassesController {
  constructor(
    private readonly members: MembersService,
    private readonly passes: PassesService,
  ) {}

  @Post()
  @Operation({
    example: { email: 'li.wei@example.com', username: 'li.wei', document_id: 'AB200005' },
    summary: 'Add a member without a plan',
    description: 'A name and a phone number are enough. The member is inactive until the first plan is assigned.',
    roles: DESK,
    status: 201,
    answer: UserDto,
    errors: [GymInactive, EmailTaken, UsernameTaken, DocumentIdTaken, TooManyRequests],
    idempotent: true,
  })
  create(
    @CurrentActor() actor: Actor,
    @Body() body: NewMemberDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<UserDto> {
    return this.members.createWaitingMember(actor, body, key);
  }

  @Get('by-qr/:qr_code')
  @Operation({
    summary: 'Find the member of a pass',
    description:
      'By the code that its QR picture holds. One that was replaced finds no one. A trainer, who sees no ' +
      'codes, is refused for some seconds after ten unknown ones in a minute.',
    roles: DESK,
    answer: UserDto,
    errors: [UserNotFound, TooManyRequests],
  })
  getByQr(@CurrentActor() actor: Actor, @TextInPath('qr_code', 'GYM-8-8FDCDBEB') code: string): Promise<UserDto> {
    return this.members.getByQr(actor, code);
  }

  @Get(':id/pass')
  @Operation({
    summary: 'The pass of a member',
    description: 'Members see their own, without the temporary password.',
    roles: RECEPTION_AND_MEMBERS,
    answer: PassDto,
    errors: [UserNotFound],
  })
  get(@CurrentActor() actor: Actor, @IdInPath('id', 8, 'The member.') id: number): Promise<PassDto> {
    return this.passes.get(actor, id);
  }

  @Get(':id/qr.svg')
  @Operation({
    summary: 'The QR code of a pass as a picture',
    description: 'SVG, dark on white with its quiet zone. Members see their own.',
    roles: RECEPTION_AND_MEMBERS,
    answer: 'image/svg+xml',
    errors: [UserNotFound],
  })
  @Header('Content-Type', 'image/svg+xml; charset=utf-8')
  draw(@CurrentActor() actor: Actor, @IdInPath('id', 8, 'The member.') id: number): Promise<string> {
    return this.passes.draw(actor, id);
  }

  @Post(':id/regenerate-qr')
  @Operation({
    summary: 'Replace the QR code of a pass',
    description: 'The one before opens nothing any more. Members replace their own.',
    roles: RECEPTION_AND_MEMBERS,
    answer: PassDto,
    errors: [UserNotFound],
    idempotent: true,
  })
  regenerateQr(
    @CurrentActor() actor: Actor,
    @IdInPath('id', 8, 'The member.') id: number,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<PassDto> {
    return this.passes.regenerateQr(actor, id, key);
  }

  @Post(':id/reset-password')
  @Operation({
    summary: 'Give a member a new temporary password',
    description:
      'The password before and all sessions of the member end. At the next sign-in nothing is allowed but to change it.',
    roles: RECEPTION,
    answer: PassDto,
    errors: [UserNotFound, TooManyRequests],
    idempotent: true,
  })
  resetPassword(
    @CurrentActor() actor: Actor,
    @IdInPath('id', 8, 'The member.') id: number,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<PassDto> {
    return this.passes.resetPassword(actor, id, key);
  }
}
