import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import bcrypt from 'bcryptjs';
import { AccountsService } from '../../src/accounts/accounts.service.js';
import { ProfilesService } from '../../src/accounts/profiles.service.js';
import { AuthService } from '../../src/auth/auth.service.js';
import { IdentifierDto } from '../../src/auth/dto/auth.dto.js';
import { PasswordProof, type ProvenPerson } from '../../src/auth/password-proof.service.js';
import { SessionsService } from '../../src/auth/sessions.service.js';
import { Actor } from '../../src/common/actor/actor.js';
import { ActorResolver } from '../../src/common/actor/actor-resolver.js';
import { OtherGym, RoleNotAllowed } from '../../src/common/errors/common.errors.js';
import type { DomainError } from '../../src/common/errors/domain-error.js';
import { IsPassword } from '../../src/common/http/fields.js';
import { validated } from '../../src/common/http/validation.js';
import { everyGym } from '../../src/database/sql.js';
import { Handshake, recoveryKey } from '../../src/realtime/handshake.js';
import { times } from '../support/answers.js';
import { startApp, type TestApp } from '../support/app.js';
import { PASSWORD, type Person, unique } from '../support/factory.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/until.js';

const CLIENT = { ip_address: '127.0.0.1', user_agent: 'an old app' };
const HOUR = 3_600;
const DAY = 24 * HOUR;

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
const lifeOf = (token: string): number => claimsOf(token).exp - claimsOf(token).iat;
/** The code of what it was refused with; null: it was not. */
const refusal = (asked: Promise<unknown>): Promise<string | null> =>
  asked.then(
    () => null,
    (error: DomainError) => error.kind?.code ?? error,
  );
const newPhone = () => `+1 555 ${Math.floor(1e9 * Math.random()) + 1e9}`;
const hash = (password: string) => bcrypt.hashSync(password, 4);

let t: TestApp;
let gym: { id: number };
let auth: AuthService;
beforeAll(async () => {
  // Access tokens of /api/v1 have no end here.
  t = await startApp({ ACCESS_TOKEN_EXPIRE_MINUTES: '0', SIGN_IN_FAILURES_PER_ADDRESS: '100000' });
  gym = await t.make.gym();
  auth = t.app.get(AuthService);
});
afterAll(async () => {
  SocketClient.closeAll();
  await t.close();
});

const open = ({ email }: Person, admit?: (person: ProvenPerson) => void) =>
  auth.openFixedSession({ identifier: email, password: PASSWORD }, CLIENT, admit);
const me = (token: string) => t.anonymous.withToken(token).get('/auth/me');
const refresh = (token: string) => t.anonymous.post('/auth/refresh', { refresh_token: token });
const liveSessions = ({ id }: { id: number }) =>
  t.db.query<{ id: number }>(everyGym`SELECT id FROM sessions WHERE user_id = ${id} AND ended_at IS NULL ORDER BY id`);

