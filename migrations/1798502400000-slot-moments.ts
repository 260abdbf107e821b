import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A booking is of a moment. Of which hour it is, the clock that the gym has says: a name that another clock gave it may be
 * that of another hour now.
 */
export class SlotMoments1798502400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE slot_bookings ADD COLUMN moved_at timestamptz(3);
      DROP INDEX slot_bookings_seat, slot_bookings_once;
      CREATE UNIQUE INDEX slot_bookings_seat ON slot_bookings (gym_id, starts_at, date, slot_id, seat)
        WHERE cancelled_at IS NULL;
      CREATE UNIQUE INDEX slot_bookings_once ON slot_bookings (user_id, gym_id, starts_at, date, slot_id)
        WHERE cancelled_at IS NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Of two that two clocks called the same, the later one stays.
      UPDATE slot_bookings b SET cancelled_at = moment(), cancelled_by_id = user_id
      WHERE cancelled_at IS NULL AND EXISTS (
        SELECT FROM slot_bookings later
        WHERE (later.gym_id, later.date, later.slot_id) = (b.gym_id, b.date, b.slot_id) AND later.cancelled_at IS NULL
          AND (later.seat = b.seat OR later.user_id = b.user_id) AND later.id > b.id);
      ALTER TABLE slot_bookings DROP COLUMN moved_at;
      DROP INDEX slot_bookings_seat, slot_bookings_once;
      CREATE UNIQUE INDEX slot_bookings_seat ON slot_bookings (gym_id, date, slot_id, seat) WHERE cancelled_at IS NULL;
      CREATE UNIQUE INDEX slot_bookings_once ON slot_bookings (user_id, gym_id, date, slot_id)
        WHERE cancelled_at IS NULL;
    `);
  }
}
