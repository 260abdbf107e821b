import type pg from 'pg';
import type { Demo, Member } from './demo-people.js';
import { Random } from './random.js';

/**
 * Hours of the coming week, four people each; the second member has the last hour of today, as the examples have it.
 */
export async function addSlots(client: pg.Client, { gym, place, desk }: Demo, members: Member[]): Promise<void> {
  const random = new Random(4 + 10 * place);
  await client.query('INSERT INTO slot_settings (gym_id, default_capacity) VALUES ($1, 4)', [gym.id]);
  const taken = new Map<string, number>();
  const hours = members.slice(1).map(({ id }, position) => ({
    days: position === 0 ? 0 : random.int(1, 7),
    slot_id: position === 0 ? 23 : random.int(7, 21),
    user_id: id,
  }));
  const bookings = hours
    .map((hour) => {
      const key = `${hour.days} ${hour.slot_id}`;
      taken.set(key, (taken.get(key) ?? 0) + 1);
      return { ...hour, seat: taken.get(key)! };
    })
    .filter(({ seat }) => seat <= 4);
  await client.query(
    `INSERT INTO slot_bookings (gym_id, date, slot_id, seat, user_id, starts_at, ends_at, booked_at, booked_by_id)
     SELECT g.id, d.date, b.slot_id, b.seat, b.user_id, h.starts_at, h.ends_at, now() - interval '2 hours', $3
     FROM json_to_recordset($2) AS b (days int, slot_id int, seat int, user_id int) JOIN gyms g ON g.id = $1
     CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE g.timezone)::date + b.days AS date) d
     JOIN LATERAL slot_hours(d.date, g.timezone) h ON h.slot_id = b.slot_id`,
    [gym.id, JSON.stringify(bookings), desk[0]!.id],
  );
}
