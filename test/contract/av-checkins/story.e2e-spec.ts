import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { everyGym } from '../../../src/database/sql.js';
import { startApp, type TestApp } from '../../support/app.js';
import { PASSWORD, type SignedIn, unique } from '../../support/factory.js';
import { PlainClient } from '../../support/plain-client.js';
import { plain } from '../../support/plain-http.js';
import { SocketClient } from '../../support/socket-client.js';

describe('a desk that works with av-checkins', () => {
  let t: TestApp;
  let desk: SignedIn;
  let gymId: number;
  const error = (text: string) => ({ success: false, error: text, detail: text, message: text });
  const signIn = (username: unknown, password: unknown = PASSWORD) =>
    plain('POST', `${t.url}/api/auth/token/`, { body: { username, password } });
  const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());

  beforeAll(async () => {
    t = await startApp({ ACCESS_TOKEN_EXPIRE_MINUTES: '0', CORS_ORIGINS: '*' });
    gymId = (await t.make.gym()).id;
    const username = unique('desk');
    desk = await t.make.signedIn('reception', gymId, { username, phone_number: '+1 555 77 12 98' });
  });
  afterAll(async () => {
    PlainClient.closeAll();
    SocketClient.closeAll();
    await t.close();
  });

  it('signs in, sees the screens, checks a member in and out, and goes home', async () => {
    const { status, body: tokens } = await signIn(desk.email);
    expect(status).toBe(200);
    expect(tokens).toEqual({ access: expect.any(String), refresh: expect.any(String) });
    const { iat, exp } = claimsOf(tokens.access);
    expect(exp - iat).toBe(12 * 3_600);
    expect(claimsOf(tokens.refresh).exp - claimsOf(tokens.refresh).iat).toBe(2 * 86_400);
    const call = (method: string, path: string, body?: unknown, token = tokens.access) =>
      plain(method, `${t.url}/api/${path}`, { token, body, headers: { origin: 'https://page.example' } });
    const me = await call('GET', 'auth/me/');
    expect(me.body).toMatchObject({ id: String(desk.id), role: 'FRONT_DESK' });
    expect(me.headers.get('access-control-allow-origin')).toBe('https://page.example');
    expect(me.headers.get('access-control-allow-credentials')).toBe('true');

    const socket = await PlainClient.open(`${t.url}/ws/checkins/?token=${tokens.access}`);
    const before = (await socket.next('initial_stats')).payload;
    const added = await call('POST', 'members/', { full_name: 'Ana Souza', phone: '+1 555 0188' });
    expect(added.status).toBe(201);
    const plan = await t.make.plan(gymId, { name: unique('Monthly') });
    await desk.client.post('/user-plans', { user_id: Number(added.body.id), plan_id: plan.id });
    const found = await call('GET', 'members/search/?q=souza');
    expect(found.body[0].id).toBe(added.body.id);

    const checkIn = { type: 'check_in', payload: { memberId: found.body[0].membership_number } };
    const { payload: visit } = await socket.ask(checkIn, 'check_in_success');
    expect(visit.member).toMatchObject({ id: added.body.id, full_name: 'Ana Souza', membership_type: plan.name });
    const update = await socket.next('check_in_update');
    expect(update.payload).toMatchObject({ currentlyIn: before.currentlyIn + 1, todayTotal: before.todayTotal + 1 });
    expect((await call('GET', 'checkins/recent/')).body[0]).toEqual(visit);
    expect((await call('GET', 'checkins/history/?status=in&page=0')).body.checkIns[0]).toEqual(update.payload.checkIn);
    const { payload: out } = await socket.ask(
      { type: 'check_out', payload: { checkInId: visit.id } },
      'check_out_success',
    );
    expect((await call('GET', `members/${added.body.id}/checkins/`)).body).toEqual([out]);
    expect((await call('GET', 'checkins/stats/')).body.currentlyIn).toBe(before.currentlyIn);
    expect((await call('GET', 'admin/stats/')).body.finance.today_revenue).toBe(0);
    const { body: ending } = await call('GET', 'notifications/dashboard/expiring_memberships/');
    expect(ending.upcoming_expirations.map(({ member }: any) => member.id)).toContain(added.body.id);

    // The same refresh token again and again.
    for (let n = 0; n < 3; n++) {
      const fresh = await call('POST', 'auth/token/refresh/', { refresh: tokens.refresh });
      expect(fresh.body).toEqual({ access: expect.any(String) });
      expect((await call('GET', 'auth/me/', undefined, fresh.body.access)).status).toBe(200);
    }
    await t.anonymous.withToken(tokens.access).post('/auth/logout', {});
    expect(await socket.closed).toBe(4001);
    expect((await call('GET', 'auth/me/')).status).toBe(401);
    expect((await call('POST', 'auth/token/refresh/', { refresh: tokens.refresh })).status).toBe(401);
  });

  it('is let in by any name, and not by a wrong password, as a member, or when inactive', async () => {
    const { body: account } = await desk.client.get('/auth/me');
    for (const name of [desk.email.toUpperCase(), account.username, '1 (555) 771298']) {
      expect((await signIn(name)).status).toEqualFor(name, 200);
    }
    const member = await t.make.person('user', gymId);
    const inactive = await t.make.person('reception', gymId, { is_active: false });
    const refusal = error('No active account found with the given credentials');
    for (const [name, password] of [
      [desk.email, 'wrong password'],
      [unique('none'), PASSWORD],
      [member.email, PASSWORD],
      [inactive.email, PASSWORD],
    ]) {
      expect(await signIn(name, password)).toMatchObject({ status: 401, body: refusal });
    }
    for (const [name, password] of [[undefined], [desk.email, ''], ['', PASSWORD], [7], [desk.email, 7]]) {
      expect((await signIn(name, password)).status).toBe(400);
    }
    expect(await t.db.query(everyGym`SELECT id FROM sessions WHERE user_id = ${member.id}`)).toEqual([]);
    for (const refresh of [undefined, '', 'rubbish', 7, { token: 'x' }, desk.refresh_token, desk.access_token]) {
      const answer = await plain('POST', `${t.url}/api/auth/token/refresh/`, { body: { refresh } });
      expect(answer.status).toEqualFor(JSON.stringify(refresh), 401);
    }
  });

  it('has one token for all doors, and one from the public API is good here', async () => {
    const { body: tokens } = await signIn(desk.email);
    const app = await SocketClient.connect(t.url, '/checkins', { token: tokens.access });
    await app.next('initial_stats');
    expect((await t.anonymous.withToken(tokens.access).get('/auth/me')).body.id).toBe(desk.id);
    expect((await plain('GET', `${t.url}/api/checkins/stats/`, { token: desk.access_token })).status).toBe(200);
    const refreshed = await t.anonymous.post('/auth/refresh', { refresh_token: tokens.refresh });
    expect(refreshed.status).toBe(401);
  });

  it('is not there when the family is not wanted', async () => {
    const without = await startApp({ LEGACY_CLIENTS: 'rero-slots' });
    for (const path of ['/api/auth/token/', '/api/members/', '/api/checkins/stats/']) {
      const answer = await plain('GET', without.url + path, { token: desk.access_token });
      expect(answer).toMatchObject({ status: 404, body: error('Not found') });
    }
    expect(await PlainClient.status(`${without.url}/ws/checkins/`)).toBe(404);
    await without.close();
  });
});
