import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Role } from '../../src/common/actor/roles.js';
import { startApp, type TestApp } from '../support/app.js';
import { PASSWORD, type SignedIn, unique } from '../support/factory.js';
import { type GymWorld, makeWorld } from '../support/world.js';

describe('users', () => {
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

  const newPerson = () => {
    const name = unique('p');
    return {
      email: `${name}@example.com`,
      full_name: `Person ${name}`,
      document_id: name,
      phone_number: '+1 555 0123',
    };
  };
  const newStaff = (role: string) => ({ ...newPerson(), role, password: PASSWORD });
  const member = () => t.make.person('user', own.gym.id);

  it('are staff, if they are no members: by name, role and activity', async () => {
    const gym = await t.make.gym();
    const { client, id } = await t.make.signedIn('manager', gym.id, { full_name: 'B' });
    const active = await t.make.person('trainer', gym.id, { full_name: 'C' });
    const inactive = await t.make.person('trainer', gym.id, { full_name: 'A', is_active: false });
    await t.make.person('user', gym.id);
    const ids = async (query = '') => (await client.all(`/staff?limit=2${query}`)).map((person) => person.id);
    expect(await ids()).toEqual([inactive.id, id, active.id]);
    expect(await ids('&role=trainer')).toEqual([inactive.id, active.id]);
    expect(await ids('&role=trainer&is_active=true')).toEqual([active.id]);
    expect(await client.get('/staff?role=user')).toHaveWrongFields('role');
    expect((await client.get('/staff')).body[0]).toEqual((await client.get(`/users/${inactive.id}`)).body);
    const home = await as.admin.client.all('/staff');
    expect(home).toContainEqual(expect.objectContaining({ id: as.admin.id, role: 'admin' }));
    expect(home.every(({ role }) => role !== 'user')).toBe(true);
    expect((await as.admin.client.all(`/staff?gym_id=${gym.id}`)).map((person) => person.id)).toEqual(await ids());
  });

  describe('hiring', () => {
    it('is by role: an admin any, a manager the lower ones', async () => {
      for (const role of ['admin', 'manager', 'reception', 'accountant', 'trainer']) {
        const byAdmin = await as.admin.client.post('/users/admin-trainer', { ...newStaff(role), gym_id: own.gym.id });
        expect(byAdmin).toHaveStatus(201);
        expect(byAdmin.body.gym_id).toBe(own.gym.id);
        const byManager = await as.manager.client.post('/users/admin-trainer', newStaff(role));
        const isLower = role !== 'admin' && role !== 'manager';
        if (!isLower) expect(byManager).toBeRefused(403, 'role_not_assignable');
        else expect(byManager).toMatchObject({ status: 201, body: { role, gym_id: own.gym.id, gym: own.gym } });
      }
    });

    it('makes a person who can sign in', async () => {
      const { body } = await as.manager.client.post('/users/admin-trainer', newStaff('trainer'));
      expect(await t.anonymous.post('/auth/login', { email: body.email, password: PASSWORD })).toHaveStatus(200);
      expect(Object.keys(body)).not.toContain('password_hash');
    });

    it('is in the home gym of an admin who names none, and refuses a member, an unknown role and an unknown gym', async () => {
      const post = (body: object) => as.admin.client.post('/users/admin-trainer', body);
      expect((await post(newStaff('trainer'))).body.gym_id).toBe(own.gym.id);
      expect((await post(newStaff('admin'))).body.gym_id).toBeNull();
      const homeless = await t.make.signedIn('admin', null);
      const refused = await homeless.client.post('/users/admin-trainer', newStaff('trainer'));
      expect(refused).toHaveWrongFields('gym_id');
      expect(await post({ ...newStaff('user'), gym_id: own.gym.id })).toHaveWrongFields('role');
      expect(await post({ ...newStaff('owner'), gym_id: own.gym.id })).toHaveWrongFields('role');
      expect(await post({ ...newStaff('trainer'), gym_id: 2_000_000_000 })).toHaveWrongFields('gym_id');
    });
  });

  describe('members', () => {
    it('are added by an admin; `member` is taken for `user`', async () => {
      for (const role of ['user', 'member', undefined]) {
        const added = await as.admin.client.post('/users/regular', {
          ...newPerson(),
          role,
          gym_id: String(own.gym.id),
        });
        expect(added).toHaveStatus(201);
        expect(added.body).toMatchObject({ role: 'user', gym_id: own.gym.id });
      }
      const trainer = await as.admin.client.post('/users/regular', {
        ...newPerson(),
        role: 'trainer',
        gym_id: own.gym.id,
      });
      expect(trainer).toHaveStatus(422);
    });

    it('are unique by email, document and username, in the whole chain and under a race', async () => {
      const first = { ...newPerson(), username: unique('u'), gym_id: own.gym.id };
      expect(await as.admin.client.post('/users/regular', first)).toHaveStatus(201);
      for (const [field, code] of [
        ['email', 'email_taken'],
        ['document_id', 'document_id_taken'],
        ['username', 'username_taken'],
      ] as const) {
        const twin = { ...newPerson(), [field]: first[field], gym_id: other.gym.id };
        expect(await as.admin.client.post('/users/regular', twin)).toMatchObject({ status: 409, body: { code } });
      }
      const racer = { ...newPerson(), gym_id: own.gym.id };
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => as.admin.client.post('/users/regular', racer)),
      );
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(19);
    });

    it('see themselves and no one else', async () => {
      const { client, id } = as.user;
      expect((await client.get(`/users/${id}`)).body).toMatchObject({ id, role: 'user', gym: own.gym });
      expect(await client.get(`/users/${as.trainer.id}`)).toBeRefused(404, 'user_not_found');
      expect(await client.get('/users')).toHaveStatus(403);
    });

    it('change their own contact data and nothing more', async () => {
      const { client, id } = await t.make.signedIn('user', own.gym.id);
      const email = `${unique('mine')}@example.com`;
      const changed = await client.put(`/users/${id}`, { email, phone_number: '+1 555 0777' });
      expect(changed).toMatchObject({ status: 200, body: { email, phone_number: '+1 555 0777' } });
      for (const more of [{ full_name: 'X' }, { document_id: 'X' }, { role: 'admin' }, { gym_id: other.gym.id }]) {
        expect(await client.put(`/users/${id}`, more)).toMatchObject({
          status: 403,
          body: { code: 'fields_not_changeable' },
        });
      }
      expect(await client.put(`/users/${id}`, { password: 'another long one' })).toHaveStatus(403);
      expect(await client.put(`/users/${id}`, { is_active: false })).toHaveStatus(403);
    });
  });

  describe('changing', () => {
    it('lets reception and trainer change members, but not their role, gym or password, nor staff', async () => {
      for (const role of ['reception', 'trainer'] as const) {
        const { id } = await member();
        const { client } = as[role];
        expect((await client.put(`/users/${id}`, { full_name: 'New Name' })).body.full_name).toBe('New Name');
        for (const refused of [{ role: 'trainer' }, { gym_id: other.gym.id }, { password: 'another long one' }]) {
          expect(await client.put(`/users/${id}`, refused)).toHaveStatus(403);
        }
        const colleague = await t.make.person('accountant', own.gym.id);
        expect(await client.put(`/users/${colleague.id}`, { full_name: 'X' })).toHaveStatus(403);
      }
    });

    it('forgives a whole object sent back: what is unchanged is not a change', async () => {
      const { id } = await member();
      const { body: whole } = await as.trainer.client.get(`/users/${id}`);
      const answer = await as.trainer.client.put(`/users/${id}`, { ...whole, full_name: 'Renamed' });
      expect(answer).toMatchObject({ status: 200, body: { full_name: 'Renamed', role: 'user', gym_id: own.gym.id } });
    });

    it('lets a manager promote within the lower roles and keep everyone in the gym', async () => {
      const { id } = await member();
      const put = (body: object) => as.manager.client.put(`/users/${id}`, body);
      expect((await put({ role: 'trainer' })).body.role).toBe('trainer');
      expect(await put({ role: 'manager' })).toBeRefused(403, 'role_not_assignable');
      expect(await put({ role: 'admin' })).toHaveStatus(403);
      expect(await put({ gym_id: other.gym.id })).toBeRefused(403, 'fields_not_changeable');
      const peer = await t.make.person('manager', own.gym.id);
      expect(await as.manager.client.put(`/users/${peer.id}`, { is_active: false })).toHaveStatus(403);
    });

    it('lets an admin do all of it, and keeps role and gym consistent', async () => {
      const { id } = await member();
      const put = (body: object) => as.admin.client.put(`/users/${id}`, body);
      expect((await put({ gym_id: other.gym.id })).body.gym).toEqual(other.gym);
      expect((await put({ role: 'admin' })).body).toMatchObject({ role: 'admin', gym_id: other.gym.id });
      const { id: homeless } = await t.make.person('admin', null);
      const demoted = await as.admin.client.put(`/users/${homeless}`, { role: 'trainer' });
      expect(demoted).toHaveWrongFields('gym_id');
      expect((await put({ role: 'trainer', gym_id: own.gym.id })).body.gym_id).toBe(own.gym.id);
      expect(await put({ gym_id: 2_000_000_000 })).toHaveWrongFields('gym_id');
      for (const field of ['email', 'full_name', 'role', 'is_active', 'gym_id']) {
        expect(await put({ [field]: {} })).toHaveStatus(422);
      }
    });

    it('ends the sessions of a person who gets a new password from above', async () => {
      const person = await t.make.signedIn('trainer', own.gym.id);
      expect(await as.manager.client.put(`/users/${person.id}`, { password: 'given by manager' })).toHaveStatus(200);
      expect(await person.client.get('/auth/me')).toHaveStatus(401);
      const signIn = { email: person.email, password: 'given by manager' };
      expect(await t.anonymous.post('/auth/login', signIn)).toHaveStatus(200);
    });
  });

  describe('deleting', () => {
    it('takes all personal data and the access, and frees email and document', async () => {
      const person = { ...newPerson(), gym_id: own.gym.id };
      const { body } = await as.admin.client.post('/users/regular', person);
      expect(await as.admin.client.delete(`/users/${body.id}`)).toHaveStatus(204);
      expect(await as.admin.client.get(`/users/${body.id}`)).toHaveStatus(404);
      expect(await as.admin.client.delete(`/users/${body.id}`)).toHaveStatus(404);
      expect((await as.admin.client.get(`/users/search?q=${person.document_id}`)).body).toEqual([]);
      expect(await as.admin.client.post('/users/regular', person)).toHaveStatus(201);
      const staff = await t.make.signedIn('trainer', own.gym.id);
      await as.admin.client.delete(`/users/${staff.id}`);
      expect(await staff.client.get('/auth/me')).toHaveStatus(401);
    });
  });

  it('always keeps one active admin, also when two remove each other', async () => {
    const alone = await startApp();
    try {
      // For the length of this test there are no other active admins.
      const { rows } = await alone.db.pool.query(
        `UPDATE users SET is_active = FALSE WHERE role = 'admin' AND is_active RETURNING id`,
      );
      const [one, two] = [await alone.make.signedIn('admin', null), await alone.make.signedIn('admin', null)];
      const answers = await Promise.all([
        one.client.put(`/users/${two.id}`, { is_active: false }),
        two.client.put(`/users/${one.id}`, { is_active: false }),
      ]);
      const codes = answers.map(({ status, body }) => (status === 200 ? 200 : body.code));
      expect(codes.filter((code) => code === 200)).toHaveLength(1);
      const [winner, loser] = answers[0].status === 200 ? [one, two] : [two, one];
      expect(loser.id).not.toBe(winner.id);
      expect(await winner.client.delete(`/users/${winner.id}`)).toBeRefused(409, 'last_admin');
      expect(await winner.client.put(`/users/${winner.id}`, { role: 'manager', gym_id: own.gym.id })).toBeRefused(
        409,
        'last_admin',
      );
      await alone.db.pool.query('UPDATE users SET is_active = TRUE WHERE id = ANY($1)', [rows.map(({ id }) => id)]);
    } finally {
      await alone.close();
    }
  });

  describe('lists', () => {
    it('go by name in every language, page by page, each person once', async () => {
      const gym = await t.make.gym();
      const names = ['Zoë', 'Ángel', 'angela', 'Åsa', 'Bea', 'Émile', 'émile', 'Ñandú', 'Nora', 'Oscar'];
      for (const name of names) await t.make.person('user', gym.id, { full_name: name });
      const { client } = await t.make.signedIn('reception', gym.id, { full_name: 'Zz' });
      const seen: string[] = [];
      let next: string | null = '/api/v1/users?limit=3&count=true';
      while (next) {
        const page: any = await client.get(`${t.url}${next}`);
        expect(page.headers.get('x-total-count')).toBe('11');
        seen.push(...page.body.map(({ full_name }: { full_name: string }) => full_name));
        next = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1] ?? null;
      }
      expect(seen).toEqual(['Ángel', 'angela', 'Åsa', 'Bea', 'émile', 'Émile', 'Ñandú', 'Nora', 'Oscar', 'Zoë', 'Zz']);
    });

    it('filter by role and activity', async () => {
      const gym = await t.make.gym();
      await t.make.person('user', gym.id, { is_active: false });
      await t.make.person('user', gym.id);
      const { client } = await t.make.signedIn('trainer', gym.id);
      const roles = async (path: string) => (await client.get(path)).body.map(({ role }: { role: Role }) => role);
      expect(await roles('/users')).toHaveLength(3);
      expect(await roles('/users?role=member')).toEqual(['user', 'user']);
      expect(await roles('/users/users?is_active=true')).toHaveLength(2);
      expect(await roles('/users?role=user&is_active=true')).toHaveLength(1);
      expect(await roles('/users/trainers')).toEqual(['trainer']);
    });

    it('refuse what is not a list', async () => {
      for (const query of ['limit=0', 'limit=201', 'limit=x', 'cursor=zzz', 'cursor=WzFd', 'count=maybe']) {
        expect(await as.trainer.client.get(`/users?${query}`)).toHaveStatus(422);
      }
      const { body } = await as.trainer.client.get('/users?limit=1&limit=2');
      expect(body.errors).toEqual([{ field: 'limit', message: 'must be given once' }]);
      const stolen = Buffer.from(JSON.stringify(["'; DROP TABLE users; --", 'x'])).toString('base64url');
      expect(await as.trainer.client.get(`/users?cursor=${stolen}`)).toHaveStatus(422);
    });
  });

  describe('search', () => {
    let gym: { id: number; name: string };
    let desk: SignedIn;
    beforeAll(async () => {
      gym = await t.make.gym();
      desk = await t.make.signedIn('reception', gym.id);
      const people = [
        { full_name: 'María José Núñez', document_id: '12.345.678-9', phone_number: '+56 9 8765 4321' },
        { full_name: 'Jose Maria Perez', document_id: 'X-QZJ%', phone_number: '(02) 555-1234' },
        { full_name: 'Li Wei', document_id: 'AB_77', phone_number: '+86 10 5555 9999' },
      ];
      // An email of random signs would be found too, now and then.
      for (const [index, person] of people.entries()) {
        const email = `${['first', 'second', 'third'][index]}-${gym.id}@example.com`;
        await t.make.person('user', gym.id, { ...person, email, document_id: person.document_id + gym.id });
      }
    });

    const find = async (q: string) =>
      (await desk.client.get(`/users/search?q=${encodeURIComponent(q)}`)).body.map(
        ({ full_name }: { full_name: string }) => full_name,
      );

    it('finds by any word of a name, without accents or case, in any order', async () => {
      expect(await find('nunez')).toEqual(['María José Núñez']);
      expect(await find('NÚÑEZ maria')).toEqual(['María José Núñez']);
      expect(await find('maria')).toEqual(['María José Núñez', 'Jose Maria Perez']);
      expect(await find('jose')).toEqual(['Jose Maria Perez', 'María José Núñez']);
      expect(await find('li')).toEqual(['Li Wei']);
      expect(await find('nobody at all')).toEqual([]);
    });

    it('finds by document, email and phone, as typed', async () => {
      expect(await find(`12.345.678-9${gym.id}`)).toEqual(['María José Núñez']);
      expect(await find('12.345')).toEqual(['María José Núñez']);
      expect(await find('8765-4321')).toEqual(['María José Núñez']);
      expect(await find('(02) 555')).toEqual(['Jose Maria Perez']);
    });

    it('takes what LIKE would read as a wildcard as it is', async () => {
      expect(await find('QZJ%')).toEqual(['Jose Maria Perez']);
      expect(await find('%')).toEqual([]);
      expect(await find('ab_7')).toEqual(['Li Wei']);
      expect(await find('b_7')).toEqual([]);
      expect(await find("o'; DROP TABLE users; --")).toEqual([]);
      expect(await find('\\')).toEqual([]);
    });

    it('finds phones by their digits, and documents exactly', async () => {
      const phone = async (digits: string) =>
        (await desk.client.get(`/users/search/phone/${encodeURIComponent(digits)}`)).body;
      expect(await phone('5551234')).toMatchObject([{ full_name: 'Jose Maria Perez' }]);
      expect(await phone('10 5555')).toMatchObject([{ full_name: 'Li Wei' }]);
      expect((await phone('12')).errors[0].field).toBe('phone_number');
      const document = await desk.client.get(`/users/search/document/${encodeURIComponent(`AB_77${gym.id}`)}`);
      expect(document.body.full_name).toBe('Li Wei');
      expect(await desk.client.get('/users/search/document/AB_7')).toHaveStatus(404);
    });
  });
});
