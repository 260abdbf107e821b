import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { MemberCheckedIn, MemberCheckedOut } from '../../src/attendance/attendance.events.js';
import { AlreadyCheckedIn } from '../../src/attendance/attendance.errors.js';
import { AttendanceService } from '../../src/attendance/attendance.service.js';
import { Actor } from '../../src/common/actor/actor.js';
import type { Role } from '../../src/common/actor/roles.js';
import { tally, times } from '../support/answers.js';
import { startApp, type TestApp } from '../support/app.js';
import { type Person, type SignedIn, unique } from '../support/factory.js';
import { CLOCK_CHANGES, localMidnight, NEW_YORK } from '../support/new-york.js';
import { type GymWorld, makeWorld } from '../support/world.js';

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

describe('attendance', () => {
  let t: TestApp;
  let own: GymWorld;
  let other: GymWorld;
  let as: Record<Role, SignedIn>;
  beforeAll(async () => {
    t = await startApp();
    ({ own, other } = await makeWorld(t));
    as = own.people;
  });
  afterAll(() => t.close());

  const DEDUCT = { action: 'check_in_with_deduction' };
  const member = (fields = {}) => t.make.person('user', own.gym.id, fields);
  const enter = (body: object, headers?: Record<string, string>) =>
    as.reception.client.post('/attendance', body, headers);
  const checkIn = ({ id }: { id: number }, more: object = {}) => enter({ user_id: id, ...more });
  const checkOut = (id: number, body?: object) => as.trainer.client.post(`/attendance/${id}/check-out`, body);
  const correct = (id: number, body: object) => as.trainer.client.put(`/attendance/${id}`, body);
  const visitsOf = ({ id }: { id: number }) => as.manager.client.all(`/attendance/user/${id}`);
  const summaryOf = async ({ id }: { id: number }) =>
    (await as.admin.client.get(`/attendance/user/${id}/summary`)).body;
  const qrOf = async ({ id }: { id: number }) =>
    (await t.db.pool.query('SELECT qr_code FROM users WHERE id = $1', [id])).rows[0].qr_code as string;
  /** A member with so many sessions. */
  async function withSessions(count: number): Promise<Person & { userPlanId: number }> {
    const [person, plan] = [await member(), await t.make.plan(own.gym.id, { session_count: count })];
    return { ...person, userPlanId: (await t.make.userPlan(person, plan)).id };
  }
  const sessionsLeft = async ({ userPlanId }: { userPlanId: number }) =>
    (await as.manager.client.get(`/user-plans/${userPlanId}`)).body.remaining_sessions;

  describe('a check-in', () => {
    it('of who is inside is refused with the visit that is open', async () => {
      const person = await member({ full_name: 'María López' });
      const { body: open } = await checkIn(person);
      const again = [{ user_id: person.id }, { qr_code: await qrOf(person) }];
      const actor = new Actor(as.reception.id, 'reception', own.gym.id, 1);
      for (const body of again) {
        expect((await enter(body)).body.detail).toBe('María López is already checked in.');
        const asked = t.app.get(AttendanceService).checkIn(actor, body, null);
        const error = await asked.catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(AlreadyCheckedIn);
        expect((error as AlreadyCheckedIn).visit).toMatchObject({ id: open.id, member: { full_name: 'María López' } });
      }
    });

    it('shows the desk who came, with their membership', async () => {
      expect(await checkIn(as.user)).toBeRefused(409, 'already_checked_in');
      const person = await member({ full_name: 'María López' });
      const none = await checkIn(person, { location: ' Main entrance ', notes: 'Forgot the card' });
      expect(none).toHaveStatus(201);
      expect(none.body).toMatchObject({
        user_id: person.id,
        gym_id: own.gym.id,
        member: { id: person.id, full_name: 'María López', email: person.email, membership: null },
        check_out_time: null,
        stay_minutes: null,
        is_auto_closed: false,
        location: 'Main entrance',
        notes: 'Forgot the card',
        status: 'checked_in',
        user_plan_id: null,
        recorded_by_id: as.reception.id,
      });
      await checkOut(none.body.id);
      const { id } = await t.make.userPlan(person, own.plan);
      const paid = (await checkIn(person)).body;
      expect(paid.member.membership).toMatchObject({ user_plan_id: id, plan_name: own.plan.name, status: 'active' });
      await t.db.pool.query(
        `UPDATE user_plans SET starts_at = starts_at - interval '31 days', expires_at = expires_at - interval '31 days'
         WHERE id = $1`,
        [id],
      );
      // Who must renew is seen too.
      const current = await as.reception.client.get(`/attendance?user_id=${person.id}`);
      expect(current.body[0].member.membership).toMatchObject({ user_plan_id: id, status: 'expired' });
    });

    it('is by id or by the code of the pass', async () => {
      const person = await member();
      const code = await qrOf(person);
      expect(code).toMatch(new RegExp(`^GYM-${person.id}-[0-9a-f]{8}$`));
      expect((await enter({ qr_code: code })).body).toMatchObject({ user_id: person.id, status: 'checked_in' });
      for (const wrong of [code.replace(/.{8}$/, 'ffffffff'), `GYM-${person.id}-`, await qrOf(other.people.user)]) {
        expect(await enter({ qr_code: wrong })).toHaveWrongFields('qr_code');
      }
      for (const id of [undefined, other.people.user.id, as.trainer.id, 2_000_000_000]) {
        expect(await enter({ user_id: id })).toHaveWrongFields('user_id');
      }
      expect(await enter({ user_id: person.id, action: 'sneak_in' })).toHaveWrongFields('action');
      await as.admin.client.delete(`/users/${person.id}`);
      expect(await enter({ qr_code: code })).toHaveWrongFields('qr_code');
    });

    it('by both is of the one member whom both name', async () => {
      const [person, stranger] = [await member(), await withSessions(1)];
      const mixed = { user_id: person.id, qr_code: await qrOf(stranger) };
      for (const more of [{}, DEDUCT, { check_in_time: ago(5) }]) {
        expect(await enter({ ...mixed, ...more })).toHaveWrongFields('qr_code');
      }
      expect([await visitsOf(person), await visitsOf(stranger)]).toEqual([[], []]);
      const both = { user_id: person.id, qr_code: await qrOf(person) };
      expect((await enter(both)).body).toMatchObject({ user_id: person.id, status: 'checked_in' });
      expect(await enter(both)).toBeRefused(409, 'already_checked_in');
      expect(await checkIn(other.people.user, DEDUCT)).toHaveWrongFields('user_id');
    });

    it('is refused to the inactive and in a closed gym', async () => {
      expect(await checkIn(await member({ is_active: false }))).toMatchObject({
        status: 409,
        body: { code: 'member_inactive' },
      });
      const closed = await t.make.gym({ is_active: false });
      const person = await t.make.person('user', closed.id);
      const answer = await as.admin.client.post('/attendance', { user_id: person.id });
      expect(answer).toBeRefused(409, 'gym_inactive');
    });

    it('is once, until the check-out: 50 at once are one visit', async () => {
      const person = await withSessions(10);
      const answers = await times(50, (index) => checkIn(person, index % 2 ? DEDUCT : {}));
      expect(tally(answers)).toEqual({ 201: 1, 409: 49 });
      const [visit, ...more] = await visitsOf(person);
      expect([more, visit.status]).toEqual([[], 'checked_in']);
      expect(await sessionsLeft(person)).toBe(visit.user_plan_id === null ? 10 : 9);
      await checkOut(visit.id);
      expect(await checkIn(person)).toHaveStatus(201);
    });

    it('with an Idempotency-Key is one, also 20 times at once, and all are told of it', async () => {
      const [person, key] = [await withSessions(10), { 'idempotency-key': unique('key') }];
      const answers = await times(20, () => enter({ user_id: person.id, ...DEDUCT }, key));
      expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
      expect(answers[0]!).toHaveStatus(201);
      expect(await sessionsLeft(person)).toBe(9);
      expect(await enter({ user_id: person.id }, key)).toBeRefused(422, 'idempotency_key_reused');
    });
  });

  describe('with deduction', () => {
    it('takes a session of a plan that counts them, and none of a plan by time', async () => {
      const person = await withSessions(2);
      const { body } = await checkIn(person, DEDUCT);
      expect(body).toMatchObject({
        user_plan_id: person.userPlanId,
        member: { membership: { remaining_sessions: 1 } },
      });
      const byTime = await member();
      await t.make.userPlan(byTime, own.plan);
      expect(await checkIn(byTime, DEDUCT)).toMatchObject({ status: 201, body: { user_plan_id: null } });
      const without = await checkIn(await withSessions(5));
      expect(without.body).toMatchObject({ user_plan_id: null, member: { membership: { remaining_sessions: 5 } } });
    });

    it('needs an active plan, and leaves no visit without', async () => {
      const [none, over] = [await member(), await member()];
      await t.db.pool.query(
        `UPDATE user_plans SET starts_at = starts_at - interval '31 days', expires_at = expires_at - interval '31 days'
         WHERE id = $1`,
        [(await t.make.userPlan(over, own.plan)).id],
      );
      const [used, frozen, frozenByTime] = [await withSessions(1), await withSessions(3), await member()];
      await checkOut((await checkIn(used, DEDUCT)).body.id);
      for (const id of [frozen.userPlanId, (await t.make.userPlan(frozenByTime, own.plan)).id]) {
        expect(await as.manager.client.put(`/user-plans/${id}`, { status: 'frozen' })).toHaveStatus(200);
      }
      for (const person of [none, over, used, frozen, frozenByTime]) {
        const code = person === used ? 'no_sessions_left' : 'plan_not_active';
        expect(await checkIn(person, DEDUCT)).toBeRefused(409, code);
        expect(await visitsOf(person)).toHaveLength(person === used ? 1 : 0);
      }
      expect(await sessionsLeft(frozen)).toBe(3);
    });

    it('takes nothing for a visit that is refused', async () => {
      const inside = await withSessions(3);
      await checkIn(inside);
      expect(await checkIn(inside, DEDUCT)).toBeRefused(409, 'already_checked_in');
      expect(await sessionsLeft(inside)).toBe(3);
      const inactive = await withSessions(1);
      await as.manager.client.put(`/users/${inactive.id}`, { is_active: false });
      expect(await checkIn(inactive, DEDUCT)).toBeRefused(409, 'member_inactive');
      expect(await sessionsLeft(inactive)).toBe(1);
    });

    it('of the last session begins the plan that waits', async () => {
      const person = await withSessions(1);
      const waiting = { user_id: person.id, plan_id: own.plan.id, start: 'after_current' };
      const { body: next } = await as.reception.client.post('/user-plans', waiting);
      const { body: visit } = await checkIn(person, DEDUCT);
      expect(visit).toMatchObject({
        user_plan_id: person.userPlanId,
        member: { membership: { user_plan_id: next.id, status: 'active' } },
      });
      await checkOut(visit.id);
      expect((await checkIn(person, DEDUCT)).body.user_plan_id).toBeNull();
    });
  });

  describe('that was noted on paper', () => {
    it('is written down with its times, and shows no one inside who has left', async () => {
      const person = await member();
      const stay = { check_in_time: ago(29 * 1440), check_out_time: ago(29 * 1440 - 50) };
      expect((await checkIn(person, stay)).body).toMatchObject({
        ...stay,
        stay_minutes: 50,
        status: 'checked_out',
      });
      const began = { check_in_time: ago(30) };
      const { body } = await checkIn(person, began);
      expect(body).toMatchObject({ ...began, check_out_time: null, status: 'checked_in' });
      expect(await checkIn(person, { check_in_time: ago(10) })).toBeRefused(409, 'already_checked_in');
      const before = { check_in_time: ago(200), check_out_time: ago(100) };
      expect((await checkIn(person, before)).body).toMatchObject(before);
    });

    it('is over at once if only its end is sent, which is now, by clocks that differ by five minutes', async () => {
      const person = await member();
      for (const minutes of [4, 0, -4]) {
        const { status, body } = await checkIn(person, { check_out_time: ago(minutes) });
        const over = { stay_minutes: 0, check_in_time: body.check_out_time, status: 'checked_out' };
        expect([status, body]).toEqualFor(minutes, [201, expect.objectContaining(over)]);
        expect(Date.parse(body.check_out_time)).toBeLessThanOrEqual(Date.now());
      }
    });

    it('is of 30 days of the gym’s calendar, from the first moment on', async () => {
      const gym = await t.make.gym({ timezone: 'America/Havana' });
      const [desk, person] = [await t.make.signedIn('reception', gym.id), await t.make.person('user', gym.id)];
      const local = new Intl.DateTimeFormat('sv', { timeZone: 'America/Havana' });
      const on = (daysAgo: number) => {
        const [year, month, day] = local.format(new Date()).split('-').map(Number);
        return new Date(Date.UTC(year!, month! - 1, day! - daysAgo)).toISOString().slice(0, 10);
      };
      const visit = (daysAgo: number) => {
        const paper = { check_in_time: on(daysAgo), check_out_time: `${on(daysAgo)}T02:00:00` };
        return desk.client.post('/attendance', { user_id: person.id, ...paper });
      };
      expect(await visit(31)).toHaveWrongFields('check_in_time');
      expect((await visit(30)).body).toMatchObject({ attendance_date: on(30) });
    });

    it('is of the last 30 days, in the past, and in order', async () => {
      const person = await member();
      for (const [field, value] of [
        ['check_in_time', ago(31 * 1440 + 65)],
        ['check_in_time', ago(-10)],
        ['check_out_time', ago(-10)],
        ['check_in_time', 'yesterday'],
      ] as const) {
        expect(await checkIn(person, { [field]: value })).toHaveWrongFields(field);
      }
      const turned = { check_in_time: ago(5), check_out_time: ago(6) };
      expect(await checkIn(person, turned)).toBeRefused(422, 'visit_times_wrong');
      expect(await checkIn(person, { check_out_time: ago(6) })).toBeRefused(422, 'visit_times_wrong');
      const stranger = { id: other.people.user.id };
      expect(await checkIn(stranger, { check_in_time: ago(6) })).toHaveWrongFields('user_id');
      expect(await visitsOf(person)).toEqual([]);
    });
  });

  describe('of a plan that has lost its session already', () => {
    const useOne = ({ userPlanId }: { userPlanId: number }) =>
      as.reception.client.post(`/user-plans/${userPlanId}/deduct`);

    it('belongs to it and takes none, also if that was the last one', async () => {
      const person = await withSessions(1);
      expect(await useOne(person)).toHaveStatus(200);
      const { body } = await checkIn(person, { user_plan_id: person.userPlanId });
      expect(body).toMatchObject({ user_plan_id: person.userPlanId, status: 'checked_in' });
      expect(await sessionsLeft(person)).toBe(0);
    });

    it('belongs to it also days later, if it counted when the visit was', async () => {
      const person = await withSessions(1);
      expect(await useOne(person)).toHaveStatus(200);
      await t.db.pool.query(
        `UPDATE user_plans SET starts_at = starts_at - d, expires_at = expires_at - d, ended_at = ended_at - d
         FROM make_interval(days => 3) d WHERE id = $1`,
        [person.userPlanId],
      );
      const visit = (begun: number) => {
        const paper = { check_in_time: ago(begun), check_out_time: ago(begun - 5) };
        return checkIn(person, { user_plan_id: person.userPlanId, ...paper });
      };
      expect((await visit(3 * 1440 - 10)).body).toMatchObject({ user_plan_id: person.userPlanId });
      expect(await visit(1440)).toHaveWrongFields('user_plan_id');
      expect(await visit(4 * 1440)).toHaveWrongFields('user_plan_id');
    });

    it('belongs to it also after a freeze that ended by itself, but not of the days that it was frozen', async () => {
      const person = await withSessions(1);
      expect(await as.manager.client.post(`/user-plans/${person.userPlanId}/freeze`, { days: 2 })).toHaveStatus(200);
      await t.db.pool.query(
        `UPDATE user_plans SET starts_at = starts_at - d, frozen_at = frozen_at - d, frozen_until = frozen_until - d
         FROM make_interval(days => 6) d WHERE id = $1`,
        [person.userPlanId],
      );
      expect(await useOne(person)).toHaveStatus(200);
      await t.db.pool.query(`UPDATE user_plans SET ended_at = ended_at - interval '2 days' WHERE id = $1`, [
        person.userPlanId,
      ]);
      const visit = (begun: number) => {
        const paper = { check_in_time: ago(begun), check_out_time: ago(begun - 5) };
        return checkIn(person, { user_plan_id: person.userPlanId, ...paper });
      };
      expect((await visit(3 * 1440)).body).toMatchObject({ user_plan_id: person.userPlanId });
      expect(await visit(5 * 1440)).toHaveWrongFields('user_plan_id');
    });

    it('is of this member, in use, and not deducted again', async () => {
      const [person, another] = [await withSessions(3), await withSessions(3)];
      const { userPlanId } = person;
      for (const wrong of [
        { user_plan_id: another.userPlanId },
        { user_plan_id: 2_000_000_000 },
        { user_plan_id: userPlanId, ...DEDUCT },
      ]) {
        expect(await checkIn(person, wrong)).toHaveWrongFields('user_plan_id');
      }
      await as.manager.client.put(`/user-plans/${userPlanId}`, { status: 'cancelled' });
      expect(await checkIn(person, { user_plan_id: userPlanId })).toHaveWrongFields('user_plan_id');
      expect(await visitsOf(person)).toEqual([]);
    });
  });

  describe('a check-out', () => {
    it('ends the visit, once, and says how long it was', async () => {
      const visit = await t.make.visit(await member(), ago(75));
      const answers = await times(10, () => checkOut(visit.id, { notes: 'Left the towel' }));
      expect(tally(answers)).toEqual({ 200: 1, 409: 9 });
      const refusal = answers.find(({ status }) => status === 409)!;
      expect(refusal).toBeRefused(409, 'already_checked_out');
      expect(answers.find(({ status }) => status === 200)!.body).toMatchObject({
        status: 'checked_out',
        stay_minutes: 75,
        notes: 'Left the towel',
      });
      expect(await checkOut(2_000_000_000)).toBeRefused(404, 'visit_not_found');
    });

    it('and a check-in are told to the server once, and a refusal is not', async () => {
      const heard: string[] = [];
      const events = t.app.get(EventEmitter2);
      const person = await member();
      const hear = (event: MemberCheckedIn | MemberCheckedOut) => {
        if (event.visit.user_id === person.id) heard.push(`${event.constructor.name} ${event.visit.status}`);
      };
      for (const { name } of [MemberCheckedIn, MemberCheckedOut]) events.on(name, hear);
      const { body } = await checkIn(person);
      await checkIn(person);
      await checkOut(body.id);
      await checkOut(body.id);
      for (const { name } of [MemberCheckedIn, MemberCheckedOut]) events.off(name, hear);
      expect(heard).toEqual(['MemberCheckedIn checked_in', 'MemberCheckedOut checked_out']);
    });
  });

  describe('a correction', () => {
    it('changes times, place and notes, and nothing that is not sent', async () => {
      const visit = await t.make.visit(await member(), ago(200), ago(100));
      const corrected = { check_in_time: ago(120), check_out_time: ago(60) };
      const { body } = await correct(visit.id, { ...corrected, notes: 'By hand' });
      expect(body).toMatchObject({ ...corrected, stay_minutes: 60, notes: 'By hand', location: null });
      expect((await correct(visit.id, { location: 'Pool' })).body).toMatchObject({
        ...corrected,
        location: 'Pool',
        notes: 'By hand',
      });
      expect((await correct(visit.id, { notes: null })).body).toMatchObject({ notes: null, location: 'Pool' });
    });

    it('keeps the times in order and in the past', async () => {
      const visit = await t.make.visit(await member(), ago(200), ago(100));
      const soon = new Date(Date.now() + 3_600_000).toISOString();
      for (const [field, value] of [
        ['check_out_time', ago(201)],
        ['check_out_time', soon],
        ['check_in_time', soon],
        ['check_in_time', 'yesterday'],
        ['check_in_time', '2026-01-01 10:00'],
        ['check_in_time', '2026-01-01T00:00:00+23:00'],
      ] as const) {
        expect(await correct(visit.id, { [field]: value })).toHaveWrongFields(field);
      }
      expect(await correct(visit.id, { check_in_time: ago(99) })).toBeRefused(422, 'visit_times_wrong');
    });

    it('opens no visit by chance that has ended since it was read', async () => {
      const person = await member();
      const { body: read } = await checkIn(person);
      expect(await correct(read.id, { ...read, notes: 'forgot towel' })).toHaveStatus(200);
      expect(await checkOut(read.id)).toHaveStatus(200);
      expect(await correct(read.id, { ...read, notes: 'Forgot a towel' })).toBeRefused(409, 'changed_since_read');
      const [now] = await visitsOf(person);
      expect(now).toMatchObject({ status: 'checked_out', notes: 'forgot towel' });
      const reopened = { ...now, check_out_time: null };
      // Also sent twice.
      for (let n = 0; n < 2; n++) expect((await correct(read.id, reopened)).body.status).toBe('checked_in');
    });

    it('opens a visit again, unless the member is inside', async () => {
      const person = await member();
      const visit = await t.make.visit(person, ago(200), ago(100));
      const reopened = { status: 'checked_in', check_out_time: null, stay_minutes: null };
      expect((await correct(visit.id, { check_out_time: null })).body).toMatchObject(reopened);
      await checkOut(visit.id);
      await checkIn(person);
      expect(await correct(visit.id, { check_out_time: null })).toBeRefused(409, 'already_checked_in');
    });

    it('opens no visit of a person who has left', async () => {
      const [moved, gone, resting] = [await member(), await member(), await member()];
      const visits = [];
      for (const person of [moved, gone, resting]) visits.push(await t.make.visit(person, ago(200), ago(100)));
      const { client } = as.admin;
      expect(await client.put(`/users/${moved.id}`, { gym_id: (await t.make.gym()).id })).toHaveStatus(200);
      expect(await client.delete(`/users/${gone.id}`)).toHaveStatus(204);
      expect(await client.put(`/users/${resting.id}`, { is_active: false })).toHaveStatus(200);
      for (const { id } of visits.slice(0, 2)) {
        expect(await correct(id, { check_out_time: null })).toBeRefused(409, 'member_left');
      }
      expect(await correct(visits[1]!.id, { notes: 'Broke a leg' })).toBeRefused(409, 'member_left');
      expect(await correct(visits[1]!.id, { check_in_time: ago(201), notes: null })).toHaveStatus(200);
      expect(await correct(visits[2]!.id, { check_out_time: null })).toBeRefused(409, 'member_inactive');
      expect(await correct(visits[0]!.id, { notes: 'Forgot the card' })).toHaveStatus(200);
    });

    it('that deletes leaves the session deducted', async () => {
      const person = await withSessions(3);
      const { body } = await checkIn(person, DEDUCT);
      expect(await as.admin.client.delete(`/attendance/${body.id}`)).toHaveStatus(204);
      expect(await as.admin.client.delete(`/attendance/${body.id}`)).toBeRefused(404, 'visit_not_found');
      expect([await visitsOf(person), await sessionsLeft(person)]).toEqual([[], 2]);
    });

    it('of a plan that was assigned by mistake leaves the visit', async () => {
      const person = await withSessions(3);
      const { body } = await checkIn(person, DEDUCT);
      expect(await as.manager.client.delete(`/user-plans/${person.userPlanId}`)).toHaveStatus(204);
      expect(await visitsOf(person)).toMatchObject([{ id: body.id, user_plan_id: null }]);
    });
  });

  describe('lists', () => {
    it('show who is inside, the last to come first, page by page', async () => {
      const gym = await t.make.gym();
      const { client } = await t.make.signedIn('reception', gym.id);
      const visits: number[] = [];
      const [early, late] = [ago(60), ago(30)];
      for (const moment of [early, late, late, late]) {
        visits.push((await t.make.visit(await t.make.person('user', gym.id), moment)).id);
      }
      await t.make.visit(await t.make.person('user', gym.id), late, ago(10));
      const inside = async () => (await client.all('/attendance/current?limit=2')).map(({ id }) => id);
      expect(await inside()).toEqual(visits.toReversed());
      await client.post(`/attendance/${visits[1]}/check-out`);
      expect(await inside()).toEqual([visits[3], visits[2], visits[0]]);
      expect((await client.get('/attendance?limit=1&count=true')).headers.get('x-total-count')).toBe('5');
    });

    it('show the visits of a member or of some days, the newest first', async () => {
      const person = await member();
      const days = ['2026-03-01', '2026-03-02', '2026-03-02', '2026-03-03'];
      for (const day of days) await t.make.visit(person, `${day}T10:00:00Z`, `${day}T11:00:00Z`);
      const list = async (query: string) =>
        (await as.trainer.client.all(`/attendance?limit=1&user_id=${person.id}${query}`)).map(({ check_in_time }) =>
          check_in_time.slice(0, 10),
        );
      expect(await list('')).toEqual(days.toReversed());
      expect(await list('&start_date=2026-03-02')).toEqual(['2026-03-03', '2026-03-02', '2026-03-02']);
      expect(await list('&start_date=2026-03-02&end_date=2026-03-02')).toHaveLength(2);
      expect(await visitsOf(person)).toHaveLength(4);
      for (const day of ['today', '2026-02-30', '26-01-01']) {
        expect(await as.trainer.client.get(`/attendance/daily/${day}`)).toHaveWrongFields('date');
      }
    });

    it('show a member their own visits and no other’s', async () => {
      const person = await member();
      await t.make.visit(person);
      const { client, id } = as.user;
      expect((await client.all('/attendance')).map(({ user_id }) => user_id)).toEqual([id]);
      expect(await client.all(`/attendance?user_id=${person.id}`)).toEqual([]);
      expect((await client.get(`/attendance/user/${id}/summary`)).body).toMatchObject({
        total_visits: 1,
        is_inside: true,
      });
      for (const path of ['', '/summary']) {
        expect(await client.get(`/attendance/user/${person.id}${path}`)).toBeRefused(404, 'user_not_found');
      }
    });
  });

  describe('the summary of a member', () => {
    it('counts visits, and averages the stays that a person ended', async () => {
      const person = await member();
      expect(await summaryOf(person)).toEqual({
        user_id: person.id,
        total_visits: 0,
        visits_this_month: 0,
        average_stay_minutes: null,
        current_streak_days: 0,
        last_visit_at: null,
        is_inside: false,
      });
      await t.make.visit(person, '2025-01-01T10:00:00Z', '2025-01-01T10:30:00Z');
      await t.make.visit(person, '2025-01-01T12:00:00Z', '2025-01-01T13:01:00Z');
      const forgotten = await t.make.visit(person, '2025-01-05T10:00:00Z', '2025-01-06T00:00:00Z');
      await t.db.pool.query('UPDATE attendance SET is_auto_closed = TRUE WHERE id = $1', [forgotten.id]);
      const { body } = await checkIn(person);
      expect(await summaryOf(person)).toMatchObject({
        total_visits: 4,
        visits_this_month: 1,
        average_stay_minutes: 46,
        current_streak_days: 1,
        last_visit_at: body.check_in_time,
        is_inside: true,
      });
    });
  });

  describe('in New York, on a server in UTC', () => {
    let person: Person;
    let manager: SignedIn;
    beforeEach(async () => {
      const gym = await t.make.gym({ timezone: NEW_YORK });
      person = await t.make.person('user', gym.id);
      manager = await t.make.signedIn('manager', gym.id);
    });

    it.each(CLOCK_CHANGES)('the day $date has $hours hours', async ({ date, moments }) => {
      const ids: number[] = [];
      for (const moment of moments) ids.push((await t.make.visit(person, moment, moment)).id);
      const [, first, last] = ids;
      for (const { client } of [manager, as.admin]) {
        for (const path of [`/attendance/daily/${date}`, `/attendance?start_date=${date}&end_date=${date}`]) {
          const visits = (await client.all(path)).filter(({ user_id }) => user_id === person.id);
          expect(visits.map(({ id }) => id)).toEqual([last, first]);
        }
      }
    });

    it('the month begins at local midnight', async () => {
      const midnight = (await localMidnight(t, 'month')).getTime();
      for (const moment of [midnight - 1, midnight].map((time) => new Date(time).toISOString())) {
        await t.make.visit(person, moment, moment);
      }
      expect(await summaryOf(person)).toMatchObject({ total_visits: 2, visits_this_month: 1 });
    });

    it('days in a row are local days, across every change of the clocks in 400 days', async () => {
      // In turn the first and the last moment of a day: counted in UTC, or in days of 24 hours, half of them are missing.
      await t.db.pool.query(
        `INSERT INTO attendance (user_id, gym_id, check_in_time, check_out_time)
         SELECT $1, $2, moment, moment FROM (SELECT (now() AT TIME ZONE $3)::date AS today) t, generate_series(0, 399) n,
         LATERAL (SELECT CASE n % 2 WHEN 0 THEN (today - n)::timestamp AT TIME ZONE $3
           ELSE (today - n + 1)::timestamp AT TIME ZONE $3 - interval '1 millisecond' END AS moment) m`,
        [person.id, manager.gym_id, NEW_YORK],
      );
      const streak = async () => (await summaryOf(person)).current_streak_days;
      const forget = (daysAgo: number) =>
        t.db.pool.query(
          `DELETE FROM attendance WHERE user_id = $1 AND (check_in_time AT TIME ZONE $2)::date = (now() AT TIME ZONE $2)::date - $3::int`,
          [person.id, NEW_YORK, daysAgo],
        );
      expect(await streak()).toBe(400);
      await forget(300);
      expect(await streak()).toBe(300);
      await forget(0);
      expect(await streak()).toBe(299);
      await forget(1);
      expect(await streak()).toBe(0);
    });

    it('the night job ends what was left open at the end of its local day', async () => {
      const open = async (moment: string) =>
        (await t.make.visit(await t.make.person('user', manager.gym_id), moment)).id;
      const [spring, autumn, now] = [
        await open('2025-03-09T16:00:00Z'),
        await open('2025-11-02T04:00:00Z'),
        await open(ago(0)),
      ];
      await t.app.get(AttendanceService).closeForgotten();
      const read = async (id: number) => (await manager.client.all('/attendance')).find((visit) => visit.id === id);
      const closed = { status: 'checked_out', is_auto_closed: true };
      expect(await read(spring)).toMatchObject({ ...closed, check_out_time: '2025-03-10T04:00:00.000Z' });
      expect(await read(autumn)).toMatchObject({
        ...closed,
        check_out_time: '2025-11-03T05:00:00.000Z',
        stay_minutes: 1500,
      });
      expect(await read(now)).toMatchObject({ status: 'checked_in', is_auto_closed: false });
      // Sent back as it is, it is no correction.
      const { check_out_time, check_in_time } = await read(spring);
      const change = (body: object) => manager.client.put(`/attendance/${spring}`, body);
      expect((await change({ check_in_time, check_out_time, notes: 'x' })).body.is_auto_closed).toBe(true);
      const corrected = { is_auto_closed: false, stay_minutes: 90 };
      expect((await change({ check_out_time: '2025-03-09T17:30:00Z' })).body).toMatchObject(corrected);
    });

    it('the night job leaves who came late', async () => {
      // A zone in which it is past one o'clock at night; Etc/GMT+5 is what others call UTC-5.
      const hour = new Date().getUTCHours();
      const zone = hour - 1 > 12 ? hour - 25 : hour - 1;
      const gym = await t.make.gym({ timezone: `Etc/GMT${zone < 0 ? zone : `+${zone}`}` });
      const open = async (moment: string) => (await t.make.visit(await t.make.person('user', gym.id), moment)).id;
      await open(ago(7 * 60));
      const late = await open(ago(3 * 60));
      await t.app.get(AttendanceService).closeForgotten();
      const inside = await as.admin.client.all(`/attendance/current?gym_id=${gym.id}`);
      expect(inside.map(({ id }) => id)).toEqual([late]);
    });

    it('the night job takes as many as there are, and on two servers each visit once', async () => {
      const heard: number[] = [];
      const hear = ({ visit }: MemberCheckedOut) => void (visit.gym_id === manager.gym_id && heard.push(visit.id));
      const { rows } = await t.db.pool.query<{ id: number }>(
        `WITH people AS (
           INSERT INTO users (email, full_name, gym_id)
           SELECT $1 || n || '@example.com', 'Left open', $2::int FROM generate_series(1, 1100) n RETURNING id)
         INSERT INTO attendance (user_id, gym_id, check_in_time) SELECT id, $2, '2025-06-01Z' FROM people RETURNING id`,
        [unique('open'), manager.gym_id],
      );
      const second = await startApp();
      const buses = [t, second].map(({ app }) => app.get(EventEmitter2));
      for (const bus of buses) bus.on(MemberCheckedOut.name, hear);
      await Promise.all([t, second].map(({ app }) => app.get(AttendanceService).closeForgotten()));
      await second.close();
      for (const bus of buses) bus.off(MemberCheckedOut.name, hear);
      const ascending = (ids: number[]) => ids.toSorted((a, b) => a - b);
      expect(ascending(heard)).toEqual(ascending(rows.map(({ id }) => id)));
      expect(await manager.client.all('/attendance/current')).toEqual([]);
    });
  });
});
