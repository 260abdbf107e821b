import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DiscoveryService } from '@nestjs/core';
import { Ajv } from 'ajv';
import { getMetadataStorage } from 'class-validator';
import { ROLES } from '../../src/common/actor/roles.js';
import type { FieldError } from '../../src/common/errors/domain-error.js';
import { validation } from '../../src/common/http/validation.js';
import { readOpenApi } from '../../src/docs/docs.js';
import { MessageTable } from '../../src/realtime/message-table.js';
import { startApp, type TestApp } from '../support/app.js';
import { makeDevice } from '../support/device.js';
import type { HttpClient } from '../support/http-client.js';
import { PASSWORD } from '../support/factory.js';
import { makeWorld, type World } from '../support/world.js';

type Class = new () => object;

describe('null', () => {
  let t: TestApp;
  let world: World;
  beforeAll(async () => {
    t = await startApp({ SIGN_IN_FAILURES_PER_ACCOUNT: '1000' });
    world = await makeWorld(t);
  });
  afterAll(() => t.close());

  const fieldsOf = (dto: Class) => [
    ...new Set(
      getMetadataStorage()
        .getTargetValidationMetadatas(dto, '', false, false)
        .map(({ propertyName }) => propertyName),
    ),
  ];

  /** Every class that a route or a message takes. */
  function taken(): Class[] {
    const controllers = t.app.get(DiscoveryService).getControllers();
    const ofRoutes = controllers.flatMap(({ metatype }) => {
      const { prototype } = metatype as Class;
      return Object.getOwnPropertyNames(prototype).flatMap(
        (name) => (Reflect.getMetadata('design:paramtypes', prototype, name) as Class[] | undefined) ?? [],
      );
    });
    const ofMessages = [...t.app.get(MessageTable).namespaces.values()].flatMap(({ messages }) =>
      [...messages.values()].flatMap(({ payload }) => (payload ? [payload as Class] : [])),
    );
    return [...new Set([...ofRoutes, ...ofMessages])].filter((dto) => fieldsOf(dto).length > 0);
  }

  async function outcome(dto: Class, input: object): Promise<{ value?: any; wrong: string[] }> {
    try {
      return { value: await validation.transform(input, { type: 'body', metatype: dto }), wrong: [] };
    } catch (error) {
      const { errors } = (error as { data: { errors: FieldError[] } }).data;
      return { wrong: errors.map(({ field }) => field) };
    }
  }

  it('is the same as leaving a field out, or a value of a field that may be left out, in all that is taken', async () => {
    const classes = taken();
    const nullable: string[] = [];
    for (const dto of classes) {
      const without = await outcome(dto, {});
      for (const field of fieldsOf(dto)) {
        const withNull = await outcome(dto, { [field]: null });
        // A nullable field keeps its null; that it may be left out, too, is seen from nothing being wrong with it.
        if (withNull.value?.[field] === null) {
          nullable.push(field);
          withNull.value[field] = without.value[field];
          if (without.value[field] === undefined) delete withNull.value[field];
        }
        expect(withNull).toEqualFor([dto.name, field], without);
      }
    }
    expect(classes.length).toBeGreaterThan(40);
    expect(nullable).toEqual(expect.arrayContaining(['notes', 'description', 'check_out_time', 'address', 'weight']));
    expect(nullable).not.toContain('password');
  });

  it('is dropped in what is nested, too', async () => {
    const payload = (namespace: string, event: string) =>
      t.app.get(MessageTable).kindOf(namespace, event)!.payload as Class;
    const { value } = await outcome(payload('/checkins', 'batch'), { batches: { check_out: null, check_in: [] } });
    expect(value).toEqual({ batches: { check_in: [] } });
    expect(await outcome(payload('/devices', 'login'), { login_data: { email: null } })).toEqual({
      wrong: ['login_data.email', 'login_data.password'],
    });
  });

  it('signs in, books and opens doors as if it had not been sent', async () => {
    const { people } = world.own;
    const { email } = people.user;
    const signIn = { email, username: null, phone_number: null, password: PASSWORD };
    expect(await t.anonymous.post('/auth/login', { ...signIn, email: null })).toHaveWrongFields('email');
    expect(await t.anonymous.post('/auth/login', signIn)).toHaveStatus(200);
    const desk = (await t.make.signIn(people.manager)).client;
    const asked = await desk.post('/devices/access', {
      user_id: people.user.id,
      qr_code: null,
      device_id: null,
      gym_id: null,
    });
    expect(asked).toHaveStatus(200);
    const booked = await desk.post('/slots/23/book', { date: null, gym_id: null, user_id: people.user.id });
    expect([201, 409]).toContain(booked.status);
    const moved = await desk.put(`/products/${world.own.product.id}/stock`, { quantity: 7, change: null, note: null });
    expect(moved).toMatchObject({ status: 200, body: { quantity: 7 } });
  });

  describe('and all that a GET gave', () => {
    const { paths, components } = readOpenApi();
    const ajv = new Ajv({ strict: false, validateFormats: false });

    /** What the document says against sending this by PUT, which a generated client would believe. */
    function faultInDocument(path: string, body: object): string | undefined {
      const address = new RegExp(`^/api/v1${path.replace(/\d+/, '{\\w+}')}$`);
      const [, item] = Object.entries(paths).find(([known, { put }]) => address.test(known) && put)!;
      const { content } = item.put!.requestBody as { content: Record<string, { schema: { $ref: string } }> };
      const name = content['application/json']!.schema.$ref.split('/').at(-1)!;
      return ajv.validate(components!.schemas![name]!, body) ? undefined : ajv.errorsText();
    }

    const untimed = ({ updated_at: _, ...rest }: any) => rest;

    /** What a GET gave, sent back as it is: the answer's status, and what is no longer as it was. */
    async function sendBack(client: HttpClient, read: string, path = read, pick = (body: any) => body) {
      const before = untimed(pick((await client.get(read)).body));
      const sent = pick((await client.get(read)).body);
      const { status, body } = await client.put(path, sent);
      const after = untimed(pick((await client.get(read)).body));
      const changed = Object.keys(before).filter(
        (field) => !isDeepStrictEqual([before[field], before[field]], [body[field], after[field]]),
      );
      return { path, status, detail: body.detail ?? faultInDocument(path, sent), changed };
    }

    it('can be sent back by PUT, and changes nothing', async () => {
      const sent = (answer: { path: string }) =>
        expect(answer).toEqual({ path: answer.path, status: 200, detail: undefined, changed: [] });
      const { own } = world;
      const admin = (await t.make.signIn(own.people.admin)).client;
      const manager = (await t.make.signIn(own.people.manager)).client;
      const same = (id: number) => (body: any[]) => body.find((row) => row.id === id);
      for (const role of ROLES) sent(await sendBack(admin, `/users/${own.people[role].id}`));
      for (const role of ROLES) {
        const { client, id } = await t.make.signIn(own.people[role]);
        if (role !== 'accountant') sent(await sendBack(client, `/users/${id}`));
      }
      for (const role of ROLES) {
        const { client, id } = await t.make.signIn(own.people[role]);
        sent(await sendBack(client, `/accounts/${id}`));
      }
      sent(await sendBack(admin, `/gyms/${own.gym.id}`));
      const plans = [
        own.plan,
        await t.make.plan(own.gym.id, { session_count: 5 }),
        await t.make.plan(own.gym.id, { kind: 'coins', session_count: 5, duration_days: 30 }),
      ];
      for (const plan of plans) {
        sent(await sendBack(manager, `/plans/${plan.id}`));
        const { id } = await t.make.userPlan(await t.make.person('user', own.gym.id), plan);
        sent(await sendBack(manager, `/user-plans/${id}`));
        await manager.put(`/user-plans/${id}`, { status: 'frozen' });
        sent(await sendBack(manager, `/user-plans/${id}`));
        await manager.put(`/user-plans/${id}`, { status: 'cancelled' });
        sent(await sendBack(manager, `/user-plans/${id}`));
      }
      sent(await sendBack(manager, `/products/${own.product.id}`));
      const { body: sale } = await manager.post('/sales', { product_id: own.product.id, quantity: 1 });
      sent(await sendBack(admin, `/sales/${sale.id}`));
      const member = await t.make.person('user', own.gym.id);
      const { id: measurementId } = await t.make.measurement(member);
      sent(await sendBack(manager, `/measurements/${measurementId}`));
      for (const end of [null, new Date().toISOString()]) {
        const { id } = await t.make.visit(member, new Date(Date.now() - 3_600_000).toISOString(), end);
        sent(await sendBack(manager, `/attendance/user/${member.id}`, `/attendance/${id}`, same(id)));
        await manager.put(`/attendance/${id}`, { check_out_time: new Date().toISOString() });
      }
      for (const fields of [{}, { is_archived: true, description: 'Over' }]) {
        sent(await sendBack(manager, `/courses/${(await t.make.course(own.people.trainer, fields)).id}`));
      }
      const device = await makeDevice(manager, 'board');
      sent(await sendBack(manager, `/devices/${device.id}`));
      sent(await sendBack(manager, '/slots/settings'));
      await manager.put('/slots/settings', { capacities: { '18': 4 } });
      sent(await sendBack(manager, '/slots/settings'));
    });
  });
});
