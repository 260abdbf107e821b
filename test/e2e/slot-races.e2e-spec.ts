import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';
import { ownDatabase } from '../support/database.js';
import type { SignedIn } from '../support/factory.js';
import { HttpClient } from '../support/http-client.js';
import { ServerProcess } from '../support/server-process.js';
import { book, cancel, makeSlotGym, SOON } from '../support/slots.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/until.js';

interface Outcome {
  isBooked: boolean;
  code?: string;
}
/** One way for one person to try to get an hour. */
type Try = (slot: number) => Promise<Outcome>;

const overRest = ({ token }: HttpClient, base: string): Try => {
  const client = new HttpClient(base, token);
  return async (slot) => {
    const { status, body } = await book(client, slot);
    expect([201, 409]).toContain(status);
    return { isBooked: status === 201, code: body.code };
  };
};

const overSocket = async ({ access_token: token }: SignedIn, url: string): Promise<Try> => {
  const socket = await SocketClient.connect(url, '/slots', { token });
  return async (slot) => {
    const { success, code } = await socket.ask('book_slot', { slot_id: slot, date: SOON });
    return { isBooked: success, code };
  };
};

describe('when many want the same hours', () => {
  let t: TestApp;
  const running: ServerProcess[] = [];

  beforeAll(async () => {
    t = await startApp({ DATABASE_URL: await ownDatabase('slot_races') });
  });
  afterEach(async () => {
    SocketClient.closeAll();
    await Promise.all(running.splice(0).map((server) => server.kill('SIGTERM')));
  });
  afterAll(() => t.close());

  const people = (gymId: number, count: number) =>
    Promise.all(Array.from({ length: count }, () => t.make.signedIn('user', gymId)));

  const history = async (gymId: number) =>
    (await t.db.pool.query('SELECT * FROM slot_bookings WHERE gym_id = $1 ORDER BY id', [gymId])).rows;

  /** Hours 1 to 3 have one seat, hour 4 has four. */
  const makeGym = () => makeSlotGym(t.make, { capacities: { 4: 4 } });

  /** 500 attempts at once on 7 seats, and what came of them. */
  async function storm(gymId: number, tries: Try[]) {
    const attempts = Array.from({ length: 500 }, (_, number) => tries[number % tries.length]!);
    const outcomes = await Promise.all(attempts.map((attempt, number) => attempt(1 + (Math.floor(number / 7) % 4))));
    const rows = await history(gymId);
    return {
      seats: rows.map(({ slot_id, seat, cancelled_at }) => [slot_id, seat, cancelled_at]).toSorted(),
      winners: outcomes.filter(({ isBooked }) => isBooked).length,
      unclear: outcomes.filter(({ isBooked, code }) => !isBooked && code !== 'slot_taken' && code !== 'already_booked'),
    };
  }
  const fair = {
    seats: [[1, 1], [2, 1], [3, 1], [4, 1], [4, 2], [4, 3], [4, 4]].map((seat) => [...seat, null]), // prettier-ignore
    winners: 7,
    unclear: [],
  };

  it('exactly as many get one as there are seats, over REST', async () => {
    const { gym } = await makeGym();
    const all = await people(gym.id, 50);
    expect(
      await storm(
        gym.id,
        all.map(({ client }) => overRest(client, client.base)),
      ),
    ).toEqual(fair);
  });

  it('exactly as many get one as there are seats, half of them over sockets', async () => {
    const { gym } = await makeGym();
    const all = await people(gym.id, 50);
    const tries = all.map(async (person, index) =>
      index % 2 ? overRest(person.client, person.client.base) : overSocket(person, t.url),
    );
    expect(await storm(gym.id, await Promise.all(tries))).toEqual(fair);
  });

  it('exactly as many get one as there are seats, on two servers, whose watchers see the same in the end', async () => {
    const { gym, manager, member } = await makeGym();
    const all = await people(gym.id, 50);
    const { JWT_SECRET, ENCRYPTION_KEYS, FINGERPRINT_KEYS } = t.config;
    const settings = { DATABASE_URL: t.config.DATABASE_URL!, JWT_SECRET, ENCRYPTION_KEYS, FINGERPRINT_KEYS };
    running.push(new ServerProcess(settings), new ServerProcess(settings));
    const bases = (await Promise.all(running.map((server) => server.ready()))).map(({ base }) => base);
    const urls = bases.map((base) => base.replace('/api/v1', ''));
    const watchers = await Promise.all(
      [...urls, t.url].flatMap((url) =>
        [manager, member].map(({ access_token: token }) => SocketClient.connect(url, '/slots', { token })),
      ),
    );
    for (const watcher of watchers) await watcher.ask('get_slots', { date: SOON });
    const tries = all.map(async (person, index) =>
      index % 4 < 2 ? overRest(person.client, bases[index % 2]!) : overSocket(person, urls[index % 2]!),
    );
    expect(await storm(gym.id, await Promise.all(tries))).toEqual(fair);

    const slotsOf = async ({ client }: SignedIn) => (await client.get(`/slots?date=${SOON}`)).body;
    const [seenByStaff, seenByMember] = [await slotsOf(manager), await slotsOf(member)];
    for (const [index, watcher] of watchers.entries()) {
      const { data } = await watcher.next('slots_update', ({ data: { slots, booked_count } }) =>
        booked_count === 4 && slots[4].booked === 4); // prettier-ignore
      expect(data.slots).toEqual(index % 2 === 0 ? seenByStaff : seenByMember);
    }
    // Nothing older comes after it.
    await cancel(manager.client, 4, { date: SOON, user_id: seenByStaff[4].booked_by.id });
    for (const watcher of watchers) {
      await watcher.next('slots_update', ({ data }) => data.slots[4].booked === 3);
      const booked = watcher.all('slots_update').map(({ data }) => data.slots[4].booked);
      expect(booked.slice(0, -1)).toEqual(booked.slice(0, -1).toSorted());
    }
  });

  it('1,000 bookings and cancellations never overlap', async () => {
    const { gym } = await makeSlotGym(t.make, { default_capacity: 3 });
    const all = await people(gym.id, 20);
    const counts = { 200: 0, 201: 0, 409: 0 };
    await Promise.all(
      all.map(async ({ client }) => {
        let hasIt = false;
        for (let attempt = 0; attempt < 50; attempt++) {
          const { status } = await (hasIt ? cancel : book)(client, 12);
          counts[status as 200]++;
          if (status !== 409) hasIt = !hasIt;
        }
      }),
    );
    expect(counts[200] + counts[201] + counts[409]).toBe(1000);
    expect(counts[200]).toBeGreaterThan(100);
    const rows = await history(gym.id);
    expect([rows.length, rows.filter(({ cancelled_at }) => cancelled_at).length]).toEqual([counts[201], counts[200]]);
    const end = ({ cancelled_at }: { cancelled_at: Date | null }) => cancelled_at?.getTime() ?? Infinity;
    for (const one of rows) {
      const meanwhile = rows.filter(
        (other) => other.booked_at <= one.booked_at && one.booked_at.getTime() < end(other),
      );
      expect(meanwhile.length).toBeLessThanOrEqual(3);
      expect(new Set(meanwhile.map(({ seat }) => seat)).size).toBe(meanwhile.length);
      expect(one.seat).toBeLessThanOrEqual(3);
    }
  });

  it('one person gets as many as one may have, however many they ask for at once', async () => {
    const { gym, member } = await makeSlotGym(t.make, { max_per_day: 2, default_capacity: 2 });
    const answers = await Promise.all(Array.from({ length: 30 }, (_, number) => book(member.client, number % 24)));
    const codes = answers.map(({ status, body }) => (status === 201 ? 'booked' : body.code));
    expect(codes.filter((code) => code === 'booked')).toHaveLength(2);
    expect(codes.filter((code) => !['booked', 'too_many_bookings', 'already_booked'].includes(code))).toEqual([]);
    expect(await history(gym.id)).toHaveLength(2);
  });

  describe('a booking waits for a change that is under way, and finds what has become of', () => {
    /** Books while this is changed, and not yet committed. */
    async function bookDuring(change: string, { manager, member }: { manager: SignedIn; member: SignedIn }) {
      const other = await t.db.pool.connect();
      try {
        await other.query('BEGIN');
        await other.query(change);
        const booking = book(manager.client, 9, { date: SOON, user_id: member.id });
        const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
        await until(async () => (await t.db.pool.query(waiting)).rowCount === 1, 'the booking waits');
        await other.query('COMMIT');
        return await booking;
      } finally {
        other.release();
      }
    }
    const lockGym = (id: number) => `SELECT FROM gyms WHERE id = ${id} FOR UPDATE`;

    it('a gym that closes', async () => {
      const { gym, ...both } = await makeSlotGym(t.make);
      const closing = `${lockGym(gym.id)}; UPDATE gyms SET is_active = FALSE WHERE id = ${gym.id}`;
      expect(await bookDuring(closing, both)).toBeRefused(409, 'gym_inactive');
      expect(await history(gym.id)).toEqual([]);
    });

    it('a gym that gets another clock', async () => {
      const { gym, ...both } = await makeSlotGym(t.make);
      const turning = `${lockGym(gym.id)}; UPDATE gyms SET timezone = 'Asia/Tokyo' WHERE id = ${gym.id}`;
      const booked = await bookDuring(turning, both);
      expect(booked).toMatchObject({ status: 201, body: { starts_at: `${SOON}T00:00:00.000Z` } });
    });

    it('a person who is deactivated', async () => {
      const { gym, ...both } = await makeSlotGym(t.make);
      const leaving = `UPDATE users SET is_active = FALSE WHERE id = ${both.member.id}`;
      expect(await bookDuring(leaving, both)).toHaveWrongFields('user_id');
      expect(await history(gym.id)).toEqual([]);
    });

    it('the same booking, sent twice', async () => {
      const { gym, ...both } = await makeSlotGym(t.make);
      const same = `INSERT INTO slot_bookings (gym_id, date, slot_id, seat, user_id, starts_at, ends_at, booked_at, booked_by_id)
        VALUES (${gym.id}, '${SOON}', 9, 1, ${both.member.id}, '${SOON}T09:00Z', '${SOON}T10:00Z', now(), ${both.member.id})`;
      expect(await bookDuring(same, both)).toBeRefused(409, 'already_booked');
    });

    it('another who takes the last seat', async () => {
      const { gym, ...both } = await makeSlotGym(t.make);
      const other = await t.make.signedIn('user', gym.id);
      const taking = `INSERT INTO slot_bookings (gym_id, date, slot_id, seat, user_id, starts_at, ends_at, booked_at, booked_by_id)
        VALUES (${gym.id}, '${SOON}', 9, 1, ${other.id}, '${SOON}T09:00Z', '${SOON}T10:00Z', now(), ${other.id})`;
      expect(await bookDuring(taking, both)).toBeRefused(409, 'slot_taken');
      expect(await history(gym.id)).toHaveLength(1);
    });
  });
});
