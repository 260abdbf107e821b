import { describe, expect, it } from '@jest/globals';
import { countsOf, ownSlotOf, placesOf, slotsOf } from './rero-slots.wire.js';

describe('what clients of ReRo are shown', () => {
  const hour = (id: number, isBooked: boolean) => ({
    ...{ id, start_time: `0${id}:00`, end_time: `0${id + 1}:00`, is_booked: isBooked },
    ...{ booked_by: null, booked_at: null },
  });

  it('is hours with the ids of those that are free and those that are not', () => {
    const slots = slotsOf([hour(0, true), hour(1, false), hour(2, true)]);
    expect(slots).toMatchObject({ available_slots: [1], booked_slots: [0, 2] });
    const counts = { total_slots: 3, booked_slots: 2, available_slots: 1, database_path: 'postgresql' };
    expect(countsOf(slots)).toEqual(counts);
    expect(ownSlotOf(hour(1, true))).toEqual({ id: 1, start_time: '01:00', end_time: '02:00', booked_at: null });
  });

  it('is a list of devices in which a board stands at its number', () => {
    const board = (number: number, online = true) => ({ device_number: number, name: `Board ${number}`, online });
    expect(placesOf([])).toEqual([]);
    expect(placesOf([board(1), board(3, false), board(100), board(500)])).toEqual([
      { device_number: 0, model: 'unknown', port: '-', description: 'No lab board' },
      { device_number: 1, model: 'board', port: 'Board 1', description: 'Lab board, connected' },
      { device_number: 2, model: 'unknown', port: '-', description: 'No lab board' },
      { device_number: 3, model: 'board', port: 'Board 3', description: 'Lab board, not connected' },
    ]);
    expect(placesOf([board(99)])).toHaveLength(100);
  });
});
