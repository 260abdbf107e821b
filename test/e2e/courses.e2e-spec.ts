import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { everyGym } from '../../src/database/sql.js';
import { startApp, type TestApp } from '../support/app.js';
import { type SignedIn, unique } from '../support/factory.js';
import { makeWorld, type World } from '../support/world.js';

describe('courses', () => {
  let t: TestApp;
  let world: World;
  beforeAll(async () => {
    t = await startApp({ SIGN_IN_FAILURES_PER_ACCOUNT: '1000' });
    world = await makeWorld(t);
  });
  afterAll(() => t.close());

  const member = (gymId = world.own.gym.id) => t.make.signedIn('user', gymId);
  const trainer = (gymId = world.own.gym.id) => t.make.signedIn('trainer', gymId);
  const publish = async ({ client }: SignedIn, fields: object = {}) => {
    const { status, body } = await client.post('/courses', { title: unique('Course'), price: 49.9, ...fields });
    expect([status, body.detail]).toEqual([201, undefined]);
    return body;
  };
  const idsOf = async ({ client }: SignedIn, path: string): Promise<number[]> =>
    (await client.all(path)).map(({ id }) => id);
  const enrol = ({ client }: SignedIn, { id }: { id: number }) => client.post(`/courses/${id}/enrol`);
  const leave = ({ client }: SignedIn, { id }: { id: number }) => client.delete(`/courses/${id}/enrol`);
  const countOf = async ({ id }: { id: number }) =>
    (await world.own.people.admin.client.get(`/courses/${id}`)).body.enrolment_count;

  describe('are published', () => {
    it('by a hired trainer, who gets the profile with the first', async () => {
      const coach = await trainer();
      const course = await publish(coach, { title: 'Strong back', description: 'Eight evenings', price: 65.5 });
      const { body: profiles } = await coach.client.get(`/accounts/${coach.id}/profiles`);
      expect(profiles).toMatchObject([{ profile_type: 'trainer', id: course.trainer_profile_id }]);
      expect(course).toEqual({
        ...{ id: expect.any(Number), title: 'Strong back', description: 'Eight evenings', price: 65.5 },
        trainer_profile_id: profiles[0].id,
        trainer: { id: coach.id, full_name: expect.stringMatching('Test trainer'), username: null },
        ...{ enrolment_count: 0, is_archived: false, is_enrolled: false },
        ...{ created_at: expect.stringMatching(/Z$/), updated_at: expect.stringMatching(/Z$/) },
      });
      expect((await publish(coach)).trainer_profile_id).toBe(profiles[0].id);
    });

    it('20 first ones at once, by one profile', async () => {
      const coach = await trainer();
      const all = await Promise.all(Array.from({ length: 20 }, () => publish(coach)));
      expect(new Set(all.map(({ trainer_profile_id }) => trainer_profile_id)).size).toBe(1);
    });

    it('by a member with a trainer profile, and not without', async () => {
      const me = await member();
      const course = { title: 'Mine', price: 10 };
      expect(await me.client.post('/courses', course)).toBeRefused(403, 'no_trainer_profile');
      await me.client.post(`/accounts/${me.id}/profiles`, { profile_type: 'trainee' });
      expect(await me.client.post('/courses', course)).toBeRefused(403, 'no_trainer_profile');
      await me.client.post(`/accounts/${me.id}/profiles`, { profile_type: 'trainer' });
      expect(await me.client.post('/courses/create', course)).toHaveStatus(201);
      const { manager } = world.own.people;
      expect(await manager.client.post('/courses', course)).toBeRefused(403, 'no_trainer_profile');
    });

    it('for a trainer by the manager of the gym and an admin, and by no one else', async () => {
      const { own, other } = world;
      const [ours, theirs] = [await trainer(), await trainer(other.gym.id)];
      const profile = async (coach: SignedIn) => (await publish(coach)).trainer_profile_id;
      const [ourProfile, theirProfile] = [await profile(ours), await profile(theirs)];
      const by = ({ client }: SignedIn, profileId: number) =>
        client.post('/courses', { title: 'For them', price: 1, trainer_profile_id: profileId });
      expect(await by(own.people.manager, ourProfile)).toMatchObject({
        status: 201,
        body: { trainer: { id: ours.id } },
      });
      expect(await by(own.people.admin, theirProfile)).toMatchObject({
        status: 201,
        body: { trainer: { id: theirs.id } },
      });
      expect(await by(own.people.manager, theirProfile)).toBeRefused(403, 'not_your_course');
      expect(await by(theirs, ourProfile)).toBeRefused(403, 'not_your_course');
      const me = await member();
      const { body: store } = await me.client.post(`/accounts/${me.id}/profiles`, { profile_type: 'store' });
      for (const none of [store.id, 2_000_000_000]) {
        expect(await by(own.people.admin, none)).toHaveWrongFields('trainer_profile_id');
      }
    });

    it('for an exact price', async () => {
      const coach = await trainer();
      for (const price of [0, 0.01, 0.1, 19.99, 9_999_999_999.99]) {
        expect((await publish(coach, { price })).price).toBe(price);
      }
      for (const price of [-1, 1.001, 1e10, 'x', null]) {
        expect(await coach.client.post('/courses', { title: 'X', price })).toHaveWrongFields('price');
      }
      expect(await coach.client.post('/courses', { title: ' ', price: 1 })).toHaveWrongFields('title');
    });

    it('once with a key', async () => {
      const coach = await trainer();
      const course = { title: 'Once', price: 1 };
      const key = { 'idempotency-key': unique('key') };
      const [first, second] = [
        await coach.client.post('/courses', course, key),
        await coach.client.post('/courses', course, key),
      ];
      expect(second.body).toEqual(first.body);
      expect(await idsOf(coach, '/courses/mine')).toEqual([first.body.id]);
    });
  });

  describe('are browsed', () => {
    it('in all gyms, by all but accountants, the newest first, at both addresses', async () => {
      const { own, other } = world;
      const course = await publish(await trainer(other.gym.id));
      for (const role of ['admin', 'manager', 'reception', 'trainer', 'user'] as const) {
        const { client } = await t.make.signIn(own.people[role]);
        const [list, twin] = [await client.get('/courses?limit=3'), await client.get('/courses/for-trainees?limit=3')];
        expect(list.body[0].id).toEqualFor(role, course.id);
        expect(twin.body).toEqual(list.body);
        const ids = list.body.map(({ id }: { id: number }) => id);
        expect(ids).toEqual(ids.toSorted((a: number, b: number) => b - a));
        expect((await client.get(`/courses/${course.id}/detail`)).body).toEqual(
          (await client.get(`/courses/${course.id}`)).body,
        );
      }
      expect(await own.people.accountant.client.get('/courses')).toBeRefused(403, 'role_not_allowed');
    });

    it('of one gym, if it is one’s own', async () => {
      const { own, other } = world;
      const [ours, theirs] = [await publish(await trainer()), await publish(await trainer(other.gym.id))];
      const me = await member();
      const ids = await idsOf(me, `/courses?gym_id=${own.gym.id}`);
      expect([ids.includes(ours.id), ids.includes(theirs.id)]).toEqual([true, false]);
      expect(await me.client.get(`/courses?gym_id=${other.gym.id}`)).toBeRefused(403, 'other_gym');
      expect(await idsOf(own.people.admin, `/courses?gym_id=${other.gym.id}`)).toContain(theirs.id);
    });

    it('by words of title and description, in Arabic and whatever the accents', async () => {
      const coach = await trainer();
      const mark = unique('z').slice(2);
      const spanish = await publish(coach, { title: `Iniciación ${mark}`, description: 'Fuerza para el corazón' });
      const arabic = await publish(coach, { title: `دورة اللياقة ${mark}`, description: 'تمارين القوّة' });
      const chinese = await publish(coach, { title: `太极拳入门 ${mark}`, description: null });
      const me = await member();
      const find = (search: string) => idsOf(me, `/courses?search=${encodeURIComponent(search)}`);
      for (const word of ['iniciacion', 'INICIACIÓN', 'corazon', 'fuer']) {
        expect(await find(`${word} ${mark}`)).toEqualFor(word, [spanish.id]);
      }
      for (const word of ['القوة', 'دَوْرَة', 'اللياقة'])
        expect(await find(`${mark} ${word}`)).toEqualFor(word, [arabic.id]);
      expect(await find(`极拳 ${mark}`)).toEqual([chinese.id]);
      expect(await find(mark)).toEqual([chinese.id, arabic.id, spanish.id]);
      expect(await find(`${mark} swimming`)).toEqual([]);
      expect(await find('%_%')).toEqual([]);
      await coach.client.put(`/courses/${spanish.id}`, { description: 'Natación' });
      expect(await find(`natacion ${mark}`)).toEqual([spanish.id]);
      expect(await find(`corazon ${mark}`)).toEqual([]);
    });

    it('as one’s own: those one gives, those one takes, or both', async () => {
      const [coach, colleague] = [await trainer(), await trainer()];
      const given = await publish(coach);
      const archived = await publish(coach);
      await coach.client.put(`/courses/${archived.id}`, { is_archived: true });
      const taken = await publish(colleague);
      expect(await enrol(coach, taken)).toHaveStatus(200);
      expect(await idsOf(coach, '/courses/mine')).toEqual([taken.id, archived.id, given.id]);
      expect(await idsOf(coach, '/courses/mine?as=trainer')).toEqual([archived.id, given.id]);
      expect(await idsOf(coach, '/courses/mine?as=trainee')).toEqual([taken.id]);
      expect(await idsOf(coach, '/courses/mine?limit=1')).toEqual([taken.id, archived.id, given.id]);
      expect(await coach.client.get('/courses/mine?as=x')).toHaveWrongFields('as');
      const all = await idsOf(coach, '/courses');
      expect([all.includes(given.id), all.includes(archived.id)]).toEqual([true, false]);
    });
  });

  describe('are changed', () => {
    it('by the trainer, the manager of the gym and an admin', async () => {
      const { own, other } = world;
      const coach = await trainer();
      const course = await publish(coach, { description: 'Before' });
      const put = ({ client }: SignedIn, body: object, end = '') => client.put(`/courses/${course.id}${end}`, body);
      expect(await put(coach, { title: 'After' })).toMatchObject({
        status: 200,
        body: { title: 'After', price: 49.9 },
      });
      expect(await put(own.people.manager, { price: 12.34 }, '/update')).toMatchObject({ body: { price: 12.34 } });
      expect(await put(own.people.admin, { description: null })).toMatchObject({ body: { description: null } });
      for (const stranger of [await trainer(), await member(), other.people.manager, other.people.trainer]) {
        expect(await put(stranger, { price: 0 })).toBeRefused(403, 'not_your_course');
        expect(await stranger.client.delete(`/courses/${course.id}`)).toBeRefused(403, 'not_your_course');
      }
      expect(await put(own.people.reception, { price: 0 })).toBeRefused(403, 'role_not_allowed');
      expect(await put(coach, { title: null, price: null })).toMatchObject({
        status: 200,
        body: { title: 'After', price: 12.34 },
      });
    });

    it('and deleted: not while people take them, unless they are archived', async () => {
      const coach = await trainer();
      const [empty, taken] = [await publish(coach), await publish(coach)];
      await enrol(await member(), taken);
      expect(await coach.client.delete(`/courses/${empty.id}`)).toHaveStatus(204);
      expect(await coach.client.get(`/courses/${empty.id}`)).toBeRefused(404, 'course_not_found');
      expect(await coach.client.delete(`/courses/${empty.id}`)).toBeRefused(404, 'course_not_found');
      expect(await coach.client.delete(`/courses/${taken.id}`)).toBeRefused(409, 'course_has_enrolments');
      const profile = `/accounts/${coach.id}/profiles/trainer`;
      expect(await coach.client.delete(profile)).toBeRefused(409, 'profile_has_courses');
      await coach.client.put(`/courses/${taken.id}`, { is_archived: true });
      expect(await countOf(taken)).toBe(1);
      expect(await coach.client.delete(`/courses/${taken.id}/delete`)).toHaveStatus(204);
      expect(await t.db.query(everyGym`SELECT FROM course_enrolments WHERE course_id = ${taken.id}`)).toEqual([]);
      expect(await coach.client.delete(profile)).toHaveStatus(204);
    });
  });

  describe('are taken', () => {
    it('once, and left once', async () => {
      const course = await publish(await trainer(world.other.gym.id));
      const me = await member();
      const first = await enrol(me, course);
      expect(first).toMatchObject({ status: 200, body: { id: course.id, is_enrolled: true, enrolment_count: 1 } });
      expect((await enrol(me, course)).body).toEqual(first.body);
      expect((await (await member()).client.get(`/courses/${course.id}`)).body.is_enrolled).toBe(false);
      for (let time = 0; time < 2; time++) expect(await leave(me, course)).toHaveStatus(204);
      expect(await countOf(course)).toBe(0);
      expect(await enrol(me, { id: 2_000_000_000 })).toBeRefused(404, 'course_not_found');
      expect(await leave(me, { id: 2_000_000_000 })).toBeRefused(404, 'course_not_found');
      expect(await enrol(world.own.people.reception, course)).toBeRefused(403, 'role_not_allowed');
    });

    it('20 times at once, once', async () => {
      const course = await publish(await trainer());
      const me = await member();
      const answers = await Promise.all(Array.from({ length: 20 }, () => enrol(me, course)));
      expect(new Set(answers.map(({ status, body }) => `${status} ${body.is_enrolled}`))).toEqual(
        new Set(['200 true']),
      );
      expect(await countOf(course)).toBe(1);
    });

    it('by 20 people at once', async () => {
      const course = await publish(await trainer());
      const people = await Promise.all(Array.from({ length: 20 }, () => member()));
      const answers = await Promise.all(people.map((one) => enrol(one, course)));
      for (const answer of answers) expect(answer).toHaveStatus(200);
      expect(await countOf(course)).toBe(20);
    });

    it('not by their trainer, and not when they are archived', async () => {
      const [coach, me, other] = [await trainer(), await member(), await member()];
      const course = await publish(coach);
      expect(await enrol(coach, course)).toBeRefused(409, 'own_course');
      await enrol(me, course);
      await coach.client.put(`/courses/${course.id}`, { is_archived: true });
      expect(await enrol(other, course)).toBeRefused(409, 'course_archived');
      expect(await enrol(me, course)).toMatchObject({ status: 200, body: { is_enrolled: true, is_archived: true } });
      expect(await leave(me, course)).toHaveStatus(204);
      expect(await enrol(me, course)).toBeRefused(409, 'course_archived');
    });

    it('or deleted, at one moment: never both', async () => {
      for (let round = 0; round < 10; round++) {
        const coach = await trainer();
        const [course, me] = [await publish(coach), await member()];
        const [deleted, enrolled] = await Promise.all([
          coach.client.delete(`/courses/${course.id}`),
          enrol(me, course),
        ]);
        expect(`${deleted.status} ${enrolled.status}`).toMatch(/^(204 404|409 200)$/);
      }
    });

    it('or archived, at one moment: who is refused does not take it', async () => {
      for (let round = 0; round < 10; round++) {
        const coach = await trainer();
        const [course, me] = [await publish(coach), await member()];
        const [, enrolled] = await Promise.all([
          coach.client.put(`/courses/${course.id}`, { is_archived: true }),
          enrol(me, course),
        ]);
        expect([200, 409]).toContain(enrolled.status);
        expect(await countOf(course)).toBe(enrolled.status === 200 ? 1 : 0);
      }
    });
  });

  describe('of a trainer who leaves', () => {
    it('are hidden while they are inactive, but not from their manager', async () => {
      const { own } = world;
      const coach = await trainer();
      const [course, me] = [await publish(coach), await member()];
      await enrol(me, course);
      await own.people.manager.client.put(`/users/${coach.id}`, { is_active: false });
      expect(await me.client.get(`/courses/${course.id}`)).toBeRefused(404, 'course_not_found');
      expect(await idsOf(me, '/courses/mine')).toEqual([]);
      expect(await idsOf(own.people.manager, '/courses')).not.toContain(course.id);
      expect(await own.people.manager.client.get(`/courses/${course.id}`)).toHaveStatus(200);
      expect(await world.other.people.manager.client.get(`/courses/${course.id}`)).toHaveStatus(404);
      await own.people.manager.client.put(`/users/${coach.id}`, { is_active: true });
      expect(await idsOf(me, '/courses/mine')).toEqual([course.id]);
      await own.people.manager.client.put(`/users/${coach.id}`, { is_active: false });
      expect(await me.client.delete(`/courses/${course.id}/enrol`)).toHaveStatus(204);
      await own.people.manager.client.put(`/users/${coach.id}`, { is_active: true });
      expect(await idsOf(me, '/courses/mine')).toEqual([]);
    });

    it('go when they are deleted, and so do the enrolments of a deleted member', async () => {
      const { admin } = world.own.people;
      const coach = await trainer();
      const [course, kept] = [await publish(coach), await publish(await trainer())];
      const [me, gone] = [await member(), await member()];
      for (const one of [me, gone]) for (const which of [course, kept]) await enrol(one, which);
      expect(await admin.client.delete(`/users/${coach.id}`)).toHaveStatus(204);
      expect(await me.client.get(`/courses/${course.id}`)).toBeRefused(404, 'course_not_found');
      expect(await idsOf(me, '/courses/mine')).toEqual([kept.id]);
      expect(await gone.client.delete(`/accounts/${gone.id}`)).toHaveStatus(204);
      expect(await countOf(kept)).toBe(1);
    });

    it('are not published any more at the moment of the deletion', async () => {
      for (let round = 0; round < 5; round++) {
        const coach = await trainer();
        await publish(coach);
        const { client } = await t.make.signIn(world.own.people.admin);
        const [deleted] = await Promise.all([
          client.delete(`/users/${coach.id}`),
          ...Array.from({ length: 5 }, () => coach.client.post('/courses', { title: 'Late', price: 1 })),
        ]);
        expect(deleted).toHaveStatus(204);
        const left = await t.db.query(everyGym`SELECT FROM profiles WHERE account_id = ${coach.id}`);
        expect(left).toEqual([]);
      }
    });
  });
});
