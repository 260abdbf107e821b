import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AccountsService } from '../../src/accounts/accounts.service.js';
import { AttendanceService } from '../../src/attendance/attendance.service.js';
import { ConversationNotFound } from '../../src/chat/chat.errors.js';
import { ConversationsService } from '../../src/chat/conversations.service.js';
import { MessagesService } from '../../src/chat/messages.service.js';
import { Actor } from '../../src/common/actor/actor.js';
import { GymTime } from '../../src/common/http/gym-time.js';
import { NumberedPage, streamJson } from '../../src/common/http/numbered.js';
import { CoursesService } from '../../src/courses/courses.service.js';
import { RecordsService } from '../../src/members/records.service.js';
import { UserPlansService } from '../../src/plans/user-plans.service.js';
import { said, start } from '../support/chat.js';
import { startApp, type TestApp } from '../support/app.js';
import { ownDatabase } from '../support/database.js';
import type { Person, SignedIn } from '../support/factory.js';
import { plansOf, sequentialScans } from '../support/plans.js';

const MEMBERS = 20_000;
/** Read at once: see common/http/while-read.ts. */
const PART = 200;
const all = <Item>(page: Promise<NumberedPage<Item>>) => page.then((read) => read.items());
const ids = (items: { id: number }[]) => items.map(({ id }) => id);
const actorOf = ({ id, role, gym_id }: Person) => new Actor(id, role, gym_id, 1);
const daysAgo = (days: number, time = '12:00:00Z') =>
  `${new Date(Date.now() - days * 24 * 3600 * 1000).toISOString().slice(0, 10)}T${time}`;

