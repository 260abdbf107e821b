import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { type Route, RouteTable } from '../../src/common/actor/route-table.js';
import { everyGym } from '../../src/database/sql.js';
import { startApp, type TestApp } from '../support/app.js';
import { type SignedIn, unique } from '../support/factory.js';
import { type Answer } from '../support/http-client.js';
import { routeCases } from '../support/route-cases.js';
import { book, cancel, SOON } from '../support/slots.js';
import { SocketClient } from '../support/socket-client.js';
import { makeWorld, type World } from '../support/world.js';

/**
 * What is not refused to a member though it is tried as for another one, and why. Every other route that lets members in
 * must answer 403 or 404 about another member of the same gym: a new one that does not is named by the test below.
 */
const NOT_ABOUT_ANOTHER: Record<string, string> = {
  'GET gyms': 'the gyms are known to all',
  'GET gyms/active': 'the gyms are known to all',
  'GET gyms/:gym_id': 'the gyms are known to all',
  'GET plans': 'what can be bought',
  'GET plans/active': 'what can be bought',
  'GET plans/:plan_id': 'what can be bought',
  'GET auth/me': 'oneself',
  'GET auth/sessions': 'one’s own',
  'POST auth/logout': 'one’s own session',
  'POST auth/change-password': 'one’s own',
  'GET user-plans': 'one’s own',
  'GET attendance': 'one’s own',
  'GET measurements': 'one’s own',
  'GET slots': 'which hours are taken, and not by whom',
  'GET slots/current': 'which hour is taken, and not by whom',
  'GET slots/mine': 'one’s own',
  'GET slots/settings': 'when the gym is open',
  'POST slots/:slot_id/book': 'for oneself; for another see below',
  'GET accounts': 'the username and the profiles, by which members know each other',
  'GET accounts/:account_id': 'the username and the profiles',
  'GET accounts/:account_id/profiles': 'the profiles',
  'GET courses': 'what trainers offer to all',
  'GET courses/for-trainees': 'what trainers offer to all',
  'GET courses/:course_id': 'what trainers offer to all',
  'GET courses/:course_id/detail': 'what trainers offer to all',
  'GET courses/mine': 'one’s own',
  'GET chat/conversations': 'one’s own',
  'POST chat/conversations/start': 'with a person of the gym, who is known by the username',
  'POST courses/:course_id/enrol': 'for oneself',
  'DELETE courses/:course_id/enrol': 'for oneself',
};

/** Answers of these must show their owner the marks: or a leak of them could not be seen. */
const SHOWN_TO_THE_OWNER = [
  ...['GET auth/me', 'GET users/:user_id', 'GET members/:id/pass', 'GET user-plans', 'GET user-plans/:id'],
  ...['GET user-plans/user/:user_id', 'GET user-plans/user/:user_id/active', 'GET attendance/user/:user_id'],
  ...['GET attendance', 'GET measurements', 'GET measurements/user/:user_id', 'GET slots', 'GET slots/current'],
];

interface Operation {
  method: string;
  path: string;
  roles: string[];
  parameters: { name: string; in: string }[];
  body: string[];
}

