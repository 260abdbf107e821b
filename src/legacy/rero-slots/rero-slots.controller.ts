import { randomUUID } from 'node:crypto';
import { Get, Headers, Param, Post, Req } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { EmailTaken } from '../../auth/auth.errors.js';
import { AuthService } from '../../auth/auth.service.js';
import { clientOf } from '../../auth/client.js';
import { PUBLIC } from '../../common/actor/access.js';
import type { Actor } from '../../common/actor/actor.js';
import { LONGEST_PASSWORD } from '../../common/http/fields.js';
import { fromDigits } from '../../common/http/whole.js';
import { Body } from '../../common/http/validation.js';
import { hoursOf, nextHourOf } from '../../slots/open-day.js';
import { Refusal } from '../wire/refusal.js';
import { LegacyController, Wire } from '../wire/route.js';
import { PublicDay } from './public-day.js';
import { noDevice, ReroDesk } from './rero-desk.js';
import { ReroPeople } from './rero-people.js';
import {
  BookSlotBody,
  CodeDto,
  CompiledAnswerDto,
  LoginBody,
  OwnBookingsDto,
  ReroRegisterBody,
  RegisteredDto,
  ReroDevicesDto,
  ReroHealthDto,
  ReroSignedInDto,
  ReroSlotsDto,
  ReroStatsDto,
  RootDto,
  SlotAnswerDto,
  UploadBody,
  UploadedAnswerDto,
  UserSlotDto,
  WhoDto,
} from './rero-slots.dto.js';
import { countsOf, ownSlotOf } from './rero-slots.wire.js';
import { SlotBookingSockets } from './slot-booking.sockets.js';

const SHORTEST_PASSWORD = 6;

/**
 * ReRo at the root. A body may say who asks, so the routes of people are open, and each asks `ReroPeople` before it
 * does anything.
 */
@LegacyController('rero-slots', '')
export class ReroSlotsController {
  constructor(
    private readonly day: PublicDay,
    private readonly people: ReroPeople,
    private readonly desk: ReroDesk,
    private readonly auth: AuthService,
    private readonly sockets: SlotBookingSockets,
  ) {}

  @Get()
  @Wire({ summary: 'That it runs', roles: PUBLIC, answer: RootDto })
  async root(): Promise<RootDto> {
    return {
      message: 'Slot Booking API is running',
      websocket_endpoint: '/slot-booking',
      active_connections: this.sockets.count,
      booked_slots: (await this.slotsFor(null)).booked_slots,
    };
  }

  @Get('health')
  @Wire({ summary: 'That it is well, with its numbers', roles: PUBLIC, answer: ReroHealthDto })
  async health(): Promise<ReroHealthDto> {
    const database = countsOf(await this.slotsFor(null));
    return {
      ...{ status: 'healthy', timestamp: new Date().toISOString(), active_connections: this.sockets.count },
      ...{ total_slots: database.total_slots, booked_slots_count: database.booked_slots },
      ...{ available_slots_count: database.available_slots, database },
    };
  }

  @Get('stats')
  @Wire({ summary: 'Its numbers', roles: PUBLIC, answer: ReroStatsDto })
  async stats(): Promise<ReroStatsDto> {
    const database = countsOf(await this.slotsFor(null));
    const { total_slots: total, booked_slots: booked, available_slots: available } = database;
    const websocket = { active_connections: this.sockets.count };
    return { database, websocket, slots: { total, booked, available } };
  }

  @Get('slots')
  @Wire({ summary: 'The hours of today; a token, if any, says who looks', roles: PUBLIC, answer: ReroSlotsDto })
  async slots(@Req() request: FastifyRequest, @Headers('authorization') authorization?: string): Promise<ReroSlotsDto> {
    return this.slotsFor(await this.people.find({ authorization }, clientOf(request)));
  }

