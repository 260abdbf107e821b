import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';
import { type SignedIn, unique } from '../support/factory.js';

describe('gyms', () => {
  let t: TestApp;
  let admin: SignedIn;
  beforeAll(async () => {
    t = await startApp();
    admin = await t.make.signedIn('admin', null);
  });
  afterAll(() => t.close());

  it('opens a gym, changes it, and leaves alone what is not sent', async () => {
    const name = unique('North');
    const opened = await admin.client.post('/gyms', { name: `  ${name} `, timezone: 'America/New_York' });
    expect(opened).toMatchObject({ status: 201, body: { name, timezone: 'America/New_York', is_active: true } });
    const changed = await admin.client.put(`/gyms/${opened.body.id}`, { address: '12 River Street' });
    expect(changed.body).toMatchObject({ name, timezone: 'America/New_York', address: '12 River Street' });
    expect((await admin.client.put(`/gyms/${opened.body.id}`, { address: null })).body.address).toBeNull();
    expect(await admin.client.put(`/gyms/${opened.body.id}`, {})).toHaveStatus(200);
  });

  it('and its devices and people are inactive from the beginning, if that is said', async () => {
    const { client } = admin;
    const inactive = { is_active: false };
    const opened = await client.post('/gyms', { name: unique('Later'), ...inactive });
    expect(opened).toMatchObject({ status: 201, body: inactive });
    const gym = await t.make.gym();
    const device = await client.post('/devices', { name: 'Door', kind: 'qr', gym_id: gym.id, ...inactive });
    expect(device).toMatchObject({ status: 201, body: inactive });
    const person = () => {
      const name = unique('later');
      return {
        email: `${name}@example.com`,
        full_name: name,
        document_id: name,
        phone_number: '+1 555 0100',
        gym_id: gym.id,
      };
    };
    const member = await client.post('/users/regular', { ...person(), ...inactive });
    const staff = { ...person(), role: 'reception', password: 'a long password' };
    for (const { status, body } of [member, await client.post('/users/admin-trainer', { ...staff, ...inactive })]) {
      expect([status, body.is_active]).toEqual([201, false]);
    }
    expect(await client.post('/attendance', { user_id: member.body.id, gym_id: gym.id })).toBeRefused(
      409,
      'member_inactive',
    );
    const { email, password } = staff;
    expect(await t.anonymous.post('/auth/login', { email, password })).toBeRefused(403, 'account_inactive');
  });

  it('takes the zones that both Node and PostgreSQL can compute a day in, and no others', async () => {
    for (const timezone of ['UTC', 'Europe/Lisbon', 'Asia/Kolkata', 'America/Argentina/Ushuaia', 'Etc/GMT+5']) {
      expect(await admin.client.post('/gyms', { name: unique('Z'), timezone })).toHaveStatus(201);
    }
    for (const timezone of [
      ...['Mars/Olympus', '+05:30', 'UTC+3', '', 'Europe/Lisbon; DROP TABLE gyms', 5, null],
      // Known to Node or to PostgreSQL, but no region, or written otherwise.
      ...['CET', 'EET', 'BST', 'IST', 'EST5EDT', 'GMT', 'utc', 'posix/Europe/Lisbon', 'europe/lisbon', 'Europe/LISBON'],
    ]) {
      const answer = await admin.client.post('/gyms', { name: unique('Z'), timezone });
      // null is the same as not sent: UTC.
      if (timezone === null) expect(answer).toHaveStatus(201);
      else expect(answer).toHaveWrongFields('timezone');
    }
  });

  it('is not stored with a zone that has no region, whatever wrote it', async () => {
    for (const timezone of ['CET', 'IST', 'EST5EDT', 'posix/Europe/Lisbon', 'europe/lisbon']) {
      await expect(t.make.gym({ timezone })).rejects.toThrow();
    }
  });

  it('keeps names apart without regard to case, also when two are opened at once', async () => {
    const name = unique('Twin');
    const answers = await Promise.all(
      [name, name.toUpperCase()].map((twin) => admin.client.post('/gyms', { name: twin })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409]);
    expect(answers.find(({ status }) => status === 409)).toBeRefused(409, 'gym_name_taken');
  });

  it('is deleted if it never had people, and deactivated otherwise', async () => {
    const [empty, full] = [await t.make.gym(), await t.make.gym()];
    await t.make.person('user', full.id);
    expect(await admin.client.delete(`/gyms/${empty.id}`)).toHaveStatus(204);
    expect(await admin.client.get(`/gyms/${empty.id}`)).toHaveStatus(404);
    expect(await admin.client.delete(`/gyms/${full.id}`)).toMatchObject({ status: 200, body: { is_active: false } });
    expect((await admin.client.get(`/gyms/${full.id}`)).body.is_active).toBe(false);
    const active = await admin.client.get('/gyms/active?limit=200');
    expect(active.body.map(({ id }: { id: number }) => id)).not.toContain(full.id);
    expect(await admin.client.delete('/gyms/2000000000')).toBeRefused(404, 'gym_not_found');
  });

  it('takes no new people once it is inactive', async () => {
    const closed = await t.make.gym({ is_active: false });
    const person = {
      email: `${unique('x')}@example.com`,
      full_name: 'X',
      document_id: unique('x'),
      phone_number: '12345',
    };
    const member = await admin.client.post('/users/regular', { ...person, gym_id: closed.id });
    expect(member).toBeRefused(409, 'gym_inactive');
    const staff = { ...person, role: 'trainer', password: 'long enough', gym_id: closed.id };
    expect(await admin.client.post('/users/admin-trainer', staff)).toBeRefused(409, 'gym_inactive');
  });

  it('is a branch with so many people: an admin sees all, others their own', async () => {
    const gym = await t.make.gym();
    const manager = await t.make.signedIn('manager', gym.id);
    const path = `/branches?gym_id=${gym.id}`;
    const { body: known } = await admin.client.get(`/gyms/${gym.id}`);
    const branch = (members: number, staff: number) => [{ ...known, member_count: members, staff_count: staff }];
    expect((await admin.client.get(path)).body).toEqual(branch(0, 1));
    await t.make.person('user', gym.id);
    await t.make.person('user', gym.id, { is_active: false });
    await t.make.person('trainer', gym.id, { is_active: false });
    for (const role of ['user', 'trainer'] as const) {
      expect(await admin.client.delete(`/users/${(await t.make.person(role, gym.id)).id}`)).toHaveStatus(204);
    }
    expect((await admin.client.get(path)).body).toEqual(branch(2, 2));
    expect((await manager.client.get('/branches')).body).toEqual(branch(2, 2));
    const all = await admin.client.all('/branches?limit=3');
    expect(all).toContainEqual(branch(2, 2)[0]);
    expect(all.map(({ id }) => id)).toEqual((await admin.client.all('/gyms')).map(({ id }) => id));
  });

  it('is either deleted or given its first member, never both', async () => {
    for (let round = 0; round < 10; round++) {
      const gym = await t.make.gym();
      const name = unique('race');
      const [removed, added] = await Promise.all([
        admin.client.delete(`/gyms/${gym.id}`),
        admin.client.post('/users/regular', {
          email: `${name}@example.com`,
          full_name: name,
          document_id: name,
          phone_number: '12345',
          gym_id: gym.id,
        }),
      ]);
      expect([`204 422`, `200 201`, '200 409']).toContain(`${removed.status} ${added.status}`);
    }
  });
});