describe('lists by page numbers', () => {
  let t: TestApp;
  let gym: { id: number };
  let admin: SignedIn;
  let desk: SignedIn;
  const service = <Service>(type: new (...parameters: never[]) => Service): Service => t.app.get(type);
  beforeAll(async () => {
    t = await startApp({ DATABASE_URL: await ownDatabase('numbered') });
    gym = await t.make.gym();
    admin = await t.make.signedIn('admin', null);
    desk = await t.make.signedIn('reception', gym.id);
  });
  afterAll(() => t.close());

  describe('members', () => {
    const list = (person: Person, query = {}) => service(RecordsService).list(actorOf(person), query);
    let own: { id: number };
    let ownDesk: Person;
    let people: Person[];
    beforeAll(async () => {
      own = await t.make.gym();
      ownDesk = await t.make.person('reception', own.id);
      people = [];
      for (const [index, name] of ['Cem', 'Ada', 'Bob'].entries()) {
        const fields = { full_name: `${name} Numbered`, phone_number: `+1 555 77${index} 00` };
        people.push(await t.make.person('user', own.id, fields));
      }
      await t.db.pool.query(`UPDATE users SET created_at = now() - interval '1 year' WHERE id = $1`, [people[2]!.id]);
    });

    it('come newest first or by name, with the total, and only those of the gym', async () => {
      const [cem, ada, bob] = ids(people);
      const page = await list(ownDesk, { page: 1, size: 2 });
      expect([page.page, page.size, page.total, page.pages]).toEqual([1, 2, 3, 2]);
      expect(ids(await page.items())).toEqual([ada, cem]);
      expect(ids(await all(list(ownDesk, { page: 2, size: 2 })))).toEqual([bob]);
      expect(ids(await all(list(ownDesk, { order: 'name' })))).toEqual([ada, bob, cem]);
      const behind = await list(ownDesk, { page: 9, size: 2 });
      expect([behind.total, await behind.items()]).toEqual([3, []]);
      await expect(list(ownDesk, { gym_id: gym.id })).rejects.toThrow('gym');
      expect(ids(await all(list(admin, { gym_id: own.id })))).toEqual([ada, cem, bob]);
      expect(ids(await all(list(admin, { size: 2 })))).toEqual([ada, cem]);
      expect(ids(await all(list(people[0]!)))).toEqual([cem]);
    });

    it.each([[{ page: 0 }], [{ page: -1, size: 0 }], [{ page: NaN, size: NaN }], [{ page: 1.5, size: 1e9 }], [{}]])(
      'take the default for %j',
      async (query) => {
        const page = await list(ownDesk, query);
        expect([page.page, page.size, (await page.items()).length]).toEqual([1, 10_000, 3]);
      },
    );

    it('take a number far behind every end', async () => {
      expect(await all(list(ownDesk, { page: 1e15 }))).toEqual([]);
    });

    it('are found by name, phone, email, document and pass code', async () => {
      const [cem, ada, bob] = people as [Person, Person, Person];
      const found = async (search: string) => ids(await all(list(ownDesk, { search })));
      expect(await found('numbered')).toEqual([ada.id, cem.id, bob.id]);
      expect(await found(' ada NUMB')).toEqual([ada.id]);
      expect(await found('555771')).toEqual([ada.id]);
      expect(await found(bob.email)).toEqual([bob.id]);
      expect(await found(bob.document_id)).toEqual([bob.id]);
      const code = await t.make.qrCode(cem);
      expect(await found(code)).toEqual([cem.id]);
      expect(await found(code.slice(0, -1))).toEqual([]);
      expect(await found('%')).toEqual([]);
      expect(await found('  ')).toEqual([ada.id, cem.id, bob.id]);
      const elsewhere = await all(list(desk, { search: code }));
      expect(elsewhere).toEqual([]);
      const accountant = await t.make.person('accountant', own.id);
      expect(await all(list(accountant, { search: code }))).toEqual([]);
      expect(await all(list(ownDesk, { search: ownDesk.email }))).toEqual([]);
    });

    it('have the plan that counts, and of the pass what each role may see', async () => {
      const { body: member } = await desk.client.post('/members', {
        ...{ full_name: 'Pass', phone_number: '+1 555 0001', issue_temporary_password: true },
      });
      const { body: pass } = await desk.client.get(`/members/${member.id}/pass`);
      const plan = await t.make.plan(gym.id, { name: 'Ten', session_count: 10 });
      const { body: bought } = await desk.client.post('/user-plans', { user_id: member.id, plan_id: plan.id });
      const get = async (person: Person) => service(RecordsService).get(actorOf(person), member.id);
      const record = await get(desk);
      expect(record).toMatchObject({
        ...{ id: member.id, full_name: 'Pass', phone_number: '+1 555 0001', email: null, document_id: null },
        ...{ gym_id: gym.id, is_active: true, language: 'en', must_change_password: true, password_changed: false },
        ...{ qr_code: pass.qr_code, temporary_password: pass.temporary_password },
        membership: {
          ...{ id: bought.id, status: 'active', remaining_sessions: 10, expires_at: null },
          plan: { id: plan.id, name: 'Ten', kind: 'sessions' },
        },
      });
      expect(pass.temporary_password).toMatch(/^\w{6}$/);
      const [listed] = await all(list(desk, { size: 1 }));
      expect(listed).toEqual(record);
      expect(await service(RecordsService).search(actorOf(desk), 'pass', 10)).toEqual([record]);
      for (const role of ['accountant', 'trainer'] as const) {
        const other = await t.make.person(role, gym.id);
        expect(await get(other)).toEqual({ ...record, qr_code: null, temporary_password: null });
        expect((await all(list(other, { size: 1 })))[0]).toEqual(await get(other));
      }
      // One that does not open, say after a key was lost, does not break the list.
      await t.db.pool.query(`UPDATE users SET temporary_password = 'lost.key' WHERE id = $1`, [member.id]);
      expect(await all(list(desk, { size: 1 }))).toEqual([{ ...record, temporary_password: null }]);
      const themselves = { ...desk, id: member.id, role: 'user' as const };
      expect(await get(themselves)).toEqual({ ...record, temporary_password: null });
      await expect(get(ownDesk)).rejects.toThrow('person');
      await expect(service(RecordsService).get(actorOf(desk), desk.id)).rejects.toThrow('person');
      await t.db.pool.query(`UPDATE users SET must_change_password = FALSE, temporary_password = NULL WHERE id = $1`, [
        member.id,
      ]);
      expect(await get(desk)).toMatchObject({ password_changed: true, temporary_password: null });
      expect(await admin.client.delete(`/user-plans/${bought.id}`)).toHaveStatus(204);
      expect((await get(desk)).membership).toBeNull();
    });

    it('are searched with the best match first, and no staff among them', async () => {
      const search = async (typed: string, limit: number) =>
        ids(await service(RecordsService).search(actorOf(ownDesk), typed, limit));
      const [cem, ada, bob] = ids(people);
      expect(await search('numbered', 10)).toEqual([ada, bob, cem]);
      expect(await search('numbered', 2)).toEqual([ada, bob]);
      expect(await search(await t.make.qrCode(people[0]!), 10)).toEqual([cem]);
      expect(await search(ownDesk.email, 10)).toEqual([]);
      expect(await search(' ', 10)).toEqual([]);
    });
  });

  it('plans: newest first, of a member, with a status; and those that end soon', async () => {
    const plans = service(UserPlansService);
    const own = await t.make.gym();
    const actor = actorOf(await t.make.person('accountant', own.id));
    const plan = await t.make.plan(own.id, { name: 'Monthly' });
    const members: Person[] = [];
    const bought: number[] = [];
    for (const days of [40, 20, 5]) {
      const member = await t.make.person('user', own.id);
      members.push(member);
      const { id } = await t.make.userPlan(member, plan);
      bought.push(id);
      await t.db.pool.query(`UPDATE user_plans SET expires_at = now() + make_interval(days => $1) WHERE id = $2`, [
        ...[days, id],
      ]);
    }
    const [late, later, soon] = bought;
    const page = await plans.listNumbered(actor, { page: 1, size: 2 });
    const items = await page.items();
    expect([page.total, ids(items)]).toEqual([3, [soon, later]]);
    expect(items[0]).toMatchObject({
      ...{ user: { id: members[2]!.id }, plan: { id: plan.id, name: 'Monthly', kind: 'time', duration_days: 30 } },
      ...{ purchased_price: 30, remaining_sessions: null, status: 'active' },
    });
    expect(ids(await all(plans.listNumbered(actor, { user_id: members[0]!.id })))).toEqual([late]);
    expect(ids(await all(plans.listNumbered(actor, { status: 'active' })))).toEqual([soon, later, late]);
    expect(ids(await all(plans.listNumbered(actor, { status: 'cancelled' })))).toEqual([]);
    expect(ids(await all(plans.listEnding(actor, 30, {})))).toEqual([soon, later]);
    expect((await plans.listEnding(actor, 3, {})).total).toBe(0);
    await t.db.pool.query(`UPDATE user_plans SET frozen_at = now() WHERE id = $1`, [soon]);
    expect(ids(await all(plans.listEnding(actor, 30, {})))).toEqual([later]);
    expect(ids(await all(plans.listNumbered(actor, { status: 'frozen' })))).toEqual([soon]);
  });

  it('visits: newest first, found by the member, the status, the days and the time', async () => {
    const visits = service(AttendanceService);
    const own = await t.make.gym();
    const actor = actorOf(await t.make.person('reception', own.id));
    const ada = await t.make.person('user', own.id, { full_name: 'Ada', phone_number: '+44 20 8123' });
    const bob = await t.make.person('user', own.id, { full_name: 'Bob' });
    const made = async (who: Person, days: number, isOver = true) =>
      (await t.make.visit(who, daysAgo(days, '00:00:00Z'), isOver ? daysAgo(days, '00:00:01Z') : null)).id;
    const [old, week, yesterday] = [await made(ada, 30), await made(bob, 6), await made(ada, 1)];
    const inside = await made(bob, 0, false);
    const found = async (query = {}) => ids(await all(visits.listNumbered(actor, query)));
    const second = await visits.listNumbered(actor, { page: 2, size: 3 });
    expect([second.total, second.pages, ids(await second.items())]).toEqual([4, 2, [old]]);
    expect(await found({ search: 'ada' })).toEqual([yesterday, old]);
    expect(await found({ search: '20-8123' })).toEqual([yesterday, old]);
    expect(await found({ search: String(bob.id) })).toEqual([inside, week]);
    expect(await found({ search: await t.make.qrCode(bob) })).toEqual([inside, week]);
    expect(await found({ search: '99999999999' })).toEqual([]);
    expect(await found({ search: '?' })).toEqual([]);
    expect(await found({ status: 'checked_in' })).toEqual([inside]);
    expect(await found({ status: 'checked_out' })).toEqual([yesterday, week, old]);
    expect(await found({ days_ago: { first: 0, last: 0 } })).toEqual([inside]);
    expect(await found({ days_ago: { first: 1, last: 1 } })).toEqual([yesterday]);
    expect(await found({ days_ago: { first: 6, last: 0 }, search: 'bob' })).toEqual([inside, week]);
    const day = new GymTime(daysAgo(30).slice(0, 10));
    expect(await found({ start_date: day, end_date: day, user_id: ada.id })).toEqual([old]);
    expect(await found({ start_date: new GymTime(daysAgo(1, '00:00:00.001Z')) })).toEqual([inside]);
    const [first] = await all(visits.listNumbered(actor, { size: 1 }));
    expect(first!.member).toMatchObject({ id: bob.id, full_name: 'Bob', email: bob.email, membership: null });
  });

  it('days of visits are those of the gym', async () => {
    const own = await t.make.gym({ timezone: 'Pacific/Kiritimati' });
    const actor = actorOf(await t.make.person('reception', own.id));
    const member = await t.make.person('user', own.id);
    const { rows } = await t.db.pool.query<{ begins: Date }>(
      `SELECT day_start((now() AT TIME ZONE 'Pacific/Kiritimati')::date, 'Pacific/Kiritimati') AS begins`,
    );
    const begins = rows[0]!.begins.getTime();
    const at = async (ms: number) =>
      (await t.make.visit(member, new Date(ms).toISOString(), new Date(ms).toISOString())).id;
    const [yesterday, today] = [await at(begins - 1), await at(begins)];
    const found = async (days: number) =>
      ids(await all(service(AttendanceService).listNumbered(actor, { days_ago: { first: days, last: days } })));
    expect([await found(0), await found(1)]).toEqual([[today], [yesterday]]);
  });

  describe('chat', () => {
    let ana: SignedIn;
    let tom: SignedIn;
    let id: number;
    const sent: number[] = [];
    beforeAll(async () => {
      ana = await t.make.signedIn('user', gym.id, { username: 'ana.numbered' });
      tom = await t.make.signedIn('trainer', gym.id, { username: 'tom.numbered', full_name: 'Tom' });
      await t.db.pool.query(`INSERT INTO profiles (account_id, profile_type) VALUES ($1, 'trainer')`, [tom.id]);
      id = await start(ana, tom);
      for (let n = 1; n <= 7; n++) sent.push((await said(n % 2 ? ana : tom, id, `Message ${n}`)).id);
      for (const index of [1, 6]) {
        const sender = index === 6 ? ana : tom;
        await sender.client.delete(`/chat/messages/${sent[index]}`);
      }
    });

    it('messages: without deleted ones, from the oldest or from the newest', async () => {
      const list = (query: object) => service(MessagesService).listNumbered(actorOf(ana), id, query);
      const left = sent.filter((_, index) => index !== 1 && index !== 6);
      const page = await list({ page: 1, size: 2 });
      const items = await page.items();
      expect([page.total, page.pages, ids(items)]).toEqual([5, 3, left.slice(0, 2)]);
      expect(items[0]).toMatchObject({ sender: { username: 'ana.numbered' }, content: 'Message 1', is_deleted: false });
      expect(ids(await all(list({ page: 3, size: 2 })))).toEqual(left.slice(4));
      expect(ids(await all(list({ page: 1, size: 2, from_newest: true })))).toEqual(left.slice(3));
      expect(ids(await all(list({ page: 2, size: 2, from_newest: true })))).toEqual(left.slice(1, 3));
      expect(ids(await all(list({ page: 3, size: 2, from_newest: true })))).toEqual(left.slice(0, 1));
      expect(ids(await all(list({})))).toEqual(left);
    });

    it('conversations: with the other of the two', async () => {
      const conversations = service(ConversationsService);
      const page = await conversations.listNumbered(actorOf(ana), { page: 1, size: 10, search: 'tom' });
      const [found] = await page.items();
      expect(page.total).toBe(1);
      expect(found).toMatchObject({
        ...{ id, unread_count: 2, participants: [{ id: ana.id }, { id: tom.id }] },
        other: { id: tom.id, username: 'tom.numbered', full_name: 'Tom', current_profile: { profile_type: 'trainer' } },
        last_message: { content: 'Message 6', attachment: null },
      });
      expect(found!.last_message_at).toEqual(found!.last_message!.timestamp);
      const [ofTom] = await all(conversations.listNumbered(actorOf(tom), {}));
      expect(ofTom!.other).toMatchObject({ id: ana.id, current_profile: null });
      expect((await conversations.listNumbered(actorOf(ana), { search: 'nobody' })).total).toBe(0);
    });

    it('one of others is told from none by who asks for that; over REST both are the same', async () => {
      const stranger = await t.make.signedIn('trainer', gym.id);
      const conversations = service(ConversationsService);
      const refusal = (who: Person, conversationId: number) =>
        conversations.requirePart(actorOf(who), conversationId).then(
          () => null,
          (error: ConversationNotFound) => [error.constructor, error.isOfOthers],
        );
      const none = 2_000_000_000;
      expect(await refusal(ana, id)).toBeNull();
      expect(await refusal(stranger, id)).toEqual([ConversationNotFound, true]);
      expect(await refusal(stranger, none)).toEqual([ConversationNotFound, false]);
      for (const path of ['', '/messages']) {
        const [other, no] = await Promise.all(
          [id, none].map((number) => stranger.client.get(`/chat/conversations/${number}${path}`)),
        );
        expect(other).toBeRefused(404, 'conversation_not_found');
        const same = { request_id: null, instance: null };
        expect({ ...other!.body, ...same }).toEqual({ ...no!.body, ...same });
      }
      const leaver = await t.make.signedIn('trainer', gym.id);
      const left = await start(ana, leaver);
      await leaver.client.delete(`/chat/conversations/${left}`);
      expect(await refusal(leaver, left)).toEqual([ConversationNotFound, false]);
    });
  });

  it('accounts and courses', async () => {
    const own = await t.make.gym();
    const trainer = await t.make.person('trainer', own.id);
    const made = [await t.make.course(trainer), await t.make.course(trainer), await t.make.course(trainer)];
    await t.make.course(trainer, { is_archived: true });
    const courses = await service(CoursesService).listNumbered(actorOf(trainer), { size: 2, gym_id: own.id });
    expect([courses.total, ids(await courses.items())]).toEqual([3, [made[2]!.id, made[1]!.id]]);
    expect((await service(CoursesService).listNumbered(actorOf(trainer), { search: '?' })).total).toBe(0);
    const accounts = await service(AccountsService).listNumbered(actorOf(trainer), { size: 500, gym_id: own.id });
    expect([accounts.total, ids(await accounts.items())]).toEqual([1, [trainer.id]]);
    expect((await service(AccountsService).listNumbered(actorOf(trainer), { search: '?' })).total).toBe(0);
  });

  describe('of very many', () => {
    let big: { id: number };
    let manager: Person;
    beforeAll(async () => {
      big = await t.make.gym();
      const others = await Promise.all(Array.from({ length: 20 }, () => t.make.gym()));
      const gyms = [big.id, ...others.map(({ id }) => id)];
      manager = await t.make.person('manager', big.id);
      const plan = await t.make.plan(big.id);
      for (let first = 1; first <= MEMBERS; first += 5_000) {
        await t.db.pool.query(
          `INSERT INTO users (email, full_name, document_id, phone_number, gym_id, created_at)
           SELECT n || '-' || k || '@example.com', 'Member ' || md5(n::text || k), 'M' || n || '-' || k,
             '+1 555 ' || 1000000 + n * 7, CASE k WHEN 0 THEN $1::int ELSE ($3::int[])[2 + n % 20] END,
             now() - n / 10 * interval '1 minute'
           FROM generate_series($2::int, $2 + 4999) n, generate_series(0, 1) k`,
          [big.id, first, gyms],
        );
      }
      await t.db.pool.query(
        `INSERT INTO user_plans (user_id, gym_id, plan_id, purchased_price, starts_at, expires_at)
         SELECT u.id, u.gym_id, $2, 30, now() - (1 + u.id % 20 + n * 400) * interval '1 day',
           now() + (u.id % 300 - n * 360) * interval '1 day'
         FROM users u, generate_series(0, 1) n WHERE u.gym_id = ANY($1) AND u.role = 'user'`,
        [gyms, plan.id],
      );
      await t.db.pool.query(
        `INSERT INTO plans (gym_id, name, price, kind, duration_days)
         SELECT $1, 'Plan ' || n, 30, 'time', 30 FROM generate_series(1, 1000) n`,
        [big.id],
      );
      await t.db.pool.query(
        `INSERT INTO attendance (user_id, gym_id, check_in_time, check_out_time)
         SELECT u.id, u.gym_id, c.at, c.at + interval '1 hour'
         FROM users u, generate_series(0, 3) n, LATERAL (SELECT now() - (u.id + n * 20000) * interval '5 minutes' AS at) c
         WHERE u.gym_id = ANY($1) AND u.role = 'user'`,
        [gyms],
      );
      await t.db.pool.query('VACUUM ANALYZE');
    }, 120_000);

    it.each([
      ['members', () => service(RecordsService).list(actorOf(manager), {})],
      ['members of all gyms', () => service(RecordsService).list(actorOf(admin), {})],
      ['members by name', () => service(RecordsService).list(actorOf(manager), { order: 'name' })],
      ['plans', () => service(UserPlansService).listNumbered(actorOf(manager), {})],
      ['visits', () => service(AttendanceService).listNumbered(actorOf(manager), {})],
    ] as [string, () => Promise<NumberedPage<{ id: number }>>][])('10,000 %s, each once', async (_, list) => {
      const page = await list();
      expect(page.total).toBeGreaterThanOrEqual(MEMBERS);
      expect(new Set(ids(await page.items())).size).toBe(10_000);
    });

    it('a page far behind goes on where the one before ended', async () => {
      const list = (query: object) => all(service(RecordsService).list(actorOf(manager), query));
      const [first, second] = [await list({ size: 500 }), await list({ page: 2, size: 250 })];
      expect(ids(second)).toEqual(ids(first.slice(250)));
    });

    it('are read by index', async () => {
      const staff = actorOf(manager);
      const lists: [() => Promise<NumberedPage<unknown>>, RegExp][] = [
        [() => service(RecordsService).list(staff, {}), /Backward using users_members_idx/],
        [() => service(RecordsService).list(actorOf(admin), {}), /Backward using users_newest_members_idx/],
        [() => service(RecordsService).list(staff, { page: 4, size: 500 }), /Backward using users_members_idx/],
        [() => service(RecordsService).list(staff, { order: 'name' }), /using users_gym_id_full_name_idx/],
        [() => service(RecordsService).list(staff, { search: 'abcd' }), /users_search_text_idx/],
        [() => service(UserPlansService).listNumbered(staff, {}), /Backward using user_plans_(gym_id_idx|pkey)/],
        [() => service(UserPlansService).listNumbered(staff, { user_id: 77 }), /user_plans_user_id_idx/],
        [() => service(UserPlansService).listEnding(staff, 30, {}), /user_plans_\w*expires_at_idx/],
        [
          () => service(AttendanceService).listNumbered(staff, {}),
          /Backward using attendance_(gym_id|check_in_time)_idx/,
        ],
        [() => service(AttendanceService).listNumbered(staff, { search: 'abcd' }), /attendance_user_id_idx/],
        [() => service(AttendanceService).listNumbered(staff, { status: 'checked_in' }), /attendance_\w*current_idx/],
        [
          () => service(AttendanceService).listNumbered(staff, { days_ago: { first: 1, last: 0 } }),
          /attendance_\w+_idx/,
        ],
      ];
      for (const [list, index] of lists) {
        const plans = await plansOf(t, async () => (await list()).items);
        const read = plans.filter(({ sql }) => !sql.startsWith('SELECT count(*)'));
        expect(sequentialScans(read)).toEqual([]);
        expect(read[0]!.plan).toMatch(index);
        expect(plans).toHaveLength(2);
      }
      const parts = await plansOf(t, () => all(service(RecordsService).list(staff, { size: 500 })));
      expect(sequentialScans(parts)).toEqual([]);
      expect(parts).toHaveLength(1 + Math.ceil(500 / PART));
      expect(parts.at(-1)!.plan).toContain('ROW(created_at, id) < ROW(');
    });

    describe('sent as JSON', () => {
      let server: NestFastifyApplication;
      let url: string;
      beforeAll(async () => {
        @Controller()
        class Translator {
          @Get('customers')
          async customers() {
            const page = await service(RecordsService).list(actorOf(manager), {});
            return streamJson(page, translated, (items) => ({ success: true, data: { items, total: page.total } }));
          }

          @Get('none')
          async none() {
            return streamJson(NumberedPage.empty<{ id: number }>({}), translated);
          }
        }
        @Module({ controllers: [Translator] })
        class Root {}
        server = await NestFactory.create<NestFastifyApplication>(Root, new FastifyAdapter(), { logger: false });
        await server.listen(0, '127.0.0.1');
        url = `http://127.0.0.1:${(server.getHttpServer().address() as AddressInfo).port}`;
      });
      afterAll(() => server.close());
      /** Long, so that the answer is larger than what the network takes in advance. */
      const translated = ({ id }: { id: number }) => ({ id, note: 'x"'.repeat(500) });

      const begin = () =>
        new Promise<http.IncomingMessage>((resolve, reject) => {
          http.get(`${url}/customers`, { agent: false }, resolve).on('error', reject);
        });
      function countParts() {
        const spy = jest.spyOn(t.db, 'rows');
        const count = () => spy.mock.calls.filter(([query]) => query.text.includes('must_change_password')).length;
        return { count, stop: () => spy.mockRestore() };
      }

      it('are whole, around an empty list too', async () => {
        const response = await fetch(`${url}/customers`);
        expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
        const body = (await response.json()) as { success: boolean; data: { items: { id: number }[]; total: number } };
        expect([body.success, body.data.total, body.data.items.length]).toEqual([true, MEMBERS, 10_000]);
        expect(new Set(ids(body.data.items)).size).toBe(10_000);
        expect(await (await fetch(`${url}/none`)).text()).toBe('[]');
      });

      it('are read as fast as the client takes them, and no more when it has gone', async () => {
        const parts = countParts();
        const answer = await begin();
        let asked = -1;
        while (asked !== parts.count()) {
          asked = parts.count();
          await sleep(500);
        }
        expect(asked).toBeLessThan((10_000 / PART) * 0.9);
        answer.destroy();
        await sleep(300);
        const left = parts.count();
        await sleep(300);
        expect(parts.count()).toBe(left);
        expect(left).toBeLessThan(10_000 / PART);
        parts.stop();
      });

      it('break off when the database fails in between', async () => {
        const answer = await begin();
        answer.pause();
        const rows = jest.spyOn(t.db, 'rows').mockRejectedValue(new Error('gone'));
        const read = async () => {
          for await (const _ of answer);
        };
        await expect(read()).rejects.toThrow('aborted');
        rows.mockRestore();
        expect(answer.complete).toBe(false);
      });
    });
  });
});
