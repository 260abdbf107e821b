import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import bcrypt from 'bcryptjs';
import { Passwords } from '../../src/auth/passwords.js';
import { statuses, tally, times } from '../support/answers.js';
import { startApp, type TestApp } from '../support/app.js';
import { PASSWORD, type Person, unique } from '../support/factory.js';

let t: TestApp;
let gym: { id: number };
beforeAll(async () => {
  t = await startApp({ SIGN_IN_FAILURES_PER_ADDRESS: '100000' });
  gym = await t.make.gym();
});
afterAll(() => t.close());

const newPhone = () => `+1 555 ${Math.floor(1e9 * Math.random()) + 1e9}`;
const hash = (password: string) => bcrypt.hashSync(password, 4);

describe('a phone that several people share', () => {
  /** In this order: of too many the last ones do not count. */
  const family = async (phone: string, passwords: string[], fields: object = {}) => {
    const people: Person[] = [];
    for (const password of passwords) {
      const person = { phone_number: phone, password_hash: hash(password), ...fields };
      people.push(await t.make.person('user', gym.id, person));
    }
    return people;
  };
  const login = (phone: string, password: string) => t.anonymous.post('/auth/login', { phone_number: phone, password });

  it('signs in the one whose password fits', async () => {
    const phone = newPhone();
    const people = await family(phone, ['of the mother', 'of the father', 'of the child']);
    for (const [index, password] of ['of the mother', 'of the father', 'of the child'].entries()) {
      const answer = await login(phone.replaceAll(' ', '-'), password);
      expect(answer).toHaveStatus(200);
      expect(answer.body.account.id).toEqualFor(password, people[index]!.id);
    }
    expect(await login(phone, 'of no one')).toBeRefused(401, 'wrong_credentials');
  });

  it('is a name of the first three who have it, and says nothing of others', async () => {
    const phone = newPhone();
    const people = await family(phone, ['password 1', 'password 2', 'password 3', 'password 4']);
    expect((await login(phone, 'password 1')).body.account.id).toBe(people[0]!.id);
    for (const password of ['password 4', 'of no one']) {
      expect(await login(phone, password)).toBeRefused(401, 'wrong_credentials');
    }
  });

  it('takes as long, however many share it', async () => {
    const compared = jest.spyOn(t.app.get(Passwords), 'matches');
    try {
      for (const passwords of [[], ['password 1'], ['password 1', 'password 2', 'password 3', 'password 4']]) {
        const phone = newPhone();
        await family(phone, passwords);
        compared.mockClear();
        expect(await login(phone, 'of no one')).toBeRefused(401, 'wrong_credentials');
        expect([passwords.length, compared.mock.calls.length]).toEqual([passwords.length, 3]);
      }
    } finally {
      compared.mockRestore();
    }
  });

  it('prefers who is active, and says of the others that they are inactive only with their password', async () => {
    const phone = newPhone();
    await family(phone, ['old password', 'old password 2', 'old password 3'], { is_active: false });
    const [active] = await family(phone, ['new password']);
    expect((await login(phone, 'new password')).body.account.id).toBe(active!.id);
    expect(await login(phone, 'old password')).toBeRefused(403, 'account_inactive');
    expect(await login(phone, 'wrong')).toBeRefused(401, 'wrong_credentials');
  });

  it('does not let one of them lock out another', async () => {
    const careful = await startApp({ SIGN_IN_FAILURES_PER_ACCOUNT: '3', SIGN_IN_FAILURES_PER_ADDRESS: '100000' });
    try {
      const phone = newPhone();
      const [owner] = await family(phone, ['of the owner', 'of the other']);
      const by = (body: object) => careful.anonymous.post('/auth/login', body);
      const guesses = await times(10, () => by({ phone_number: phone, password: 'a guess' }));
      expect(tally(guesses)).toEqual({ 401: 3, 429: 7 });
      expect(await by({ email: owner!.email, password: 'of the owner' })).toHaveStatus(200);
    } finally {
      await careful.close();
    }
  });

  it('is not guessed more often by who has it, too, and signs in between', async () => {
    const settings = { SIGN_IN_FAILURES_PER_ACCOUNT: '3', SIGN_IN_FAILURES_PER_ADDRESS: '1000', TRUST_PROXY_HOPS: '1' };
    const careful = await startApp(settings);
    const compared = jest.spyOn(careful.app.get(Passwords), 'matches');
    try {
      const cases = [false, true].flatMap((isKnown) => [false, true].map((isFirst) => ({ isKnown, isFirst })));
      for (const { isKnown, isFirst } of cases) {
        const phone = newPhone();
        const passwords = ['of the owner', 'of the stranger'];
        const people = await family(phone, isFirst ? passwords.toReversed() : passwords);
        const [owner, stranger] = (isFirst ? people.toReversed() : people) as [Person, Person];
        const { rows } = await t.db.pool.query('SELECT password_hash FROM users WHERE id = $1', [owner.id]);
        const address = `198.51.100.${isKnown ? 7 : 8}`;
        const by = (body: object) => careful.anonymous.post('/auth/login', body, { 'x-forwarded-for': address });
        if (isKnown) expect(await by({ email: stranger.email, password: 'of the stranger' })).toHaveStatus(200);
        compared.mockClear();
        for (let guess = 0; guess < 12; guess++) {
          await by({ phone_number: phone, password: `guess ${guess}` });
          if (guess % 2 === 1) await by({ phone_number: phone, password: 'of the stranger' });
        }
        const ofOwner = compared.mock.calls.filter(([, tried]) => tried === rows[0].password_hash);
        expect([isKnown, isFirst, ofOwner.length]).toEqual([isKnown, isFirst, 3]);
      }
    } finally {
      await careful.close();
    }
  });
});

