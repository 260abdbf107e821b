import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { type Route, RouteTable } from '../../src/common/actor/route-table.js';
import { startApp, type TestApp } from '../support/app.js';
import { routeCases } from '../support/route-cases.js';
import { makeWorld, type World } from '../support/world.js';

/** What JavaScript, or PostgreSQL, would take for a whole number. `%20` is a blank. */
const NO_DIGITS = [
  '0x10',
  '0b1',
  '+1',
  '%2B1',
  '-1',
  '%201',
  '1%20',
  '%20',
  '1.0',
  '1e3',
  '1_000',
  '１',
  'NaN',
  'null',
];

interface Parameter {
  in: string;
  name: string;
  schema: { type?: string };
}

/** Wherever an address has a whole number, it is its digits and nothing else: tried for every one that the documentation has. */
describe('whole numbers in addresses', () => {
  let t: TestApp;
  let world: World;
  let routes: Route[];
  let document: OpenAPIObject;

  beforeAll(async () => {
    t = await startApp();
    world = await makeWorld(t);
    routes = t.app.get(RouteTable).routes.filter(({ path, method }) => routeCases[`${method} ${path}`]);
    document = (await t.anonymous.get(`${t.url}/openapi.json`)).body;
  });
  afterAll(() => t.close());

  const integers = ({ method, path }: Route, where: string): string[] => {
    const item = document.paths[`/api/v1/${path.replace(/:(\w+)/g, '{$1}')}`] as unknown as Record<
      string,
      { parameters: Parameter[] }
    >;
    return item[method.toLowerCase()]!.parameters.filter(
      (parameter) => parameter.in === where && ['integer', 'number'].includes(parameter.schema.type ?? ''),
    ).map(({ name }) => name);
  };

  it('are refused as the parameter that they are, in a path', async () => {
    let tried = 0;
    for (const route of routes) {
      for (const name of integers(route, 'path')) {
        const { client } = await t.make.signIn(world.own.people.admin);
        for (const wrong of NO_DIGITS) {
          // What the other parameters are does not matter: this one comes first, or alone.
          const path = `/${route.path.replace(`:${name}`, wrong).replace(/:\w+/g, '1')}?gym_id=${world.own.gym.id}`;
          const answer = await client.send(route.method, path, route.method === 'GET' ? undefined : '{}', {
            'content-type': 'application/json',
          });
          expect(answer).toHaveWrongFields(name);
          tried++;
        }
      }
    }
    expect(tried).toBeGreaterThan(30 * NO_DIGITS.length);
  });

  it('and in a query', async () => {
    let tried = 0;
    const { client } = await t.make.signIn(world.own.people.admin);
    for (const route of routes.filter(({ method }) => method === 'GET')) {
      const names = integers(route, 'query');
      if (names.length === 0) continue;
      const call = await routeCases[`${route.method} ${route.path}`]!.call(world, 'admin');
      const path = call.path.split('?')[0]!;
      const needed = /[?&](q|metric)=/.test(call.path) ? `&${call.path.split('?')[1]!}` : '';
      for (const name of names) {
        for (const wrong of NO_DIGITS) {
          expect(await client.get(`${path}?${name}=${wrong}${needed}`)).toHaveWrongFields(name);
          tried++;
        }
      }
    }
    expect(tried).toBeGreaterThan(30 * NO_DIGITS.length);
  });

  it('and in a body, and in a message', async () => {
    const { client } = await t.make.signIn(world.own.people.admin);
    for (const wrong of ['0x10', '+1', ' 1', '1 ', '1.0', '1e3', '', 1.5, true, [1]]) {
      expect(await client.post('/sales', { product_id: wrong, quantity: 1 })).toHaveWrongFields('product_id');
      const booked = await client.post('/slots/5/book', { gym_id: world.own.gym.id, user_id: wrong });
      expect(booked).toHaveWrongFields('user_id');
    }
  });
});
