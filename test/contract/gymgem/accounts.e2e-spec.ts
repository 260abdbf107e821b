import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthService } from '../../../src/auth/auth.service.js';
import { startApp, type TestApp } from '../../support/app.js';
import { ownDatabase } from '../../support/database.js';
import { PASSWORD, type SignedIn, unique } from '../../support/factory.js';
import { plain } from '../../support/plain-http.js';
import { asking, type Asking, type Base, BASES, refusal } from './gymgem.js';

let t: TestApp;
let gym: { id: number };
beforeAll(async () => {
  t = await startApp({ DATABASE_URL: await ownDatabase('gymgem_accounts'), REGISTRATIONS_PER_ADDRESS: '1000' });
  gym = await t.make.gym();
});
afterAll(() => t.close());

const newName = () => unique('maria');

describe.each([...BASES])('accounts of gymgem at "%s"', (base: Base) => {
  const anyone = () => asking(t, base);
  const as = ({ access_token }: SignedIn): Asking => asking(t, base, access_token);

  const newAccount = (username = newName()) => ({
    ...{ username, email: `${username}@Example.com`, password: PASSWORD, confirmPassword: PASSWORD },
    ...{ firstName: 'María José', lastName: 'López' },
  });
  /** One who registered with their client, and is signed in. */
  async function registered(): Promise<{ id: number; username: string; me: SignedIn }> {
    const account = newAccount();
    const { status, body } = await anyone().post('accounts/', account);
    expect([status, body]).toEqual([201, { id: expect.any(Number) }]);
    return { ...body, username: account.username, me: await t.make.signIn({ ...account, ...body }) };
  }

  it.each(['accounts/', 'accounts/create', 'accounts/create/'])('are made at %s', async (path) => {
    const account = newAccount();
    const { status, body } = await anyone().post(path, account);
    expect([status, body]).toEqual([201, { id: expect.any(Number) }]);
    const me = await t.make.signIn({ ...account, ...body });
    expect((await me.client.get('/auth/me')).body).toMatchObject({
      ...{ full_name: 'María José López', username: account.username, email: account.email, role: 'user' },
    });
  });

  it('are not made twice, or with two passwords', async () => {
    const { username } = await registered();
    const answers = [
      await anyone().post('accounts/', newAccount(username)),
      await anyone().post('accounts/', { ...newAccount(), email: `${username}@EXAMPLE.com` }),
      await anyone().post('accounts/', { ...newAccount(), confirmPassword: 'another one' }),
      await anyone().post('accounts/', { ...newAccount(), email: 'none' }),
      await anyone().post('accounts/', { ...newAccount(), password: 'short', confirmPassword: 'short' }),
      await anyone().post('accounts/', { ...newAccount(), firstName: '\u200b', lastName: '' }),
    ];
    for (const { status, body } of answers) {
      expect([status, body]).toEqual([400, refusal(expect.any(String))]);
    }
    expect(answers[2]!.body.error).toBe('Passwords do not match');
  });

  it('are listed with what one may see of them', async () => {
    const { id, username, me } = await registered();
    await me.client.post(`/accounts/${id}/profiles`, { profile_type: 'trainer' });
    const own = (await as(me).get('accounts/')).body.find((one: any) => one.id === id);
    const moment = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(own).toEqual({
      ...{ id, username, email: `${username}@Example.com`, firstName: 'María José', lastName: 'López' },
      ...{ createdAt: moment, updatedAt: moment },
    });
    expect((await as(me).get(`accounts/${id}/`)).body).toEqual({ ...own, profiles: [{ profile_type: 'trainer' }] });

    const other = await t.make.signedIn('user', (await t.make.gym()).id);
    const seen = (await as(other).get(`accounts/${id}`)).body;
    expect(seen).toMatchObject({ id, username, email: null, firstName: 'María José', createdAt: null });
    const stranger = await t.make.person('user', gym.id);
    expect((await as(other).get(`accounts/${stranger.id}/`)).status).toBe(404);
    for (const nothing of ['0', 'x', '9999999999', '2147483647']) {
      const { status, body } = await as(me).get(`accounts/${nothing}/`);
      expect([status, body]).toEqual([404, refusal('Account not found')]);
    }
  });

  it('are a list of at most 500', async () => {
    const crowd = await t.make.gym();
    await t.db.pool.query(
      `INSERT INTO users (full_name, email, gym_id) SELECT 'Crowd', 'crowd' || n || '.' || $1::int || '@example.com', $1
       FROM generate_series(1, 600) n`,
      [crowd.id],
    );
    const desk = await t.make.signedIn('reception', crowd.id);
    const { body } = await as(desk).get('accounts/');
    expect(body).toHaveLength(500);
    expect(body.at(-1)).toMatchObject({ firstName: 'Crowd', lastName: '', email: expect.any(String) });
  });

  it('are changed and deleted by their owner alone', async () => {
    const { id, username, me } = await registered();
    const done = (word: string) => ({ message: `Account ${word} successfully` });
    const name = newName();
    const put = await as(me).put(`accounts/${id}/`, { username: name, lastName: 'Ruiz', profiles: 7 });
    expect([put.status, put.body]).toEqual([200, done('updated')]);
    expect((await as(me).patch(`accounts/${id}/`, { firstName: 'Ana' })).body).toEqual(done('updated'));
    expect((await me.client.get('/auth/me')).body).toMatchObject({ username: name, full_name: 'Ana Ruiz' });

    const other = await registered();
    const taken = await as(me).patch(`accounts/${id}/`, { username: other.username });
    expect([taken.status, taken.body]).toEqual([400, refusal(expect.any(String))]);
    for (const [account, status] of [
      [other.id, 403],
      [2_147_483_647, 404],
    ]) {
      expect((await as(me).put(`accounts/${account}/`, { firstName: 'No' })).status).toBe(status);
      expect((await as(me).patch(`accounts/${account}/`, { firstName: 'No' })).status).toBe(status);
      expect((await as(me).delete(`accounts/${account}/`)).status).toBe(status);
    }
    const gone = await as(me).delete(`accounts/${id}/`);
    expect([gone.status, gone.body]).toEqual([200, done('deleted')]);
    expect((await as(me).get('accounts/')).status).toBe(401);
    expect((await anyone().post('accounts/', newAccount(username))).status).toBe(201);
  });

  it('take no password, and say where it is changed', async () => {
    const { id, me } = await registered();
    const path = `accounts/${id}/`;
    for (const sent of [
      { password: 'another password', confirmPassword: 'another password' },
      { password: 'another password', confirmPassword: 'not the same' },
      { password: 'another password' },
      { confirmPassword: 'another password' },
    ]) {
      for (const ask of [as(me).put, as(me).patch]) {
        const { status, body } = await ask(path, { firstName: 'Eva', ...sent });
        expect([status, body]).toEqualFor(sent, [400, refusal(expect.stringMatching('/api/v1/auth/change-password'))]);
      }
    }
    expect((await as(me).get(path)).body.firstName).not.toBe('Eva');
    // Left empty in a form.
    const left = { password: '', confirmPassword: '' };
    expect((await as(me).put(path, { firstName: 'Eva', ...left })).status).toBe(200);
    const other = await registered();
    expect((await as(me).put(`accounts/${other.id}/`, { password: 'another password' })).status).toBe(403);
  });

  it('are taken back as they were given', async () => {
    const { id, me } = await registered();
    for (const name of ['x'.repeat(200), 'Anna  Maria', 'Anna', 'Jean  Luc Picard', `${'x'.repeat(150)} y`]) {
      await me.client.put(`/accounts/${id}`, { full_name: name });
      const given = (await as(me).get(`accounts/${id}/`)).body;
      const put = await as(me).put(`accounts/${id}/`, given);
      expect([put.status, put.body]).toEqual([200, { message: 'Account updated successfully' }]);
      expect((await me.client.get('/auth/me')).body.full_name).toBe(name);
    }
    const long = await as(me).put(`accounts/${id}/`, { firstName: 'x'.repeat(150), lastName: 'y'.repeat(150) });
    expect([long.status, long.body]).toEqual([400, refusal(expect.stringMatching('firstName'))]);
  });

  it('keep both parts of a name that are changed at once', async () => {
    const { id, me } = await registered();
    for (let round = 0; round < 10; round++) {
      await Promise.all([
        as(me).put(`accounts/${id}/`, { firstName: `First${round}` }),
        as(me).put(`accounts/${id}/`, { lastName: `Last${round}` }),
      ]);
      expect((await me.client.get('/auth/me')).body.full_name).toBe(`First${round} Last${round}`);
    }
  });

  it('are refreshed by a fixed token, again and again', async () => {
    const person = await t.make.person('user', gym.id);
    const signIn = { identifier: person.email, password: PASSWORD };
    const client = { ip_address: '127.0.0.1', user_agent: null };
    const { refresh_token: refresh } = await t.app.get(AuthService).openFixedSession(signIn, client);
    const url = `${t.url}${base}/api/auth/refresh-token`;
    for (const sent of [
      { body: { refresh } },
      { body: { refresh_token: refresh } },
      { body: { refresh, refresh_token: refresh } },
      { headers: { refresh }, body: {} },
    ]) {
      const { status, body } = await plain('POST', url, sent);
      expect([status, body]).toEqual([200, { access: expect.any(String) }]);
      expect((await t.anonymous.withToken(body.access).get('/auth/me')).body.id).toBe(person.id);
    }
    const own = (await t.make.signIn(person)).refresh_token;
    for (const body of [{}, { refresh: 'rubbish' }, { refresh: own }, { refresh: 7, refresh_token: null }]) {
      const answer = await plain('POST', url, { body });
      expect([answer.status, answer.body]).toEqual([401, refusal(expect.any(String))]);
    }
  });

  it('leave what is not there 404 in JSON for all', async () => {
    const me = await t.make.signedIn('user', gym.id);
    for (const path of ['balance/', 'notifications/', 'trainers/', 'stores/', 'courses/courses/7', 'chat/']) {
      for (const ask of [as(me), anyone()]) {
        const answer = await ask.get(path);
        expect([answer.status, answer.body]).toEqual([404, refusal('Not found')]);
      }
    }
  });

  it('have schema pages that load nothing from elsewhere', async () => {
    const { status, body } = await anyone().get('schema/');
    expect([status, body.openapi]).toEqual([200, '3.0.0']);
    expect(Object.keys(body.paths)).toContain(`${base}/api/accounts/{id}`);
    for (const page of ['schema/swagger-ui/', 'schema/redoc/', 'schema/redoc']) {
      const answer = await anyone().get(page);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      const sources = [...String(answer.body).matchAll(/(?:src|href|spec-url)="([^"]*)"/g)].map(
        ([, source]) => source!,
      );
      expect(sources.length).toBeGreaterThan(1);
      for (const source of sources) {
        expect(source).toMatch(/^\/\w/);
        if (!source.includes('redoc.standalone')) expect((await fetch(t.url + source)).status).toBe(200);
      }
    }
  });
});