describe('a limit', () => {
  const from = (app: TestApp, address: string, path: string, body: object) =>
    app.anonymous.post(path, body, { 'x-forwarded-for': address });

  it('lets as many register as it says, of 60 at once on two servers', async () => {
    const settings = { REGISTRATIONS_PER_ADDRESS: '5', TRUST_PROXY_HOPS: '1' };
    const apps = [await startApp(settings), await startApp(settings)];
    try {
      const address = `198.51.100.${Math.floor(1 + 250 * Math.random())}`;
      await t.db.pool.query('DELETE FROM attempt_budgets WHERE key LIKE $1', ['register %']);
      const answers = await times(60, (index) =>
        from(apps[index % 2]!, address, '/auth/register', {
          email: `${unique('r')}@example.com`,
          password: PASSWORD,
          gym_id: gym.id,
        }),
      );
      expect(tally(answers)).toEqual({ 201: 5, 429: 55 });
      const refused = answers.find(({ status }) => status === 429)!;
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      // Another address of the same IPv6 network is the same customer; another network is another.
      const six = await times(6, (index) =>
        from(apps[0]!, `2001:db8:5:${address.split('.')[3]}::${index}`, '/auth/register', {
          email: `${unique('r')}@example.com`,
          password: PASSWORD,
          gym_id: gym.id,
        }),
      );
      expect(tally(six)).toEqual({ 201: 5, 429: 1 });
    } finally {
      for (const app of apps) await app.close();
    }
  });

  it('lets as many guesses pass as it says, of 60 at once on two servers', async () => {
    const settings = { SIGN_IN_FAILURES_PER_ACCOUNT: '5', SIGN_IN_FAILURES_PER_ADDRESS: '100000' };
    const apps = [await startApp(settings), await startApp(settings)];
    try {
      const { email } = await t.make.person('user', gym.id);
      const guess = (index: number) =>
        apps[index % 2]!.anonymous.post('/auth/login', { email, password: `guess ${index}` });
      expect(tally(await times(60, guess))).toEqual({ 401: 5, 429: 55 });
      // The right one, many times at once, is never a failure.
      const { email: owner } = await t.make.person('user', gym.id);
      const right = await times(20, (index) =>
        apps[index % 2]!.anonymous.post('/auth/login', { email: owner, password: PASSWORD }),
      );
      expect(statuses(right).every((status) => status === 200)).toBe(true);
    } finally {
      for (const app of apps) await app.close();
    }
  });

  it('slows down who guesses from a network that the accounts are known in, and knows an owner by the /64', async () => {
    const settings = { SIGN_IN_FAILURES_PER_ACCOUNT: '3', SIGN_IN_FAILURES_PER_ADDRESS: '2', TRUST_PROXY_HOPS: '1' };
    const careful = await startApp(settings);
    try {
      const network = `2001:db8:77:${Math.floor(1 + 9000 * Math.random())}`;
      const people = await times(12, () => t.make.person('user', gym.id));
      for (const { email } of people) {
        expect(await from(careful, `${network}::1`, '/auth/login', { email, password: PASSWORD })).toHaveStatus(200);
      }
      const guesses = await times(12, (index) =>
        from(careful, `${network}::${index + 2}`, '/auth/login', { email: people[index]!.email, password: 'a guess' }),
      );
      // Four times what a strange network has.
      expect(tally(guesses)).toEqual({ 401: 8, 429: 4 });
      // Strangers elsewhere use up what strangers have; the owner is known, from another address of the network too.
      const { email } = people[11]!;
      const elsewhere = `203.0.113.${Math.floor(1 + 250 * Math.random())}`;
      await times(5, () => from(careful, elsewhere, '/auth/login', { email, password: 'a guess' }));
      await t.db.pool.query(`DELETE FROM attempt_budgets WHERE key LIKE 'sign_in of known from %'`);
      expect(await from(careful, `${network}::abc`, '/auth/login', { email, password: PASSWORD })).toHaveStatus(200);
    } finally {
      await careful.close();
    }
  });

  it('holds nothing that tells who it is of', async () => {
    const email = `${unique('hidden')}@example.com`;
    const phone = newPhone();
    await t.anonymous.post('/auth/login', { email, password: 'a guess' });
    await t.anonymous.post('/auth/login', { phone_number: phone, password: 'a guess' });
    const { rows } = await t.db.pool.query<{ key: string }>('SELECT key FROM attempt_budgets');
    expect(rows.length).toBeGreaterThan(0);
    const keys = rows.map(({ key }) => key).join('\n');
    expect(keys).not.toContain(email.split('@')[0]);
    expect(keys).not.toContain(phone.replace(/\D/g, ''));
  });
});