describe('a session with a fixed refresh token', () => {
  it('has tokens that expire: of staff in 12 hours, of a member in one; the refresh token in two days', async () => {
    for (const [role, hours] of [['reception', 12] as const, ['user', 1] as const]) {
      const person = await t.make.person(role, gym.id);
      const { account, actor, access_token, refresh_token } = await open(person);
      expect(account).toMatchObject({ id: person.id, email: person.email, role, gym: { id: gym.id } });
      expect(actor).toEqual(new Actor(person.id, role, gym.id, claimsOf(access_token).sid));
      expect(lifeOf(access_token)).toBe(hours * HOUR);
      expect(claimsOf(access_token)).toMatchObject({ typ: 'access', sub: String(person.id), role });
      expect(Number.isInteger(claimsOf(refresh_token).exp)).toBe(true);
      expect(Math.abs(lifeOf(refresh_token) - 2 * DAY)).toBeLessThan(3);
      expect(await me(access_token)).toHaveStatus(200);
      expect(await me(refresh_token)).toHaveStatus(401);
      const { body } = await t.anonymous.withToken(access_token).get('/auth/sessions');
      expect(Math.floor(Date.parse(body[0].expires_at) / 1000)).toBe(claimsOf(refresh_token).exp);
    }
  });

  it('takes the hours of staff from LEGACY_STAFF_TOKEN_HOURS', async () => {
    const short = await startApp({ LEGACY_STAFF_TOKEN_HOURS: '3', ACCESS_TOKEN_EXPIRE_MINUTES: '5' });
    try {
      const { email } = await t.make.person('trainer', gym.id);
      const opened = await short.app
        .get(AuthService)
        .openFixedSession({ identifier: email, password: PASSWORD }, CLIENT);
      expect(lifeOf(opened.access_token)).toBe(3 * HOUR);
    } finally {
      await short.close();
    }
  });

  it('is refreshed again and again by one token, also at once, and not stretched', async () => {
    const person = await t.make.person('manager', gym.id);
    const { refresh_token, actor } = await open(person);
    const end = async () =>
      (await t.db.query(everyGym`SELECT expires_at, generation FROM sessions WHERE id = ${actor.session_id}`))[0];
    const before = await end();
    for (let time = 0; time < 3; time++) {
      const token = await auth.renewAccess(refresh_token, CLIENT);
      expect(lifeOf(token)).toBe(12 * HOUR);
      expect(await me(token)).toHaveStatus(200);
    }
    await times(20, () => auth.renewAccess(refresh_token, CLIENT));
    expect(await end()).toEqual(before);
  });

  it.each([
    ['sign-out', (actor: Actor) => auth.logout(actor)],
    ['sign-out everywhere', (actor: Actor) => auth.logoutAll(actor)],
    [
      'deactivation',
      ({ user_id: id }: Actor) => t.db.change(everyGym`UPDATE users SET is_active = FALSE WHERE id = ${id}`),
    ],
    [
      'its time',
      ({ session_id: id }: Actor) =>
        t.db.change(everyGym`UPDATE sessions SET expires_at = now() - interval '1 second' WHERE id = ${id}`),
    ],
  ])('is over with %s, for refreshing too', async (_, finish) => {
    const { refresh_token, actor } = await open(await t.make.person('trainer', gym.id));
    await auth.renewAccess(refresh_token, CLIENT);
    await finish(actor);
    expect(await refusal(auth.renewAccess(refresh_token, CLIENT))).toBe('session_ended');
    expect(await refusal(auth.tokensOf(actor))).toBe('session_ended');
  });

  it('issues no token that outlives it, and its socket is told of its end', async () => {
    const person = await t.make.person('trainer', gym.id);
    const { refresh_token, actor, access_token } = await open(person);
    const socket = await SocketClient.connect(t.url, '/checkins', { token: access_token });
    await t.db.change(everyGym`
      UPDATE sessions SET expires_at = now() + interval '10 minutes' WHERE id = ${actor.session_id}`);
    expect(lifeOf(await auth.renewAccess(refresh_token, CLIENT))).toBeLessThanOrEqual(600);
    const pair = await auth.tokensOf(actor);
    expect([pair.access_token, pair.refresh_token].every((token) => lifeOf(token) <= 600)).toBe(true);
    await t.db.change(
      everyGym`UPDATE sessions SET expires_at = now() - interval '1 second' WHERE id = ${actor.session_id}`,
    );
    await t.app.get(SessionsService).purge();
    await socket.gone;
    expect(await me(access_token)).toBeRefused(401, 'session_ended');
  });

  it('is one of the five: the sixth sign-in of any kind ends the first', async () => {
    const person = await t.make.person('trainer', gym.id);
    const first = await open(person);
    for (let time = 0; time < 2; time++) await open(person);
    for (let time = 0; time < 2; time++) await t.make.signIn(person);
    expect(await me(first.access_token)).toHaveStatus(200);
    await open(person);
    expect(await me(first.access_token)).toBeRefused(401, 'session_ended');
    expect(await refusal(auth.renewAccess(first.refresh_token, CLIENT))).toBe('session_ended');
    await times(8, () => open(person));
    expect(await liveSessions(person)).toHaveLength(5);
  });

  it('and the one of /api/v1 refuse the refresh token of the other, without harm', async () => {
    const person = await t.make.person('trainer', gym.id);
    const [fixed, rotating] = [await open(person), await t.make.signIn(person)];
    for (let time = 0; time < 2; time++) {
      expect(await refresh(fixed.refresh_token)).toBeRefused(401, 'not_signed_in');
      expect(await refusal(auth.renewAccess(rotating.refresh_token, CLIENT))).toBe('not_signed_in');
    }
    for (const token of [fixed.access_token, 'nonsense', `${fixed.refresh_token}x`]) {
      expect(await refusal(auth.renewAccess(token, CLIENT))).toBe('not_signed_in');
    }
    expect(await me(await auth.renewAccess(fixed.refresh_token, CLIENT))).toHaveStatus(200);
    expect(await refresh(rotating.refresh_token)).toHaveStatus(200);
    expect(await liveSessions(person)).toHaveLength(2);
  });

  it('gets a fresh pair, also after a new password, and the pair of another session ends with that one', async () => {
    const person = await t.make.person('user', gym.id);
    const [here, there] = [await open(person), await open(person)];
    const change = { current_password: PASSWORD, new_password: 'a new password' };
    await auth.changePassword(here.actor, change);
    const pair = await auth.tokensOf(here.actor);
    expect(claimsOf(pair.access_token)).toMatchObject({ sid: here.actor.session_id });
    expect(claimsOf(pair.refresh_token).exp).toBe(claimsOf(here.refresh_token).exp);
    expect(await me(pair.access_token)).toHaveStatus(200);
    await auth.renewAccess(pair.refresh_token, CLIENT);
    await auth.renewAccess(here.refresh_token, CLIENT);
    expect(await refusal(auth.renewAccess(there.refresh_token, CLIENT))).toBe('session_ended');
    expect(await refusal(auth.tokensOf(there.actor))).toBe('session_ended');
  });

  it('may be one of /api/v1: then the pair is good for two days at most', async () => {
    const { access_token } = await t.make.signedIn('admin', null);
    const { actor } = await t.app.get(ActorResolver).resolve({ headers: { authorization: `Bearer ${access_token}` } });
    const pair = await auth.tokensOf(actor);
    expect(lifeOf(pair.access_token)).toBe(12 * HOUR);
    expect(Math.abs(lifeOf(pair.refresh_token) - 2 * DAY)).toBeLessThan(3);
    await auth.renewAccess(pair.refresh_token, CLIENT);
  });

  it('starts under a temporary password, which is all that it may change', async () => {
    const { access_token, account } = await open(await t.make.person('user', gym.id, { must_change_password: true }));
    expect(account.must_change_password).toBe(true);
    expect(await me(access_token)).toHaveStatus(200);
    expect(await t.anonymous.withToken(access_token).get('/gyms')).toBeRefused(403, 'password_change_required');
  });
});

