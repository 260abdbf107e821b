import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Resvg } from '@resvg/resvg-js';
import jsqr from 'jsqr';
import type { Role } from '../../src/common/actor/roles.js';
import { everyGym, raw } from '../../src/database/sql.js';
import { GivenPasswords } from '../../src/members/given-passwords.js';
import { statuses, tally, times } from '../support/answers.js';
import { startApp, type TestApp } from '../support/app.js';
import { makeDevice } from '../support/device.js';
import { PASSWORD, type SignedIn, unique } from '../support/factory.js';
import { HttpClient } from '../support/http-client.js';
import { book, SOON } from '../support/slots.js';
import { SocketClient } from '../support/socket-client.js';
import { type GymWorld, makeWorld } from '../support/world.js';

const FORM = /^[A-Z]{2}\d{2}[A-Z]{2}$/;

let t: TestApp;
let own: GymWorld;
let other: GymWorld;
let as: Record<Role, SignedIn>;
beforeAll(async () => {
  t = await startApp({ SIGN_IN_FAILURES_PER_ACCOUNT: '1000' });
  ({ own, other } = await makeWorld(t));
  as = own.people;
});
afterAll(async () => {
  SocketClient.closeAll();
  await t.close();
});

const newPhone = () => `+1 555 ${Math.floor(1e9 * Math.random()) + 1e9}`;
/** A member as reception adds one: with what it takes at least, unless more is said. */
const add = async (fields: object = {}) => {
  const person = { full_name: unique('Newcomer'), phone_number: newPhone(), ...fields };
  const { status, body } = await as.reception.client.post('/members', person);
  expect(status).toBe(201);
  return body;
};
const assign = (userId: number, client = as.reception.client, more: object = {}) =>
  client.post('/user-plans', { user_id: userId, plan_id: own.plan.id, ...more });
const person = async (id: number) => (await as.manager.client.get(`/users/${id}`)).body;
const passOf = async (id: number) => (await as.reception.client.get(`/members/${id}/pass`)).body;
const login = (phone: string, password: string) => t.anonymous.post('/auth/login', { phone_number: phone, password });
const stored = async (id: number) =>
  (await t.db.query<Record<string, any>>(everyGym`SELECT * FROM users WHERE id = ${id}`))[0]!;

