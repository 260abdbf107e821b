import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor/actor.js';
import { DESK_AND_MEMBERS } from '../../common/actor/roles.js';
import { FieldsInvalid } from '../../common/errors/common.errors.js';
import type { ErrorClass } from '../../common/errors/domain-error.js';
import { BoardsService } from '../../devices/boards.service.js';
import { BoardNotConnected, BoardTimedOut, DeviceNotFound } from '../../devices/devices.errors.js';
import type { UploadResultDto } from '../../devices/dto/device.dto.js';
import { GymInactive } from '../../gyms/gyms.errors.js';
import {
  AlreadyBooked,
  BookingNotFound,
  HourNotBooked,
  SlotClosed,
  SlotNotFound,
  SlotOver,
  SlotTaken,
  TooFarAhead,
  TooManyBookings,
} from '../../slots/slots.errors.js';
import { SlotsService } from '../../slots/slots.service.js';
import { inWordsOf, Refusal } from '../wire/refusal.js';
import { PublicDay } from './public-day.js';
import { requireRole } from './rero-people.js';
import type { ReroDeviceDto, SlotAnswerDto, UploadedAnswerDto } from './rero-slots.dto.js';
import { placesOf } from './rero-slots.wire.js';

const NOT_AVAILABLE: ErrorClass[] = [
  ...[SlotNotFound, SlotTaken, AlreadyBooked, SlotClosed, SlotOver, TooFarAhead, TooManyBookings, GymInactive],
  FieldsInvalid,
];
const NOT_YOURS: ErrorClass[] = [BookingNotFound, SlotOver];
/** @param place as it was asked for */
export const noDevice = (place: number | string): string => `Device ${place} not found or invalid`;

const isSlot = (id: number) => id >= 0 && id <= 23;

/** What the people of ReRo do, by a request or a frame: the same rules and words for both. */
@Injectable()
export class ReroDesk {
  constructor(
    private readonly day: PublicDay,
    private readonly slots: SlotsService,
    private readonly boards: BoardsService,
  ) {}

  /** @throws Refusal 400, RoleNotAllowed, OtherGym */
  async book(actor: Actor, slotId: number): Promise<SlotAnswerDto> {
    requireRole(actor, DESK_AND_MEMBERS);
    const refusal = new Refusal(400, `Slot ${slotId} is not available`);
    if (!isSlot(slotId)) throw refusal;
    const gymId = await this.day.gym();
    await refusedAs(refusal, NOT_AVAILABLE, this.slots.book(actor, slotId, { gym_id: gymId }, null));
    return { success: true, message: `Slot ${slotId} booked successfully`, slot_id: slotId };
  }

  /** @throws Refusal 400, RoleNotAllowed, OtherGym */
  async cancel(actor: Actor, slotId: number): Promise<SlotAnswerDto> {
    requireRole(actor, DESK_AND_MEMBERS);
    const refusal = new Refusal(400, `Slot ${slotId} was not booked by you or does not exist`);
    if (!isSlot(slotId)) throw refusal;
    const gymId = await this.day.gym();
    await refusedAs(refusal, NOT_YOURS, this.slots.cancel(actor, slotId, { gym_id: gymId }, null));
    return { success: true, message: `Slot ${slotId} booking cancelled successfully`, slot_id: slotId };
  }

  /** By their places: the index is the number. */
  async devices(): Promise<ReroDeviceDto[]> {
    return placesOf(await this.boards.list(await this.day.gym()));
  }

  /** @throws Refusal 403, 404, RoleNotAllowed, OtherGym */
  async upload(actor: Actor, number: number, code: string): Promise<UploadedAnswerDto> {
    requireRole(actor, DESK_AND_MEMBERS);
    const gymId = actor.gym(await this.day.gym());
    const device = (await this.devices())[number];
    if (!device) throw new Refusal(404, noDevice(number));
    const result = await this.run(actor, number, code, gymId).catch((thrown: unknown) => {
      const hour = thrown instanceof HourNotBooked ? thrown.hour : '';
      throw inWordsOf(
        [
          [HourNotBooked, 403, `You must have booked the current time slot (${hour}) to upload code`],
          [DeviceNotFound, 404, noDevice(number)],
        ],
        thrown,
      );
    });
    return {
      success: result.success,
      message: result.success ? `Code uploaded to device ${number}` : (result.error ?? 'The program failed.'),
      device,
      compile_output: result.error ?? '',
      upload_output: result.output,
      project_id: randomUUID(),
    };
  }

  /** A board that is away is an answer, too. */
  private async run(actor: Actor, number: number, code: string, gymId: number): Promise<UploadResultDto> {
    try {
      return await this.boards.upload(actor, number, code, gymId);
    } catch (error) {
      if (!(error instanceof BoardNotConnected || error instanceof BoardTimedOut)) throw error;
      return { success: false, output: '', error: error.message };
    }
  }
}

async function refusedAs(refusal: Refusal, errors: ErrorClass[], work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (thrown) {
    throw errors.some((error) => thrown instanceof error) ? refusal : thrown;
  }
}
