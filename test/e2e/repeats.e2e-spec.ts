import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeviceKind } from '../../src/common/actor/actor.js';
import type { Role } from '../../src/common/actor/roles.js';
import { RouteTable } from '../../src/common/actor/route-table.js';
import { everyGym } from '../../src/database/sql.js';
import { MessageTable } from '../../src/realtime/message-table.js';
import { startApp, type TestApp } from '../support/app.js';
import { contents } from '../support/contents.js';
import { makeDevice } from '../support/device.js';
import { PASSWORD, unique } from '../support/factory.js';
import { messageCases } from '../support/message-cases.js';
import { routeCases } from '../support/route-cases.js';
import { SocketClient } from '../support/socket-client.js';
import { makeWorld, type World } from '../support/world.js';

/** What is not repeated here, and why. */
const NOT_REPEATABLE: Record<string, string> = {
  'POST auth/register': 'there is no account yet that a key could belong to: the second is refused (below)',
  'POST accounts': 'the same',
  'POST auth/login': 'each sign-in is a session of its own',
  'POST auth/forgot-password': 'each asks for a mail of its own, and gets three at most (mail.e2e-spec)',
  'POST auth/reset-password': 'a link is good once: the second is refused (mail.e2e-spec)',
  'POST auth/refresh': 'a token that is used again is stolen; within seconds it is a retry (auth.e2e-spec)',
  '/devices user_not_found': 'it is only written down: each finger that nobody knows is one',
  '/devices serial_output': 'what a board says is a stream: the same line twice is two lines',
  '/devices store_fingerprint': 'the template is sealed again; it stays the same finger (devices.e2e-spec)',
};