describe('a member without a plan', () => {
  it('needs a name and a phone number, and has what was said besides', async () => {
    const member = await add();
    expect(member).toMatchObject({ role: 'user', gym: own.gym, email: null, document_id: null, username: null });
    expect(await as.reception.client.post('/members', {})).toHaveWrongFields('phone_number', 'full_name');
    const name = unique('whole');
    const whole = { email: `${name}@example.com`, document_id: name, username: name, language: 'ar' };
    expect(await add(whole)).toMatchObject(whole);
    for (const [field, code] of [
      ['email', 'email_taken'],
      ['document_id', 'document_id_taken'],
      ['username', 'username_taken'],
    ] as const) {
      const twin = { full_name: 'X', phone_number: '12345', [field]: whole[field] };
      expect(await as.trainer.client.post('/members', twin)).toBeRefused(409, code);
    }
  });

  it('is inactive: no sign-in, no door, no visit, until the first plan', async () => {
    const { id, phone_number, is_active } = await add({ issue_temporary_password: true });
    expect(is_active).toBe(false);
    const { temporary_password, qr_code } = await passOf(id);
    const atTheDoor = async () => (await as.reception.client.post('/devices/access', { qr_code })).body;
    expect(await login(phone_number, temporary_password)).toBeRefused(403, 'account_inactive');
    expect(await atTheDoor()).toMatchObject({ allowed: false, reason: 'inactive' });
    expect(await as.reception.client.post('/attendance', { user_id: id })).toBeRefused(409, 'member_inactive');
    expect(await assign(id)).toHaveStatus(201);
    expect((await person(id)).is_active).toBe(true);
    expect(await login(phone_number, temporary_password)).toHaveStatus(200);
    expect(await atTheDoor()).toMatchObject({ allowed: true, reason: null });
  });

  it('stays inactive if the plan is refused', async () => {
    const { id } = await add();
    const closed = await t.make.plan(own.gym.id, { is_active: false });
    const refused = await as.reception.client.post('/user-plans', { user_id: id, plan_id: closed.id });
    expect(refused).toBeRefused(409, 'plan_inactive');
    expect(await stored(id)).toMatchObject({ is_active: false, awaits_first_plan: true });
  });

  it('is active once, however many assign the first plan at once', async () => {
    const { id } = await add();
    const answers = await times(12, (index) => assign(id, [as.reception, as.trainer][index % 2]!.client));
    expect(tally(answers)).toEqual({ 201: 1, 409: 11 });
    expect(await stored(id)).toMatchObject({ is_active: true, awaits_first_plan: false });
    expect((await person(id)).active_plan.id).toBe(answers.find(({ status }) => status === 201)!.body.id);
  });

  it('stays as staff has set it by hand, before or after the first plan', async () => {
    const put = (id: number, isActive: boolean) => as.manager.client.put(`/users/${id}`, { is_active: isActive });
    const before = await add();
    expect((await put(before.id, true)).body.is_active).toBe(true);
    await put(before.id, false);
    const after = await add();
    await assign(after.id);
    await put(after.id, false);
    for (const { id } of [before, after]) {
      expect(await assign(id, as.manager.client)).toHaveStatus(201);
      expect((await person(id)).is_active).toBe(false);
    }
    const registered = await t.make.person('user', own.gym.id, { is_active: false });
    await assign(registered.id);
    expect((await person(registered.id)).is_active).toBe(false);
  });

  it('is not left waiting when the first plan and a change by hand come at once', async () => {
    const ids = (await times(8, () => add())).map(({ id }) => id as number);
    await Promise.all(
      ids.flatMap((id) => [assign(id), as.manager.client.put(`/users/${id}`, { is_active: false, full_name: 'X' })]),
    );
    // Before the first plan the change finds nothing to deactivate, and the plan activates; after it, it does.
    for (const id of ids) expect(await stored(id)).toMatchObject({ awaits_first_plan: false, full_name: 'X' });
  });

  it('with a key is added once', async () => {
    const key = { 'idempotency-key': unique('key') };
    const body = { full_name: 'Once', phone_number: newPhone(), issue_temporary_password: true };
    const answers = await times(8, () => as.reception.client.post('/members', body, key));
    expect(statuses(answers)).toEqual(Array.from({ length: 8 }, () => 201));
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    const without = { ...body, issue_temporary_password: false };
    expect(await as.reception.client.post('/members', without, key)).toBeRefused(422, 'idempotency_key_reused');
  });
});

describe('a member without an email', () => {
  it('is shown and changed as others are: what GET gave, PUT takes', async () => {
    const { id } = await add();
    await assign(id);
    const { body: whole } = await as.reception.client.get(`/users/${id}`);
    const back = await as.reception.client.put(`/users/${id}`, whole);
    expect(back).toMatchObject({ status: 200, body: { ...whole, updated_at: expect.anything() } });
    const visit = await as.reception.client.post('/attendance', { user_id: id });
    expect(visit.body.member).toMatchObject({ id, email: null, membership: { plan_name: own.plan.name } });
    const booked = await book(as.reception.client, 20, { date: SOON, user_id: id });
    expect(booked).toHaveStatus(201);
    const found = await as.reception.client.get(`/users/search?q=${whole.full_name}`);
    expect(found.body).toMatchObject([{ id, email: null }]);
    for (const path of ['/users', '/attendance/current', '/slots', '/user-plans']) {
      expect(await as.reception.client.get(`${path}?limit=200`)).toHaveStatus(200);
    }
  });

  it('is told to the reader that enrols a finger', async () => {
    const { id, full_name } = await add();
    const device = await makeDevice(as.manager.client);
    const reader = await SocketClient.connect(t.url, '/devices', { device_key: device.device_key });
    expect(await reader.ask('user', { user_id: id })).toMatchObject({ user_id: id, full_name, email: null });
  });

  it('gets one, and loses it, but staff keeps theirs', async () => {
    const { id } = await add();
    const put = (body: object) => as.manager.client.put(`/users/${id}`, body);
    const email = `${unique('late')}@example.com`;
    expect(await put({ role: 'trainer' })).toHaveWrongFields('email');
    expect((await put({ email })).body.email).toBe(email);
    expect((await put({ email: null })).body.email).toBeNull();
    expect(await put({ role: 'trainer', email })).toMatchObject({ status: 200, body: { role: 'trainer', email } });
    expect(await put({ email: null })).toHaveWrongFields('email');
    expect(await as.trainer.client.put(`/users/${as.trainer.id}`, { email: null })).toHaveWrongFields('email');
    const hired = { ...{ full_name: 'X', role: 'trainer', password: PASSWORD }, document_id: unique('x') };
    const staff = { ...hired, phone_number: '12345' };
    expect(await as.manager.client.post('/users/admin-trainer', staff)).toHaveWrongFields('email');
  });
});

