import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';
import { tally, times } from '../support/answers.js';
import { type SignedIn, unique } from '../support/factory.js';
import { book, bookNow, inDays } from '../support/slots.js';
import { SocketClient } from '../support/socket-client.js';

/** What follows when people leave, move or get another role, and what they still see of themselves. */
describe('a person who', () => {
  let t: TestApp;
  let admin: SignedIn;
  beforeAll(async () => {
    t = await startApp();
    admin = await t.make.signedIn('admin', null);
  });
  afterAll(async () => {
    SocketClient.closeAll();
    await t.close();
  });

  /** A member who is inside, has a plan, one that waits, an hour to come, and sizes. */
  async function busyMember() {
    const [gym, next] = [await t.make.gym(), await t.make.gym()];
    const [desk, member] = [await t.make.signedIn('manager', gym.id), await t.make.signedIn('user', gym.id)];
    const plan = await t.make.plan(gym.id);
    const { id: userPlanId } = await t.make.userPlan(member, plan);
    await desk.client.post('/user-plans', { user_id: member.id, plan_id: plan.id, start: 'after_current' });
    const { body: visit } = await desk.client.post('/attendance', { user_id: member.id });
    await t.make.measurement(member);
    expect(await book(member.client, 9, { date: inDays(2) })).toHaveStatus(201);
    return { gym, next, desk, member, userPlanId, visit };
  }
  type Busy = Awaited<ReturnType<typeof busyMember>>;

  async function leftovers({ desk, member, visit, gym }: Busy) {
    const { body: visits } = await admin.client.get(`/attendance?gym_id=${gym.id}`);
    const { rows: plans } = await t.db.pool.query<{ status: string }>(
      'SELECT user_plan_status(up) AS status FROM user_plans up WHERE user_id = $1 ORDER BY id',
      [member.id],
    );
    const { rows: hours } = await t.db.pool.query(
      'SELECT 1 FROM slot_bookings WHERE user_id = $1 AND cancelled_at IS NULL',
      [member.id],
    );
    const { body: inside } = await desk.client.get('/attendance/current');
    return {
      visit: visits.find(({ id }: { id: number }) => id === visit.id).status,
      inside: inside.length,
      plans: plans.map(({ status }) => status),
      hours: hours.length,
    };
  }

  const GONE = { visit: 'checked_out', inside: 0, plans: ['cancelled', 'cancelled'], hours: 0 };

  it('moves has no visit, hour or plan in the old gym any more, and keeps the session', async () => {
    const busy = await busyMember();
    const screen = await SocketClient.connect(t.url, '/checkins', { token: busy.desk.access_token });
    expect(await admin.client.put(`/users/${busy.member.id}`, { gym_id: busy.next.id })).toHaveStatus(200);
    expect(await leftovers(busy)).toEqual(GONE);
    await screen.next('member_checked_out', ({ id }) => id === busy.visit.id);
    expect((await busy.member.client.get('/auth/me')).body.gym_id).toBe(busy.next.id);
    // What is done in the new gym stays.
    expect(await book(busy.member.client, 9, { date: inDays(2) })).toHaveStatus(201);
  });

  it('moves keeps the name in what the old gym has of them, and no email', async () => {
    const busy = await busyMember();
    const { desk, member, visit } = busy;
    const screen = await SocketClient.connect(t.url, '/checkins', { token: desk.access_token });
    const hours = async (): Promise<{ booked_by: { id: number; email: string | null } | null }[]> =>
      (await desk.client.get('/slots')).body;
    await bookNow(member.client);
    expect((await hours()).map(({ booked_by }) => booked_by)).toContainEqual(
      expect.objectContaining({ id: member.id, email: member.email }),
    );
    await admin.client.put(`/users/${member.id}`, { gym_id: busy.next.id });
    const nameOnly = { id: member.id, full_name: visit.member.full_name, email: null };
    for (const path of [`/attendance/user/${member.id}`, `/attendance?user_id=${member.id}`, '/attendance']) {
      expect((await desk.client.get(path)).body).toMatchObject([{ id: visit.id, member: nameOnly }]);
    }
    const told = await screen.next('member_checked_out', ({ id }) => id === visit.id);
    expect(told).toMatchObject({ member: nameOnly });
    // The hour that is now stays theirs.
    expect((await hours()).flatMap(({ booked_by }) => booked_by ?? [])).toEqual([nameOnly]);
    const { client } = await t.make.signedIn('reception', busy.next.id);
    expect((await client.post('/attendance', { user_id: member.id })).body.member.email).toBe(member.email);
  });

  it('moves still sees what is theirs, wherever it was made', async () => {
    const busy = await busyMember();
    await admin.client.put(`/users/${busy.member.id}`, { gym_id: busy.next.id });
    const { client, id } = busy.member;
    const lists = ['/attendance', '/user-plans', '/measurements'].flatMap((list) => [list, `${list}/user/${id}`]);
    for (const list of lists) {
      const answer = await client.get(list);
      expect(answer).toHaveStatus(200);
      expect(answer.body).not.toEqualFor(list, []);
    }
    expect(await client.get(`/user-plans/${busy.userPlanId}`)).toHaveStatus(200);
    expect(await client.get(`/measurements/user/${id}/latest`)).toHaveStatus(200);
    expect((await client.get(`/attendance/user/${id}/summary`)).body.total_visits).toBe(1);
    expect(await client.get('/slots/mine')).toHaveStatus(200);
    expect(await client.get(`/attendance?gym_id=${busy.gym.id}`)).toBeRefused(403, 'other_gym');
    expect((await client.get(`/attendance?gym_id=${busy.next.id}`)).body).toEqual([]);
    // Staff of the new gym sees nothing of the old one.
    const staff = await t.make.signedIn('manager', busy.next.id);
    expect((await staff.client.get(`/attendance/user/${id}`)).body).toEqual([]);
    expect(await staff.client.get(`/user-plans/${busy.userPlanId}`)).toHaveStatus(404);
  });

  it.each(['moved', 'deleted'])('is %s stays in the lists and numbers of the old gym', async (how) => {
    const { gym, next, desk, member } = await busyMember();
    const [path, ofVisits] = [`/users/${member.id}`, `/attendance/user/${member.id}`];
    await (how === 'moved' ? admin.client.put(path, { gym_id: next.id }) : admin.client.delete(path));
    expect((await desk.client.get(ofVisits)).body).toHaveLength(1);
    expect(await desk.client.get(`/user-plans/user/${member.id}`)).toHaveStatus(200);
    expect((await desk.client.get(`${ofVisits}/summary`)).body).toMatchObject({ total_visits: 1, is_inside: false });
    expect((await admin.client.get(`${ofVisits}/summary`)).body.total_visits).toBe(1);
    // Sizes go with the person.
    const status = how === 'moved' ? 200 : 404;
    for (const part of ['', '/progress', '/progress.svg']) {
      expect(await desk.client.get(`/measurements/user/${member.id}${part}`)).toHaveStatus(status);
    }
    for (const stranger of [
      await t.make.signedIn('manager', (await t.make.gym()).id),
      await t.make.signedIn('user', gym.id),
    ]) {
      expect(await stranger.client.get(`${ofVisits}/summary`)).toBeRefused(404, 'user_not_found');
      expect(await stranger.client.get(`/measurements/user/${member.id}/progress`)).toHaveStatus(404);
    }
  });

  it('moves leaves days of the old gym by its clock', async () => {
    const [old, next] = [await t.make.gym({ timezone: 'Pacific/Kiritimati' }), await t.make.gym()];
    const [desk, member] = [await t.make.signedIn('manager', old.id), await t.make.signedIn('user', old.id)];
    await t.make.measurement(member, { measurement_date: '2026-01-01T20:00:00Z' });
    await admin.client.put(`/users/${member.id}`, { gym_id: next.id });
    const progress = `/measurements/user/${member.id}/progress`;
    expect((await desk.client.get(progress)).body).toMatchObject({ start_date: '2026-01-02', measurement_count: 1 });
  });

  it('is deactivated keeps the plans and loses the rest', async () => {
    const busy = await busyMember();
    await busy.desk.client.put(`/users/${busy.member.id}`, { is_active: false });
    expect(await leftovers(busy)).toEqual({ ...GONE, plans: ['active', 'scheduled'] });
    expect(await busy.member.client.get('/auth/me')).toHaveStatus(401);
  });

  it('is deleted leaves no one inside, no plan and no size', async () => {
    const busy = await busyMember();
    expect(await admin.client.delete(`/users/${busy.member.id}`)).toHaveStatus(204);
    expect(await leftovers(busy)).toEqual(GONE);
    const { body: active } = await busy.desk.client.get('/user-plans?status=active');
    expect(active).toEqual([]);
    expect((await admin.client.get(`/measurements?gym_id=${busy.gym.id}`)).body).toEqual([]);
  });

  it('becomes staff is no member any more', async () => {
    const busy = await busyMember();
    await busy.desk.client.put(`/users/${busy.member.id}`, { role: 'trainer' });
    expect(await leftovers(busy)).toEqual({ ...GONE, hours: 1 });
  });

  it('has left gets back no plan of the old gym, and may have one taken back', async () => {
    const makeGone = [
      (id: number, next: number) => admin.client.put(`/users/${id}`, { gym_id: next }),
      (id: number) => admin.client.put(`/users/${id}`, { role: 'trainer', email: `${unique('t')}@example.com` }),
      (id: number) => admin.client.delete(`/users/${id}`),
    ];
    for (const leave of makeGone) {
      const { gym, next, desk, member, userPlanId } = await busyMember();
      const other = await t.make.plan(gym.id);
      await t.db.pool.query(
        `UPDATE user_plans SET expires_at = now() - interval '1 hour', starts_at = now() - interval '30 days' WHERE id = $1`,
        [userPlanId],
      );
      expect((await leave(member.id, next.id)).status).toBeLessThan(300);
      const put = (body: object) => desk.client.put(`/user-plans/${userPlanId}`, body);
      expect(await put({ expires_at: inDays(9) })).toBeRefused(409, 'member_left');
      expect(await put({ plan_id: other.id })).toBeRefused(409, 'member_left');
      expect(await put((await desk.client.get(`/user-plans/${userPlanId}`)).body)).toHaveStatus(200);
      expect(await desk.client.delete(`/user-plans/${userPlanId}`)).toHaveStatus(204);
    }
  });

  it('books an hour while being moved has none in the old gym', async () => {
    const [gym, next] = [await t.make.gym(), await t.make.gym()];
    await times(20, async (n) => {
      const member = await t.make.signedIn('user', gym.id);
      await Promise.all([
        admin.client.put(`/users/${member.id}`, { gym_id: next.id }),
        sleep(n).then(() => book(member.client, 9, { date: inDays(1 + (n % 13)) })),
      ]);
    });
    const { rows } = await t.db.pool.query('SELECT 1 FROM slot_bookings WHERE gym_id = $1 AND cancelled_at IS NULL', [
      gym.id,
    ]);
    expect(rows).toEqual([]);
  });

  it('is checked in while being moved has no open visit in the old gym', async () => {
    const [gym, next] = [await t.make.gym(), await t.make.gym()];
    const desk = await t.make.signedIn('reception', gym.id);
    await times(20, async () => {
      const { id } = await t.make.person('user', gym.id);
      await Promise.all([
        desk.client.post('/attendance', { user_id: id }),
        admin.client.put(`/users/${id}`, { gym_id: next.id }),
      ]);
    });
    expect((await desk.client.get('/attendance/current')).body).toEqual([]);
  });

  it('gets a password from an admin has no temporary one any more', async () => {
    const gym = await t.make.gym();
    const member = await t.make.signedIn('user', gym.id, { must_change_password: true });
    await t.db.pool.query(`UPDATE users SET temporary_password = 'sealed' WHERE id = $1`, [member.id]);
    expect(await admin.client.put(`/users/${member.id}`, { password: 'a new password' })).toHaveStatus(200);
    const { body } = await t.anonymous.post('/auth/login', { email: member.email, password: 'a new password' });
    expect(body.must_change_password).toBe(false);
    const { rows } = await t.db.pool.query('SELECT temporary_password FROM users WHERE id = $1', [member.id]);
    expect(rows).toEqual([{ temporary_password: null }]);
  });

  it('scans 20 times at once with one session left is let in once, and every door gets an answer', async () => {
    const gym = await t.make.gym();
    const desks = await times(4, () => t.make.signedIn('reception', gym.id));
    const person = await t.make.person('user', gym.id);
    const { id } = await t.make.userPlan(person, await t.make.plan(gym.id, { session_count: 1 }));
    const answers = await times(20, (index) =>
      desks[index % 4]!.client.post('/devices/access', { user_id: person.id }),
    );
    expect(tally(answers)).toEqual({ 200: 20 });
    expect(new Set(answers.filter(({ body }) => body.allowed).map(({ body }) => body.attendance_id)).size).toBe(1);
    const { rows } = await t.db.pool.query(
      `SELECT remaining_sessions, (SELECT count(*)::int FROM attendance WHERE user_id = $2) AS visits
       FROM user_plans WHERE id = $1`,
      [id, person.id],
    );
    expect(rows).toEqual([{ remaining_sessions: 0, visits: 1 }]);
  });
});