describe('who may not sign in by an old client', () => {
  /** As a translator tells them apart. */
  const admit = (person: ProvenPerson) => {
    if (person.role === 'user') throw new RoleNotAllowed();
    if (!person.is_active) return;
    if (person.gym_id !== gym.id) throw new OtherGym();
  };

  it('is told so once the password was right, and it neither starts a session nor ends one', async () => {
    const elsewhere = await t.make.gym();
    const people = [
      [await t.make.person('user', gym.id), 'role_not_allowed'],
      [await t.make.person('user', gym.id, { is_active: false }), 'role_not_allowed'],
      [await t.make.person('trainer', gym.id, { is_active: false }), 'account_inactive'],
      [await t.make.person('trainer', elsewhere.id), 'other_gym'],
      [await t.make.person('trainer', gym.id), null],
    ] as const;
    for (const [person, code] of people) {
      const { is_active } = (
        await t.db.query<ProvenPerson>(everyGym`SELECT is_active FROM users WHERE id = ${person.id}`)
      )[0]!;
      if (is_active) for (let time = 0; time < 5; time++) await t.make.signIn(person);
      const before = await liveSessions(person);
      const wrong = { identifier: person.email, password: 'wrong' };
      expect(await refusal(auth.openFixedSession(wrong, CLIENT, admit))).toBe('wrong_credentials');
      expect(await refusal(auth.actorOfPassword(wrong, CLIENT, admit))).toBe('wrong_credentials');
      const right = { identifier: person.email, password: PASSWORD };
      expect(await refusal(auth.actorOfPassword(right, CLIENT, admit))).toEqualFor(person.role, code);
      expect(await liveSessions(person)).toEqual(before);
      expect(await refusal(auth.openFixedSession(right, CLIENT, admit))).toEqualFor(person.role, code);
      if (code !== null) expect(await liveSessions(person)).toEqual(before);
      else expect(await liveSessions(person)).not.toEqual(before);
    }
  });

  it('waits after as many wrong passwords as at /api/v1, which count together', async () => {
    const { id, email } = await t.make.person('trainer', gym.id);
    const codes: (string | null)[] = [];
    for (let guess = 0; guess < 12; guess++) {
      const wrong = { identifier: email, password: `guess ${guess}` };
      codes.push(await refusal(guess % 2 ? auth.actorOfPassword(wrong, CLIENT) : auth.openFixedSession(wrong, CLIENT)));
    }
    expect(codes).toEqual([...Array<string>(10).fill('wrong_credentials'), 'too_many_requests', 'too_many_requests']);
    expect(await t.anonymous.post('/auth/login', { email, password: PASSWORD })).toHaveStatus(429);
    expect(await liveSessions({ id })).toEqual([]);
  });
});