describe('a temporary password', () => {
  const details = () => {
    const name = unique('p');
    return { email: `${name}@example.com`, full_name: name, document_id: name, phone_number: newPhone() };
  };

  it('is issued by each way to add a member, and told by the pass alone', async () => {
    for (const [path, client, more] of [
      ['/members', as.trainer.client, {}],
      ['/users/with-plan', as.trainer.client, { plan_id: own.plan.id }],
      ['/users/regular', as.admin.client, { gym_id: own.gym.id }],
    ] as const) {
      const key = { 'idempotency-key': unique('key') };
      const sent = { ...details(), ...more, issue_temporary_password: true };
      const added = await client.post(path, sent, key);
      expect(added).toHaveStatus(201);
      const { id } = added.body;
      const { temporary_password: password, ...pass } = await passOf(id);
      expect(pass).toEqual({
        ...{ user_id: id, full_name: sent.full_name, password_changed: false },
        qr_code: expect.stringMatching(new RegExp(`^GYM-${id}-[0-9A-F]{8}$`)),
      });
      expect(password).toMatch(FORM);
      const again = await client.post(path, sent, key);
      expect(again.body).toEqual(added.body);
      const answers = await t.db.query(everyGym`SELECT * FROM idempotency_keys WHERE key = ${key['idempotency-key']}`);
      expect(answers).toHaveLength(1);
      const row = await stored(id);
      for (const seen of [added.body, await person(id), answers, row]) {
        expect(JSON.stringify(seen)).not.toContain(password);
      }
      expect(row).toMatchObject({ must_change_password: true, password_hash: expect.stringMatching(/^\$2[aby]\$/) });
      if (path !== '/members') expect(await login(sent.phone_number, password)).toHaveStatus(200);
    }
  });

  it('is none unless it is asked for', async () => {
    const { id, phone_number } = await add();
    expect(await passOf(id)).toMatchObject({ temporary_password: null, password_changed: false });
    expect(await stored(id)).toMatchObject({ password_hash: null, must_change_password: false });
    await assign(id);
    expect(await login(phone_number, 'AA22AA')).toBeRefused(401, 'wrong_credentials');
    const wrong = { ...details(), issue_temporary_password: 'yes' };
    expect(await as.reception.client.post('/members', wrong)).toHaveWrongFields('issue_temporary_password');
  });

  it('opens in no other row', async () => {
    const [one, two] = [await add({ issue_temporary_password: true }), await add({ issue_temporary_password: true })];
    await t.db.change(everyGym`
      UPDATE users SET temporary_password = (SELECT temporary_password FROM users WHERE id = ${one.id})
      WHERE id = ${two.id}`);
    // Not documented: it cannot happen by itself.
    const answer = await fetch(`${t.url}/api/v1/members/${two.id}/pass`, {
      headers: { authorization: `Bearer ${as.reception.client.token}` },
    });
    expect(answer.status).toBe(500);
    // A password that cannot be read any more is replaced by a reset.
    const { body } = await as.reception.client.post(`/members/${two.id}/reset-password`);
    expect(body.temporary_password).toMatch(FORM);
  });

  it('is given away from the same budget as other passwords, and not for a gym that takes no one', async () => {
    const manager = await t.make.signedIn('manager', own.gym.id);
    const { id } = await t.make.person('user', own.gym.id);
    const used = (by: SignedIn) => t.db.query(everyGym`SELECT 1 FROM attempt_budgets WHERE key = ${`hash ${by.id}`}`);
    expect(await manager.client.post(`/members/${as.trainer.id}/reset-password`)).toBeRefused(404, 'user_not_found');
    expect(await manager.client.post('/members', { ...details(), issue_temporary_password: false })).toHaveStatus(201);
    expect(await used(manager)).toEqual([]);
    await t.db.change(everyGym`
      INSERT INTO attempt_budgets (key, drained_at) VALUES (${`hash ${manager.id}`}, now() + interval '899 seconds')`);
    const before = await stored(id);
    const asked = { ...details(), issue_temporary_password: true };
    for (const answer of [
      await manager.client.post(`/members/${id}/reset-password`),
      await manager.client.post('/members', asked),
      await manager.client.post('/users/with-plan', { ...asked, plan_id: own.plan.id }),
    ]) {
      expect(answer).toBeRefused(429, 'too_many_requests');
    }
    expect(await stored(id)).toEqual(before);
    const closed = await t.make.gym({ is_active: false });
    const admin = await t.make.signedIn('admin', null);
    const refused = await admin.client.post('/members', { ...asked, gym_id: closed.id });
    expect(refused).toBeRefused(409, 'gym_inactive');
    expect(await used(admin)).toEqual([]);
  });
});

