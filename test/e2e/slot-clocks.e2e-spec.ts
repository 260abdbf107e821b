import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EventEmitter2 } from '@nestjs/event-emitter';
import type pg from 'pg';
import { VisitNumbers } from '../../src/attendance/visit-numbers.js';
import { ClockTurned } from '../../src/gyms/gyms.events.js';
import { startApp, type TestApp } from '../support/app.js';
import { makeDevice } from '../support/device.js';
import type { SignedIn } from '../support/factory.js';
import { book, cancel, hourFromNow, inDays, makeSlotGym, SOON, withinOneHour } from '../support/slots.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/until.js';

// The server is in another zone than any gym, one that shifts by half an hour.
process.env.TZ = 'Australia/Lord_Howe';

const QUARTER_MS = 900_000;

/** Hours and the clocks that they are on: of a gym that gets another one, or closes, and as time passes. */
describe('hours and clocks', () => {
  let t: TestApp;
  let admin: SignedIn;
  beforeAll(async () => {
    t = await startApp();
    admin = await t.make.signedIn('admin', null);
  });
  afterEach(() => SocketClient.closeAll());
  afterAll(() => t.close());

  const gym = (timezone = 'UTC', settings = {}) => makeSlotGym(t.make, settings, timezone);
  const turn = async (gymId: number, timezone: string) =>
    expect(await admin.client.put(`/gyms/${gymId}`, { timezone })).toHaveStatus(200);
  const watch = async (token: string, date?: string) => {
    const socket = await SocketClient.connect(t.url, '/slots', { token });
    await socket.next('slots_update');
    if (date) await socket.ask('get_slots', { date });
    return socket;
  };
  const bookingsOf = async (gymId: number) => {
    const { rows } = await t.db.pool.query<{ slot_id: number; starts_at: Date; ends_at: Date; is_cancelled: boolean }>(
      `SELECT slot_id, starts_at, ends_at, cancelled_by_id IS NOT NULL AS is_cancelled FROM slot_bookings
       WHERE gym_id = $1 ORDER BY slot_id`,
      [gymId],
    );
    return rows;
  };

  it('fill every local day, each moment in the latest hour that the clock has shown', async () => {
    const zones = [
      ...['UTC', 'Europe/Madrid', 'America/New_York', 'America/Havana', 'Pacific/Chatham', 'Australia/Lord_Howe'],
      ...['Africa/Casablanca', 'Africa/Cairo', 'Asia/Kathmandu', 'America/Scoresbysund', 'Antarctica/Troll'],
      ...['Asia/Gaza', 'America/Santiago', 'Pacific/Apia'],
    ];
    // Apia left out a day, Chatham has quarters of an hour, Lord_Howe shifts by half an hour, Havana at midnight.
    const { rows } = await t.db.pool.query(
      `WITH days AS MATERIALIZED (
         SELECT zone, day::date, day_start(day::date, zone) AS began, day_start(day::date + 1, zone) AS ended
         FROM unnest($1::text[]) zone CROSS JOIN (
           SELECT * FROM generate_series(date '2026-01-01', date '2026-12-31', '1 day')
           UNION ALL SELECT * FROM generate_series(date '2011-12-28', date '2012-01-02', '1 day')) d (day)
       ), quarters AS (
         SELECT zone, day, t, max(extract(hour FROM t AT TIME ZONE zone)::int) OVER (PARTITION BY zone, day ORDER BY t) AS shown
         FROM days CROSS JOIN LATERAL generate_series(began, ended - interval '15 minutes', '15 minutes') t
       ), covered AS (
         SELECT zone, day, t, slot_id FROM days CROSS JOIN LATERAL slot_hours(day, zone) h
         CROSS JOIN LATERAL generate_series(h.starts_at, h.ends_at - interval '15 minutes', '15 minutes') t
       )
       SELECT zone, day, t, shown, slot_id FROM quarters FULL JOIN covered USING (zone, day, t)
       WHERE slot_id IS DISTINCT FROM shown`,
      [zones],
    );
    expect(rows).toEqual([]);
  });

  it('are none on a day that the zone has skipped', async () => {
    const { manager } = await gym('Pacific/Apia');
    expect(await manager.client.get('/slots?date=2011-12-30')).toMatchObject({ status: 200, body: [] });
    expect((await manager.client.get('/slots?date=2011-12-31')).body).toHaveLength(24);
  });

  it('are at the same time of the new clock when a gym gets another one, and watchers are told', async () => {
    const { gym: { id }, member } = await gym('Europe/Lisbon'); // prettier-ignore
    for (const hour of [9, 18]) expect(await book(member.client, hour)).toHaveStatus(201);
    const socket = await watch(member.access_token, SOON);
    expect(await admin.client.put(`/gyms/${id}`, { timezone: 'Asia/Kolkata' })).toHaveStatus(200);
    const { data } = await socket.next('slots_update', (update) =>
      update.data.slots[9].starts_at.endsWith('03:30:00.000Z'),
    );
    const bookings = await bookingsOf(id);
    expect(bookings.map(({ slot_id, is_cancelled }) => [slot_id, is_cancelled])).toEqual([
      [9, false],
      [18, false],
    ]);
    for (const { slot_id, starts_at, ends_at } of bookings) {
      const { starts_at: first, ends_at: last } = data.slots[slot_id];
      expect([starts_at.toISOString(), ends_at.toISOString()]).toEqual([first, last]);
    }
    // The hour is still theirs: no one else gets it, at whatever moment it was.
    const other = await t.make.signedIn('user', id);
    expect(await book(other.client, 9)).toBeRefused(409, 'slot_taken');
  });

  it('are cancelled where the new clock skips them', async () => {
    const { gym: { id }, member } = await gym('UTC'); // prettier-ignore
    const { rows } = await t.db.pool.query<{ day: string }>(`
      SELECT d::date::text AS day FROM generate_series(now() + interval '2 days', now() + interval '400 days', '1 day') d
      WHERE (SELECT count(*) FROM slot_hours(d::date, 'America/New_York')) = 23 LIMIT 1`);
    const date = rows[0]!.day;
    await t.db.pool.query(
      `INSERT INTO slot_bookings (gym_id, date, slot_id, seat, user_id, starts_at, ends_at, booked_at, booked_by_id)
       SELECT $1, $2, slot_id, 1, $3, starts_at, ends_at, now(), $3 FROM slot_hours($2, 'UTC') WHERE slot_id < 4`,
      [id, date, member.id],
    );
    await admin.client.put(`/gyms/${id}`, { timezone: 'America/New_York' });
    const bookings = await bookingsOf(id);
    expect(bookings.map(({ is_cancelled }) => is_cancelled)).toEqual([false, false, true, false]);
    const hours = (await member.client.get(`/slots?date=${date}`)).body;
    expect(hours.map(({ id: hour, booked }: any) => [hour, booked]).slice(0, 3)).toEqual([
      [0, 1],
      [1, 1],
      [3, 1],
    ]);
  });

  describe('that have begun when the clock changes', () => {
    // Whole hours from UTC, and half an hour beside them.
    it.each(['America/Phoenix', 'Pacific/Marquesas'])(
      'keep their moment, and not the hour that %s calls as they were called',
      async (zone) => {
        const [seen, mine, again, cancelled] = await withinOneHour(async () => {
          const { gym: { id }, member } = await gym(); // prettier-ignore
          const other = await t.make.signedIn('user', id);
          const [over, now] = [hourFromNow(-1), hourFromNow(0)];
          await t.db.pool.query(
            `INSERT INTO slot_bookings (gym_id, date, slot_id, seat, user_id, starts_at, ends_at, booked_at, booked_by_id)
             SELECT $1, $2, slot_id, 1, $3, starts_at, ends_at, now(), $3 FROM slot_hours($2, 'UTC', $4)`,
            [id, over.date, member.id, over.slot],
          );
          await book(member.client, now.slot, { date: now.date });
          const before = await bookingsOf(id);
          await turn(id, zone);
          expect(await bookingsOf(id)).toEqual(before);
          const dates = [inDays(-1), inDays(0)];
          const days = await Promise.all(dates.map((date) => member.client.get(`/slots?date=${date}`)));
          const hours = days.flatMap(({ body }, day) => body.map((slot: any) => ({ ...slot, date: dates[day] })));
          const theirs = hours.filter(({ booked }) => booked > 0);
          const free = await Promise.all([over, now].map(({ slot, date }) => book(other.client, slot, { date })));
          return [
            theirs.map(({ booked, starts_at }) => [booked, Math.abs(Date.parse(starts_at) - Date.now()) < 9_000_000]),
            (await member.client.get('/slots/mine')).body.map(({ starts_at }: any) => starts_at),
            free.map(({ status }) => status),
            await cancel(member.client, theirs.at(-1).id, { date: theirs.at(-1).date }),
            before,
          ];
        });
        expect(seen).toEqual([
          [1, true],
          [1, true],
        ]);
        expect(mine).toHaveLength(2);
        expect(again).toEqual([201, 201]);
        expect(cancelled).toMatchObject({ status: 200, body: { starts_at: mine[0] } });
      },
    );

    it('have their seats', async () => {
      const [taken, theirs, freed] = await withinOneHour(async () => {
        const { gym: { id }, member } = await gym(); // prettier-ignore
        const other = await t.make.signedIn('user', id);
        const { slot, date } = hourFromNow(0);
        await book(member.client, slot, { date });
        await turn(id, 'America/Phoenix');
        const { id: current } = (await member.client.get('/slots/current')).body;
        return [
          await book(other.client, current, {}),
          await cancel(member.client, current, {}),
          await book(other.client, current, {}),
        ];
      });
      expect(taken).toBeRefused(409, 'slot_taken');
      expect(theirs).toHaveStatus(200);
      expect(freed).toHaveStatus(201);
    });

    it('share them with those who come at the same time of the new clock, and with no one else', async () => {
      const [hour, seats, refused] = await withinOneHour(async () => {
        const { gym: { id }, manager, member } = await gym('UTC', { default_capacity: 4 }); // prettier-ignore
        const others = await Promise.all(Array.from({ length: 4 }, () => t.make.signedIn('user', id)));
        const [now, inDubai] = [hourFromNow(0), hourFromNow(4)];
        await book(member.client, now.slot, { date: now.date });
        await book(others[0]!.client, inDubai.slot, { date: inDubai.date });
        await turn(id, 'Asia/Dubai');
        const answers = [];
        for (const { client } of others.slice(1))
          answers.push(await book(client, inDubai.slot, { date: inDubai.date }));
        return [
          (await manager.client.get('/slots/current')).body,
          answers.map(({ status }) => status),
          answers.at(-1)!,
        ];
      });
      expect(hour).toMatchObject({ capacity: 4, booked: 4 });
      expect(seats).toEqual([201, 201, 409]);
      expect(refused).toBeRefused(409, 'slot_taken');
    });

    it.each(['America/Denver', 'Asia/Kolkata'])('let who has them read the board, also in %s', async (zone) => {
      const answers = await withinOneHour(async () => {
        const [{ gym: { id }, manager, member }, elsewhere] = [await gym(), await gym()]; // prettier-ignore
        const { slot, date } = hourFromNow(0);
        for (const { client } of [member, elsewhere.member]) await book(client, slot, { date });
        const boards = [await makeDevice(manager.client, 'board'), await makeDevice(elsewhere.manager.client, 'board')];
        const other = await t.make.signedIn('user', id);
        await turn(id, zone);
        return Promise.all([
          member.client.get(`/devices/${boards[0]!.device_number}/serial-output`),
          other.client.get(`/devices/${boards[0]!.device_number}/serial-output`),
          elsewhere.member.client.get(`/devices/${boards[1]!.device_number}/serial-output`),
        ]);
      });
      expect(answers.map(({ status }) => status)).toEqual([200, 403, 200]);
    });
  });

  describe('to come, when the clock is changed by mistake and put back', () => {
    /** An hour that is over by the wrong clock, and what happens meanwhile. */
    async function booked(meanwhile: (of: { memberId: number }) => Promise<unknown> = async () => undefined) {
      const { gym: { id }, manager, member } = await gym(); // prettier-ignore
      const { slot, date } = hourFromNow(2);
      expect(await book(member.client, slot, { date })).toHaveStatus(201);
      const before = await bookingsOf(id);
      await turn(id, 'Pacific/Auckland');
      expect((await bookingsOf(id))[0]!.ends_at.getTime()).toBeLessThan(Date.now());
      await meanwhile({ memberId: member.id });
      await turn(id, 'UTC');
      const bookedAt = async () => {
        const { body } = await manager.client.get(`/slots?date=${date}`);
        return body[slot].booked;
      };
      return { id, manager, member, slot, date, before, bookedAt };
    }
    const deactivate = (memberId: number) => admin.client.put(`/users/${memberId}`, { is_active: false });

    it('are as they were, and can be cancelled', async () => {
      const { id, manager, member, slot, date, before, bookedAt } = await booked();
      expect(await bookingsOf(id)).toEqual(before);
      expect(await bookedAt()).toBe(1);
      expect(await cancel(manager.client, slot, { date, user_id: member.id })).toHaveStatus(200);
      expect(await bookedAt()).toBe(0);
    });

    it('are free when the person is deactivated', async () => {
      const { member, bookedAt } = await booked();
      expect(await deactivate(member.id)).toHaveStatus(200);
      expect(await bookedAt()).toBe(0);
    });

    it('are free if the person was deactivated meanwhile', async () => {
      const { bookedAt } = await booked(({ memberId }) => deactivate(memberId));
      expect(await bookedAt()).toBe(0);
    });

    it('are cancelled if another had the seat at that moment', async () => {
      const [first, second, hours] = await withinOneHour(async () => {
        const { gym: { id }, manager, member } = await gym(); // prettier-ignore
        const other = await t.make.signedIn('user', id);
        const { slot, date } = hourFromNow(0);
        const answers = [await book(member.client, slot, { date })];
        await turn(id, 'America/Phoenix');
        answers.push(await book(other.client, slot, { date }));
        await turn(id, 'UTC');
        return [answers, (await manager.client.get(`/slots?date=${date}`)).body[slot], await bookingsOf(id)];
      });
      expect(first.map(({ status }) => status)).toEqual([201, 201]);
      expect(second).toMatchObject({ booked: 1, booked_by: { id: first[0]!.body.user_id } });
      expect(hours.map(({ is_cancelled }) => is_cancelled)).toEqual([false, true]);
    });
  });

  it.each(['PUT', 'DELETE'] as const)(
    'to come are cancelled when a gym closes by %s, and watchers are told',
    async (how) => {
      const { gym: { id }, member } = await gym(); // prettier-ignore
      expect(await book(member.client, 9)).toHaveStatus(201);
      // One that began before it closed is history.
      await t.db.pool.query(
        `INSERT INTO slot_bookings (gym_id, date, slot_id, seat, user_id, starts_at, ends_at, booked_at, booked_by_id)
       SELECT $1, current_date - 1, 8, 1, $2, now() - interval '1 day', now() - interval '23 hours', now(), $2`,
        [id, member.id],
      );
      const socket = await watch(member.access_token, SOON);
      if (how === 'PUT') await admin.client.put(`/gyms/${id}`, { is_active: false });
      else expect(await admin.client.delete(`/gyms/${id}`)).toHaveStatus(200);
      const { data } = await socket.next('slots_update', (update) => update.data.slots[9].booked === 0);
      expect(data.available_slots).toEqual([]);
      expect((await bookingsOf(id)).map(({ slot_id, is_cancelled }) => [slot_id, is_cancelled])).toEqual([
        [8, false],
        [9, true],
      ]);
      expect(await book(member.client, 9)).toBeRefused(409, 'gym_inactive');
      await admin.client.put(`/gyms/${id}`, { is_active: true });
      await socket.next('slots_update', (update) => update.data.available_count === 24);
    },
  );

  describe('that are booked while the clock changes', () => {
    /** Another transaction, which has not ended yet. */
    async function during(work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
      const client = await t.db.pool.connect();
      try {
        await client.query('BEGIN');
        await work(client);
        await client.query('COMMIT');
      } finally {
        client.release(true);
      }
    }
    const isWaiting = (answer: Promise<unknown>) =>
      Promise.race([answer.then(() => false), new Promise((resolve) => setTimeout(resolve, 300, true))]);

    it('wait for the new one', async () => {
      const { gym: { id }, member } = await gym('UTC'); // prettier-ignore
      let booked!: ReturnType<typeof book>;
      await during(async (client) => {
        await client.query('SELECT 1 FROM gyms WHERE id = $1 FOR UPDATE', [id]);
        booked = book(member.client, 9);
        expect(await isWaiting(booked)).toBe(true);
        await client.query(`UPDATE gyms SET timezone = 'Asia/Tokyo' WHERE id = $1`, [id]);
      });
      expect((await booked).body).toMatchObject({ slot_id: 9, starts_at: `${SOON}T00:00:00.000Z` });
    });

    it('and are looked up by it when they are cancelled', async () => {
      const { gym: { id }, member } = await gym('UTC'); // prettier-ignore
      await book(member.client, 9);
      let cancelled!: ReturnType<typeof cancel>;
      await during(async (client) => {
        await client.query(`UPDATE gyms SET timezone = 'Asia/Tokyo' WHERE id = $1`, [id]);
        await client.query(
          `UPDATE slot_bookings b SET starts_at = h.starts_at, ends_at = h.ends_at
           FROM slot_hours($2, 'Asia/Tokyo', 9) h WHERE gym_id = $1`,
          [id, SOON],
        );
        cancelled = cancel(member.client, 9);
        expect(await isWaiting(cancelled)).toBe(true);
      });
      expect((await cancelled).body).toMatchObject({ slot_id: 9, starts_at: `${SOON}T00:00:00.000Z` });
    });

    it('stay cancelled if they were cancelled meanwhile', async () => {
      const { gym: { id }, member } = await gym('UTC'); // prettier-ignore
      await book(member.client, 9);
      let turned!: ReturnType<typeof turn>;
      await during(async (client) => {
        await client.query(
          'UPDATE slot_bookings SET cancelled_at = now(), cancelled_by_id = user_id WHERE gym_id = $1',
          [id],
        );
        turned = turn(id, 'Asia/Tokyo');
        expect(await isWaiting(turned)).toBe(true);
      });
      await turned;
      expect(await bookingsOf(id)).toMatchObject([{ is_cancelled: true }]);
    });

    it('or are moved with the others', async () => {
      const { gym: { id }, member } = await gym('UTC'); // prettier-ignore
      let changed!: ReturnType<typeof book>;
      await during(async (client) => {
        await client.query(
          `INSERT INTO slot_bookings (gym_id, date, slot_id, seat, user_id, starts_at, ends_at, booked_at, booked_by_id)
           SELECT $1, $2, slot_id, 1, $3, starts_at, ends_at, now(), $3 FROM slot_hours($2, 'UTC') WHERE slot_id = 9`,
          [id, SOON, member.id],
        );
        changed = admin.client.put(`/gyms/${id}`, { timezone: 'Asia/Tokyo' });
        expect(await isWaiting(changed)).toBe(true);
      });
      expect(await changed).toHaveStatus(200);
      expect((await bookingsOf(id))[0]!.starts_at.toISOString()).toBe(`${SOON}T00:00:00.000Z`);
    });
  });

  it('of today are those of the new day, for those who asked for today, once it has begun', async () => {
    // Between these two there is always a midnight.
    const { gym: { id }, member } = await gym('Pacific/Pago_Pago'); // prettier-ignore
    const socket = await SocketClient.connect(t.url, '/slots', { token: member.access_token });
    const before = (await socket.next('slots_update')).data.date;
    const fixed = await watch(member.access_token, before);
    await admin.client.put(`/gyms/${id}`, { timezone: 'Pacific/Kiritimati' });
    const { data } = await socket.next('slots_update', (update) => update.data.date !== before);
    expect(data.date > before).toBe(true);
    // What happens on the new day is told to them, too, and only to them; what happens on others is not.
    const seen = socket.all('slots_update').length;
    await book(member.client, 23, { date: inDays(3) });
    expect(await book(member.client, 23, { date: data.date })).toHaveStatus(201);
    expect(await socket.next('slot_changed')).toMatchObject({ date: data.date, slot: { id: 23 } });
    expect(socket.all('slots_update').length - seen).toBeLessThanOrEqual(1);
    expect(fixed.all('slot_changed')).toEqual([]);
    expect(fixed.all('slots_update').every((update) => update.data.date === before)).toBe(true);
  });

  it('that have just ended are told to those who watch, on every server, and nothing at other quarters', async () => {
    const second = await startApp();
    try {
      // Whole hours, and zones that are a half and three quarters beside them.
      const zones = { 0: 'UTC', 1: 'Asia/Kathmandu', 2: 'Asia/Kolkata' } as const;
      for (;;) {
        const quarter = Math.floor(Date.now() / QUARTER_MS);
        const gyms = await Promise.all(
          Object.entries(zones).flatMap(([number, timezone]) =>
            [t, second].map(async ({ url }) => ({ number: Number(number), url, member: (await gym(timezone)).member })),
          ),
        );
        // The other server has heard of their settings before one of its sockets watches them.
        await new Promise((resolve) => setTimeout(resolve, 300));
        const watchers = await Promise.all(
          gyms.map(async ({ number, url, member }) => {
            const socket = await SocketClient.connect(url, '/slots', { token: member.access_token });
            await socket.next('slots_update');
            return { number, socket };
          }),
        );
        t.app.get(EventEmitter2).emit(ClockTurned.name, new ClockTurned());
        const told = watchers.filter(({ number }) => number === quarter % 4);
        await Promise.all(
          told.map(({ socket }) => until(() => Promise.resolve(socket.all('slots_update').length === 2))),
        );
        await new Promise((resolve) => setTimeout(resolve, 600));
        const counts = watchers.map(({ number, socket }) => [number, socket.all('slots_update').length]);
        SocketClient.closeAll();
        // If the quarter has turned meanwhile, others were told than we thought.
        if (Math.floor(Date.now() / QUARTER_MS) !== quarter) continue;
        expect(counts).toEqual(watchers.map(({ number }) => [number, number === quarter % 4 ? 2 : 1]));
        break;
      }
    } finally {
      await second.close();
    }
  });

  it('a day that has just begun is known, so that its numbers are sent: in the quarter of its midnight, and in no other', async () => {
    // Of all zones the one whose day is the youngest: at most an hour.
    const { rows } = await t.db.pool.query<{ zone: string }>(`
      SELECT name AS zone FROM pg_timezone_names WHERE name ~ '^Etc/GMT[+-]'
      ORDER BY day_start((now() AT TIME ZONE name)::date, name) DESC LIMIT 1`);
    const [young, old] = [await gym(rows[0]!.zone), await gym('Asia/Kathmandu')];
    const empty = await gym(rows[0]!.zone);
    for (const { member } of [young, old]) await t.make.visit(member, new Date(Date.now() - 7_200_000).toISOString());
    const ask = async () => {
      const isFirst = new Date().getUTCMinutes() < 15;
      const found = await t.app.get(VisitNumbers).gymsInNewDay();
      return { isFirst, found, isSame: isFirst === new Date().getUTCMinutes() < 15 };
    };
    let answer = await ask();
    while (!answer.isSame) answer = await ask();
    expect(answer.found.includes(young.gym.id)).toBe(answer.isFirst);
    expect(answer.found).not.toContain(empty.gym.id);
    if (answer.isFirst) expect(answer.found).not.toContain(old.gym.id);
  });
});
