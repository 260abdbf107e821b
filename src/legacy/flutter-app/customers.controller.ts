import { Get, Post, type StreamableFile } from '@nestjs/common';
import { CurrentActor } from '../../common/actor/access.js';
import type { Actor } from '../../common/actor/actor.js';
import { DESK, RECEPTION, STAFF } from '../../common/actor/roles.js';
import { Idempotency, type IdempotencyKey } from '../../common/http/idempotency.js';
import { Body, Query, validated } from '../../common/http/validation.js';
import { NewMemberDto } from '../../members/dto/user.dto.js';
import { MembersService } from '../../members/members.service.js';
import { PassesService } from '../../members/passes.service.js';
import { RecordsService } from '../../members/records.service.js';
import { UserNotFound } from '../../people/people.errors.js';
import type { Texts } from '../wire/refusal.js';
import { LegacyController, LegacyId, Wire } from '../wire/route.js';
import {
  CodeAnswer,
  CustomerSearchQuery,
  CustomersQuery,
  CustomerWire,
  Done,
  DoneList,
  GivenPasswordWire,
  CustomerBody,
  RegisteredWire,
} from './flutter-app.dto.js';
import { customerOf, done, listed, numbersIn } from './flutter-app.wire.js';

const NOT_FOUND = 'Customer not found';
const texts: Texts = [[UserNotFound, 404, NOT_FOUND]];
/** So many are found, if the app does not say. */
const FOUND = 20;
const MOST_FOUND = 200;

/** Members, which these apps call customers. */
@LegacyController('flutter-app', 'api/customers')
export class FlutterCustomersController {
  constructor(
    private readonly records: RecordsService,
    private readonly members: MembersService,
    private readonly passes: PassesService,
  ) {}

  @Get()
  @Wire({ summary: 'The customers, the newest first', roles: STAFF, answer: DoneList(CustomerWire) })
  async list(@CurrentActor() actor: Actor, @Query() query: CustomersQuery): Promise<StreamableFile> {
    const filters = { gym_id: query.branch_id, search: query.search };
    return listed(await this.records.list(actor, { ...numbersIn(query), ...filters }), customerOf);
  }

  @Get('search')
  @Wire({ summary: 'Find customers, the best match first', roles: STAFF, answer: DoneList(CustomerWire, false) })
  async search(@CurrentActor() actor: Actor, @Query() query: CustomerSearchQuery) {
    const { q = '', limit = FOUND, branch_id: gymId } = query;
    const found = await this.records.search(actor, q, Math.min(limit, MOST_FOUND), gymId);
    return done({ items: found.map(customerOf) });
  }

  @Get(':id')
  @Wire({ summary: 'One customer', roles: STAFF, answer: Done(CustomerWire), texts })
  async get(@CurrentActor() actor: Actor, @LegacyId('id', NOT_FOUND) id: number) {
    return done(customerOf(await this.records.get(actor, id)));
  }

  @Post(':id/regenerate-qr')
  @Wire({ summary: 'Another code; the one before opens nothing any more', roles: RECEPTION, answer: CodeAnswer, texts })
  async regenerateQr(@CurrentActor() actor: Actor, @LegacyId('id', NOT_FOUND) id: number) {
    const { qr_code } = await this.passes.regenerateQr(actor, id, null);
    return { ...done({ qr_code }, 'QR code regenerated'), qr_code };
  }

  @Post('register')
  @Wire({
    summary: 'A customer who is inactive until the first subscription',
    roles: DESK,
    status: 201,
    answer: Done(RegisteredWire),
    fields: { phone_number: 'phone', gym_id: 'branch_id' },
  })
  async register(
    @CurrentActor() actor: Actor,
    @Body() { phone, branch_id: gymId, ...body }: CustomerBody,
    @Idempotency() key: IdempotencyKey | null,
  ) {
    const sent = { ...body, phone_number: phone, gym_id: gymId, issue_temporary_password: true };
    const newcomer = validated(NewMemberDto, sent);
    const { id } = await this.members.createWaitingMember(actor, newcomer, key);
    return done({ id, customer: customerOf(await this.records.get(actor, id)) }, 'Customer registered successfully');
  }

  @Post(':id/reset-password')
  @Wire({ summary: 'Another temporary password', roles: RECEPTION, answer: Done(GivenPasswordWire), texts })
  async resetPassword(@CurrentActor() actor: Actor, @LegacyId('id', NOT_FOUND) id: number) {
    const { temporary_password } = await this.passes.resetPassword(actor, id, null);
    return done({ temporary_password }, 'Password reset successfully');
  }
}
