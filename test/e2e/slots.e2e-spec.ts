import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';
import type { Answer } from '../support/http-client.js';
import { book, cancel, inDays, makeSlotGym, SOON, withinOneHour } from '../support/slots.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/until.js';

const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000);

describe('slots', () => {
  let t: TestApp;
  const gym = (settings?: object, timezone?: string) => makeSlotGym(t.make, settings, timezone);

  beforeAll(async () => {
    t = await startApp();
  });
  afterEach(() => SocketClient.closeAll());
  afterAll(() => t.close());

  describe('the hours of a day', () => {
    it.each([
      ['UTC', '2026-06-01', '2026-06-01T00:00:00.000Z', '2026-06-02T00:00:00.000Z', {}],
      // The clocks go forward over an hour, or back and have it twice.
      ['America/New_York', '2026-03-08', '2026-03-08T05:00:00.000Z', '2026-03-09T04:00:00.000Z', { 2: 0 }],
      ['America/New_York', '2026-11-01', '2026-11-01T04:00:00.000Z', '2026-11-02T05:00:00.000Z', { 1: 2 }],
      // By half an hour.
      ['Australia/Lord_Howe', '2026-10-04', '2026-10-03T13:30:00.000Z', '2026-10-04T13:00:00.000Z', { 2: 0.5 }],
      ['Australia/Lord_Howe', '2026-04-05', '2026-04-04T13:00:00.000Z', '2026-04-05T13:30:00.000Z', { 1: 1.5 }],
      // At midnight: there is none, or there are two.
      ['America/Havana', '2026-03-08', '2026-03-08T05:00:00.000Z', '2026-03-09T04:00:00.000Z', { 0: 0 }],
      ['America/Havana', '2026-11-01', '2026-11-01T04:00:00.000Z', '2026-11-02T05:00:00.000Z', { 0: 2 }],
      ['America/Havana', '2026-10-31', '2026-10-31T04:00:00.000Z', '2026-11-01T04:00:00.000Z', {}],
      ['Asia/Kolkata', '2026-06-01', '2026-05-31T18:30:00.000Z', '2026-06-01T18:30:00.000Z', {}],
    ])('of %s on %s follow each other from its first moment to its last', async (timezone, date, first, last, odd) => {
      const { member } = await gym({}, timezone);
      const { body } = await member.client.get(`/slots?date=${date}`);
      const lengths = Array.from({ length: 24 }, (_, hour) => [hour, (odd as Record<number, number>)[hour] ?? 1]);
      expect(
        body.map((slot: any) => [slot.id, (Date.parse(slot.ends_at) - Date.parse(slot.starts_at)) / 3.6e6]),
      ).toEqual(lengths.filter(([, hours]) => hours! > 0));
      expect([first, ...body.map((slot: any) => slot.ends_at)]).toEqual([
        ...body.map((slot: any) => slot.starts_at),
        last,
      ]);
    });

    it('say on the clock of the gym when they begin and end', async () => {
      const { member } = await gym({}, 'America/New_York');
      const { body } = await member.client.get('/slots?date=2026-11-01');
      expect(body[1]).toEqual({
        ...{ id: 1, start_time: '01:00', end_time: '02:00' },
        ...{ starts_at: '2026-11-01T05:00:00.000Z', ends_at: '2026-11-01T07:00:00.000Z' },
        ...{ capacity: 1, booked: 0, is_booked: false, booked_by: null, booked_at: null, bookings: [] },
      });
      expect(body[23]).toMatchObject({ start_time: '23:00', end_time: '00:00' });
    });

    it('cannot be booked if clocks skip them', async () => {
      const { member } = await gym({}, 'America/New_York');
      const { rows } = await t.db.pool.query(`
        SELECT day::date::text FROM generate_series(now() + interval '2 days', now() + interval '400 days', '1 day') day
        WHERE (SELECT count(*) FROM slot_hours(day::date, 'America/New_York')) = 23`);
      expect(await book(member.client, 2, { date: rows[0].day })).toBeRefused(404, 'slot_not_found');
    });

    it('are today’s in the gym, wherever the server is', async () => {
      for (const timezone of ['Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
        const { member } = await gym({}, timezone);
        const local = (now: Date) =>
          new Intl.DateTimeFormat('sv', { timeZone: timezone, dateStyle: 'short' }).format(now);
        const [today, listed, current, booked] = await withinOneHour(async (now) => [
          local(now),
          await member.client.get('/slots'),
          await member.client.get('/slots/current'),
          await book(member.client, 23, {}),
        ]);
        const { body: same } = await member.client.get(`/slots?date=${today}`);
        expect(listed.body[0]).toEqual(same[0]);
        const { starts_at, ends_at, id } = current.body;
        expect(Date.parse(ends_at) - Date.parse(starts_at)).toBe(3_600_000);
        expect(starts_at).toBe(same[id].starts_at);
        expect(booked.body).toMatchObject({ slot_id: 23, date: today, ends_at: same[23].ends_at });
      }
    });
  });

  describe('what can be booked', () => {
    it('is the hour that is now, and nothing before it', async () => {
      const { gym: { id }, manager, member } = await gym(); // prettier-ignore
      const [before, now] = await withinOneHour(async () => {
        const [last, current] = [inHours(-1), inHours(0)].map(
          (at) => [at.getUTCHours(), at.toISOString().slice(0, 10)] as const,
        );
        return [
          await book(member.client, last![0], { date: last![1] }),
          await book(member.client, current![0], { date: current![1] }),
        ];
      });
      expect(before).toBeRefused(409, 'slot_over');
      expect(now).toMatchObject({ status: 201, body: { user_id: member.id, gym_id: id, cancelled_at: null } });
      expect(Date.parse(now.body.starts_at)).toBeLessThanOrEqual(Date.parse(now.body.booked_at));
      expect(await book(manager.client, 12, { date: inDays(-1) })).toBeRefused(409, 'slot_over');
    });

    it('is what the settings say: hours, seats, days ahead and hours a day', async () => {
      const settings = {
        opening_slot: 6,
        closing_slot: 21,
        capacities: { 18: 2, 19: 0 },
        days_ahead: 3,
        max_per_day: 2,
      };
      const { gym: { id }, manager, member } = await gym(settings); // prettier-ignore
      const [second, third] = await Promise.all([t.make.signedIn('user', id), t.make.signedIn('user', id)]);
      const { body } = await member.client.get(`/slots?date=${SOON}`);
      expect(body.map(({ capacity }: { capacity: number }) => capacity)).toEqual(
        [...Array(6).fill(0), ...Array(12).fill(1), 2, 0, 1, 1, 0, 0], // prettier-ignore
      );
      for (const closed of [5, 19, 22]) expect(await book(member.client, closed)).toBeRefused(409, 'slot_closed');
      expect(await book(member.client, 6, { date: inDays(5) })).toBeRefused(409, 'too_far_ahead');
      expect(await book(member.client, 6, { date: inDays(3) })).toHaveStatus(201);

      const hour = async () => (await member.client.get(`/slots?date=${SOON}`)).body[18];
      expect(await book(member.client, 18)).toHaveStatus(201);
      expect(await hour()).toMatchObject({ booked: 1, is_booked: false });
      expect(await book(member.client, 18)).toBeRefused(409, 'already_booked');
      expect(await book(second.client, 18)).toHaveStatus(201);
      expect(await hour()).toMatchObject({ booked: 2, is_booked: true });
      expect(await book(third.client, 18)).toBeRefused(409, 'slot_taken');

      expect(await book(member.client, 6)).toHaveStatus(201);
      expect(await book(member.client, 7)).toBeRefused(409, 'too_many_bookings');
      expect(await book(manager.client, 7, { date: SOON, user_id: member.id })).toBeRefused(409, 'too_many_bookings');
      await cancel(member.client, 6);
      expect(await book(member.client, 7)).toHaveStatus(201);
    });

    it('is nothing more once the seats were lowered, even if a person cancels; who has booked keeps it', async () => {
      const { gym: { id }, manager, member } = await gym({ default_capacity: 3 }); // prettier-ignore
      const others = await Promise.all(Array.from({ length: 3 }, () => t.make.signedIn('user', id)));
      for (const { client } of [member, ...others.slice(1)]) expect(await book(client, 9)).toHaveStatus(201);
      await manager.client.put('/slots/settings', { default_capacity: 2 });
      const hour = async () => (await manager.client.get(`/slots?date=${SOON}`)).body[9];
      expect(await hour()).toMatchObject({ capacity: 2, booked: 3, is_booked: true });
      await cancel(member.client, 9);
      expect(await book(member.client, 9)).toBeRefused(409, 'slot_taken');
      await cancel(others[1]!.client, 9);
      expect(await book(others[0]!.client, 9)).toHaveStatus(201);
      expect(await hour()).toMatchObject({ booked: 2, is_booked: true });
    });

    it('is nothing in a gym that is inactive', async () => {
      const { gym: { id }, member } = await gym(); // prettier-ignore
      await t.db.pool.query('UPDATE gyms SET is_active = FALSE WHERE id = $1', [id]);
      expect(await book(member.client, 9)).toBeRefused(409, 'gym_inactive');
    });
  });

  describe('settings', () => {
    it('are what they were by default, and what is not sent stays', async () => {
      const { gym: { id }, manager, member } = await gym(); // prettier-ignore
      const usual = {
        ...{ gym_id: id, opening_slot: 0, closing_slot: 23, default_capacity: 1, capacities: {} },
        ...{ days_ahead: 14, max_per_day: 24 },
      };
      expect((await member.client.get('/slots/settings')).body).toEqual(usual);
      await manager.client.put('/slots/settings', { capacities: { 18: 4 } });
      const { body } = await manager.client.put('/slots/settings', { days_ahead: 0 });
      expect(body).toEqual({ ...usual, capacities: { 18: 4 }, days_ahead: 0 });
      expect((await member.client.get('/slots/settings')).body).toEqual(body);
      expect(await book(member.client, 9)).toBeRefused(409, 'too_far_ahead');
    });

    it.each([
      ['opening_slot', 24],
      ['opening_slot', -1],
      ['closing_slot', 24],
      ['closing_slot', 'late'],
      ['default_capacity', -1],
      ['default_capacity', 1001],
      ['default_capacity', 1.5],
      ['days_ahead', 367],
      ['days_ahead', '5 days'],
      ['max_per_day', 0],
      ['max_per_day', 25],
      ['capacities', { 24: 1 }],
      ['capacities', { '01': 1 }],
      ['capacities', { 5: -1 }],
      ['capacities', { 5: '1' }],
      ['capacities', [1]],
      ['capacities', 'many'],
    ])('with %s %j are refused', async (field, value) => {
      const { manager } = await gym();
      expect(await manager.client.put('/slots/settings', { [field]: value })).toHaveWrongFields(field);
    });

    it('that would close before they open are refused, also when two arrive at once', async () => {
      const { manager } = await gym({ opening_slot: 10 });
      const put = (settings: object) => manager.client.put('/slots/settings', settings);
      expect(await put({ closing_slot: 9 })).toMatchObject({
        status: 422,
        body: { errors: [{ field: 'closing_slot' }] },
      });
      for (let round = 0; round < 10; round++) {
        await put({ opening_slot: 0, closing_slot: 23 });
        const answers = await Promise.all([put({ opening_slot: 20 }), put({ closing_slot: 5 })]);
        expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 422]);
        const refused = answers.find(({ status }) => status === 422)!;
        expect(refused.body.errors).toMatchObject([{ field: 'closing_slot' }]);
      }
    });
  });

  describe('who books', () => {
    it('a member for oneself, staff for any person of the gym, and no one for strangers', async () => {
      const { gym: { id }, manager, member } = await gym(); // prettier-ignore
      const stranger = await gym();
      const [other, gone, admin] = await Promise.all([
        t.make.signedIn('user', id),
        t.make.person('user', id, { is_active: false }),
        t.make.signedIn('admin', null),
      ]);
      expect((await book(member.client, 1, { date: SOON, user_id: member.id })).body).toMatchObject({
        user_id: member.id,
      });
      expect((await book(manager.client, 2, { date: SOON, user_id: member.id })).body).toMatchObject({
        user_id: member.id,
      });
      expect((await book(manager.client, 3)).body).toMatchObject({ user_id: manager.id });
      expect(await book(admin.client, 4, { date: SOON, gym_id: id, user_id: member.id })).toHaveStatus(201);
      expect((await book(admin.client, 5, { date: SOON, gym_id: id })).body).toMatchObject({
        user_id: admin.id,
        gym_id: id,
      });

      expect(await book(other.client, 6, { date: SOON, user_id: member.id })).toBeRefused(403, 'only_for_yourself');
      expect(await book(member.client, 6, { date: SOON, gym_id: stranger.gym.id })).toBeRefused(403, 'other_gym');
      expect(await book(admin.client, 6)).toBeRefused(422, 'fields_invalid');
      expect(await book(admin.client, 6, { date: SOON, gym_id: 2_000_000_000 })).toHaveWrongFields('gym_id');
      for (const userId of [stranger.member.id, gone.id, admin.id, 2_000_000_000]) {
        expect(await book(manager.client, 6, { date: SOON, user_id: userId })).toHaveWrongFields('user_id');
      }
      const { body } = await manager.client.get(`/slots?date=${SOON}`);
      expect(body.filter((slot: any) => slot.booked > 0).map((slot: any) => slot.id)).toEqual([1, 2, 3, 4, 5]);
      expect(body[5].booked_by).toMatchObject({ id: admin.id, email: admin.email });
    });

    it('cancels one’s own, staff those of any person, and no other’s', async () => {
      const { gym: { id }, manager, member } = await gym(); // prettier-ignore
      const [other, stranger] = [await t.make.signedIn('user', id), await gym()];
      for (const hour of [1, 2]) await book(member.client, hour);
      expect(await cancel(other.client, 1, { date: SOON, user_id: member.id })).toBeRefused(403, 'only_for_yourself');
      expect(await cancel(other.client, 1)).toBeRefused(404, 'booking_not_found');
      expect(await cancel(manager.client, 1)).toBeRefused(404, 'booking_not_found');
      const theirs = { date: SOON, user_id: member.id };
      expect(await cancel(stranger.manager.client, 1, theirs)).toBeRefused(404, 'booking_not_found');
      expect(await cancel(stranger.manager.client, 1, { ...theirs, gym_id: id })).toBeRefused(403, 'other_gym');
      expect(await cancel(member.client, 1)).toMatchObject({ status: 200, body: { slot_id: 1, user_id: member.id } });
      expect(await cancel(manager.client, 2, theirs)).toMatchObject({ status: 200, body: { user_id: member.id } });
      expect(await cancel(member.client, 1)).toBeRefused(404, 'booking_not_found');
    });

    it('cannot cancel what is over', async () => {
      const { gym: { id }, manager, member } = await gym(); // prettier-ignore
      await t.db.pool.query(
        `INSERT INTO slot_bookings (gym_id, date, slot_id, seat, user_id, starts_at, ends_at, booked_at, booked_by_id)
         SELECT $1, $3::date, 12, 1, $2, starts_at, ends_at, starts_at, $2 FROM slot_hours($3::date, 'UTC') WHERE slot_id = 12`,
        [id, member.id, inDays(-1)],
      );
      const which = { date: inDays(-1), user_id: member.id };
      for (const { client } of [member, manager]) expect(await cancel(client, 12, which)).toBeRefused(409, 'slot_over');
      expect((await member.client.get('/slots/mine')).body).toHaveLength(1);
    });

    it('again what was cancelled, and both stay in the history', async () => {
      const { gym: { id }, manager, member } = await gym(); // prettier-ignore
      await book(member.client, 9);
      await cancel(manager.client, 9, { date: SOON, user_id: member.id });
      expect(await book(member.client, 9)).toHaveStatus(201);
      const { rows } = await t.db.pool.query(
        `SELECT seat, user_id, booked_by_id, cancelled_by_id, cancelled_at >= booked_at AS is_cancelled
         FROM slot_bookings WHERE gym_id = $1 ORDER BY id`,
        [id],
      );
      const mine = { seat: 1, user_id: member.id, booked_by_id: member.id };
      expect(rows).toEqual([
        { ...mine, cancelled_by_id: manager.id, is_cancelled: true },
        { ...mine, cancelled_by_id: null, is_cancelled: null },
      ]);
    });

    it('once with the same Idempotency-Key', async () => {
      const { gym: { id }, member } = await gym({ default_capacity: 2 }); // prettier-ignore
      const key = { 'idempotency-key': 'once' };
      const attempt = (slot: number) => member.client.post(`/slots/${slot}/book`, { date: SOON }, key);
      const answers = await Promise.all(Array.from({ length: 5 }, () => attempt(9)));
      const [first] = answers;
      for (const answer of answers) {
        expect(answer).toHaveStatus(201);
        expect(answer.body).toEqual(first!.body);
      }
      expect(await attempt(10)).toBeRefused(422, 'idempotency_key_reused');
      const { rows } = await t.db.pool.query('SELECT slot_id FROM slot_bookings WHERE gym_id = $1', [id]);
      expect(rows).toEqual([{ slot_id: 9 }]);
    });

    it('finds one’s own, the latest first, page by page', async () => {
      const { gym: { id }, manager, member } = await gym(); // prettier-ignore
      for (const hour of [8, 20, 9, 10, 7]) await book(member.client, hour);
      await book(member.client, 5, { date: inDays(4) });
      await book(manager.client, 11);
      await cancel(member.client, 10);
      const found: number[] = [];
      let next: string | undefined = '/slots/mine?limit=2&count=true';
      for (let pages = 0; next; pages++) {
        const { body, headers }: Answer = await member.client.get(next.replace('/api/v1', ''));
        expect([body.length <= 2, headers.get('x-total-count'), pages < 3]).toEqual([true, '5', true]);
        found.push(...body.map((booking: { slot_id: number }) => booking.slot_id));
        next = /<(.+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
      }
      expect(found).toEqual([5, 20, 9, 8, 7]);
      expect((await member.client.get(`/slots/mine?gym_id=${id}`)).body).toHaveLength(5);
      const elsewhere = await t.make.gym();
      expect(await member.client.get(`/slots/mine?gym_id=${elsewhere.id}`)).toBeRefused(403, 'other_gym');
    });
  });

  it.each(['deactivated', 'deleted', 'moved'] as const)(
    'frees the hours to come of a person who is %s, and tells those who watch',
    async (how) => {
      const { gym: { id }, manager, member } = await gym(); // prettier-ignore
      const admin = await t.make.signedIn('admin', null);
      expect(await book(member.client, 9)).toHaveStatus(201);
      const watcher = await SocketClient.connect(t.url, '/slots', { token: manager.access_token });
      const { data } = await watcher.ask('get_slots', { date: SOON });
      expect(data.slots[9].booked_by.id).toBe(member.id);
      const path = `/users/${member.id}`;
      if (how === 'deleted') await admin.client.delete(path);
      else if (how === 'deactivated') await manager.client.put(path, { is_active: false });
      else await admin.client.put(path, { gym_id: (await t.make.gym()).id });
      expect(await watcher.next('slot_changed')).toMatchObject({ gym_id: id, slot: { id: 9, booked: 0 } });
      const { rows } = await t.db.pool.query('SELECT cancelled_by_id FROM slot_bookings WHERE user_id = $1', [
        member.id,
      ]);
      expect(rows).toEqual([{ cancelled_by_id: member.id }]);
    },
  );

  it('refuses days and hours that do not exist', async () => {
    const { member } = await gym();
    for (const hour of ['24', '-1', '1.5', 'x', '100'])
      expect(await member.client.post(`/slots/${hour}/book`, {})).toHaveWrongFields('slot_id');
    for (const date of ['2026-02-30', 'tomorrow', '20260101', 5])
      expect(await book(member.client, 5, { date })).toHaveWrongFields('date');
    expect(await member.client.get('/slots?date=2026-13-01')).toBeRefused(422, 'fields_invalid');
  });

  it('shows staff who has an hour, a member only whether it is them; over REST and sockets, no matter who has booked first', async () => {
    const { gym: { id }, manager, member } = await gym({ default_capacity: 2 }); // prettier-ignore
    const other = await t.make.signedIn('user', id);
    const watch = async (token: string) => {
      const socket = await SocketClient.connect(t.url, '/slots', { token });
      await socket.ask('get_slots', { date: SOON });
      return socket;
    };
    const outsider = await t.make.signedIn('user', id);
    const people = [manager, member, other, outsider];
    const sockets = await Promise.all(people.map(({ access_token }) => watch(access_token)));
    await book(other.client, 9);
    await book(manager.client, 9, { date: SOON, user_id: member.id });

    const idsOf = (slot: any) => [
      slot.booked_by?.id ?? null,
      slot.bookings.map(({ user }: any) => user.id),
      slot.booked,
    ];
    const expected = [
      [other.id, [other.id, member.id], 2],
      [member.id, [member.id], 2],
      [other.id, [other.id], 2],
      [null, [], 2],
    ];
    for (const [index, { client, email }] of people.entries()) {
      const socket = sockets[index]!;
      const { body } = await client.get(`/slots?date=${SOON}`);
      const update = await socket.next('slots_update', ({ data }) => data.slots[9].booked === 2);
      const changed = await socket.next('slot_changed', ({ slot }) => slot.booked === 2);
      const asked = await socket.ask('get_slots', { date: SOON });
      for (const slot of [body[9], update.data.slots[9], changed.slot, asked.data.slots[9]]) {
        expect([...idsOf(slot), slot.is_booked]).toEqualFor(email, [...expected[index]!, true]);
        expect(slot.booked_at).toBe(slot.bookings[0]?.booked_at ?? null);
      }
    }
    // Not in any other way either.
    const told = JSON.stringify([sockets[3]!.received, (await outsider.client.get(`/slots?date=${SOON}`)).body]);
    for (const { email } of [member, other]) expect(told).not.toContain(email);
    expect(JSON.stringify(sockets[1]!.received)).not.toContain(other.email);
  });

  describe('sockets', () => {
    const connect = (token: string) => SocketClient.connect(t.url, '/slots', { token });

    it('get today on connect, and are told of it', async () => {
      const { gym: { id }, member } = await gym(); // prettier-ignore
      const socket = await connect(member.access_token);
      const { data, timestamp } = await socket.next('slots_update');
      const hour = new Date(timestamp).getUTCHours();
      expect(Math.abs(Date.now() - Date.parse(timestamp))).toBeLessThan(60_000);
      expect(data).toMatchObject({ gym_id: id, available_count: 24 - hour, booked_slots: [], booked_count: 0 });
      expect(data.available_slots[0]).toBe(hour);
      expect(data.slots).toEqual((await member.client.get(`/slots?date=${data.date}`)).body);
      // The last hour of a day that is over cannot be booked; then there is a new today.
      const { status } = await book(member.client, 23, { date: data.date });
      if (status !== 201) return expect(new Date().toISOString().slice(0, 10)).not.toBe(data.date);
      const update = await socket.next('slots_update');
      expect(update.data).toMatchObject({ date: data.date, available_count: 23 - hour, booked_count: 1 });
      return expect(await socket.next('slot_changed')).toMatchObject({ gym_id: id, date: data.date, slot: { id: 23 } });
    });

    it('get no day on connect if they are an admin’s, who must say which gym', async () => {
      const { gym: { id } } = await gym(); // prettier-ignore
      const socket = await connect((await t.make.signedIn('admin', null)).access_token);
      expect(await socket.ask('get_slots', {})).toMatchObject({
        code: 'fields_invalid',
        errors: [{ field: 'gym_id' }],
      });
      expect((await socket.ask('get_slots', { gym_id: id })).data.gym_id).toBe(id);
      expect(socket.all('slots_update')).toHaveLength(1);
    });

    it('go on to watch their day if they ask for one that is not there', async () => {
      const { gym: { id }, member } = await gym(); // prettier-ignore
      const socket = await connect((await t.make.signedIn('admin', null)).access_token);
      await socket.ask('get_slots', { gym_id: id, date: SOON });
      expect(await socket.ask('get_slots', { gym_id: 2_000_000_000 })).toBeRefused('fields_invalid');
      expect(await member.client.post('/slots/9/book', { date: SOON })).toHaveStatus(201);
      expect(await socket.next('slot_changed')).toMatchObject({ gym_id: id, date: SOON, slot: { id: 9 } });
    });

    it('watch the day they asked for last, even before today had arrived', async () => {
      const { member } = await gym();
      const later = inDays(3);
      const sockets = await Promise.all(
        Array.from({ length: 10 }, async () => {
          const socket = new SocketClient(t.url, '/slots', { token: member.access_token });
          // As clients do it; the day that is sent by itself is still being read.
          socket.socket.once('connect', () => socket.send('get_slots', { date: SOON }));
          await socket.connect();
          return socket;
        }),
      );
      for (const socket of sockets) await socket.next('slots_update', ({ data }) => data.date === SOON);
      await book(member.client, 23, {});
      await book(member.client, 3);
      for (const socket of sockets) {
        await socket.next('slots_update', ({ data }) => data.date === SOON && data.booked_count === 1);
        const dates = socket.all('slots_update').map(({ data }) => data.date);
        expect(dates).toEqual([expect.not.stringMatching(SOON), SOON, SOON]);
      }
      // Another day, and the first is left.
      const [socket] = sockets;
      expect((await socket!.ask('get_slots', { date: later })).data).toMatchObject({ date: later, booked_slots: [] });
      await book(member.client, 4);
      await book(member.client, 4, { date: later });
      await sockets[1]!.next('slots_update', ({ data }) => data.booked_count === 2);
      await socket!.next('slots_update', ({ data }) => data.booked_count === 1);
      expect(socket!.all('slot_changed')).toMatchObject([{ date: SOON }, { date: later }]);
    });

    it('hear nothing of other gyms, whatever they ask for', async () => {
      const [own, other] = [await gym(), await gym()];
      const socket = await connect(own.member.access_token);
      await socket.ask('get_slots', { date: SOON });
      expect(await socket.ask('get_slots', { date: SOON, gym_id: other.gym.id })).toBeRefused('other_gym');
      expect(await socket.next('error')).toMatchObject({ code: 'other_gym', event: 'get_slots' });
      await book(other.member.client, 8);
      await book(own.member.client, 9);
      const { data } = await socket.next('slots_update', (update) => update.data.booked_count === 1);
      expect(data.slots[9].booked).toBe(1);
      expect(socket.all('slot_changed')).toMatchObject([{ gym_id: own.gym.id, slot: { id: 9 } }]);
    });

    it('let an accountant watch and see who has booked, not book', async () => {
      const { gym: { id }, member } = await gym(); // prettier-ignore
      const accountant = await t.make.signedIn('accountant', id);
      await book(member.client, 9);
      const socket = await connect(accountant.access_token);
      const { data } = await socket.ask('get_slots', { date: SOON });
      expect(data.slots[9].booked_by.id).toBe(member.id);
      expect((await accountant.client.get(`/slots?date=${SOON}`)).body[9].booked_by.id).toBe(member.id);
      expect(await accountant.client.get('/slots/settings')).toHaveStatus(200);
      for (const message of ['book_slot', 'cancel_slot'])
        expect(await socket.ask(message, { slot_id: 5, date: SOON })).toBeRefused('role_not_allowed');
      expect(await book(accountant.client, 5)).toBeRefused(403, 'role_not_allowed');
    });

    it('refuse a person who is not signed in', async () => {
      expect(await SocketClient.refused(t.url, '/slots')).toBeRefused(4001);
    });

    it('are all told what REST, a socket, staff and settings change', async () => {
      const { gym: { id }, manager, member } = await gym(); // prettier-ignore
      const sockets = await Promise.all([member, manager].map(({ access_token }) => connect(access_token)));
      const [theirs] = sockets;
      for (const socket of sockets) await socket.ask('get_slots', { date: SOON, gym_id: id });
      const all = async (holds: (data: any) => boolean) => {
        for (const socket of sockets)
          expect(await socket.next('slots_update', ({ data }) => holds(data))).toBeDefined();
      };
      await book(member.client, 9);
      await all(({ slots, booked_count }) => booked_count === 1 && slots[9].is_booked);
      await theirs!.ask('book_slot', { slot_id: 10, date: SOON });
      await all(({ slots, booked_count }) => booked_count === 2 && slots[10].is_booked);
      await cancel(manager.client, 9, { date: SOON, user_id: member.id });
      await all(({ slots, booked_count }) => booked_count === 1 && !slots[9].is_booked);
      await theirs!.ask('cancel_slot', { slot_id: 10, date: SOON });
      await all(({ booked_count, available_count }) => booked_count === 0 && available_count === 24);
      await manager.client.put('/slots/settings', { closing_slot: 11, capacities: { 9: 5 } });
      await all(
        ({ slots, available_count }) => available_count === 12 && slots[9].capacity === 5 && slots[12].capacity === 0,
      );
    });

    it('are told of 20 changes at once in few messages', async () => {
      const { gym: { id }, manager, member } = await gym(); // prettier-ignore
      const people = await Promise.all(Array.from({ length: 20 }, () => t.make.person('user', id)));
      const socket = await connect(member.access_token);
      await socket.ask('get_slots', { date: SOON });
      const before = socket.all('slots_update').length;
      await Promise.all(people.map((person, hour) => book(manager.client, hour, { date: SOON, user_id: person.id })));
      await socket.next('slots_update', ({ data }) => data.booked_count === 20);
      expect(socket.all('slots_update').length - before).toBeLessThan(10);
      // The update says what the database holds; the news of the last changes may still be on their way.
      const told = () => new Set(socket.all('slot_changed').map(({ slot }) => slot.id));
      await until(() => told().size === 20);
    });

    it('are told each change at once, and the whole day within a second, once for all', async () => {
      const { gym: { id }, manager, member } = await gym(); // prettier-ignore
      const people = await Promise.all(Array.from({ length: 5 }, () => t.make.person('user', id)));
      const sockets = await Promise.all([member, manager].map(({ access_token }) => connect(access_token)));
      for (const socket of sockets) await socket.ask('get_slots', { date: SOON, gym_id: id });
      const before = sockets.map(({ received }) => received.length);
      const begun = Date.now();
      await Promise.all(people.map((person, hour) => book(manager.client, hour, { date: SOON, user_id: person.id })));
      for (const [index, socket] of sockets.entries()) {
        const { timestamp } = await socket.next('slots_update', ({ data }) => data.booked_count === 5);
        const [first] = socket.received.slice(before[index]);
        expect(first).toMatchObject({ event: 'slot_changed', payload: { slot: { booked: 1 } } });
        // The hour had not to wait for the day.
        expect(Date.parse(timestamp) - Date.parse(first!.payload.timestamp)).toBeGreaterThan(500);
        const days = socket.received.slice(before[index]).filter(({ event }) => event === 'slots_update');
        expect(days.length).toBeLessThanOrEqual(Math.ceil((Date.now() - begun) / 1000));
      }
    });

    it('of another server are told as well, each what they may see', async () => {
      const { gym: { id }, manager, member } = await gym({ default_capacity: 2 }); // prettier-ignore
      const other = await t.make.signedIn('user', id);
      const second = await startApp();
      try {
        const sockets = await Promise.all(
          [manager, member, other].map(({ access_token: token }) =>
            SocketClient.connect(second.url, '/slots', { token }),
          ),
        );
        for (const socket of sockets) await socket.ask('get_slots', { date: SOON, gym_id: id });
        await book(member.client, 9);
        const seen = await Promise.all(sockets.map((socket) => socket.next('slot_changed')));
        expect(seen.map(({ slot }) => [slot.booked, slot.booked_by?.id])).toEqual([
          [1, member.id],
          [1, member.id],
          [1, undefined],
        ]);
        const days = await Promise.all(
          sockets.map((socket) => socket.next('slots_update', ({ data }) => data.slots[9].booked === 1)),
        );
        expect(days.map(({ data }) => data.available_slots.includes(9))).toEqual([true, false, true]);
      } finally {
        SocketClient.closeAll();
        await second.close();
      }
    });

    it('that come together get the day as each may see it', async () => {
      const { gym: { id }, manager, member } = await gym({ default_capacity: 2 }); // prettier-ignore
      const other = await t.make.signedIn('user', id);
      const booked = await book(member.client, 23, {});
      const sockets = await Promise.all([manager, member, other].map(({ access_token }) => connect(access_token)));
      const days = await Promise.all(sockets.map((socket) => socket.next('slots_update')));
      // At midnight there is a new today.
      if (days.some(({ data }) => data.date !== booked.body.date)) return;
      expect(days.map(({ data }) => data.slots[23].booked_by?.id)).toEqual([member.id, member.id, undefined]);
      expect(days.map(({ data }) => data.available_slots.includes(23))).toEqual([true, false, true]);
    });

    it('book and cancel, and get the answer in both ways', async () => {
      const { member } = await gym();
      const socket = await connect(member.access_token);
      const booked = { success: true, message: 'Slot 5 booked successfully', slot_id: 5 };
      // Old clients send digits.
      expect(await socket.ask('book_slot', { slot_id: '5', date: SOON })).toEqual(booked);
      expect(await socket.next('booking_response')).toEqual(booked);
      const cancelled = { success: true, message: 'Slot 5 cancelled successfully', slot_id: 5 };
      expect(await socket.ask('cancel_slot', { slot_id: 5, date: SOON })).toEqual(cancelled);
      expect(await socket.next('cancellation_response')).toEqual(cancelled);
    });

    it('get a refusal as the same event, with the code of REST', async () => {
      const { gym: { id }, member } = await gym(); // prettier-ignore
      const stranger = await gym();
      const socket = await connect(member.access_token);
      await book((await t.make.signedIn('user', id)).client, 5);
      const refusals: [string, unknown, object][] = [
        [
          'book_slot',
          { slot_id: 5, date: SOON },
          { code: 'slot_taken', slot_id: 5, message: 'This hour is booked out' },
        ],
        ['book_slot', { slot_id: '5', date: SOON }, { code: 'slot_taken', slot_id: 5 }],
        ['book_slot', { slot_id: { hour: 5 } }, { code: 'fields_invalid', slot_id: null }],
        ['book_slot', { slot_id: 6, date: inDays(-1) }, { code: 'slot_over', slot_id: 6 }],
        ['book_slot', { slot_id: 6, date: SOON, gym_id: stranger.gym.id }, { code: 'other_gym', slot_id: 6 }],
        ['book_slot', { slot_id: 6, date: SOON, user_id: stranger.member.id }, { code: 'only_for_yourself' }],
        ['book_slot', { slot_id: 24 }, { code: 'fields_invalid', errors: [{ field: 'slot_id' }] }],
        ['book_slot', { date: SOON }, { code: 'fields_invalid', errors: [{ field: 'slot_id' }], slot_id: null }],
        ['book_slot', { slot_id: 6, date: 'tomorrow' }, { code: 'fields_invalid', errors: [{ field: 'date' }] }],
        ['book_slot', null, { code: 'fields_invalid', slot_id: null }],
        ['book_slot', '5', { code: 'fields_invalid', slot_id: null }],
        ['book_slot', [5], { code: 'fields_invalid', slot_id: null }],
        ['cancel_slot', { slot_id: 5, date: SOON }, { code: 'booking_not_found', slot_id: 5 }],
        ['cancel_slot', {}, { code: 'fields_invalid', slot_id: null }],
      ];
      for (const [event, payload, expected] of refusals) {
        const answer = await socket.ask(event, payload);
        expect([payload, answer]).toMatchObject([payload, { success: false, event, ...expected }]);
        expect(answer.message).toBe(answer.error);
        expect(await socket.next(event === 'book_slot' ? 'booking_response' : 'cancellation_response')).toEqual(answer);
      }
      await until(async () => (await socket.ask('get_slots', { date: SOON })).data.booked_count === 1);
    });

    it('of one person see what the other does', async () => {
      const { gym: { id }, member } = await gym({ default_capacity: 2 }); // prettier-ignore
      const sockets = await Promise.all([connect(member.access_token), connect(member.access_token)]);
      for (const socket of sockets) await socket.ask('get_slots', { date: SOON });
      const answers = await Promise.all(sockets.map((socket) => socket.ask('book_slot', { slot_id: 7, date: SOON })));
      expect(answers.map(({ success, code }) => [success, code]).toSorted()).toEqual([
        [false, 'already_booked'],
        [true, undefined],
      ]);
      for (const socket of sockets) {
        const { data } = await socket.next('slots_update', (update) => update.data.slots[7].booked === 1);
        expect(data.slots[7].booked_by.id).toBe(member.id);
      }
      const { rows } = await t.db.pool.query('SELECT 1 FROM slot_bookings WHERE gym_id = $1', [id]);
      expect(rows).toHaveLength(1);
    });
  });
});
