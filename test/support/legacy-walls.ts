import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROLES } from '../../src/common/actor/roles.js';
import { type LegacyRoute, RouteTable } from '../../src/common/actor/route-table.js';
import { startApp, type TestApp } from './app.js';
import { plain } from './plain-http.js';
import type { RouteCase } from './route-cases.js';
import { makeWorld, type World } from './world.js';

/** The paths of these cases are whole: `/api/members/7/`. */
export type LegacyCases = Record<string, RouteCase>;

/** Of what gymgem and flutter-app share. */
export const SHARED_SIGN_IN: LegacyCases = {
  'POST api/auth/logout': {
    call: () => ({ path: '/api/auth/logout', body: {} }),
    success: 205,
    otherGym: 'everything',
  },
};

/** Tries every route of a family without a token, as each role and from another gym: no wall is lower by an old door. */
export function describeWalls(family: string, cases: LegacyCases, settings: Record<string, string> = {}): void {
  describe(`the walls of ${family}`, () => {
    let t: TestApp;
    let world: World;
    let routes: LegacyRoute[];
    const nameOf = ({ method, path }: LegacyRoute) => `${method} ${path}`;

    beforeAll(async () => {
      t = await startApp({ LEGACY_CLIENTS: family, SIGN_IN_FAILURES_PER_ACCOUNT: '1000', ...settings });
      world = await makeWorld(t);
      routes = t.app.get(RouteTable).legacy.filter((route) => route.family.split(',').includes(family));
      routes = routes.filter(({ access }) => access.roles !== null);
    });
    afterAll(() => t.close());

    it('has a case for each route, and no case is left over', () => {
      expect(routes.map(nameOf).toSorted()).toEqual(Object.keys(cases).toSorted());
    });

    it('is closed to a caller without a token', async () => {
      for (const route of routes) {
        const { path, body } = await cases[nameOf(route)]!.call(world, 'admin');
        const answer = await plain(route.method, t.url + path, { body });
        expect(answer.status).toEqualFor(nameOf(route), 401);
      }
    });

    it.each([...ROLES])('lets %s do what the role may, and nothing else', async (role) => {
      for (const route of routes) {
        const known = cases[nameOf(route)]!;
        const { access_token: token } = await t.make.signIn(world.own.people[role]);
        const { path, body } = await known.call(world, role);
        const answer = await plain(route.method, t.url + path, { token, body });
        const success = known.answers?.[role] ?? known.success ?? 200;
        expect(answer.status).toEqualFor(
          `${nameOf(route)} as ${role}`,
          route.access.roles!.includes(role) ? success : 403,
        );
      }
    });

    it('gives nothing to the staff and members of another gym', async () => {
      for (const route of routes) {
        const { otherGym, call, success = 200 } = cases[nameOf(route)]!;
        for (const role of route.access.roles!.filter((allowed) => allowed !== 'admin')) {
          const { access_token: token } = await t.make.signIn(world.other.people[role]);
          const { path, body } = await call(world, role);
          const answer = await plain(route.method, t.url + path, { token, body });
          const refusal = typeof otherGym === 'function' ? otherGym(role) : otherGym;
          const expected = typeof refusal === 'number' ? refusal : success;
          expect(answer.status).toEqualFor(`${nameOf(route)} as ${role} of another gym`, expected);
          if (otherGym !== 'everything') expect(JSON.stringify(answer.body)).not.toContain(world.own.mark);
        }
      }
    });
  });
}