/** Everything that changes something, done twice: by itself it changes nothing the second time, or it takes a key. */
describe('a repetition', () => {
  let t: TestApp;
  let world: World;

  beforeAll(async () => {
    t = await startApp({ SIGN_IN_FAILURES_PER_ACCOUNT: '1000' });
    world = await makeWorld(t);
  });
  afterAll(async () => {
    SocketClient.closeAll();
    await t.close();
  });

  /** Later than what counts as the same scan at a door anyway. */
  const aMinuteLater = () =>
    t.db.change(everyGym`UPDATE access_events SET created_at = created_at - interval '1 minute'`);

  it('of a request changes nothing', async () => {
    const { paths } = (await (await fetch(`${t.url}/openapi.json`)).json()) as { paths: Record<string, any> };
    const takesKey = ({ method, path }: { method: string; path: string }) => {
      const operation = paths[`/api/v1/${path.replace(/:(\w+)/g, '{$1}')}`][method.toLowerCase()];
      return (operation.parameters as { name: string }[]).some(({ name }) => name === 'Idempotency-Key');
    };
    // A world of its own: signing in so often pushes the first sessions out.
    const acted = await makeWorld(t);
    const changing = t.app.get(RouteTable).routes.filter(({ method }) => method !== 'GET');
    const withoutCase = changing.map(({ method, path }) => `${method} ${path}`).filter((name) => !routeCases[name]);
    expect(withoutCase.filter((name) => !NOT_REPEATABLE[name])).toEqual([]);
    const withKey: string[] = [];
    for (const route of changing) {
      const name = `${route.method} ${route.path}`;
      if (NOT_REPEATABLE[name]) continue;
      const { call, success, answers } = routeCases[name]!;
      const role = route.access.roles!.find((one) => answers?.[one] === undefined)!;
      const { client } = await t.make.signIn(acted.own.people[role]);
      const { path, body } = await call(acted, role);
      const headers: Record<string, string> = takesKey(route) ? { 'idempotency-key': unique('key') } : {};
      const first = await client.send(route.method, path, body, headers);
      expect(first).toHaveStatus(success ?? (route.method === 'POST' ? 201 : 200));
      await aMinuteLater();
      const before = await contents(t.db);
      const second = await client.send(route.method, path, body, headers);
      expect(await contents(t.db)).toEqualFor(name, before);
      if (!takesKey(route)) continue;
      withKey.push(name);
      expect(second).toHaveStatus(first.status);
      expect(second.body).toEqualFor(name, first.body);
    }
    expect(withKey.length).toBeGreaterThan(15);
  });

  it('of a registration is refused, because the email is taken', async () => {
    const newcomer = { email: `${unique('new')}@example.com`, password: PASSWORD, gym_id: world.own.gym.id };
    expect(await t.anonymous.post('/auth/register', newcomer)).toHaveStatus(201);
    const before = await contents(t.db);
    expect(await t.anonymous.post('/auth/register', newcomer)).toBeRefused(409, 'email_taken');
    expect(await contents(t.db)).toEqual(before);
  });

  it('of a message changes nothing', async () => {
    /** With a key in each object that may want one. */
    const keyed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(keyed);
      if (typeof value !== 'object' || value === null) return value;
      const fields = Object.entries(value).map(([name, field]) => [name, keyed(field)]);
      return { ...Object.fromEntries(fields), idempotency_key: unique('key') };
    };
    for (const [namespace, { messages }] of t.app.get(MessageTable).namespaces) {
      for (const { event, access } of messages.values()) {
        const name = `${namespace} ${event}`;
        if (access.roles === null || NOT_REPEATABLE[name]) continue;
        const { before, payload, answers } = messageCases[name]!;
        const sender = (access.roles as (Role | DeviceKind)[]).find((one) => answers?.[one] === undefined)!;
        const auth =
          sender in world.own.people
            ? { token: world.own.people[sender as Role].access_token }
            : { device_key: (await makeDevice(world.own.people.manager.client, sender as DeviceKind)).device_key };
        const socket = await SocketClient.connect(t.url, namespace, auth);
        await before?.(socket, world);
        const sent = keyed(await payload?.(world, sender));
        const first = await socket.ask(event, sent);
        expect(first).toSucceed();
        await aMinuteLater();
        const stored = await contents(t.db);
        const second = await socket.ask(event, sent);
        expect(second).toSucceed();
        // It stays open: what the server does when it has gone would be taken for the next message's.
        expect(await contents(t.db)).toEqualFor(name, stored);
      }
    }
  });

  it('would be seen: without a key the same sells, deducts and delivers again', async () => {
    const { client } = world.own.people.admin;
    for (const name of ['POST sales', 'POST user-plans/:id/deduct', 'PUT products/:product_id/stock']) {
      const { path, body } = await routeCases[name]!.call(world, 'admin');
      await client.send(name.split(' ')[0]!, path, body);
      const before = await contents(t.db);
      await client.send(name.split(' ')[0]!, path, body);
      expect(await contents(t.db)).not.toEqualFor(name, before);
    }
  });

  describe('with a key', () => {
    const key = () => ({ 'idempotency-key': unique('key') });
    const newMember = () => t.make.person('user', world.own.gym.id);
    const sell = async (userId: number, headers: Record<string, string>, client = world.own.people.manager.client) =>
      client.post('/user-plans', { user_id: userId, plan_id: world.own.plan.id }, headers);

    it('is known by its meaning, not by its letters', async () => {
      const { client } = world.own.people.manager;
      const [headers, { id }] = [key(), await newMember()];
      const [user, plan] = [`"user_id": ${id}`, `"plan_id": ${world.own.plan.id}`];
      const first = await client.post('/user-plans', `{${user}, ${plan}}`, headers);
      expect(first).toHaveStatus(201);
      for (const same of [`{${plan},${user}}`, `{"user_id":"${id}","start":null,${plan}}`]) {
        expect((await client.post('/user-plans', same, headers)).body).toEqual(first.body);
      }
      const more = await client.post('/user-plans', `{${user}, ${plan}, "purchased_price": 1}`, headers);
      expect(more).toBeRefused(422, 'idempotency_key_reused');
    });

    it('gets back what people typed as they typed it, also what looks like a moment', async () => {
      const { client } = world.own.people.manager;
      const [headers, { id }] = [key(), await newMember()];
      const visit = { user_id: id, notes: '2024-02-30T10:00:00.000Z', location: '2024-13-01T10:00:00.000Z' };
      const first = await client.post('/attendance', visit, headers);
      expect(first).toMatchObject({ status: 201, body: visit });
      expect((await client.post('/attendance', visit, headers)).body).toEqual(first.body);
    });

    it('of a path is known, too', async () => {
      const { client } = world.own.people.manager;
      const headers = key();
      const [one, two] = [await t.make.product(world.own.gym.id), await t.make.product(world.own.gym.id)];
      const put = (path: string) => client.send('PUT', path, { change: 5 }, headers);
      expect((await put(`/products/${one.id}/stock`)).body.quantity).toBe(15);
      expect((await put(`/products/0${one.id}/stock`)).body.quantity).toBe(15);
      expect(await put(`/products/${two.id}/stock`)).toBeRefused(422, 'idempotency_key_reused');
    });

    it('keeps nothing from which a password could be guessed', async () => {
      const { client } = world.own.people.admin;
      const person = {
        ...{ email: `${unique('x')}@example.com`, full_name: 'X', role: 'trainer' },
        gym_id: world.own.gym.id,
      };
      const details = { ...person, document_id: unique('x'), phone_number: '12345' };
      const headers = key();
      const hire = (password: string) => client.post('/users/admin-trainer', { ...details, password }, headers);
      const first = await hire(PASSWORD);
      // The password is no part of what is compared, so nothing that is stored depends on it.
      expect((await hire('another password')).body).toEqual(first.body);
    });

    it('20 times at once moves a stock once', async () => {
      const { client } = world.own.people.manager;
      const [{ id }, headers] = [await t.make.product(world.own.gym.id), key()];
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => client.send('PUT', `/products/${id}/stock`, { change: -3 }, headers)),
      );
      expect(new Set(answers.map(({ status, body }) => `${status} ${body.quantity}`))).toEqual(new Set(['200 7']));
      expect((await client.all(`/products/${id}/movements`)).map(({ change }) => change)).toEqual([-3, 10]);
    });

    it('shows a new device its key again, which is stored nowhere', async () => {
      const { client } = world.own.people.manager;
      const headers = key();
      const create = () => client.post('/devices', { name: unique('Door'), kind: 'qr' }, headers);
      const device = { name: unique('Door'), kind: 'qr' };
      const first = await client.post('/devices', device, headers);
      const second = await client.post('/devices', device, headers);
      expect(first).toHaveStatus(201);
      expect(second.body).toEqual(first.body);
      expect(await SocketClient.connect(t.url, '/devices', { device_key: second.body.device_key })).toBeDefined();
      const stored = await t.db.query<{ answer: object }>(
        everyGym`SELECT answer FROM idempotency_keys WHERE key = ${headers['idempotency-key']}`,
      );
      expect(JSON.stringify(stored)).not.toContain(first.body.device_key);
      expect(await create()).toBeRefused(422, 'idempotency_key_reused');
    });

    it('lets a reader ask again after a broken line, and deducts once', async () => {
      const plan = await t.make.plan(world.own.gym.id, { session_count: 5 });
      const visitor = await newMember();
      const { id } = await t.make.userPlan(visitor, plan);
      const { device_key } = await makeDevice(world.own.people.manager.client);
      const asked = { user_id: visitor.id, idempotency_key: unique('key') };
      const answers = [];
      for (let time = 0; time < 2; time++) {
        const reader = await SocketClient.connect(t.url, '/devices', { device_key });
        answers.push(await reader.ask('user_found', asked));
        reader.close();
        await aMinuteLater();
      }
      expect(answers[0]).toMatchObject({ allowed: true, user: { id: visitor.id } });
      expect(answers[1]).toEqual(answers[0]);
      expect((await world.own.people.manager.client.get(`/user-plans/${id}`)).body.remaining_sessions).toBe(4);
      // The key is this reader's: for another one the member is inside.
      const other = await makeDevice(world.own.people.manager.client);
      const reader = await SocketClient.connect(t.url, '/devices', { device_key: other.device_key });
      expect(await reader.ask('user_found', asked)).toMatchObject({ allowed: false, reason: 'already_inside' });
    });

    it('is refused if the word is none', async () => {
      const desk = await SocketClient.connect(t.url, '/checkins', { token: world.own.people.trainer.access_token });
      const asked = { member_id: (await newMember()).id, idempotency_key: 'two words' };
      const answer = await desk.ask('check_in', asked);
      expect(answer).toBeRefused('fields_invalid');
      expect(answer.errors[0].field).toBe('idempotency_key');
    });

    it('is done once, and not told, when the member was deleted', async () => {
      const [person, headers] = [await newMember(), key()];
      expect(await sell(person.id, headers)).toHaveStatus(201);
      expect(await world.own.people.admin.client.delete(`/users/${person.id}`)).toHaveStatus(204);
      const before = await contents(t.db);
      expect(await sell(person.id, headers)).toBeRefused(409, 'answer_gone');
      expect(await contents(t.db)).toEqual(before);
      const stored = await t.db.query<{ answer: object | null }>(
        everyGym`SELECT answer, people FROM idempotency_keys WHERE key = ${headers['idempotency-key']}`,
      );
      expect(stored).toEqual([{ answer: null, people: [] }]);
    });

    it('is nothing that is kept of a seller who was deleted', async () => {
      const [seller, headers] = [await t.make.signedIn('reception', world.own.gym.id), key()];
      expect(await sell((await newMember()).id, headers, seller.client)).toHaveStatus(201);
      await world.own.people.admin.client.delete(`/users/${seller.id}`);
      expect(await t.db.query(everyGym`SELECT FROM idempotency_keys WHERE owner = ${`user:${seller.id}`}`)).toEqual([]);
    });

    it.each([
      ['an account that was moved', { gym: true }],
      ['an account that has another role', { role: 'trainer' }],
    ])('is not told to %s', async (_, change) => {
      const [seller, person, headers] = [
        await t.make.signedIn('reception', world.own.gym.id),
        await newMember(),
        key(),
      ];
      expect(await sell(person.id, headers, seller.client)).toHaveStatus(201);
      const changes = 'gym' in change ? { gym_id: world.other.gym.id } : change;
      expect(await world.own.people.admin.client.put(`/users/${seller.id}`, changes)).toHaveStatus(200);
      const { client } = await t.make.signIn(seller);
      const before = await t.db.query(everyGym`SELECT id FROM user_plans WHERE user_id = ${person.id}`);
      expect(await sell(person.id, headers, client)).toBeRefused(409, 'answer_gone');
      expect(await t.db.query(everyGym`SELECT id FROM user_plans WHERE user_id = ${person.id}`)).toEqual(before);
    });

    it('is not told about a member who went to another gym', async () => {
      const [person, headers] = [await newMember(), key()];
      expect(await sell(person.id, headers)).toHaveStatus(201);
      const moved = await world.own.people.admin.client.put(`/users/${person.id}`, { gym_id: world.other.gym.id });
      expect(moved).toHaveStatus(200);
      expect(await sell(person.id, headers)).toBeRefused(409, 'answer_gone');
    });
  });
});