describe('a member', () => {
  let t: TestApp;
  let world: World;
  /** Of another member of the gym: in all that is theirs. */
  let mark: string;
  let another: SignedIn;
  /** The gym as seen from them: what is done with its member is done with them. */
  let theirs: World;
  let routes: Route[];
  let operations: Operation[];

  beforeAll(async () => {
    t = await startApp({ SIGN_IN_FAILURES_PER_ACCOUNT: '1000' });
    world = await makeWorld(t);
    const { gym, plan, people } = world.own;
    mark = unique('another');
    // By the username members know each other, and nothing else.
    const username = unique('known');
    const named = { full_name: `Name ${mark}`, username, document_id: mark, email: `${mark}@example.com` };
    another = await t.make.signedIn('user', gym.id, { ...named, phone_number: '+1 555 0123 456' });
    const userPlan = await t.make.userPlan(another, plan);
    await t.make.visit(another);
    await t.make.measurement(another, { notes: mark, weight: 81.37 });
    await book(another.client, 9);
    theirs = { ...world, own: { ...world.own, people: { ...people, user: another }, userPlan } };
    routes = t.app.get(RouteTable).routes.filter(({ access }) => access.roles?.includes('user'));
    operations = await documented();
  });
  afterAll(async () => {
    SocketClient.closeAll();
    await t.close();
  });

  const nameOf = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;
  const newMember = () => t.make.signedIn('user', world.own.gym.id);
  const seen = ({ body, headers }: Answer) => JSON.stringify([body, ...headers]);

  /** What openapi.json says of the routes for members. */
  async function documented(): Promise<Operation[]> {
    const { paths, components } = (await t.anonymous.get(`${t.url}/openapi.json`)).body as OpenAPIObject;
    return Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item as Record<string, any>).map(([method, operation]) => {
        const reference = operation.requestBody?.content['application/json']?.schema.$ref as string | undefined;
        const schema: any = reference && components!.schemas![reference.split('/').at(-1)!];
        return {
          method: method.toUpperCase(),
          path: path.replace('/api/v1/', '').replace(/\{(\w+)\}/g, ':$1'),
          roles: operation['x-roles'],
          parameters: operation.parameters,
          body: Object.keys(schema?.properties ?? {}),
        };
      }),
    );
  }

  it('is let into routes that are all tried here', () => {
    const names = routes.map(nameOf);
    expect(names.filter((name) => !routeCases[name])).toEqual([]);
    expect(Object.keys(NOT_ABOUT_ANOTHER).filter((name) => !names.includes(name))).toEqual([]);
    expect(names.length - Object.keys(NOT_ABOUT_ANOTHER).length).toBeGreaterThan(15);
  });

  it('gets nothing of another member by any of them', async () => {
    const before = await t.db.query(everyGym`SELECT * FROM users WHERE id = ${another.id}`);
    const answered: Record<string, number> = {};
    for (const route of routes) {
      const { client } = await newMember();
      const { path, body } = await routeCases[nameOf(route)]!.call(theirs, 'user');
      const answer = await client.send(route.method, path, body);
      expect(seen(answer)).not.toContain(mark);
      if (!NOT_ABOUT_ANOTHER[nameOf(route)]) answered[nameOf(route)] = answer.status;
    }
    expect(Object.entries(answered).filter(([, status]) => status !== 403 && status !== 404)).toEqual([]);
    expect(await t.db.query(everyGym`SELECT * FROM users WHERE id = ${another.id}`)).toEqual(before);
  });

  it('would get something, if it leaked: the other member gets it', async () => {
    const shown: string[] = [];
    for (const route of routes.filter(({ method }) => method === 'GET')) {
      const { client } = await t.make.signIn(another);
      const { path } = await routeCases[nameOf(route)]!.call(theirs, 'user');
      const answer = await client.get(path);
      expect(answer).toHaveStatus(200);
      if (seen(answer).includes(mark)) shown.push(nameOf(route));
    }
    expect(shown).toEqual(expect.arrayContaining(SHOWN_TO_THE_OWNER));
  });

  it('gets nothing by a filter that names another', async () => {
    const filtered = operations.filter(
      ({ method, roles, parameters }) =>
        method === 'GET' &&
        roles.includes('user') &&
        parameters.some(({ name, in: place }) => place === 'query' && name === 'user_id'),
    );
    expect(filtered.map(nameOf)).toEqual(expect.arrayContaining(['GET attendance', 'GET measurements']));
    const { client } = await newMember();
    for (const operation of filtered) {
      const { path } = await routeCases[nameOf(operation)]!.call(theirs, 'user');
      const answer = await client.get(`${path}${path.includes('?') ? '&' : '?'}user_id=${another.id}`);
      if (answer.status === 200) expect(answer.body).toEqualFor(operation, []);
      else expect([403, 404]).toContain(answer.status);
    }
  });

  it('does nothing for another who is named in what is sent', async () => {
    const sending = operations.filter(({ roles, body }) => roles.includes('user') && body.includes('user_id'));
    expect(sending.map(nameOf)).toEqual(
      expect.arrayContaining(['POST slots/:slot_id/book', 'POST slots/:slot_id/cancel']),
    );
    const { client } = await newMember();
    for (const operation of sending) {
      const { path, body } = await routeCases[nameOf(operation)]!.call(theirs, 'user');
      const answer = await client.send(operation.method, path, { ...(body as object), user_id: another.id });
      expect(answer).toHaveStatus(403);
      expect(seen(answer)).not.toContain(mark);
    }
    const { client: theirClient } = await t.make.signIn(another);
    expect((await theirClient.get('/slots/mine')).body.some(({ slot_id }: any) => slot_id === 9)).toBe(true);
  });

  it('reads and changes what is their own', async () => {
    const { gym, people } = world.own;
    const sessions = await t.make.plan(gym.id, { session_count: 8 });
    const me = await newMember();
    const desk = people.reception.client;
    const { body: userPlan } = await desk.post('/user-plans', { user_id: me.id, plan_id: sessions.id });
    await desk.post(`/user-plans/${userPlan.id}/deduct`);
    await desk.post('/attendance', { user_id: me.id });
    for (const weight of [82.5, 80]) {
      await people.trainer.client.post('/measurements', { user_id: me.id, weight });
    }
    const get = async (path: string) => {
      const answer = await me.client.get(path);
      expect(answer).toHaveStatus(200);
      return answer.body;
    };

    const contact = { email: `${unique('me')}@example.com`, username: unique('me'), phone_number: '+1 555 0990' };
    const changed = await me.client.put(`/users/${me.id}`, { ...contact, language: 'es' });
    expect(changed).toMatchObject({ status: 200, body: { ...contact, language: 'es' } });
    expect(await get(`/users/${me.id}`)).toMatchObject({ ...contact, language: 'es' });
    expect(await get('/auth/me')).toMatchObject({ ...contact, id: me.id });
    const whole = await get(`/users/${me.id}`);
    expect(await me.client.put(`/users/${me.id}`, whole)).toHaveStatus(200);

    const plan = { id: userPlan.id, remaining_sessions: 7, status: 'active' };
    expect(await get(`/user-plans/user/${me.id}/active`)).toMatchObject(plan);
    expect(await get(`/user-plans/${userPlan.id}`)).toMatchObject(plan);
    for (const list of ['/user-plans', `/user-plans/user/${me.id}`]) expect(await get(list)).toMatchObject([plan]);

    expect(await get(`/attendance/user/${me.id}`)).toMatchObject([{ user_id: me.id, status: 'checked_in' }]);
    expect(await get(`/attendance/user/${me.id}/summary`)).toMatchObject({ total_visits: 1, is_inside: true });
    expect(await get(`/measurements/user/${me.id}`)).toHaveLength(2);
    expect(await get(`/measurements/user/${me.id}/latest`)).toMatchObject({ weight: 80 });
    const { fields } = await get(`/measurements/user/${me.id}/progress`);
    expect(fields.weight).toMatchObject({ start: 82.5, current: 80, change: -2.5 });
    expect(await get(`/measurements/user/${me.id}/progress.svg`)).toContain('<svg');

    expect(await book(me.client, 21)).toHaveStatus(201);
    expect(await get('/slots/mine')).toMatchObject([{ slot_id: 21, date: SOON }]);
    expect(await cancel(me.client, 21)).toHaveStatus(200);
    expect((await me.client.get('/slots/mine')).body).toEqual([]);

    const pass = await get(`/members/${me.id}/pass`);
    expect(pass).toMatchObject({ user_id: me.id, temporary_password: null, password_changed: true });
    expect(await get(`/members/${me.id}/qr.svg`)).toContain('<svg');
    const { body: fresh } = await me.client.post(`/members/${me.id}/regenerate-qr`);
    expect(fresh.qr_code).not.toBe(pass.qr_code);
  });
});