describe('one field for username, email and phone', () => {
  const prove = (identifier: string, password = PASSWORD) =>
    t.app
      .get(PasswordProof)
      .prove({ identifier, password }, CLIENT)
      .then(({ id }) => id);

  it('finds by each of them, however it is written', async () => {
    const phone = newPhone();
    const username = unique('Name');
    const person = await t.make.person('user', gym.id, { phone_number: phone, username });
    const digits = phone.replace(/\D/g, '');
    for (const name of [person.email, ` ${person.email.toUpperCase()} `, username, username.toLowerCase()])
      expect(await prove(name)).toEqualFor(name, person.id);
    for (const name of [phone, digits, `(${digits.slice(0, 4)}) ${digits.slice(4)}`])
      expect(await prove(name)).toEqualFor(name, person.id);
    for (const name of ['', 'x', '+', digits.slice(1), '%'])
      expect(await refusal(prove(name))).toEqualFor(name, 'wrong_credentials');
    // One who is named by a phone is not named by its letters.
    expect(await refusal(prove(`${digits}a`))).toBe('wrong_credentials');
  });

  it('of a phone that several share takes the one whose password fits, of the first three', async () => {
    const phone = newPhone();
    const ids: number[] = [];
    for (const password of ['password 1', 'password 2', 'password 3'])
      ids.push((await t.make.person('user', gym.id, { phone_number: phone, password_hash: hash(password) })).id);
    expect(await prove(phone, 'password 3')).toBe(ids[2]);
    // A name that looks like the phone of others is still a name, and theirs is still a phone.
    const digits = phone.replace(/\D/g, '');
    const named = await t.make.person('user', gym.id, { username: digits });
    expect(await prove(digits)).toBe(named.id);
    expect(await prove(digits, 'password 3')).toBe(ids[2]);
    await t.make.person('user', gym.id, { phone_number: phone, password_hash: hash('password 4') });
    expect(await prove(digits)).toBe(named.id);
    expect(await prove(digits, 'password 3')).toBe(ids[2]);
    expect(await refusal(prove(digits, 'password 4'))).toBe('wrong_credentials');
    await t.db.change(everyGym`UPDATE users SET username = NULL WHERE id = ${named.id}`);
    expect(await refusal(prove(digits, 'password 4'))).toBe('wrong_credentials');
  });

  it('is validated as at sign-in, and is none of the fields of /api/v1', async () => {
    const read = (body: object) => validated(IdentifierDto, body);
    expect(read({ identifier: 'a', password: '123456' })).toMatchObject({ identifier: 'a', password: '123456' });
    for (const wrong of [
      { identifier: 5, password: 'x' },
      { identifier: 'a' },
      { identifier: 'a', password: 'é'.repeat(37) },
    ])
      expect(() => read(wrong)).toThrow();
    const { email } = await t.make.person('user', gym.id);
    expect(await t.anonymous.post('/auth/login', { identifier: email, password: PASSWORD })).toHaveWrongFields('email');
  });
});