describe('a reset', () => {
  it('gives a new password, kills the old one and ends the sessions, REST and sockets', async () => {
    const { email, client, id, access_token: token, refresh_token } = await t.make.signedIn('user', own.gym.id);
    const socket = await SocketClient.connect(t.url, '/slots', { token });
    const reset = await as.reception.client.post(`/members/${id}/reset-password`);
    expect(reset).toMatchObject({ status: 200, body: { user_id: id, password_changed: false } });
    expect(reset.headers.get('cache-control')).toBe('no-store');
    expect(reset.body.temporary_password).toMatch(FORM);
    expect(await passOf(id)).toEqual(reset.body);
    expect(await client.get('/auth/me')).toBeRefused(401, 'session_ended');
    expect(await t.anonymous.post('/auth/refresh', { refresh_token })).toBeRefused(401, 'session_ended');
    expect(await socket.gone).toBe('io server disconnect');
    expect(await SocketClient.refused(t.url, '/slots', { token })).toBeRefused(4001);
    expect(await t.anonymous.post('/auth/login', { email, password: PASSWORD })).toHaveStatus(401);
    const again = await t.anonymous.post('/auth/login', { email, password: reset.body.temporary_password });
    expect(again.body.must_change_password).toBe(true);
    // Under a temporary password there is no socket either.
    const temporary = { token: again.body.access_token };
    expect(await SocketClient.refused(t.url, '/slots', temporary)).toBeRefused(4003);
  });

  it('gives a member a sign-in who had none', async () => {
    const { id, phone_number } = await add();
    await assign(id);
    const { temporary_password } = (await as.reception.client.post(`/members/${id}/reset-password`)).body;
    expect(await login(phone_number, temporary_password)).toHaveStatus(200);
  });

  it('ten times at once leaves one password, which the pass shows and which signs in', async () => {
    const { id, email } = await t.make.person('user', own.gym.id);
    const answers = await times(10, () => as.manager.client.post(`/members/${id}/reset-password`));
    expect(tally(answers)).toEqual({ 200: 10 });
    const { temporary_password: password } = await passOf(id);
    const given = new Set(answers.map(({ body }) => body.temporary_password));
    expect(given).toContain(password);
    const tried = await Promise.all(
      [...given].map(async (one) => [one, (await t.anonymous.post('/auth/login', { email, password: one })).status]),
    );
    expect(tried).toEqual([...given].map((one) => [one, one === password ? 200 : 401]));
  });

  it('with a key is done once; its answer is the pass as it is then, and nothing secret is stored', async () => {
    const { id, email } = await t.make.person('user', own.gym.id);
    const key = { 'idempotency-key': unique('key') };
    const reset = () => as.reception.client.post(`/members/${id}/reset-password`, undefined, key);
    const first = await reset();
    expect((await reset()).body).toEqual(first.body);
    const [row] = await t.db.query(everyGym`SELECT answer FROM idempotency_keys WHERE key = ${key['idempotency-key']}`);
    expect(row).toEqual({ answer: { user_id: id } });
    const { access_token } = (await t.anonymous.post('/auth/login', { email, password: first.body.temporary_password }))
      .body;
    const change = { current_password: first.body.temporary_password, new_password: 'of my own choice' };
    expect(await t.anonymous.withToken(access_token).post('/auth/change-password', change)).toHaveStatus(204);
    expect((await reset()).body).toEqual({ ...first.body, temporary_password: null, password_changed: true });
    expect(await t.anonymous.post('/auth/login', { email, password: 'of my own choice' })).toHaveStatus(200);
  });

  it('is for members only', async () => {
    for (const role of ['admin', 'manager', 'accountant', 'trainer'] as const) {
      const before = await stored(as[role].id);
      const answer = await as.admin.client.post(`/members/${as[role].id}/reset-password`);
      expect(answer).toBeRefused(404, 'user_not_found');
      expect(await stored(as[role].id)).toEqual(before);
    }
  });
});