describe('profiles of later versions of gymgem', () => {
  const web = '/gymgem-web' as const;

  it('are made, chosen and kept in the same session', async () => {
    const me = await t.make.signedIn('user', gym.id);
    const ask = asking(t, web, me.access_token);
    const [trainee, store] = [
      (await ask.post('profiles/create', { profile_type: 'trainee' })).body,
      (await ask.post('profiles/create', { profile_type: 'store' })).body,
    ];
    expect(trainee).toEqual({ id: expect.any(Number), profile_type: 'trainee' });
    const current = async () => (await me.client.get(`/accounts/${me.id}`)).body.current_profile_id;
    expect(await current()).toBe(store.id);
    expect((await ask.post('profiles/create', { profile_type: 'trainee' })).status).toBe(201);
    expect(await current()).toBe(trainee.id);

    for (const [path, profileId] of [
      ['auth/switch-profile', store.id],
      ['auth/renew-refresh', trainee.id],
    ]) {
      const { status, body } = await ask.post(path, { profile_id: profileId });
      expect([status, body]).toEqual([200, { access: expect.any(String), refresh: expect.any(String) }]);
      expect(await current()).toBe(profileId);
      const sessions = (await t.anonymous.withToken(body.access).get('/auth/sessions')).body;
      expect(sessions.map(({ is_current }: any) => is_current)).toEqual([true]);
      expect((await asking(t, web).post('auth/refresh-token', { refresh: body.refresh })).status).toBe(200);
    }

    const other = await t.make.signedIn('trainer', gym.id);
    const theirs = (await asking(t, web, other.access_token).post('profiles/create', { profile_type: 'gym' })).body;
    for (const profileId of [theirs.id, 2_147_483_647]) {
      const { status, body } = await ask.post('auth/switch-profile', { profile_id: profileId });
      expect([status, body]).toEqual([403, refusal('This is not your profile')]);
    }
    expect((await ask.post('auth/switch-profile', {})).status).toBe(400);
    expect((await ask.post('profiles/create', { profile_type: 'king' })).status).toBe(400);
  });

  it('end all sessions at once', async () => {
    const me = await t.make.signedIn('user', gym.id);
    const elsewhere = await t.make.signIn(me);
    const { status, body } = await asking(t, web, me.access_token).post('auth/logout-all');
    expect([status, body]).toEqual([205, '']);
    for (const { access_token } of [me, elsewhere]) {
      expect((await asking(t, web, access_token).get('accounts/')).status).toBe(401);
    }
  });
});
