import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROLES, type Role } from '../../src/common/actor/roles.js';
import { type Route, RouteTable } from '../../src/common/actor/route-table.js';
import { startApp, type TestApp } from '../support/app.js';
import type { HttpClient } from '../support/http-client.js';
import { routeCases } from '../support/route-cases.js';
import { makeWorld, type World } from '../support/world.js';

/** Who may use what, tried for every route of the server without a token, as each role, and from another gym. */
describe('every route', () => {
  let t: TestApp;
  let world: World;
  let routes: Route[];
  const nameOf = ({ method, path }: Route) => `${method} ${path}`;

  beforeAll(async () => {
    t = await startApp({ SIGN_IN_FAILURES_PER_ACCOUNT: '1000' });
    world = await makeWorld(t);
    routes = t.app.get(RouteTable).routes.filter(({ access }) => access.roles !== null);
  });
  afterAll(() => t.close());

  async function attempt(route: Route, client: HttpClient, role: Role) {
    const { path, body } = await routeCases[nameOf(route)]!.call(world, role);
    return client.send(route.method, path, body);
  }

  const success = (route: Route) => routeCases[nameOf(route)]!.success ?? (route.method === 'POST' ? 201 : 200);

  it('has a case here, and no case is left over', () => {
    expect(routes.map(nameOf).toSorted()).toEqual(Object.keys(routeCases).toSorted());
  });

  it('is closed to a caller without a token', async () => {
    for (const route of routes) {
      expect(await attempt(route, t.anonymous, 'admin')).toBeRefused(401, 'not_signed_in');
    }
  });

  it.each([...ROLES])('lets %s do what the role may, and nothing else', async (role) => {
    for (const route of routes) {
      // Some routes sign out or change the password: each attempt has a session of its own.
      const { client } = await t.make.signIn(world.own.people[role]);
      const answer = await attempt(route, client, role);
      if (!route.access.roles!.includes(role)) expect(answer).toBeRefused(403, 'role_not_allowed');
      else expect(answer).toHaveStatus(routeCases[nameOf(route)]!.answers?.[role] ?? success(route));
    }
  });

  it('gives nothing to the staff and members of another gym', async () => {
    for (const route of routes) {
      const { otherGym } = routeCases[nameOf(route)]!;
      for (const role of route.access.roles!.filter((allowed) => allowed !== 'admin')) {
        const { client } = await t.make.signIn(world.other.people[role]);
        const answer = await attempt(route, client, role);
        const refusal = typeof otherGym === 'function' ? otherGym(role) : otherGym;
        expect(answer).toHaveStatus(typeof refusal === 'number' ? refusal : success(route));
        if (otherGym !== 'everything') expect(JSON.stringify(answer.body)).not.toContain(world.own.mark);
      }
    }
  });

  it('would show what leaks: what must not reach others carries the mark of the gym', async () => {
    const { client } = await t.make.signIn(world.own.people.admin);
    for (const route of routes) {
      if (route.method !== 'GET' || route.path === 'auth/sessions') continue;
      const { otherGym, call } = routeCases[nameOf(route)]!;
      if (otherGym !== 'nothing') continue;
      const { path } = await call(world, 'admin');
      const filtered = path.includes('gym_id')
        ? path
        : `${path}${path.includes('?') ? '&' : '?'}gym_id=${world.own.gym.id}`;
      const { body } = await client.get(filtered);
      expect(JSON.stringify(body).includes(world.own.mark)).toEqualFor(nameOf(route), true);
    }
  });

  it('refuses another gym as a filter', async () => {
    const lists = routes.filter(({ method, path }) => method === 'GET' && !/:(?!date)|^(gyms|auth|chat)/.test(path));
    expect(lists.length).toBeGreaterThan(0);
    for (const role of ['trainer', 'accountant'] as const) {
      const stranger = await t.make.signIn(world.other.people[role]);
      for (const route of lists.filter(({ access }) => access.roles!.includes(role))) {
        const { path } = await routeCases[nameOf(route)]!.call(world, role);
        const filtered = `${path}${path.includes('?') ? '&' : '?'}gym_id=${world.own.gym.id}`;
        expect(await stranger.client.get(filtered)).toBeRefused(403, 'other_gym');
      }
    }
  });
});