  @Post('auth/register')
  @Wire({
    summary: 'Become a member of the gym',
    roles: PUBLIC,
    status: 201,
    answer: RegisteredDto,
    texts: [[EmailTaken, 400, 'User with this email already exists']],
  })
  async register(
    @Req() request: FastifyRequest,
    @Body() { email, password }: ReroRegisterBody,
  ): Promise<RegisteredDto> {
    if (password.length < SHORTEST_PASSWORD) {
      throw new Refusal(400, `Password must be at least ${SHORTEST_PASSWORD} characters long`);
    }
    if (Buffer.byteLength(password) > LONGEST_PASSWORD) {
      throw new Refusal(400, `Password must be at most ${LONGEST_PASSWORD} bytes long`);
    }
    const account = await this.auth.register({ email, password, gym_id: await this.day.gym() }, clientOf(request));
    const user = { email, created_at: account.created_at };
    return { success: true, message: 'User registered successfully', email, user };
  }

  @Post('auth/login')
  @Wire({ summary: 'Sign in, with the email as it was registered', roles: PUBLIC, answer: ReroSignedInDto })
  login(@Req() request: FastifyRequest, @Body() body: LoginBody): Promise<ReroSignedInDto> {
    return this.people.signIn(body, clientOf(request));
  }

  @Post('book-slot')
  @Wire({ summary: 'Book an hour of today', roles: PUBLIC, answer: SlotAnswerDto })
  async book(@Req() request: FastifyRequest, @Body() { slot_id, ...who }: BookSlotBody): Promise<SlotAnswerDto> {
    return this.desk.book(await this.askerOf(request, who), slot_id);
  }

  @Post('cancel-slot')
  @Wire({ summary: 'Cancel an hour of today', roles: PUBLIC, answer: SlotAnswerDto })
  async cancel(@Req() request: FastifyRequest, @Body() { slot_id, ...who }: BookSlotBody): Promise<SlotAnswerDto> {
    return this.desk.cancel(await this.askerOf(request, who), slot_id);
  }

  @Post('my-bookings')
  @Wire({ summary: "One's own hours of today", roles: PUBLIC, answer: OwnBookingsDto })
  async ownBookings(@Req() request: FastifyRequest, @Body() who: WhoDto): Promise<OwnBookingsDto> {
    const { user_id } = await this.askerOf(request, who);
    const bookings = hoursOf(user_id, await this.day.read()).map(ownSlotOf);
    return { success: true, bookings, total_bookings: bookings.length };
  }

  @Post('slots/user')
  @Wire({
    summary: 'The hour that is now, if it is theirs; else their next one today',
    roles: PUBLIC,
    answer: UserSlotDto,
  })
  async userSlot(@Req() request: FastifyRequest, @Body() who: WhoDto): Promise<UserSlotDto> {
    const { user_id } = await this.askerOf(request, who);
    const slot = nextHourOf(user_id, await this.day.read());
    return { success: true, slot, has_booking: slot !== null };
  }

  @Get('devices')
  @Wire({ summary: 'The lab boards, each at the place of its number', roles: PUBLIC, answer: ReroDevicesDto })
  async devices(): Promise<ReroDevicesDto> {
    const devices = await this.desk.devices();
    return { success: true, devices, count: devices.length, supported_models: ['board'] };
  }

  @Post('devices/compile')
  @Wire({ summary: 'Says that the board compiles at upload', roles: PUBLIC, answer: CompiledAnswerDto })
  compile(@Body() _body: CodeDto): CompiledAnswerDto {
    const message = 'The board compiles the code at upload.';
    return { success: false, message, compile_results: {}, project_id: randomUUID() };
  }

  @Post('devices/upload/:number')
  @ApiParam({ name: 'number', schema: { type: 'integer', example: 0 } })
  @Wire({ summary: 'Run code on a board, in the hour that one has', roles: PUBLIC, answer: UploadedAnswerDto })
  async upload(
    @Req() request: FastifyRequest,
    @Param('number') number: string,
    @Body() { code, ...who }: UploadBody,
  ): Promise<UploadedAnswerDto> {
    const actor = await this.askerOf(request, who);
    const place = fromDigits(number);
    if (typeof place !== 'number') throw new Refusal(404, noDevice(number));
    return this.desk.upload(actor, place, code);
  }

  private askerOf(request: FastifyRequest, who: WhoDto): Promise<Actor> {
    return this.people.require({ ...who, authorization: request.headers.authorization }, clientOf(request));
  }

  private async slotsFor(viewer: Actor | null): Promise<ReroSlotsDto> {
    return this.day.frameFor(viewer, await this.day.read()).data;
  }
}