describe('a visit', () => {
  let t: TestApp;
  let desk: SignedIn;
  let screen: SocketClient;
  beforeAll(async () => {
    t = await startApp();
    desk = await t.make.signedIn('manager', (await t.make.gym()).id);
    screen = await SocketClient.connect(t.url, '/checkins', { token: desk.access_token });
  });
  afterAll(async () => {
    SocketClient.closeAll();
    await t.close();
  });
  const newVisit = async (fields: object = {}) => {
    const { id } = await t.make.person('user', desk.gym_id);
    return (await desk.client.post('/attendance', { user_id: id, ...fields })).body;
  };

  it('keeps the notes of its beginning beside those of its end', async () => {
    const end = async (notes: string | null | undefined, begin?: string) => {
      const { id } = await newVisit({ notes: begin });
      return (await desk.client.post(`/attendance/${id}/check-out`, { notes })).body.notes;
    };
    expect(await end('Left the towel', 'Forgot the card')).toBe('Forgot the card\nLeft the towel');
    expect(await end(undefined, 'Forgot the card')).toBe('Forgot the card');
    expect(await end(null, 'Forgot the card')).toBe('Forgot the card');
    expect(await end('Left the towel')).toBe('Left the towel');
    expect(await end(undefined)).toBeNull();
    const long = await end('b'.repeat(1000), 'a'.repeat(1000));
    expect(long).toHaveLength(2001);
  });

  it('that REST ends, opens again or deletes is told to the screens with it', async () => {
    const { id, check_in_time } = await newVisit();
    await screen.next('member_checked_in', (visit) => visit.id === id);
    await desk.client.put(`/attendance/${id}`, { check_out_time: check_in_time });
    await screen.next('member_checked_out', (visit) => visit.id === id && visit.status === 'checked_out');
    await desk.client.put(`/attendance/${id}`, { check_out_time: null });
    await screen.next('member_checked_in', (visit) => visit.id === id && visit.status === 'checked_in');
    const admin = await t.make.signedIn('admin', null);
    await admin.client.delete(`/attendance/${id}`);
    expect(await screen.next('check_in_removed')).toEqual({ id });
    expect(await screen.next('check_in_stats', ({ currently_in }) => currently_in === 0)).toBeTruthy();
  });

  it('of a batch ends before another begins: one desk checks the same member out and in', async () => {
    const { id, user_id } = await newVisit();
    const batches = {
      check_in: [{ member_id: user_id, notes: unique('again') }],
      check_out: [{ check_in_id: id }],
    };
    const result = await screen.ask('batch', { batches });
    expect(Object.keys(result)).toEqual(['check_out', 'check_in']);
    expect(result).toMatchObject({
      check_out: [{ visit: { id, status: 'checked_out' } }],
      check_in: [{ visit: { user_id, status: 'checked_in' } }],
    });
  });
});