describe('a pass', () => {
  it('shows the temporary password to those who hand it out, and to no one else', async () => {
    const { id } = await add({ issue_temporary_password: true });
    const { temporary_password: password } = await passOf(id);
    const gets = ['pass', 'qr.svg'].map((what) => `/members/${id}/${what}`);
    const posts = ['regenerate-qr', 'reset-password'].map((what) => `/members/${id}/${what}`);
    for (const role of ['accountant', 'trainer', 'user'] as const) {
      for (const answer of [
        ...(await Promise.all(gets.map((path) => as[role].client.get(path)))),
        ...(await Promise.all(posts.map((path) => as[role].client.post(path)))),
      ]) {
        expect([403, 404]).toContain(answer.status);
        expect(JSON.stringify(answer.body)).not.toContain(password);
      }
    }
    for (const role of ['manager', 'reception', 'user'] as const) {
      const { client } = other.people[role];
      for (const path of gets) expect(await client.get(path)).toBeRefused(404, 'user_not_found');
      expect(await client.post(posts[0]!)).toBeRefused(404, 'user_not_found');
      if (role !== 'user') expect(await client.post(posts[1]!)).toBeRefused(404, 'user_not_found');
    }
    for (const role of ['admin', 'manager', 'reception'] as const) {
      expect((await as[role].client.get(gets[0]!)).body.temporary_password).toBe(password);
    }
    expect(await passOf(id)).toMatchObject({ temporary_password: password });
  });

  it('is not shown without it by a server that lacks its key, whose log says no word of a new one', async () => {
    const { id } = await add({ issue_temporary_password: true });
    const sealed = `next.${(await stored(id)).temporary_password.split('.')[1]}`;
    await t.db.change(everyGym`UPDATE users SET temporary_password = ${sealed} WHERE id = ${id}`);
    expect(await as.manager.client.get(`/members/${id}/pass`)).toBeRefused(503, 'unavailable');
    const lines: string[] = [];
    Logger.overrideLogger({ error: (line: string) => void lines.push(line), log() {}, warn() {} });
    expect(t.app.get(GivenPasswords).openOrReport(id, sealed)).toBeNull();
    Logger.overrideLogger(false);
    expect(lines).toEqual([`There is no key "next" for users.temporary_password ${id}. Restart this server with it.`]);
  });

  it('is shown to its member without the temporary password', async () => {
    const member = await t.make.signedIn('user', own.gym.id);
    // A password that was given while a session goes on, which no way of ours leaves so.
    const sealed = (await stored((await add({ issue_temporary_password: true })).id)).temporary_password;
    await t.db.change(everyGym`UPDATE users SET temporary_password = ${sealed} WHERE id = ${member.id}`);
    const { body, headers } = await member.client.get(`/members/${member.id}/pass`);
    const code = await t.make.qrCode(member);
    expect(body).toMatchObject({ user_id: member.id, qr_code: code, temporary_password: null, password_changed: true });
    expect(headers.get('cache-control')).toBe('no-store');
    expect((await member.client.post(`/members/${member.id}/regenerate-qr`)).body.temporary_password).toBeNull();
  });

  it('is no one else’s: staff and the deleted have none', async () => {
    const { id } = await add();
    for (const path of ['pass', 'qr.svg']) {
      expect(await as.manager.client.get(`/members/${as.trainer.id}/${path}`)).toBeRefused(404, 'user_not_found');
    }
    const code = await t.make.qrCode({ id });
    await as.admin.client.delete(`/users/${id}`);
    expect(await as.manager.client.get(`/members/${id}/pass`)).toBeRefused(404, 'user_not_found');
    expect(await as.manager.client.get(`/members/by-qr/${code}`)).toBeRefused(404, 'user_not_found');
  });
});

