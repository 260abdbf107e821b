import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../../support/app.js';
import { PASSWORD, type SignedIn, unique } from '../../support/factory.js';
import { plain } from '../../support/plain-http.js';

/** What gymgem and flutter-app share: /api/auth. */
describe('signing in as old clients do', () => {
  let t: TestApp;
  let manager: SignedIn;
  let gymId: number;
  const call = (path: string, body?: unknown, headers?: Record<string, string>, token?: string) =>
    plain('POST', `${t.url}/api/auth/${path}`, { body, headers, token });
  const error = (text: string) => ({ success: false, error: text, detail: text, message: text });

  beforeAll(async () => {
    t = await startApp({ ACCESS_TOKEN_EXPIRE_MINUTES: '0' });
    gymId = (await t.make.gym()).id;
    manager = await t.make.signedIn('manager', gymId, { phone_number: '+1 555 12 34 98' });
  });
  afterAll(() => t.close());

  it('answers both families in one', async () => {
    const { status, body } = await call('login', { username: manager.email, password: PASSWORD });
    expect(status).toBe(200);
    expect(body).toEqual({
      access: expect.any(String),
      refresh: expect.any(String),
      account: {
        ...{ id: manager.id, username: manager.email, email: manager.email },
        ...{ profile_types: [], profiles: [], current_profile: null },
      },
      success: true,
      message: 'Login successful',
      data: {
        access_token: body.access,
        refresh_token: body.refresh,
        user: {
          ...{ id: manager.id, username: manager.email, full_name: expect.any(String), role: 'branch_manager' },
          ...{ branch_id: gymId, preferred_language: 'en' },
        },
      },
    });
    const claims = JSON.parse(Buffer.from(body.access.split('.')[1], 'base64url').toString());
    expect(claims.exp - claims.iat).toBe(12 * 3600);
    expect((await t.anonymous.withToken(body.access).get('/auth/me')).body.id).toBe(manager.id);
  });

  it('takes an email or a phone number, a slash at the end, and a name with either field', async () => {
    for (const who of [{ email: manager.email }, { phone: '15551234-98' }, { username: '+1 (555) 123498' }]) {
      expect((await call('login/', { ...who, password: PASSWORD, unknown: 7 })).body.account?.id).toBe(manager.id);
    }
    const admin = await t.make.signedIn('admin', null);
    expect((await call('login', { email: admin.email, password: PASSWORD })).body.data.user).toMatchObject({
      role: 'owner',
      branch_id: null,
    });
  });

  it('refuses in words that the apps understand', async () => {
    for (const body of [
      { username: manager.email, password: 'wrong' },
      { username: unique('none'), password: PASSWORD },
      { username: manager.email, password: 'x'.repeat(200) },
    ]) {
      expect(await call('login', body)).toMatchObject({ status: 401, body: error('Invalid credentials') });
    }
    for (const body of [{}, undefined, { username: manager.email }, { password: PASSWORD }, { username: null }]) {
      expect((await call('login', body)).status).toBe(400);
    }
    const text = await plain('POST', `${t.url}/api/auth/login`, {
      body: '',
      headers: { 'content-type': 'application/json' },
    });
    expect(text.status).toBe(400);
    expect((await call('login', '{')).body.success).toBe(false);
    expect(await call('nothing')).toMatchObject({ status: 404, body: error('Not found') });
  });

  it('gives a fresh token again and again, until the session ends', async () => {
    const { body } = await call('login', { username: manager.email, password: PASSWORD });
    for (const answer of [
      await call('refresh', undefined, { refresh: body.refresh }),
      await call('refresh/', { refresh: body.refresh }),
      await call('refresh', {}, { refresh: body.refresh }),
    ]) {
      expect(answer).toMatchObject({ status: 200, body: { access: expect.any(String) } });
      expect((await t.anonymous.withToken(answer.body.access).get('/auth/me')).status).toBe(200);
    }
    expect((await t.anonymous.post('/auth/refresh', { refresh_token: body.refresh })).status).toBe(401);
    expect(await call('logout', {}, { refresh: body.refresh }, body.access)).toMatchObject({ status: 205, body: '' });
    expect(await call('refresh', undefined, { refresh: body.refresh })).toMatchObject({ status: 401 });
    expect(await call('logout', undefined, {}, body.access)).toMatchObject({ status: 401, body: { success: false } });
    for (const bad of ['', 'rubbish', body.access]) expect((await call('refresh', { refresh: bad })).status).toBe(401);
  });
});