describe('an actor of a password', () => {
  const actorOf = ({ email }: Person, password = PASSWORD) =>
    auth.actorOfPassword({ identifier: email, password }, CLIENT);
  const current = (actor: Actor) => t.app.get(ActorResolver).currentActor(actor);
  const confirmed = (actor: Actor) => t.app.get(Handshake, { strict: false }).confirmedPrincipal(actor);

  it('acts without a session, as often as it is asked, and leaves the sessions alone', async () => {
    const person = await t.make.person('user', gym.id);
    const sessions = [];
    for (let time = 0; time < 5; time++) sessions.push(await t.make.signIn(person));
    const before = await liveSessions(person);
    const actors = await times(40, () => actorOf(person));
    expect(actors[0]).toEqual(new Actor(person.id, 'user', gym.id, null, 0));
    for (const actor of actors) expect(actor).toEqual(actors[0]);
    expect(await current(actors[0]!)).toEqual(actors[0]);
    expect(await liveSessions(person)).toEqual(before);
    expect(recoveryKey('/checkins', 'pid', { principal: actors[0]! })).toBeNull();
    // Signing out where one is not signed in ends nothing; there is no pair for it.
    await auth.logout(actors[0]!);
    expect(await liveSessions(person)).toEqual(before);
    expect(await refusal(auth.tokensOf(actors[0]!))).toBe('session_ended');
    const listed = await t.app.get(SessionsService).list(actors[0]!);
    expect(listed.map(({ is_current }) => is_current)).toEqual(Array(5).fill(false));
  });

  it.each([
    ['a new password', { password: 'a better password' }],
    ['deactivation', { is_active: false }],
    ['another role', { role: 'reception' }],
  ])('ends with %s, through the API', async (_, change) => {
    const admin = await t.make.signedIn('admin', null);
    const person = await t.make.person('trainer', gym.id);
    const actor = await actorOf(person);
    expect(await confirmed(actor)).toEqual(actor);
    expect(await admin.client.put(`/users/${person.id}`, change)).toHaveStatus(200);
    expect(['session_ended', 'not_signed_in']).toContain(await refusal(confirmed(actor)));
  });

  it.each([
    ['a new password', everyGym`password_hash = ${hash('another')}`],
    ['deactivation', everyGym`is_active = FALSE`],
    ['deletion', everyGym`deleted_at = now()`],
    ['another gym', everyGym`gym_id = (SELECT min(id) FROM gyms)`],
  ])('ends with %s, by hand', async (_, change) => {
    const actor = await actorOf(await t.make.person('trainer', (await t.make.gym()).id));
    expect(await confirmed(actor)).toEqual(actor);
    await t.db.change(everyGym`UPDATE users SET ${change} WHERE id = ${actor.user_id}`);
    await until(async () => (await refusal(confirmed(actor))) !== null);
  });

  it('that changes the password ends all sessions and itself', async () => {
    const person = await t.make.person('trainer', gym.id);
    await t.make.signIn(person);
    const actor = await actorOf(person);
    await auth.changePassword(actor, { current_password: PASSWORD, new_password: 'a better password' });
    expect(await liveSessions(person)).toEqual([]);
    expect(await refusal(current(actor))).toBe('session_ended');
    expect(await refusal(actorOf(person))).toBe('wrong_credentials');
    expect(await current(await actorOf(person, 'a better password'))).toMatchObject({ password_version: 1 });
  });

  it('is none while the password is temporary', async () => {
    const person = await t.make.person('trainer', gym.id, { must_change_password: true });
    expect(await refusal(actorOf(person))).toBe('password_change_required');
  });

  it('never acts with a password that was changed while it was proved', async () => {
    const person = await t.make.person('trainer', gym.id);
    const [change, ...tries] = await Promise.allSettled([
      t.db.change(everyGym`UPDATE users SET password_hash = ${hash('another')} WHERE id = ${person.id}`),
      ...Array.from({ length: 8 }, () => actorOf(person)),
    ]);
    expect(change.status).toBe('fulfilled');
    const actors = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    await until(async () => (await Promise.all(actors.map((actor) => refusal(current(actor))))).every((code) => code));
  });
});