describe('the code of a pass', () => {
  it('is given to each person by the database, of 32 random bits', async () => {
    const [made] = await t.db.query<{ codes: number; lengths: number[] }>(everyGym`
      SELECT count(DISTINCT code)::int AS codes, array_agg(DISTINCT length(code)) AS lengths
      FROM (SELECT right(new_qr_code(7), 8) AS code FROM generate_series(1, 2000)) made`);
    expect(made!.codes).toBeGreaterThan(1_995);
    expect(made!.lengths).toEqual([8]);
    // gen_random_uuid() takes them from the random source of the system. Of one its first eight signs are all random;
    // of two a hash is.
    const [drawn] = await t.db.query<{ source: string }>(everyGym`
      SELECT pg_get_functiondef('new_qr_code'::regproc) || pg_get_functiondef('new_pass_code'::regproc) AS source`);
    expect(drawn!.source).toContain('left(gen_random_uuid()::text, 8)');
    expect(drawn!.source).toContain('sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))');
    expect(drawn!.source).not.toMatch(/\brandom\(/);
    expect(await t.db.query(everyGym`SELECT id FROM users WHERE qr_code IS NULL AND deleted_at IS NULL`)).toEqual([]);
  });

  it('finds its member for the desk of the gym, and no one for others', async () => {
    const member = await add();
    const code = await t.make.qrCode(member);
    const find = (role: Role, people = as) => people[role].client.get(`/members/by-qr/${encodeURIComponent(code)}`);
    for (const role of ['admin', 'manager', 'reception', 'trainer'] as const) {
      expect(await find(role)).toMatchObject({ status: 200, body: { id: member.id, gym: own.gym, active_plan: null } });
    }
    for (const role of ['manager', 'reception', 'trainer'] as const) {
      expect(await find(role, other.people)).toBeRefused(404, 'user_not_found');
    }
    for (const role of ['accountant', 'user'] as const) expect(await find(role)).toBeRefused(403, 'role_not_allowed');
    const ofStaff = await t.make.qrCode(as.trainer);
    for (const wrong of [ofStaff, code.slice(0, -1), `${code}0`, code.toLowerCase(), `GYM-${member.id}-%`, "'"]) {
      const answer = await as.reception.client.get(`/members/by-qr/${encodeURIComponent(wrong)}`);
      expect(answer).toBeRefused(404, 'user_not_found');
    }
  });

  it('is replaced by staff and by its member, and the old one is dead at once', async () => {
    const member = await t.make.signedIn('user', own.gym.id);
    await t.make.userPlan(member, own.plan);
    const atTheDoor = async (code: string) =>
      (await as.reception.client.post('/devices/access', { qr_code: code })).body.reason;
    for (const client of [as.manager.client, as.reception.client, member.client]) {
      const old = await t.make.qrCode(member);
      expect([null, 'already_inside']).toContain(await atTheDoor(old));
      const { body } = await client.post(`/members/${member.id}/regenerate-qr`);
      expect(body.qr_code).toMatch(new RegExp(`^GYM-${member.id}-[0-9A-F]{8}$`));
      expect(body.qr_code).not.toBe(old);
      expect(await t.make.qrCode(member)).toBe(body.qr_code);
      expect(await atTheDoor(old)).toBe('unknown');
      expect(await as.reception.client.get(`/members/by-qr/${old}`)).toHaveStatus(404);
      expect(await as.reception.client.post('/attendance', { qr_code: old })).toHaveWrongFields('qr_code');
      expect(await as.reception.client.get(`/members/by-qr/${body.qr_code}`)).toHaveStatus(200);
    }
  });

  it('never replaces itself, even where few are left to draw', async () => {
    const { id } = await add();
    const [before] = await t.db.query<{ source: string }>(everyGym`
      SELECT pg_get_functiondef('new_pass_code'::regproc) AS source`);
    await t.db.change(everyGym`
      CREATE OR REPLACE FUNCTION new_pass_code(user_id integer, for_old_scanner boolean) RETURNS text LANGUAGE sql AS $$
        SELECT 'GYM-' || user_id || '-0000000' || floor(2 * random())
      $$`);
    try {
      let last = await t.make.qrCode({ id });
      for (let turn = 0; turn < 20; turn++) {
        const { qr_code } = (await as.reception.client.post(`/members/${id}/regenerate-qr`)).body;
        expect(qr_code).not.toBe(last);
        last = qr_code;
      }
    } finally {
      await t.db.change(everyGym`${raw(before!.source)}`);
    }
  });

  it('of many replacements at once is the last one; with a key there is one', async () => {
    const { id } = await add();
    const answers = await times(10, () => as.reception.client.post(`/members/${id}/regenerate-qr`));
    expect(tally(answers)).toEqual({ 200: 10 });
    const now = await t.make.qrCode({ id });
    expect(answers.map(({ body }) => body.qr_code)).toContain(now);
    const key = { 'idempotency-key': unique('key') };
    const keyed = await times(10, () => as.reception.client.post(`/members/${id}/regenerate-qr`, undefined, key));
    expect(new Set(keyed.map(({ body }) => body.qr_code))).toEqual(new Set([await t.make.qrCode({ id })]));
    expect(keyed[0]!.body.qr_code).not.toBe(now);
    const [row] = await t.db.query(everyGym`SELECT answer FROM idempotency_keys WHERE key = ${key['idempotency-key']}`);
    expect(row).toEqual({ answer: { user_id: id } });
  });

  it.each([120, 240, 375, 800])('is what a scanner reads from the picture, %i pixels wide', async (size) => {
    const member = await t.make.signedIn('user', own.gym.id);
    for (const client of [as.reception.client, member.client]) {
      const { body: svg, headers } = await client.get(`/members/${member.id}/qr.svg`);
      expect(headers.get('content-type')).toBe('image/svg+xml; charset=utf-8');
      expect(headers.get('cache-control')).toBe('no-store');
      const image = new Resvg(svg, { fitTo: { mode: 'width', value: size }, background: '#000' }).render();
      const read = jsqr.default(new Uint8ClampedArray(image.pixels), image.width, image.height);
      expect(read?.data).toBe((await passOf(member.id)).qr_code);
    }
  });
});

describe('a pass code, for scanners that take the digits behind its last dash for the id', () => {
  const scanned = (code: string) => code.split('-').at(-1)!.replace(/\D/g, '');
  const codesOf = async (id: number, count: number) =>
    (
      await t.db.query<{ code: string }>(everyGym`
        SELECT new_pass_code(${id}::int, TRUE) AS code FROM generate_series(1, ${count}::int)`)
    ).map(({ code }) => code);

  it('holds them, whichever way a person was added and whenever it is renewed', async () => {
    const name = unique('own');
    const account = await t.anonymous.post('/auth/register', {
      email: `account.${name}@example.com`,
      password: PASSWORD,
      gym_id: own.gym.id,
    });
    expect(account).toHaveStatus(201);
    const contact = {
      email: `${name}@example.com`,
      document_id: name,
      phone_number: newPhone(),
      full_name: 'Of a plan',
    };
    const sold = await as.reception.client.post('/users/with-plan', { ...contact, role: 'user', plan_id: own.plan.id });
    expect(sold).toHaveStatus(201);
    for (const { id } of [await add(), await add({ issue_temporary_password: true }), account.body, sold.body]) {
      const first = await t.make.qrCode({ id });
      const { body: second } = await as.reception.client.post(`/members/${id}/regenerate-qr`);
      expect(second.qr_code).not.toBe(first);
      for (const code of [first, second.qr_code]) {
        expect(code).toMatch(new RegExp(`^GYM-${id}-[0-9A-F]{8}$`));
        expect(scanned(code)).toBe(String(id));
        expect((await as.reception.client.get(`/members/by-qr/${code}`)).status).toBe(code === first ? 404 : 200);
      }
    }
  });

  it('has them at any place and any letters beside them, and none of an id that is longer than five', async () => {
    for (const id of [7, 42, 90_210, 99_999]) {
      const codes = await codesOf(id, 2_000);
      for (const code of codes) {
        expect(code).toMatch(new RegExp(`^GYM-${id}-[0-9A-F]{8}$`));
        expect(scanned(code)).toBe(String(id));
      }
      for (let place = 0; place < 8; place++) {
        const signs = new Set(codes.map((code) => code.split('-')[2]![place]));
        for (const letter of 'ABCDEF') expect(signs).toContain(letter);
        expect([...signs].some((sign) => /\d/.test(sign!))).toBe(true);
      }
    }
    const codes = await codesOf(100_000, 2_000);
    for (const code of codes) expect(code).toMatch(/^GYM-100000-[A-F]{8}$/);
    expect(new Set(codes).size).toBeGreaterThan(1_990);
    // Each place and each letter is as likely: 2,000 draws of one of 6 or 8 lie within this.
    const places = Array.from({ length: 8 }, () => 0);
    for (const code of await codesOf(7, 2_000)) places[code.split('-')[2]!.indexOf('7')]!++;
    for (const count of places) expect(Math.abs(count - 250)).toBeLessThan(90);
    for (const letter of 'ABCDEF') {
      const count = codes.filter((code) => code.endsWith(letter)).length;
      expect(Math.abs(count - 333)).toBeLessThan(110);
    }
  });

  it('is any eight signs where flutter-app does not work; codes that are there stay', async () => {
    const { id: before } = await add();
    const kept = await t.make.qrCode({ id: before });
    const without = await startApp({ LEGACY_CLIENTS: 'gymgem,rero-slots' });
    const reception = new HttpClient(`${without.url}/api/v1`, as.reception.access_token);
    const newcomer = { full_name: unique('Newcomer'), phone_number: newPhone() };
    const { body: member } = await reception.post('/members', newcomer);
    const codes = [await t.make.qrCode(member)];
    for (let n = 0; n < 5; n++) codes.push((await reception.post(`/members/${member.id}/regenerate-qr`)).body.qr_code);
    for (const code of codes) expect(code).toMatch(new RegExp(`^GYM-${member.id}-[0-9a-f]{8}$`));
    expect((await reception.get(`/members/by-qr/${kept}`)).body.id).toBe(before);
    await without.close();
  });
});
