import type { DeviceDto } from '../../devices/dto/device.dto.js';
import type { OpenHour } from '../../slots/open-day.js';
import type { DatabaseStatsDto, OwnSlotDto, ReroDeviceDto, ReroSlotsDto } from './rero-slots.dto.js';

/** Devices are known by their place in a list: more would make it endless. */
const MOST_DEVICES = 100;

export function slotsOf(slots: OpenHour[]): ReroSlotsDto {
  const idsOf = (isBooked: boolean) => slots.filter((slot) => slot.is_booked === isBooked).map(({ id }) => id);
  return { slots, available_slots: idsOf(false), booked_slots: idsOf(true) };
}

export const countsOf = ({ slots, available_slots, booked_slots }: ReroSlotsDto): DatabaseStatsDto => ({
  ...{ total_slots: slots.length, booked_slots: booked_slots.length, available_slots: available_slots.length },
  database_path: 'postgresql',
});

export const ownSlotOf = ({ id, start_time, end_time, booked_at }: OpenHour): OwnSlotDto => {
  return { id, start_time, end_time, booked_at };
};

type Board = Pick<DeviceDto, 'device_number' | 'name' | 'online'>;

/** The boards by their numbers, each at its place; where there is none, a place that is not known. */
export function placesOf(boards: Board[]): ReroDeviceDto[] {
  const known = new Map(boards.map((board) => [board.device_number, board]));
  const last = Math.max(-1, ...[...known.keys()].filter((number) => number < MOST_DEVICES));
  return Array.from({ length: last + 1 }, (_, number) => {
    const board = known.get(number);
    return board
      ? {
          ...{ device_number: number, model: 'board', port: board.name },
          description: `Lab board, ${board.online ? '' : 'not '}connected`,
        }
      : { device_number: number, model: 'unknown', port: '-', description: 'No lab board' };
  });
}
