import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROLES, STAFF } from '../../src/common/actor/roles.js';
import { everyGym } from '../../src/database/sql.js';
import { startApp, type TestApp } from '../support/app.js';
import { PASSWORD, type SignedIn, unique } from '../support/factory.js';
import { makeWorld, type World } from '../support/world.js';

describe('accounts', () => {
  let t: TestApp;
  let world: World;
  beforeAll(async () => {
    t = await startApp({ REGISTRATIONS_PER_ADDRESS: '1000', SIGN_IN_FAILURES_PER_ACCOUNT: '1000' });
    world = await makeWorld(t);
  });
  afterAll(() => t.close());

  const member = (gymId: number, fields: Record<string, unknown> = {}) => t.make.signedIn('user', gymId, fields);
  const idsOf = async ({ client }: SignedIn, path = '/accounts') => {
    const ids = (await client.all(path)).map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => a - b));
    return new Set<number>(ids);
  };
  const found = async ({ client }: SignedIn, search: string) =>
    (await client.all(`/accounts?search=${encodeURIComponent(search)}`)).map(({ id }) => id);
  const HIDDEN = { email: null, phone_number: null, role: null, language: null, gym_id: null, created_at: null };

  describe('the list', () => {
    it.each(ROLES)('shows %s the people of the gym and the trainers of all gyms', async (role) => {
      const { own, other } = world;
      const ids = await idsOf(own.people[role]);
      for (const colleague of ROLES) expect(ids.has(own.people[colleague].id)).toEqualFor(colleague, true);
      for (const stranger of ROLES) {
        const isShown = role === 'admin' || stranger === 'trainer';
        const { id } = other.people[stranger];
        expect(ids.has(id)).toEqualFor([role, stranger], isShown);
        expect(await own.people[role].client.get(`/accounts/${id}`)).toHaveStatus(isShown ? 200 : 404);
      }
    });

    it('has trainers by a profile too, and neither the inactive nor the deleted', async () => {
      const { own, other } = world;
      const [teaches, inactive, gone] = [
        await member(other.gym.id),
        await t.make.person('trainer', own.gym.id, { is_active: false }),
        await t.make.person('trainer', own.gym.id),
      ];
      for (const one of [teaches, own.people.trainer, other.people.trainer]) await t.make.course(one);
      await own.people.admin.client.delete(`/users/${gone.id}`);
      const before = await idsOf(own.people.user);
      expect([teaches, inactive, gone].map(({ id }) => before.has(id))).toEqual([true, false, false]);
      for (const { id } of [inactive, gone]) {
        expect(await own.people.admin.client.get(`/accounts/${id}`)).toBeRefused(404, 'user_not_found');
      }
    });

    it('of one gym leaves the trainers of others out; another gym is refused', async () => {
      const { own, other } = world;
      const ids = await idsOf(own.people.user, `/accounts?gym_id=${own.gym.id}`);
      expect(ids.has(own.people.trainer.id)).toBe(true);
      expect(ids.has(other.people.trainer.id)).toBe(false);
      const ofOther = await idsOf(own.people.admin, `/accounts?gym_id=${other.gym.id}`);
      expect([ofOther.has(other.people.user.id), ofOther.has(own.people.user.id)]).toEqual([true, false]);
      expect(await own.people.user.client.get(`/accounts?gym_id=${other.gym.id}`)).toBeRefused(403, 'other_gym');
    });

    it('goes by pages, and counts', async () => {
      const { id } = await t.make.gym();
      const desk = await t.make.signedIn('reception', id);
      for (let count = 0; count < 6; count++) await t.make.person('user', id);
      const path = `/accounts?gym_id=${id}`;
      const page = await desk.client.get(`${path}&limit=3&count=true`);
      expect(page.headers.get('x-total-count')).toBe('7');
      expect(page.body).toHaveLength(3);
      const all = (await desk.client.all(`${path}&limit=3`)).map((account) => account.id);
      expect(all).toEqual(all.toSorted((a, b) => a - b));
      expect(all).toHaveLength(7);
    });
  });

  describe('of a person shows', () => {
    const get = async ({ client }: SignedIn, { id }: { id: number }) => (await client.get(`/accounts/${id}`)).body;

    it('a member nothing of another member but the username and the profiles', async () => {
      const { own } = world;
      const seen = await member(own.gym.id, {
        username: unique('seen').replace('-', '.'),
        phone_number: '+1 555 0177',
      });
      await seen.client.post(`/accounts/${seen.id}/profiles`, { profile_type: 'trainee' });
      const account = await get(own.people.user, seen);
      expect(account).toMatchObject({ ...HIDDEN, id: seen.id, full_name: null, profile_types: ['trainee'] });
      expect(account.username).toMatch(/^seen\./);
      expect(account.updated_at).toBeNull();
      const listed = (await own.people.user.client.all('/accounts')).find(({ id }) => id === seen.id);
      expect(listed).toEqual(account);
    });

    it('a member the names of staff and trainers, and no contact', async () => {
      const { own, other } = world;
      for (const role of STAFF) {
        const account = await get(own.people.user, own.people[role]);
        expect(account).toMatchObject({ ...HIDDEN, full_name: `${role} ${own.mark}` });
      }
      const trainer = await member(other.gym.id, { full_name: 'Coach by profile' });
      await trainer.client.post(`/accounts/${trainer.id}/profiles`, { profile_type: 'trainer' });
      expect(await get(own.people.user, trainer)).toMatchObject({ ...HIDDEN, full_name: 'Coach by profile' });
      expect(await get(own.people.user, other.people.trainer)).toMatchObject({ ...HIDDEN });
    });

    it('staff the contact of their own gym, and the name alone of trainers elsewhere', async () => {
      const { own, other } = world;
      const { id, email } = own.people.user;
      for (const role of STAFF) {
        const account = await get(own.people[role], own.people.user);
        expect(account).toMatchObject({ id, email, role: 'user', gym_id: own.gym.id, phone_number: '+1 555 0100' });
        expect(account.created_at).toMatch(/Z$/);
        const stranger = await get(own.people[role], other.people.trainer);
        expect(stranger).toMatchObject({ full_name: `trainer ${other.mark}` });
        expect(stranger.email !== null).toEqualFor(role, role === 'admin');
      }
    });

    it('each person all of themselves', async () => {
      for (const role of ROLES) {
        const { email, id } = world.own.people[role];
        expect(await get(world.own.people[role], { id })).toMatchObject({
          id,
          email,
          role,
          full_name: expect.any(String),
        });
      }
    });

    it('nothing to people of other gyms', async () => {
      const { own, other } = world;
      const stranger = await own.people.manager.client.get(`/accounts/${other.people.user.id}`);
      expect(stranger).toBeRefused(404, 'user_not_found');
      const profiles = await own.people.user.client.get(`/accounts/${other.people.manager.id}/profiles`);
      expect(profiles).toBeRefused(404, 'user_not_found');
    });
  });

  describe('a search', () => {
    it('finds what is shown, in Arabic and whatever the accents', async () => {
      const { own } = world;
      const mark = unique('x').slice(2);
      const coach = await t.make.person('trainer', world.other.gym.id, { full_name: `José Núñez ${mark}` });
      const arabic = await t.make.person('trainer', world.other.gym.id, { full_name: `محمّد عبد الله ${mark}` });
      for (const word of ['jose', 'NUNEZ', 'josé núñ']) {
        expect(await found(own.people.user, `${word} ${mark}`)).toEqualFor(word, [coach.id]);
      }
      for (const word of ['محمد', 'مُحَمَّد', 'عبد']) {
        expect(await found(own.people.user, `${word} ${mark}`)).toEqualFor(word, [arabic.id]);
      }
      expect(await found(own.people.user, '!?%')).toEqual([]);
      expect(await own.people.user.client.get('/accounts?search=%20')).toHaveStatus(200);
    });

    it('tells nothing of what is hidden', async () => {
      const { own } = world;
      const mark = unique('h').slice(2);
      const username = `user.${mark}`;
      const secrets = { email: `mail${mark}@example.com`, document_id: `doc${mark}`, full_name: `Name${mark}` };
      const person = await member(own.gym.id, { ...secrets, username });
      const trainer = await t.make.person('trainer', world.other.gym.id, { email: `coach${mark}@example.com` });
      for (const hidden of [`mail${mark}`, `doc${mark}`, `name${mark}`]) {
        expect(await found(own.people.user, hidden)).toEqualFor(hidden, []);
        expect(await found(own.people.reception, hidden)).toEqualFor(hidden, [person.id]);
      }
      expect(await found(own.people.user, username)).toEqual([person.id]);
      expect(await found(person, `name${mark}`)).toEqual([person.id]);
      expect(await found(own.people.reception, `coach${mark}`)).toEqual([]);
      expect(await found(own.people.admin, `coach${mark}`)).toEqual([trainer.id]);
    });
  });

  describe('a registration', () => {
    it('takes a username or an email, and signs in by it', async () => {
      const username = unique('new').replace('-', '_');
      const account = { username, password: PASSWORD, gym_id: world.own.gym.id };
      const made = await t.anonymous.post('/accounts', account);
      expect(made).toMatchObject({ status: 201, body: { username, email: null, full_name: username, role: 'user' } });
      expect(await t.anonymous.post('/auth/login', { username, password: PASSWORD })).toHaveStatus(200);
      expect(await t.anonymous.post('/accounts', account)).toBeRefused(409, 'username_taken');
      const email = `${unique('new')}@example.com`;
      expect(await t.anonymous.post('/accounts', { email, username: null, password: PASSWORD })).toHaveStatus(201);
      expect(await t.anonymous.post('/accounts', { email, password: PASSWORD })).toBeRefused(409, 'email_taken');
      for (const nameless of [{}, { email: null, username: null }, { phone_number: '+1 555 0111' }]) {
        expect(await t.anonymous.post('/accounts', { ...nameless, password: PASSWORD })).toHaveWrongFields('email');
      }
      expect(await t.anonymous.post('/auth/register', { username, password: PASSWORD })).toHaveWrongFields('email');
    });

    it('makes a member, whatever role is sent', async () => {
      const newcomer = { username: unique('new'), password: PASSWORD, role: 'admin', profile_types: ['trainer'] };
      expect(await t.anonymous.post('/accounts', newcomer)).toMatchObject({ status: 201, body: { role: 'user' } });
    });
  });

  describe('a change', () => {
    it('of oneself keeps what is not sent, or null', async () => {
      const me = await member(world.own.gym.id, { username: unique('me'), phone_number: '+1 555 0123' });
      const before = (await me.client.get(`/accounts/${me.id}`)).body;
      const changed = await me.client.patch(`/accounts/${me.id}`, { full_name: 'New Name', language: 'ar' });
      expect(changed).toMatchObject({ status: 200, body: { full_name: 'New Name', language: 'ar', email: me.email } });
      const nothing = { email: null, username: null, full_name: null, phone_number: null, language: null };
      const kept = await me.client.put(`/accounts/${me.id}`, nothing);
      expect(kept).toHaveStatus(200);
      const expected = { ...before, full_name: 'New Name', language: 'ar', updated_at: kept.body.updated_at };
      expect(kept.body).toEqual(expected);
      expect((await me.client.get('/auth/me')).body.full_name).toBe('New Name');
    });

    it('of oneself leaves a name to sign in with, also at /users', async () => {
      const me = await member(world.own.gym.id);
      const nothing = { email: null, username: null, phone_number: null };
      const put = (body: object, by = me) => by.client.put(`/users/${me.id}`, body);
      expect(await put(nothing)).toHaveWrongFields('email');
      for (const name of [{ username: unique('me') }, { phone_number: '+1 555 0123 777' }, { email: me.email }]) {
        expect(await put({ ...nothing, ...name })).toHaveStatus(200);
        expect(await put(nothing)).toHaveWrongFields('email');
      }
      // Who has none is one who does not sign in: staff says so.
      expect(await put(nothing, world.own.people.reception)).toHaveStatus(200);
      expect(await put({ ...nothing, language: 'es' })).toHaveStatus(200);
    });

    it('of oneself is of no role, gym or document', async () => {
      for (const role of ROLES.filter((one) => one !== 'admin')) {
        const me = await t.make.signedIn(role, world.own.gym.id);
        const more = { role: 'admin', gym_id: world.other.gym.id, document_id: 'X', is_active: false };
        expect(await me.client.put(`/accounts/${me.id}`, { ...more, full_name: 'Me' })).toHaveStatus(200);
        const [row] = await t.db.query(everyGym`
          SELECT role, gym_id, document_id, is_active, full_name FROM users WHERE id = ${me.id}`);
        const { gym_id, document_id } = me;
        expect(row).toEqual({ role, gym_id, document_id, is_active: true, full_name: 'Me' });
      }
    });

    it('is told when the name is another person’s, or none', async () => {
      const me = await member(world.own.gym.id);
      const put = (body: object) => me.client.put(`/accounts/${me.id}`, body);
      expect(await put({ email: world.other.people.user.email.toUpperCase() })).toBeRefused(409, 'email_taken');
      expect(await put({ email: 'nonsense' })).toHaveWrongFields('email');
      expect(await put({ username: 'a b' })).toHaveWrongFields('username');
      expect(await put({ language: 'xx' })).toHaveWrongFields('language');
    });

    it('of another person is refused, and of one who is unknown not there', async () => {
      const { own, other } = world;
      for (const role of ROLES) {
        const { client } = await t.make.signIn(own.people[role]);
        const target = await t.make.person('user', own.gym.id);
        for (const method of ['PUT', 'PATCH']) {
          const change = await client.send(method, `/accounts/${target.id}`, { full_name: 'X' });
          expect(change).toBeRefused(403, 'not_your_account');
        }
        if (role === 'admin') continue;
        expect(await client.put(`/accounts/${other.people.trainer.id}`, {})).toBeRefused(403, 'not_your_account');
        expect(await client.put(`/accounts/${other.people.user.id}`, {})).toBeRefused(404, 'user_not_found');
      }
    });
  });

  describe('a deletion', () => {
    it('is a member’s own, and an admin’s of all', async () => {
      const { own, other } = world;
      const me = await member(own.gym.id);
      expect(await own.people.manager.client.delete(`/accounts/${me.id}`)).toBeRefused(403, 'role_not_allowed');
      expect(await me.client.delete(`/accounts/${own.people.user.id}`)).toBeRefused(403, 'not_your_account');
      expect(await me.client.delete(`/accounts/${other.people.user.id}`)).toBeRefused(404, 'user_not_found');
      await me.client.post(`/accounts/${me.id}/profiles`, { profile_type: 'trainee' });
      expect(await me.client.delete(`/accounts/${me.id}`)).toHaveStatus(204);
      expect((await me.client.get('/auth/me')).status).toBe(401);
      expect(await t.db.query(everyGym`SELECT FROM profiles WHERE account_id = ${me.id}`)).toEqual([]);
      const [row] = await t.db.query(everyGym`SELECT full_name, email FROM users WHERE id = ${me.id}`);
      expect(row).toEqual({ full_name: 'Deleted', email: null });
      const inactive = await t.make.person('reception', other.gym.id, { is_active: false });
      const { client } = await t.make.signIn(own.people.admin);
      expect(await client.delete(`/accounts/${inactive.id}`)).toHaveStatus(204);
      expect(await client.delete(`/accounts/${inactive.id}`)).toBeRefused(404, 'user_not_found');
    });
  });

  describe('profiles', () => {
    const add = ({ client, id }: SignedIn, type: string, accountId = id) =>
      client.post(`/accounts/${accountId}/profiles`, { profile_type: type });
    const typesOf = async ({ client, id }: SignedIn) => (await client.get(`/accounts/${id}`)).body.profile_types;

    it('are each there once, the last one chosen is current, and the oldest is when it goes', async () => {
      const me = await member(world.own.gym.id);
      const current = async () => (await me.client.get(`/accounts/${me.id}`)).body.current_profile_id;
      expect(await current()).toBeNull();
      const [trainee, store, gym] = [await add(me, 'trainee'), await add(me, 'store'), await add(me, 'gym')];
      for (const made of [trainee, store, gym]) expect(made).toHaveStatus(201);
      expect(gym.body).toMatchObject({ account_id: me.id, profile_type: 'gym', created_at: expect.any(String) });
      expect(await current()).toBe(gym.body.id);
      const again = await add(me, 'store');
      expect(again).toHaveStatus(200);
      expect(again.body).toEqual(store.body);
      expect(await current()).toBe(store.body.id);
      expect(await me.client.delete(`/accounts/${me.id}/profiles/store`)).toHaveStatus(204);
      expect(await current()).toBe(trainee.body.id);
      expect((await me.client.get(`/accounts/${me.id}/profiles`)).body).toEqual([trainee.body, gym.body]);
      const gone = await me.client.delete(`/accounts/${me.id}/profiles/store`);
      expect(gone).toBeRefused(404, 'profile_not_found');
      expect(await add(me, 'admin')).toHaveWrongFields('profile_type');
    });

    it('20 equal ones at once are one', async () => {
      const me = await member(world.own.gym.id);
      const answers = await Promise.all(Array.from({ length: 20 }, () => add(me, 'trainer')));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array<number>(19).fill(200), 201]);
      expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    });

    it('of all types at once leave one that is current', async () => {
      const me = await member(world.own.gym.id);
      const types = ['gym', 'trainer', 'store', 'trainee'];
      const answers = await Promise.all([...types, ...types, ...types].map((type) => add(me, type)));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(4);
      expect((await typesOf(me)).toSorted()).toEqual(types.toSorted());
      const rows = await t.db.query(everyGym`SELECT FROM profiles WHERE account_id = ${me.id} AND is_current`);
      expect(rows).toHaveLength(1);
    });

    it('of others are an admin’s affair, and the manager’s of their gym', async () => {
      const { own, other } = world;
      for (const role of ROLES) {
        const actor = await t.make.signIn(own.people[role]);
        const target = await member(own.gym.id);
        const may = role === 'admin' || role === 'manager';
        const answer = await add(actor, 'trainer', target.id);
        if (may) expect(answer).toHaveStatus(201);
        else expect(answer).toBeRefused(403, 'not_your_account');
        await add(target, 'store');
        const path = `/accounts/${target.id}/profiles/store`;
        expect(await actor.client.delete(path)).toHaveStatus(may ? 204 : 403);
        if (role === 'admin') continue;
        expect(await add(actor, 'store', other.people.user.id)).toBeRefused(404, 'user_not_found');
        expect(await add(actor, 'store', other.people.trainer.id)).toBeRefused(403, 'not_your_account');
      }
    });

    it('of the inactive are seen by the staff of the gym, and removed by its manager', async () => {
      const { own, other } = world;
      const coach = await t.make.signedIn('trainer', own.gym.id);
      const course = await t.make.course(coach);
      const { client } = await t.make.signIn(own.people.manager);
      expect(await client.put(`/users/${coach.id}`, { is_active: false })).toHaveStatus(200);
      const path = `/accounts/${coach.id}/profiles`;
      const { body } = await client.get(path);
      expect(body).toMatchObject([{ account_id: coach.id, profile_type: 'trainer' }]);
      const late = await client.post('/courses', { title: 'Late', price: 1, trainer_profile_id: body[0].id });
      expect(late).toHaveWrongFields('trainer_profile_id');
      for (const stranger of [own.people.user, other.people.manager]) {
        expect(await stranger.client.get(path)).toBeRefused(404, 'user_not_found');
        expect(await stranger.client.delete(`${path}/trainer`)).toBeRefused(404, 'user_not_found');
      }
      expect(await own.people.reception.client.delete(`${path}/trainer`)).toBeRefused(403, 'not_your_account');
      expect(await client.delete(`${path}/trainer`)).toBeRefused(409, 'profile_has_courses');
      expect(await client.delete(`/courses/${course.id}`)).toHaveStatus(204);
      expect(await client.delete(`${path}/trainer`)).toHaveStatus(204);
      expect((await client.get(path)).body).toEqual([]);
    });

    it('that are given do not change what their person chose', async () => {
      const me = await member(world.own.gym.id);
      const { body: chosen } = await add(me, 'trainee');
      expect(await add(await t.make.signIn(world.own.people.manager), 'trainer', me.id)).toHaveStatus(201);
      expect((await me.client.get(`/accounts/${me.id}`)).body.current_profile_id).toBe(chosen.id);
    });

    it('as a trainer give a member no right of staff', async () => {
      const me = await member(world.own.gym.id);
      await add(me, 'trainer');
      for (const path of ['/users', '/users/trainers', '/attendance/current', '/products']) {
        expect(await me.client.get(path)).toBeRefused(403, 'role_not_allowed');
      }
      expect((await me.client.get(`/accounts/${world.own.people.user.id}`)).body).toMatchObject({
        ...HIDDEN,
        full_name: null,
      });
    });

    it('are none of a person who is deleted at that moment', async () => {
      for (let round = 0; round < 5; round++) {
        const me = await member(world.own.gym.id);
        const admin = await t.make.signIn(world.own.people.admin);
        const [deleted] = await Promise.all([
          admin.client.delete(`/accounts/${me.id}`),
          ...['gym', 'store', 'trainer'].map((type) => add(me, type)),
        ]);
        expect(deleted).toHaveStatus(204);
        expect(await t.db.query(everyGym`SELECT FROM profiles WHERE account_id = ${me.id}`)).toEqual([]);
      }
    });
  });
});