describe('registration', () => {
  class ShortPassword {
    @IsPassword(6)
    password: string;
  }

  it('takes a password as short as the class of its input says, and signs in with it', async () => {
    for (const password of ['12345', '', 'é'.repeat(37)])
      expect(() => validated(ShortPassword, { password })).toThrow();
    for (const password of ['123456', '7c4a8d09ca3762af61e59520943dc26494f8941b']) {
      const email = `${unique('Short')}@Example.com`;
      const input = { email, gym_id: gym.id, ...validated(ShortPassword, { password }) };
      expect(await auth.register(input, CLIENT)).toMatchObject({ email, role: 'user', gym_id: gym.id });
      const { account } = await auth.openFixedSession({ identifier: email.toLowerCase(), password }, CLIENT);
      expect(account.email).toBe(email);
      expect(await auth.actorOfPassword({ identifier: email, password }, CLIENT)).toMatchObject({
        user_id: account.id,
      });
      expect(await t.anonymous.post('/auth/login', { email, password })).toHaveStatus(200);
    }
    const short = { email: `${unique('short')}@example.com`, password: '1234567' };
    expect(await t.anonymous.post('/auth/register', short)).toHaveWrongFields('password');
  });

  it('of one email in many cases at once makes one account, which keeps it as typed', async () => {
    const email = `${unique('one')}@example.com`;
    const written = [email, email.toUpperCase(), email.replace('one', 'One'), email.replace('example', 'EXAMPLE')];
    const codes = await times(12, (index) =>
      refusal(auth.register({ email: written[index % 4]!, password: PASSWORD, gym_id: gym.id }, CLIENT)),
    );
    expect(codes.filter((code) => code === null)).toHaveLength(1);
    expect(codes.filter((code) => code === 'email_taken')).toHaveLength(11);
    const winner = written[codes.indexOf(null) % 4];
    const { account } = await auth.openFixedSession({ identifier: email, password: PASSWORD }, CLIENT);
    expect(account.email).toBe(winner);
  });
});

describe('what an account shows at sign-in', () => {
  it('are the profiles, and the one last made or chosen, else the oldest', async () => {
    const profiles = t.app.get(ProfilesService);
    const { actor } = await open(await t.make.person('user', gym.id));
    const other = await open(await t.make.person('user', gym.id));
    const held = () => profiles.held(actor, actor.user_id);
    expect(await held()).toEqual({ profile_types: [], profiles: [], current_profile: null });
    const ids: number[] = [];
    for (const type of ['trainee', 'gym', 'store'] as const)
      ids.push((await profiles.choose(actor, actor.user_id, type)).profile.id);
    const [first, second, third] = [
      { id: ids[0]!, type: 'trainee' },
      { id: ids[1]!, type: 'gym' },
      { id: ids[2]!, type: 'store' },
    ];
    const all = { profile_types: ['trainee', 'gym', 'store'], profiles: [first, second, third] };
    expect(await held()).toEqual({ ...all, current_profile: third });
    expect(await profiles.switchProfile(actor, second.id)).toEqual(second);
    expect(await held()).toEqual({ ...all, current_profile: second });
    expect(await profiles.held(other.actor, actor.user_id)).toEqual({ ...all, current_profile: second });
    for (const id of [0, 2_000_000_000])
      expect(await refusal(profiles.switchProfile(actor, id))).toBe('profile_not_found');
    expect(await refusal(profiles.switchProfile(other.actor, first.id))).toBe('profile_not_found');
    await times(9, (index) => profiles.switchProfile(actor, ids[index % 3]!));
    await profiles.switchProfile(actor, third.id);
    await profiles.remove(actor, actor.user_id, 'store');
    expect((await held()).current_profile).toEqual(first);
    expect(await refusal(profiles.held(actor, 2_000_000_000))).toBe('user_not_found');
  });

  it('is a language that each may change for themselves', async () => {
    const { actor } = await open(await t.make.person('user', gym.id));
    const changed = await t.app.get(AccountsService).update(actor, actor.user_id, { language: 'ar' });
    expect(changed.language).toBe('ar');
    expect((await auth.me(actor)).language).toBe('ar');
  });
});
