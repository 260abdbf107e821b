import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../../support/app.js';
import { ownDatabase } from '../../support/database.js';
import { type SignedIn, unique } from '../../support/factory.js';
import { asking, type Base, BASES, refusal } from './gymgem.js';

let t: TestApp;
let gym: { id: number };
beforeAll(async () => {
  t = await startApp({ DATABASE_URL: await ownDatabase('gymgem_courses') });
  gym = await t.make.gym();
});
afterAll(() => t.close());

describe.each([...BASES])('courses of gymgem at "%s"', (base: Base) => {
  const as = ({ access_token }: SignedIn) => asking(t, base, access_token);
  const newTrainer = async () => {
    const trainer = await t.make.signedIn('user', gym.id, { full_name: 'Tiago Moreira' });
    const { body } = await trainer.client.post(`/accounts/${trainer.id}/profiles`, { profile_type: 'trainer' });
    return { ...trainer, profile: body.id as number };
  };
  const course = (profileId: number) => ({
    ...{ title: unique('Course'), description: 'Six weeks', trainer_profile: profileId, price: 49.9 },
  });

  it('are published, shown, changed and deleted by their trainer', async () => {
    const [trainer, other, member] = [await newTrainer(), await newTrainer(), await t.make.signedIn('user', gym.id)];
    const sent = course(trainer.profile);
    const { status, body } = await as(trainer).post('courses/create/', sent);
    expect([status, body]).toEqual([201, { id: expect.any(Number), ...sent }]);
    const detail = await as(member).get(`courses/${body.id}/detail/`);
    expect([detail.status, detail.body]).toEqual([200, body]);
    const next = (await as(trainer).post('courses/create', { ...course(trainer.profile), price: '20.50' })).body;
    const list = await as(member).get('courses/for-trainees/');
    expect([list.status, list.body.slice(0, 2)]).toEqual([
      200,
      [
        { id: next.id, title: next.title, trainer: 'Tiago Moreira', price: 20.5 },
        { id: body.id, title: body.title, trainer: 'Tiago Moreira', price: 49.9 },
      ],
    ]);
    const changed = await as(trainer).put(`courses/${body.id}/update/`, { ...sent, price: 30, description: null });
    expect([changed.status, changed.body]).toEqual([200, { ...body, price: 30, description: null }]);

    for (const someone of [other, member]) {
      expect((await as(someone).put(`courses/${body.id}/update/`, { price: 1 })).status).toBe(403);
      expect((await as(someone).delete(`courses/${body.id}/delete/`)).status).toBe(403);
    }
    const gone = await as(trainer).delete(`courses/${body.id}/delete/`);
    expect([gone.status, gone.body]).toEqual([204, '']);
    for (const answer of [
      await as(trainer).get(`courses/${body.id}/detail/`),
      await as(trainer).put(`courses/${body.id}/update/`, { price: 1 }),
      await as(trainer).delete(`courses/${body.id}/delete/`),
      await as(trainer).get('courses/x/detail/'),
    ]) {
      expect([answer.status, answer.body]).toEqual([404, refusal('Course not found')]);
    }
  });

  it('take a trainer profile of one’s own', async () => {
    const [trainer, other, member] = [await newTrainer(), await newTrainer(), await t.make.signedIn('user', gym.id)];
    const manager = await t.make.signedIn('manager', gym.id);
    const trainee = (await trainer.client.post(`/accounts/${trainer.id}/profiles`, { profile_type: 'trainee' })).body;
    const { trainer_profile: _, ...without } = course(0);
    for (const [who, sent] of [
      [trainer, course(other.profile)],
      [trainer, course(trainee.id)],
      [trainer, course(2_147_483_647)],
      [member, without],
      [member, course(other.profile)],
      [manager, course(other.profile)],
    ] as const) {
      const { status, body } = await as(who).post('courses/create/', sent);
      expect([status, body]).toEqual([403, refusal(expect.any(String))]);
    }
    for (const wrong of [{ title: '' }, { price: -1 }, { price: 'much' }, { trainer_profile: 'x' }]) {
      const { status, body } = await as(trainer).post('courses/create/', { ...course(trainer.profile), ...wrong });
      expect([status, body]).toEqual([400, refusal(expect.any(String))]);
    }
    expect((await as(trainer).post('courses/create/', without)).body.trainer_profile).toBe(trainer.profile);
  });

  it('are the same as in the public API, with those who take them', async () => {
    const [trainer, member] = [await newTrainer(), await t.make.signedIn('user', gym.id)];
    const { id } = (await as(trainer).post('courses/create/', course(trainer.profile))).body;
    expect(await member.client.post(`/courses/${id}/enrol`, {})).toHaveStatus(200);
    expect((await trainer.client.get(`/courses/${id}`)).body).toMatchObject({ enrolment_count: 1, price: 49.9 });
    const refused = await as(trainer).delete(`courses/${id}/delete/`);
    expect([refused.status, refused.body]).toEqual([409, refusal(expect.any(String))]);
    await trainer.client.put(`/courses/${id}`, { is_archived: true });
    const listed = (await as(member).get('courses/for-trainees/')).body;
    expect(listed.map((one: any) => one.id)).not.toContain(id);
    expect((await as(trainer).delete(`courses/${id}/delete/`)).status).toBe(204);
    expect(await member.client.get(`/courses/${id}`)).toHaveStatus(404);
  });

  it('are a list of at most 500', async () => {
    const { profile, ...trainer } = await newTrainer();
    await t.db.pool.query(
      `INSERT INTO courses (trainer_profile_id, title, price) SELECT $1, 'Course ' || n, 1 FROM generate_series(1, 600) n`,
      [profile],
    );
    const { body } = await as(trainer).get('courses/for-trainees');
    expect([body.length, body[0].title]).toEqual([500, 'Course 600']);
  });
});
