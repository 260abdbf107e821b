import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Database } from '../../src/database/database.js';
import { everyGym } from '../../src/database/sql.js';
import { startApp, type TestApp } from '../support/app.js';
import { statuses, times } from '../support/answers.js';
import { PASSWORD, unique } from '../support/factory.js';

describe('auth', () => {
  let t: TestApp;
  let gym: { id: number; name: string };
  beforeAll(async () => {
    t = await startApp();
    gym = await t.make.gym();
  });
  afterAll(() => t.close());

  const login = (body: object) => t.anonymous.post('/auth/login', body);
  const refresh = (token: string) => t.anonymous.post('/auth/refresh', { refresh_token: token });

  describe('register', () => {
    it('makes a member who can sign in', async () => {
      const email = `${unique('New')}@Example.com`;
      const registered = await t.anonymous.post('/auth/register', { email, password: PASSWORD, gym_id: gym.id });
      expect(registered).toHaveStatus(201);
      const { body } = registered;
      expect(body).toMatchObject({ email, role: 'user', gym, is_active: true });
      expect(Object.keys(body)).not.toContain('password_hash');
      expect(await login({ email, password: PASSWORD })).toHaveStatus(200);
    });

    it('takes the first active gym if none is named, and refuses one that is not open', async () => {
      const email = `${unique('new')}@example.com`;
      expect((await t.anonymous.post('/auth/register', { email, password: PASSWORD })).body.gym_id).toEqual(
        expect.any(Number),
      );
      const closed = await t.make.gym({ is_active: false });
      for (const gymId of [closed.id, 2_000_000_000]) {
        const newcomer = { email: `${unique('new')}@example.com`, password: PASSWORD, gym_id: gymId };
        const answer = await t.anonymous.post('/auth/register', newcomer);
        expect(answer).toHaveStatus(422);
        expect(answer.body.errors).toEqual([{ field: 'gym_id', message: 'is not an active gym' }]);
      }
    });

    it('cannot give a role, and makes one account of many attempts at once', async () => {
      const email = `${unique('new')}@example.com`;
      const answers = await times(10, () =>
        t.anonymous.post('/auth/register', { email, password: PASSWORD, role: 'admin', gym_id: gym.id }),
      );
      expect(statuses(answers)).toEqual([201, ...Array<number>(9).fill(409)]);
      expect(answers.find(({ status }) => status === 201)!.body.role).toBe('user');
      expect(answers.find(({ status }) => status === 409)).toBeRefused(409, 'email_taken');
    });

    it('names every wrong field', async () => {
      const wrong = { email: 'no', password: 'short', username: 'a b' };
      const answer = await t.anonymous.post('/auth/register', wrong);
      expect(answer).toBeRefused(422, 'fields_invalid');
      expect(answer.body.errors.map(({ field }: { field: string }) => field).toSorted()).toEqual([
        'email',
        'password',
        'username',
      ]);
    });

    it('refuses a password that bcrypt would cut off', async () => {
      const password = 'é'.repeat(40);
      const { body } = await t.anonymous.post('/auth/register', { email: `${unique('new')}@example.com`, password });
      expect(body.errors).toEqual([
        { field: 'password', message: 'must have at least 8 characters and at most 72 bytes' },
      ]);
    });
  });

  describe('login', () => {
    it('takes email, username or phone, however they are written', async () => {
      const name = unique('ana');
      const phone = `+1 ${Date.now()}`;
      const person = await t.make.person('trainer', gym.id, { username: name, phone_number: phone });
      for (const who of [
        { email: person.email.toUpperCase() },
        { username: name.toUpperCase() },
        { username: person.email },
        { phone_number: phone.replace('+1 ', '1-') },
      ]) {
        const answer = await login({ ...who, password: PASSWORD });
        expect(answer).toHaveStatus(200);
        expect(answer.body.account.id).toEqualFor(who, person.id);
      }
    });

    it('answers all that a client needs', async () => {
      const person = await t.make.person('manager', gym.id);
      const { body } = await login({ email: person.email, password: PASSWORD });
      expect(body).toEqual({
        access_token: expect.any(String),
        refresh_token: expect.any(String),
        token_type: 'bearer',
        expires_in: 3600,
        role: 'manager',
        must_change_password: false,
        account: expect.objectContaining({ id: person.id, email: person.email, role: 'manager', gym_id: gym.id, gym }),
      });
    });

    it('gives one answer for whatever is wrong', async () => {
      const person = await t.make.person('user', gym.id);
      const withoutPassword = await t.make.person('user', gym.id, { password_hash: null });
      const deleted = await t.make.person('user', gym.id);
      await t.db.change(everyGym`UPDATE users SET deleted_at = now() WHERE id = ${deleted.id}`);
      const answers = await Promise.all(
        [
          { email: person.email, password: 'wrong' },
          { email: `${unique('nobody')}@example.com`, password: PASSWORD },
          { email: withoutPassword.email, password: PASSWORD },
          { email: deleted.email, password: PASSWORD },
          { username: unique('nobody'), password: PASSWORD },
          { phone_number: '000', password: PASSWORD },
        ].map(login),
      );
      const told = answers.map(({ status, body: { instance: _instance, ...rest } }) => JSON.stringify([status, rest]));
      expect(new Set(told).size).toBe(1);
      expect(answers[0]).toBeRefused(401, 'wrong_credentials');
    });

    it('tells an inactive person so, but only with the right password', async () => {
      const person = await t.make.person('user', gym.id, { is_active: false });
      expect(await login({ email: person.email, password: 'wrong' })).toBeRefused(401, 'wrong_credentials');
      expect(await login({ email: person.email, password: PASSWORD })).toMatchObject({
        status: 403,
        body: { code: 'account_inactive' },
      });
    });

    it('asks for one of the three names', async () => {
      expect((await login({ password: PASSWORD })).body.errors).toEqual([
        { field: 'email', message: 'is required, or username, or phone_number' },
      ]);
    });
  });

  describe('sessions', () => {
    it('are at most five: the sixth ends the oldest, also when all come at once', async () => {
      const person = await t.make.person('trainer', gym.id);
      const first = await t.make.signIn(person);
      const others = await Promise.all(Array.from({ length: 7 }, () => t.make.signIn(person)));
      expect(await first.client.get('/auth/me')).toHaveStatus(401);
      const alive = statuses(await Promise.all(others.map(({ client }) => client.get('/auth/me'))));
      expect(alive).toEqual([200, 200, 200, 200, 200, 401, 401]);
    });

    it('are listed and can be ended one by one', async () => {
      const person = await t.make.person('trainer', gym.id);
      const [here, there] = [await t.make.signIn(person), await t.make.signIn(person)];
      const { body } = await here.client.get('/auth/sessions');
      expect(body).toHaveLength(2);
      expect(body.filter(({ is_current }: { is_current: boolean }) => is_current)).toHaveLength(1);
      const other = body.find(({ is_current }: { is_current: boolean }) => !is_current);
      expect(await here.client.delete(`/auth/sessions/${other.id}`)).toHaveStatus(204);
      expect(await there.client.get('/auth/me')).toBeRefused(401, 'session_ended');
      expect(await here.client.delete(`/auth/sessions/${other.id}`)).toHaveStatus(404);
    });

    it('end at once at sign-out', async () => {
      const { client, refresh_token } = await t.make.signedIn('trainer', gym.id);
      expect(await client.get('/auth/me')).toHaveStatus(200);
      const left = await client.post('/auth/logout');
      expect(left).toHaveStatus(205);
      expect(left.body).toBe('');
      expect(await client.get('/auth/me')).toHaveStatus(401);
      expect(await refresh(refresh_token)).toHaveStatus(401);
    });

    it('end with their time, also where they are known', async () => {
      const { id, client } = await t.make.signedIn('trainer', gym.id);
      await t.db.change(everyGym`UPDATE sessions SET expires_at = now() + interval '4 seconds' WHERE user_id = ${id}`);
      expect(await client.get('/auth/me')).toHaveStatus(200);
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      expect(await client.get('/auth/me')).toBeRefused(401, 'session_ended');
    });

    it('end with the time that is set by hand, and are not refreshed after it', async () => {
      const { id, client, refresh_token } = await t.make.signedIn('trainer', gym.id);
      expect(await client.get('/auth/me')).toHaveStatus(200);
      await t.db.change(everyGym`UPDATE sessions SET expires_at = now() - interval '1 second' WHERE user_id = ${id}`);
      await expect(until(async () => (await client.get('/auth/me')).status)).resolves.toBe(401);
      expect(await refresh(refresh_token)).toBeRefused(401, 'session_ended');
      expect(await client.get('/auth/me')).toBeRefused(401, 'session_ended');
    });

    it('end at once when a person is deactivated, through the API or by hand', async () => {
      const admin = await t.make.signedIn('admin', null);
      const [one, two] = [await t.make.signedIn('trainer', gym.id), await t.make.signedIn('trainer', gym.id)];
      for (const { client } of [one, two]) expect(await client.get('/auth/me')).toHaveStatus(200);
      expect(await admin.client.put(`/users/${one.id}`, { is_active: false })).toHaveStatus(200);
      expect(await one.client.get('/auth/me')).toHaveStatus(401);
      await t.db.change(everyGym`UPDATE users SET is_active = FALSE WHERE id = ${two.id}`);
      await expect(until(async () => (await two.client.get('/auth/me')).status)).resolves.toBe(401);
    });

    it('have the new role at once', async () => {
      const admin = await t.make.signedIn('admin', null);
      const person = await t.make.signedIn('trainer', gym.id);
      expect(await person.client.post('/users/admin-trainer', {})).toHaveStatus(403);
      await admin.client.put(`/users/${person.id}`, { role: 'manager' });
      expect(await person.client.post('/users/admin-trainer', {})).toHaveStatus(422);
    });

    it('are known to be over on every server', async () => {
      const second = await startApp();
      try {
        const person = await t.make.signedIn('trainer', gym.id);
        const elsewhere = second.anonymous.withToken(person.access_token);
        expect(await elsewhere.get('/auth/me')).toHaveStatus(200);
        await person.client.post('/auth/logout');
        await expect(until(async () => (await elsewhere.get('/auth/me')).status)).resolves.toBe(401);
      } finally {
        await second.close();
      }
    });

    it('are not trusted from memory while the server cannot hear of changes', async () => {
      const person = await t.make.signedIn('trainer', gym.id);
      expect(await person.client.get('/auth/me')).toHaveStatus(200);
      await t.db.change(everyGym`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'spotter listener' AND datname = current_database()`);
      // The trigger's message goes to a connection that no longer listens.
      await t.db.change(everyGym`UPDATE sessions SET ended_at = now() WHERE user_id = ${person.id}`);
      await expect(until(async () => (await person.client.get('/auth/me')).status)).resolves.toBe(401);
    });
  });

  describe('refresh', () => {
    it('gives a fresh pair, of which the old refresh token is no part', async () => {
      const { client, refresh_token } = await t.make.signedIn('trainer', gym.id);
      const fresh = await refresh(refresh_token);
      expect(fresh).toHaveStatus(200);
      expect(fresh.body.refresh_token).not.toBe(refresh_token);
      expect(await t.anonymous.withToken(fresh.body.access_token).get('/auth/me')).toHaveStatus(200);
      expect(await client.get('/auth/me')).toHaveStatus(200);
      expect(await refresh(fresh.body.refresh_token)).toHaveStatus(200);
    });

    it('ends the session when a used token comes again: the thief and the owner are both out', async () => {
      const { refresh_token } = await t.make.signedIn('trainer', gym.id);
      const fresh = await refresh(refresh_token);
      expect(await refresh(refresh_token)).toBeRefused(401, 'session_ended');
      expect(await refresh(fresh.body.refresh_token)).toHaveStatus(401);
      expect(await t.anonymous.withToken(fresh.body.access_token).get('/auth/me')).toHaveStatus(401);
    });

    it('makes one new pair at most of 50 parallel uses', async () => {
      const { refresh_token } = await t.make.signedIn('trainer', gym.id);
      const answers = await times(50, () => refresh(refresh_token));
      expect(statuses(answers)).toEqual([200, ...Array<number>(49).fill(401)]);
      const winner = answers.find(({ status }) => status === 200)!;
      expect(await refresh(winner.body.refresh_token)).toHaveStatus(401);
    });

    it('refuses an access token, a forged one and one of another server', async () => {
      const { access_token, refresh_token } = await t.make.signedIn('trainer', gym.id);
      const [head, claims] = refresh_token.split('.');
      const unsigned = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
      for (const token of [access_token, `${head}.${claims}.AAAA`, `${unsigned}.${claims}.`, 'nonsense', '']) {
        expect([401, 422]).toContain((await refresh(token)).status);
      }
      expect(await t.anonymous.withToken(refresh_token).get('/auth/me')).toHaveStatus(401);
    });
  });

  describe('change-password', () => {
    const change = (client: typeof t.anonymous, current: string, next: string) =>
      client.post('/auth/change-password', { current_password: current, new_password: next });

    it('ends all other sessions and keeps this one', async () => {
      const person = await t.make.person('trainer', gym.id);
      const [here, there] = [await t.make.signIn(person), await t.make.signIn(person)];
      expect(await change(here.client, PASSWORD, 'a new password')).toHaveStatus(204);
      expect(await here.client.get('/auth/me')).toHaveStatus(200);
      expect(await there.client.get('/auth/me')).toHaveStatus(401);
      expect(await refresh(there.refresh_token)).toHaveStatus(401);
      expect(await login({ email: person.email, password: PASSWORD })).toHaveStatus(401);
      expect(await login({ email: person.email, password: 'a new password' })).toHaveStatus(200);
    });

    it('wants the current password, and another one', async () => {
      const { client } = await t.make.signedIn('trainer', gym.id);
      expect(await change(client, 'wrong', 'a new password')).toMatchObject({
        status: 422,
        body: { code: 'wrong_password', errors: [{ field: 'current_password' }] },
      });
      expect(await change(client, PASSWORD, PASSWORD)).toHaveWrongFields('new_password');
    });

    it('of two at once lets one win', async () => {
      const person = await t.make.person('trainer', gym.id);
      const { client } = await t.make.signIn(person);
      const answers = await times(2, (index) => change(client, PASSWORD, `new password ${index}`));
      expect(statuses(answers)).toEqual([204, 422]);
    });

    it('is all that a person with a temporary password may do, and then the temporary one is gone', async () => {
      const { client, id } = await t.make.signedIn('user', gym.id, { must_change_password: true });
      await t.db.change(everyGym`UPDATE users SET temporary_password = 'sealed' WHERE id = ${id}`);
      expect((await client.get('/auth/me')).body.must_change_password).toBe(true);
      expect(await client.get('/gyms')).toBeRefused(403, 'password_change_required');
      expect(await change(client, PASSWORD, 'a new password')).toHaveStatus(204);
      expect(await client.get('/gyms')).toHaveStatus(200);
      const rows = await t.db.query(everyGym`SELECT temporary_password FROM users WHERE id = ${id}`);
      expect(rows).toEqual([{ temporary_password: null }]);
    });
  });

  describe('guessing', () => {
    it('slows down a person who guesses, and lets the owner in from where they are known', async () => {
      const careful = await startApp({ SIGN_IN_FAILURES_PER_ACCOUNT: '5', TRUST_PROXY_HOPS: '1' });
      try {
        const person = await careful.make.person('manager', gym.id);
        const from = (address: string, password: string) =>
          careful.anonymous.post('/auth/login', { email: person.email, password }, { 'x-forwarded-for': address });
        expect(await from('198.51.100.1', PASSWORD)).toHaveStatus(200);
        // A thousand machines with one guess each do not get more guesses than one machine.
        const guesses = await times(40, (index) => from(`203.0.113.${index}`, `guess ${index}`));
        expect(statuses(guesses).filter((status) => status === 401).length).toBeLessThanOrEqual(6);
        const refused = guesses.find(({ status }) => status === 429)!;
        expect(refused).toBeRefused(429, 'too_many_requests');
        expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
        expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(360);
        expect(await from('203.0.113.200', PASSWORD)).toHaveStatus(429);
        expect(await from('198.51.100.1', PASSWORD)).toHaveStatus(200);
      } finally {
        await careful.close();
      }
    });

    it('slows down an address that tries one password on many accounts', async () => {
      const careful = await startApp({ SIGN_IN_FAILURES_PER_ADDRESS: '5', TRUST_PROXY_HOPS: '1' });
      try {
        const spray = () =>
          careful.anonymous.post(
            '/auth/login',
            { email: `${unique('x')}@example.com`, password: 'Winter2026' },
            { 'x-forwarded-for': '192.0.2.77' },
          );
        const answers = statuses(await times(20, spray));
        expect(answers.filter((status) => status === 401).length).toBeLessThanOrEqual(6);
        expect(answers.filter((status) => status === 429).length).toBeGreaterThanOrEqual(14);
      } finally {
        await careful.close();
      }
    });

    it('does not believe an X-Forwarded-For that no proxy of ours wrote', async () => {
      const careful = await startApp({ SIGN_IN_FAILURES_PER_ACCOUNT: '3' });
      try {
        const person = await careful.make.person('manager', gym.id);
        const answers = await times(10, (index) =>
          careful.anonymous.post(
            '/auth/login',
            { email: person.email, password: 'guess' },
            { 'x-forwarded-for': `233.252.0.${index}` },
          ),
        );
        expect(statuses(answers).filter((status) => status === 429).length).toBeGreaterThanOrEqual(6);
        const rows = await careful.db.query<{ key: string }>(
          everyGym`SELECT key FROM attempt_budgets WHERE key LIKE '%233.252.0%'`,
        );
        expect(rows).toEqual([]);
      } finally {
        await careful.close();
      }
    });
  });

  it('keeps access tokens good until sign-out if they must not expire', async () => {
    const endless = await startApp({ ACCESS_TOKEN_EXPIRE_MINUTES: '0' });
    try {
      const person = await endless.make.person('trainer', gym.id);
      const { body } = await endless.anonymous.post('/auth/login', { email: person.email, password: PASSWORD });
      expect(body.expires_in).toBeNull();
      const claims = JSON.parse(Buffer.from(body.access_token.split('.')[1], 'base64url').toString());
      expect(claims.exp).toBeUndefined();
      const client = endless.anonymous.withToken(body.access_token);
      expect((await client.get('/auth/sessions')).body[0].expires_at).toBeNull();
      expect(await client.post('/auth/logout')).toHaveStatus(205);
      expect(await client.get('/auth/me')).toHaveStatus(401);
    } finally {
      await endless.close();
    }
  });

  it('never lets a password into an answer or the database as it is', async () => {
    const secret = `planted ${unique('secret')}`;
    const email = `${unique('new')}@example.com`;
    const registered = await t.anonymous.post('/auth/register', { email, password: secret });
    const signedIn = await login({ email, password: secret });
    expect(JSON.stringify([registered.body, signedIn.body])).not.toContain(secret);
    const [row] = await t.app
      .get(Database)
      .query<{ row: string }>(everyGym`SELECT to_jsonb(u)::text AS row FROM users u WHERE email = ${email}`);
    expect(row!.row).not.toContain(secret);
  });
});

/** Asks until the answer is an error of the client's, or for a second. */
async function until(ask: () => Promise<number>): Promise<number> {
  const deadline = Date.now() + 1000;
  let status = await ask();
  while (status < 400 && Date.now() < deadline) status = await ask();
  return status;
}
