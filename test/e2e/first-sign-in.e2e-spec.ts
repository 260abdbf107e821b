import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROLES } from '../../src/common/actor/roles.js';
import { RouteTable } from '../../src/common/actor/route-table.js';
import { everyGym } from '../../src/database/sql.js';
import { MessageTable } from '../../src/realtime/message-table.js';
import { tally, times } from '../support/answers.js';
import { startApp, type TestApp } from '../support/app.js';
import { PASSWORD, unique } from '../support/factory.js';
import type { HttpClient } from '../support/http-client.js';
import { routeCases } from '../support/route-cases.js';
import { SocketClient } from '../support/socket-client.js';
import { type GymWorld, makeWorld, type World } from '../support/world.js';

/** What may be done before a temporary password has been changed, and nothing else. */
const BEFORE = ['GET auth/me', 'POST auth/change-password', 'POST auth/logout'];

/** The way of a member from the password that the desk gave to one of their own. */
describe('the first sign-in', () => {
  let t: TestApp;
  let world: World;
  let own: GymWorld;
  let desk: HttpClient;
  beforeAll(async () => {
    t = await startApp({ SIGN_IN_FAILURES_PER_ACCOUNT: '1000', SIGN_IN_FAILURES_PER_ADDRESS: '100000' });
    world = await makeWorld(t);
    own = world.own;
    desk = own.people.reception.client;
  });
  afterAll(async () => {
    SocketClient.closeAll();
    await t.close();
  });

  /** A member with a plan and a temporary password. */
  async function newcomer() {
    const name = unique('first');
    const phone = `+1 555 ${Math.floor(1e9 * Math.random()) + 1e9}`;
    const person = { email: `${name}@example.com`, username: name, phone_number: phone, full_name: name };
    const asked = { ...person, document_id: name, plan_id: own.plan.id, issue_temporary_password: true };
    const { status, body } = await desk.post('/users/with-plan', asked);
    expect(status).toBe(201);
    const pass = (await desk.get(`/members/${body.id}/pass`)).body;
    return { ...person, id: body.id as number, password: pass.temporary_password as string };
  }
  type Newcomer = Awaited<ReturnType<typeof newcomer>>;

  const login = (who: Partial<Newcomer>) => t.anonymous.post('/auth/login', who);
  const signIn = async ({ email, password }: Newcomer) => {
    const { status, body } = await login({ email, password });
    expect(status).toBe(200);
    return t.anonymous.withToken(body.access_token);
  };
  const passOf = async ({ id }: Newcomer) => (await desk.get(`/members/${id}/pass`)).body;
  const storedPassword = async ({ id }: Newcomer) =>
    (await t.db.query(everyGym`SELECT temporary_password, must_change_password FROM users WHERE id = ${id}`))[0];
  const change = (client: HttpClient, from: string, to: string) =>
    client.post('/auth/change-password', { current_password: from, new_password: to });

  it('is by phone, email or username, and says that the password must be changed', async () => {
    const { id, email, username, phone_number, password } = await newcomer();
    for (const who of [{ email }, { username }, { phone_number }, { phone_number: phone_number.replace(/ /g, '-') }]) {
      const { status, body } = await login({ ...who, password });
      expect({ status, ...body }).toMatchObject({ status: 200, must_change_password: true, role: 'user' });
      expect(body.account.id).toBe(id);
    }
    expect(await login({ email, password: password.toLowerCase() })).toBeRefused(401, 'wrong_credentials');
  });

  it('opens no route but to see oneself, to sign out and to change the password; of all routes, for all roles', async () => {
    const routes = t.app.get(RouteTable).routes.filter(({ access }) => access.roles !== null);
    const before = routes.filter(({ access }) => access.beforePasswordChange);
    expect(before.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(BEFORE);
    const calls = [];
    for (const route of routes.filter(({ access }) => !access.beforePasswordChange)) {
      calls.push({ ...route, call: await routeCases[`${route.method} ${route.path}`]!.call(world, 'admin') });
    }
    expect(calls.length).toBeGreaterThan(70);
    for (const role of ROLES) {
      const { client, id } = await t.make.signedIn(role, own.gym.id, { must_change_password: true });
      for (const { method, access, call } of calls) {
        const answer = await client.send(method, call.path, call.body);
        const isOf = access.roles!.includes(role);
        expect(answer).toBeRefused(403, isOf ? 'password_change_required' : 'role_not_allowed');
      }
      expect((await client.get('/auth/me')).body).toMatchObject({ id, must_change_password: true });
      expect(await client.post('/auth/logout')).toHaveStatus(205);
      expect(await client.get('/auth/me')).toHaveStatus(401);
    }
  });

  it('opens no socket', async () => {
    const namespaces = [...t.app.get(MessageTable).namespaces.keys()];
    expect(namespaces.length).toBeGreaterThan(2);
    for (const role of ROLES) {
      const { access_token: token } = await t.make.signedIn(role, own.gym.id, { must_change_password: true });
      for (const namespace of namespaces) {
        expect(await SocketClient.refused(t.url, namespace, { token })).toBeRefused(4003);
      }
      const later = await SocketClient.connect(t.url, '/checkins');
      expect(await later.ask('authenticate', { token })).toBeRefused('password_change_required');
    }
  });

  it('ends with a password of their own: the temporary one is gone, and all is open', async () => {
    const member = await newcomer();
    const client = await signIn(member);
    expect(await client.get('/user-plans')).toBeRefused(403, 'password_change_required');
    expect(await storedPassword(member)).toEqual({
      temporary_password: expect.any(String),
      must_change_password: true,
    });
    expect(await change(client, member.password, 'a password of mine')).toHaveStatus(204);
    expect(await storedPassword(member)).toEqual({ temporary_password: null, must_change_password: false });
    expect(await passOf(member)).toMatchObject({ temporary_password: null, password_changed: true });
    expect((await client.get(`/members/${member.id}/pass`)).body.password_changed).toBe(true);
    expect(await client.get('/user-plans')).toHaveStatus(200);
    expect(await login({ email: member.email, password: member.password })).toBeRefused(401, 'wrong_credentials');
    const again = await login({ email: member.email, password: 'a password of mine' });
    expect(again.body).toMatchObject({ must_change_password: false });
  });

  it('is not over with a wrong or the same password', async () => {
    const member = await newcomer();
    const client = await signIn(member);
    expect(await change(client, 'AA22AA', 'a password of mine')).toBeRefused(422, 'wrong_password');
    expect(await change(client, member.password, member.password)).toHaveWrongFields('new_password');
    expect(await client.get('/user-plans')).toBeRefused(403, 'password_change_required');
    expect(await passOf(member)).toMatchObject({ temporary_password: member.password, password_changed: false });
  });

  it('of ten changes at once takes one', async () => {
    const member = await newcomer();
    const client = await signIn(member);
    const wanted = Array.from({ length: 10 }, (_, index) => `a password of mine ${index}`);
    const answers = await times(10, (index) => change(client, member.password, wanted[index]!));
    expect(tally(answers)).toEqual({ 204: 1, 422: 9 });
    const working = await Promise.all(
      [member.password, ...wanted].map(async (password) => (await login({ email: member.email, password })).status),
    );
    expect(working).toEqual([401, ...answers.map(({ status }) => (status === 204 ? 200 : 401))]);
  });

  it('ends elsewhere with the change: two sessions that change at once leave one', async () => {
    const member = await newcomer();
    const clients = [await signIn(member), await signIn(member)];
    const answers = await times(2, (index) => change(clients[index]!, member.password, `a password of mine ${index}`));
    const codes = answers.map(({ status }) => status);
    expect(codes.filter((status) => status === 204)).toHaveLength(1);
    const winner = codes.indexOf(204);
    expect([401, 422]).toContain(codes[1 - winner]);
    expect(await clients[winner]!.get('/auth/me')).toHaveStatus(200);
    expect(await clients[1 - winner]!.get('/auth/me')).toHaveStatus(401);
  });

  it('is again, if a reset comes at the same time as the change and is the later one', async () => {
    const outcomes = new Set<string>();
    for (let round = 0; round < 12; round++) {
      const member = await newcomer();
      const client = await signIn(member);
      const [, reset] = await Promise.all([
        change(client, member.password, 'a password of mine'),
        desk.post(`/members/${member.id}/reset-password`),
      ]);
      expect(reset).toHaveStatus(200);
      // Whatever was first, the reset has the last word: a change needs the password that was proved.
      const { temporary_password: password, password_changed } = await passOf(member);
      outcomes.add(`${password !== null} ${password_changed}`);
      expect(await login({ email: member.email, password })).toHaveStatus(200);
      for (const dead of [member.password, 'a password of mine']) {
        expect(await login({ email: member.email, password: dead })).toHaveStatus(401);
      }
      expect(await client.get('/auth/me')).toHaveStatus(401);
    }
    expect(outcomes).toEqual(new Set(['true false']));
  });

  it('is spared to a member who gets a lasting password from a manager', async () => {
    const member = await newcomer();
    const client = await signIn(member);
    const put = await own.people.manager.client.put(`/users/${member.id}`, { password: PASSWORD });
    expect(put).toHaveStatus(200);
    expect(await storedPassword(member)).toEqual({ temporary_password: null, must_change_password: false });
    expect(await passOf(member)).toMatchObject({ temporary_password: null, password_changed: true });
    expect(await client.get('/auth/me')).toHaveStatus(401);
    expect(await login({ email: member.email, password: member.password })).toHaveStatus(401);
    expect((await login({ email: member.email, password: PASSWORD })).body.must_change_password).toBe(false);
  });
});