describe('a password', () => {
  it('of more than 72 bytes is refused wherever it is tried', async () => {
    const { email, client } = await t.make.signedIn('user', gym.id);
    const long = 'é'.repeat(37);
    expect(await t.anonymous.post('/auth/login', { email, password: long })).toHaveWrongFields('password');
    const change = { current_password: long, new_password: 'a better password' };
    expect(await client.post('/auth/change-password', change)).toHaveWrongFields('current_password');
    const set = { email: `${unique('x')}@example.com`, password: long };
    expect(await t.anonymous.post('/auth/register', set)).toHaveWrongFields('password');
  });

  it('is not hashed for who may not set it, and not without end for who may', async () => {
    const member = await t.make.signedIn('user', gym.id);
    const other = await t.make.person('user', gym.id);
    const budgetOf = async (id: number) =>
      (await t.db.pool.query('SELECT 1 FROM attempt_budgets WHERE key = $1', [`hash ${id}`])).rowCount;
    for (const id of [member.id, other.id]) {
      const { status } = await member.client.put(`/users/${id}`, { password: 'a new password' });
      expect([403, 404]).toContain(status);
    }
    expect(await budgetOf(member.id)).toBe(0);
    const manager = await t.make.signedIn('manager', gym.id);
    await t.db.pool.query(`INSERT INTO attempt_budgets (key, drained_at) VALUES ($1, now() + interval '899 seconds')`, [
      `hash ${manager.id}`,
    ]);
    expect(await manager.client.put(`/users/${other.id}`, { password: 'a new password' })).toHaveStatus(429);
    expect(await manager.client.put(`/users/${other.id}`, { full_name: 'Still works' })).toHaveStatus(200);
  });
});
