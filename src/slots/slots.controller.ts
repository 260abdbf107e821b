import { Controller, Get, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentActor } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { DESK_AND_MEMBERS, MANAGERS, type Role, STAFF } from '../common/actor/roles.js';
import { Idempotency, type IdempotencyKey } from '../common/http/idempotency.js';
import type { Page } from '../common/http/list.js';
import { SlotIdInPath } from '../common/http/path.js';
import { Operation } from '../common/http/operation.js';
import { Body, Query } from '../common/http/validation.js';
import {
  BookDto,
  BookingDto,
  CancelDto,
  MyBookingsQuery,
  SlotDto,
  SlotSettingsDto,
  SlotSettingsQuery,
  SlotsQuery,
  UpdateSlotSettingsDto,
} from './dto/slot.dto.js';
import { BOOK_ERRORS, CANCEL_ERRORS } from './slots.errors.js';
import { SlotsService } from './slots.service.js';

const READERS: readonly Role[] = [...STAFF, 'user'];
const WHO = 'Who has an hour is shown to staff, and to a member of their own.';

@ApiTags('slots')
@Controller('slots')
export class SlotsController {
  constructor(private readonly slots: SlotsService) {}

  @Get()
  @Operation({
    summary: 'The hours of a local day',
    description: `24; on days when clocks go forward those that they skip are missing. ${WHO}`,
    roles: READERS,
    answer: [SlotDto],
  })
  list(@CurrentActor() actor: Actor, @Query() query: SlotsQuery): Promise<SlotDto[]> {
    return this.slots.list(actor, query);
  }

  @Get('current')
  @Operation({ summary: 'The hour that is now, and who has it', description: WHO, roles: READERS, answer: SlotDto })
  current(@CurrentActor() actor: Actor, @Query() query: SlotSettingsQuery): Promise<SlotDto> {
    return this.slots.current(actor, query.gym_id);
  }

  @Get('mine')
  @Operation({ summary: 'My hours, the latest first', roles: READERS, answer: [BookingDto], list: true })
  mine(@CurrentActor() actor: Actor, @Query() query: MyBookingsQuery): Promise<Page<BookingDto>> {
    return this.slots.listOwn(actor, query);
  }

  @Get('settings')
  @Operation({ summary: 'When the gym can be booked, and by how many', roles: READERS, answer: SlotSettingsDto })
  getSettings(@CurrentActor() actor: Actor, @Query() query: SlotSettingsQuery): Promise<SlotSettingsDto> {
    return this.slots.getSettings(actor, query.gym_id);
  }

  @Put('settings')
  @Operation({
    example: { closing_slot: 23, default_capacity: 4 },
    summary: 'Change when the gym can be booked, and by how many',
    description: 'Bookings that were made before stay.',
    roles: MANAGERS,
    answer: SlotSettingsDto,
  })
  updateSettings(@CurrentActor() actor: Actor, @Body() body: UpdateSlotSettingsDto): Promise<SlotSettingsDto> {
    return this.slots.updateSettings(actor, body);
  }

  @Post(':slot_id/book')
  @Operation({
    summary: 'Book an hour',
    description: 'For oneself, or, as staff, for anyone of the gym. The hour that is now can be booked if it is free.',
    roles: DESK_AND_MEMBERS,
    status: 201,
    answer: BookingDto,
    errors: BOOK_ERRORS,
    idempotent: true,
  })
  book(
    @CurrentActor() actor: Actor,
    @SlotIdInPath('slot_id', 23) slotId: number,
    @Body() body: BookDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<BookingDto> {
    return this.slots.book(actor, slotId, body, key);
  }

  @Post(':slot_id/cancel')
  @Operation({
    summary: 'Cancel an hour',
    description: "One's own, or, as staff, anyone's of the gym.",
    roles: DESK_AND_MEMBERS,
    answer: BookingDto,
    errors: CANCEL_ERRORS,
    idempotent: true,
  })
  cancel(
    @CurrentActor() actor: Actor,
    @SlotIdInPath('slot_id', 23) slotId: number,
    @Body() body: CancelDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<BookingDto> {
    return this.slots.cancel(actor, slotId, body, key);
  }
}
