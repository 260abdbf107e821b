import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { JobsService } from '../../src/jobs/jobs.service.js';
import { startApp, type TestApp } from '../support/app.js';
import { ownDatabase } from '../support/database.js';
import { PASSWORD, unique } from '../support/factory.js';
import { MailServer } from '../support/mail-server.js';
import { ServerProcess } from '../support/server-process.js';
import { until } from '../support/until.js';

const KEYS = {
  JWT_SECRET: 'a secret that only the tests know, of some length',
  ENCRYPTION_KEYS: 'test:dGVzdC1rZXktdGVzdC1rZXktdGVzdC1rZXktdGVzdC0=',
  FINGERPRINT_KEYS: 'test:ZmluZ2VyLWtleS1maW5nZXIta2V5LWZpbmdlci1rZXk=',
};

/** A zone where it is about noon now: reminders are sent by day. */
const NOON = (() => {
  const ahead = 12 - new Date().getUTCHours();
  return `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
})();

describe('mail', () => {
  let t: TestApp;
  let server: MailServer;
  beforeAll(async () => {
    server = await MailServer.planned();
    await server.start();
    const DATABASE_URL = await ownDatabase('mail');
    t = await startApp({ DATABASE_URL, SMTP_URL: server.url, PUBLIC_URL: 'https://gym.example/' });
  });
  afterAll(async () => {
    await t.close();
    await server.stop();
  });

  // All that the tests ask for comes from one network.
  beforeEach(() => t.db.pool.query('DELETE FROM attempt_budgets'));

  const forget = (email: string) => t.anonymous.post('/auth/forgot-password', { email });
  const tokenIn = (text = '') => /^https:\/\/gym\.example\/reset-password#([\w-]{43})$/m.exec(text)?.[1];
  const reset = (token: unknown, password = 'another password') =>
    t.anonymous.post('/auth/reset-password', { token, new_password: password });
  const signIn = (email: string, password: string) => t.anonymous.post('/auth/login', { email, password });

  describe('to people who forgot their password', () => {
    it('brings a link that is good once, and ends what was signed in with the old one', async () => {
      const gym = await t.make.gym();
      const person = await t.make.signedIn('reception', gym.id, { full_name: 'Ana\n"Bo" <b>' });
      await t.db.pool.query(`UPDATE users SET language = 'es' WHERE id = $1`, [person.id]);
      expect(await forget(person.email.toUpperCase())).toHaveStatus(204);
      const mail = await server.next(person.email);
      expect(mail.subject).toBe('Nueva contraseña');
      expect(mail.from!.value[0]!.address).toBe('spotter@localhost');
      expect([mail.to].flat()[0]!.value).toEqual([{ name: 'Ana "Bo" <b>', address: person.email }]);
      expect(mail.html).toContain('Hola, Ana\n&quot;Bo&quot; &lt;b&gt;:');
      const token = tokenIn(mail.text)!;
      expect(mail.html).toContain(token);
      expect(await reset(token)).toHaveStatus(204);
      expect(await person.client.get('/auth/me')).toBeRefused(401, 'session_ended');
      expect(await signIn(person.email, PASSWORD)).toHaveStatus(401);
      expect(await signIn(person.email, 'another password')).toHaveStatus(200);
      expect(await reset(token, 'a third password')).toHaveWrongFields('token');
      expect(await signIn(person.email, 'another password')).toHaveStatus(200);
    });

    it('lets one of 20 uses at once set the password', async () => {
      const person = await t.make.person('trainer', (await t.make.gym()).id);
      await forget(person.email);
      const token = tokenIn((await server.next(person.email)).text);
      const uses = await Promise.all(Array.from({ length: 20 }, (_, index) => reset(token, `password ${index}`)));
      expect(uses.filter(({ status }) => status === 204)).toHaveLength(1);
      const won = uses.findIndex(({ status }) => status === 204);
      expect(await signIn(person.email, `password ${won}`)).toHaveStatus(200);
    });

    it('is good for nothing once the password is another one, or after 30 minutes', async () => {
      const person = await t.make.signedIn('trainer', (await t.make.gym()).id);
      await forget(person.email);
      const token = tokenIn((await server.next(person.email)).text);
      const change = { current_password: PASSWORD, new_password: 'changed meanwhile' };
      expect(await person.client.post('/auth/change-password', change)).toHaveStatus(204);
      expect(await reset(token)).toHaveWrongFields('token');
      await forget(person.email);
      const late = tokenIn((await server.next(person.email, 2)).text);
      await t.db.pool.query(
        `UPDATE password_resets SET expires_at = expires_at - interval '30 minutes' WHERE user_id = $1`,
        [person.id],
      );
      expect(await reset(late)).toHaveWrongFields('token');
      await t.app.get(JobsService).run('purge_sessions');
      expect((await t.db.pool.query('SELECT 1 FROM password_resets WHERE user_id = $1', [person.id])).rowCount).toBe(0);
      expect(await signIn(person.email, 'changed meanwhile')).toHaveStatus(200);
    });

    it.each(['the desk', 'the person'])('is good for nothing once %s has changed the email', async (by) => {
      const gym = await t.make.gym();
      const person = await t.make.signedIn('user', gym.id);
      const { client } = by === 'the desk' ? await t.make.signedIn('trainer', gym.id) : person;
      await forget(person.email);
      const old = tokenIn((await server.next(person.email)).text);
      const email = `${unique('new')}@example.com`;
      expect(await client.put(`/users/${person.id}`, { email })).toHaveStatus(200);
      expect(await reset(old)).toHaveWrongFields('token');
      expect(await signIn(email, PASSWORD)).toHaveStatus(200);
      await forget(email);
      const token = tokenIn((await server.next(email)).text);
      expect(await client.put(`/users/${person.id}`, { email: email.toUpperCase() })).toHaveStatus(200);
      expect(await reset(token)).toHaveStatus(204);
    });

    it('goes to no one who has no account, no password, or left; all get the same answer', async () => {
      const gym = await t.make.gym();
      const [gone, member] = [await t.make.person('trainer', gym.id), await t.make.person('user', gym.id)];
      await t.db.pool.query('UPDATE users SET is_active = FALSE WHERE id = $1', [gone.id]);
      await t.db.pool.query('UPDATE users SET password_hash = NULL WHERE id = $1', [member.id]);
      const known = await t.make.person('trainer', gym.id);
      const addresses = [gone.email, member.email, `${unique('none')}@example.com`, known.email];
      const answers = [];
      for (const address of addresses) answers.push(await forget(address));
      for (const { status, body } of answers) expect([status, body]).toEqual([204, answers[0]!.body]);
      await server.next(known.email);
      for (const address of addresses.slice(0, 3)) expect(server.to(address)).toEqual([]);
    });

    it('stops at three mails for a person', async () => {
      const person = await t.make.person('trainer', (await t.make.gym()).id);
      const asked = [];
      for (let time = 0; time < 4; time++) asked.push(await forget(person.email));
      expect(asked.map(({ status }) => status)).toEqual([204, 204, 204, 429]);
      expect(Number(asked[3]!.headers.get('retry-after'))).toBeGreaterThan(60);
    });

    it('keeps only a hash of the token', async () => {
      const person = await t.make.person('trainer', (await t.make.gym()).id);
      await forget(person.email);
      const token = tokenIn((await server.next(person.email)).text)!;
      const { rows } = await t.db.pool.query('SELECT r::text FROM password_resets r WHERE user_id = $1', [person.id]);
      expect(rows).toHaveLength(1);
      expect(JSON.stringify(rows)).not.toContain(Buffer.from(token).toString('hex'));
      expect(JSON.stringify(rows)).not.toContain(Buffer.from(token, 'base64url').toString('hex'));
      for (const wrong of ['', 'x', token.slice(1), `${token}a`]) expect((await reset(wrong)).status).toBe(422);
    });

    it('waits for a mail server that is away', async () => {
      await server.stop();
      const person = await t.make.person('trainer', (await t.make.gym()).id);
      expect(await forget(person.email)).toHaveStatus(204);
      const failed = `SELECT 1 FROM graphile_worker.jobs WHERE attempts > 0 AND last_error IS NOT NULL`;
      await until(async () => (await t.db.pool.query(failed)).rowCount);
      await server.start();
      const token = tokenIn((await server.next(person.email)).text);
      expect(await reset(token)).toHaveStatus(204);
    });

    it('leads to a page of this server', async () => {
      const page = await t.anonymous.get(`${t.url}/reset-password`);
      expect(page).toHaveStatus(200);
      expect(page.body).toContain('<form>');
      const script = await t.anonymous.get(`${t.url}/reset-password.js`);
      expect(script.headers.get('content-type')).toContain('text/javascript');
      expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    });
  });

  describe('to an address that is no more that of its person', () => {
    const another = () => `${unique('new')}@example.com`;

    it('tells of a change by the desk, by the person and by an old client, in their language', async () => {
      const gym = await t.make.gym();
      const desk = await t.make.signedIn('trainer', gym.id);
      const [member, own, removed] = await Promise.all([1, 2, 3].map(() => t.make.signedIn('user', gym.id)));
      await t.db.pool.query(`UPDATE users SET language = 'es', phone_number = '+5491155550123' WHERE id = $1`, [
        removed!.id,
      ]);
      await t.db.pool.query(`UPDATE users SET language = 'ar' WHERE id = $1`, [own!.id]);
      const email = another();
      expect(await desk.client.put(`/users/${member!.id}`, { email })).toHaveStatus(200);
      const mail = await server.next(member!.email);
      expect(mail.subject).toBe('Your email address was changed');
      expect(mail.text).toContain('tell the front desk of your gym at once');
      expect(`${mail.text}${String(mail.html)}`).not.toContain(email);
      expect(await own!.client.put(`/accounts/${own!.id}`, { email: another() })).toHaveStatus(200);
      expect((await server.next(own!.email)).subject).toBe('تم تغيير بريدك الإلكتروني');
      expect(await removed!.client.put(`/users/${removed!.id}`, { email: null })).toHaveStatus(200);
      expect((await server.next(removed!.email)).subject).toBe('Tu dirección de correo ha cambiado');
      const old = await fetch(`${t.url}/api/accounts/${member!.id}/`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${member!.access_token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ email: another() }),
      });
      expect(old.status).toBe(200);
      expect((await server.next(email)).subject).toBe('Your email address was changed');
      for (const { email: told } of [member!, own!, removed!]) expect(server.to(told)).toHaveLength(1);
    });

    it('tells nothing where none was, where it is the same, and of people who cannot sign in', async () => {
      const gym = await t.make.gym();
      const { client } = await t.make.signedIn('reception', gym.id);
      const [none, same, without, last] = [
        await t.make.person('user', gym.id, { email: null }),
        await t.make.person('user', gym.id),
        await t.make.person('user', gym.id, { password_hash: null }),
        await t.make.person('user', gym.id),
      ];
      const given = another();
      expect(await client.put(`/users/${none.id}`, { email: given })).toHaveStatus(200);
      expect(await client.put(`/users/${same.id}`, { email: same.email.toUpperCase() })).toHaveStatus(200);
      expect(await client.put(`/users/${without.id}`, { email: another() })).toHaveStatus(200);
      expect(await client.put(`/users/${last.id}`, { email: another() })).toHaveStatus(200);
      await server.next(last.email);
      for (const address of [given, same.email, without.email]) expect(server.to(address)).toEqual([]);
    });

    it('waits for a mail server that is away, and is forgotten with the person and after a week', async () => {
      const gym = await t.make.gym();
      const [admin, gone] = [await t.make.signedIn('admin', null), await t.make.person('user', gym.id)];
      const [waits, late] = [await t.make.person('user', gym.id), await t.make.person('user', gym.id)];
      await server.stop();
      for (const { id } of [gone, waits, late]) {
        expect(await admin.client.put(`/users/${id}`, { email: another() })).toHaveStatus(200);
      }
      const left = async (id: number) =>
        (await t.db.pool.query('SELECT 1 FROM former_emails WHERE user_id = $1', [id])).rowCount;
      expect(await admin.client.delete(`/users/${gone.id}`)).toHaveStatus(204);
      const age = `UPDATE former_emails SET created_at = created_at - interval '7 days' WHERE user_id = $1`;
      await t.db.pool.query(age, [late.id]);
      await t.app.get(JobsService).run('purge_sessions');
      expect([await left(gone.id), await left(waits.id), await left(late.id)]).toEqual([0, 1, 0]);
      await server.start();
      await server.next(waits.email);
      await until(async () => (await t.db.pool.query('SELECT 1 FROM graphile_worker.jobs')).rowCount === 0);
      for (const { email } of [gone, late]) expect(server.to(email)).toEqual([]);
    });

    it('goes to three strangers at most whose addresses one gives as one’s own', async () => {
      const person = await t.make.signedIn('user', (await t.make.gym()).id);
      const addresses = [person.email, another(), another(), another(), another()];
      for (const email of addresses.slice(1)) {
        expect(await person.client.put(`/users/${person.id}`, { email })).toHaveStatus(200);
      }
      await until(async () => (await t.db.pool.query('SELECT 1 FROM graphile_worker.jobs')).rowCount === 0);
      expect(addresses.map((address) => server.to(address).length)).toEqual([1, 1, 1, 0, 0]);
    });
  });

  describe('before a plan ends', () => {
    async function member(expiresIn: string, fields: { language?: string; next?: boolean } = {}, timezone = NOON) {
      const gym = await t.make.gym();
      await t.db.pool.query('UPDATE gyms SET timezone = $2 WHERE id = $1', [gym.id, timezone]);
      const person = await t.make.person('user', gym.id);
      const plan = await t.make.plan(gym.id);
      const { id } = await t.make.userPlan(person, plan);
      await t.db.pool.query('UPDATE users SET language = $2 WHERE id = $1', [person.id, fields.language ?? 'en']);
      await t.db.pool.query(
        `UPDATE user_plans SET starts_at = now() - interval '20 days', expires_at = now() + $2::interval WHERE id = $1`,
        [id, expiresIn],
      );
      if (fields.next) {
        await t.db.pool.query(
          `INSERT INTO user_plans (user_id, gym_id, plan_id, purchased_price, duration_days)
           VALUES ($1, $2, $3, 10, 30)`,
          [person.id, gym.id, plan.id],
        );
      }
      return { ...person, userPlanId: id, gymName: gym.name };
    }
    const remind = () => t.app.get(JobsService).run('send_reminders');
    /** All that was to be sent is sent. */
    const settled = () =>
      until(async () => (await t.db.pool.query('SELECT 1 FROM graphile_worker.jobs')).rowCount === 0);

    it('reminds once 7 days and once 1 day before, in the language of the member', async () => {
      const [soon, tomorrow] = [
        await member('7 days 9 hours', { language: 'es' }),
        await member('20 hours', { language: 'ar' }),
      ];
      const silent = [
        await member('8 days'),
        await member('6 days', { next: true }),
        await member('6 days', {}, NOON.startsWith('Etc/GMT-') ? 'Etc/GMT+3' : 'Etc/GMT-13'),
      ];
      const night = silent[2]!;
      // Today; and tomorrow in the evening, when no mail leaves.
      const [today, evening] = [await member('6 hours'), await member('34 hours')];
      const { rows } = await t.db.pool.query<{ hour: number }>(
        `SELECT extract(hour FROM now() AT TIME ZONE g.timezone)::int AS hour FROM users u JOIN gyms g ON g.id = u.gym_id
         WHERE u.id = $1`,
        [night.id],
      );
      await Promise.all([remind(), remind()]);
      await remind();
      await settled();
      const [spanish] = server.to(soon.email);
      expect(spanish!.subject).toMatch(new RegExp(`^Tu plan en ${soon.gymName} termina el \\d+ de \\w+ de \\d{4}$`));
      const [arabic] = server.to(tomorrow.email);
      expect(arabic!.subject).toBe(`اشتراكك في ${tomorrow.gymName} ينتهي غدًا`);
      expect(arabic!.html).toContain('dir="rtl"');
      expect(server.to(today.email)[0]!.subject).toMatch(/ ends on \w+ \d+, \d{4}$/);
      expect(server.to(evening.email)[0]!.subject).toBe(`Your plan at ${evening.gymName} ends tomorrow`);
      for (const { email } of [soon, tomorrow, today, evening]) expect(server.to(email)).toHaveLength(1);
      for (const { email } of silent.slice(0, 2)) expect(server.to(email)).toEqual([]);
      expect(server.to(night.email)).toHaveLength(rows[0]!.hour >= 9 && rows[0]!.hour <= 19 ? 1 : 0);

      // Six days later.
      await t.db.pool.query(
        `UPDATE user_plans SET starts_at = starts_at - interval '6 days', expires_at = expires_at - interval '6 days' WHERE id = $1`,
        [soon.userPlanId],
      );
      await remind();
      await settled();
      expect(server.to(soon.email)).toHaveLength(2);
      expect(server.to(soon.email)[1]!.subject).toBe(`Tu plan en ${soon.gymName} termina mañana`);
    });

    it('says nothing of a plan that was extended before the mail left', async () => {
      await server.stop();
      const extended = await member('6 days');
      await remind();
      await until(
        async () => (await t.db.pool.query('SELECT 1 FROM graphile_worker.jobs WHERE last_error IS NOT NULL')).rowCount,
      );
      await t.db.pool.query(`UPDATE user_plans SET expires_at = expires_at + interval '30 days' WHERE id = $1`, [
        extended.userPlanId,
      ]);
      await server.start();
      await settled();
      expect(server.to(extended.email)).toEqual([]);
    });
  });
});

describe('the mail of the day', () => {
  let t: TestApp;
  let server: MailServer;
  beforeAll(async () => {
    server = await MailServer.planned();
    await server.start();
    t = await startApp({ DATABASE_URL: await ownDatabase('day_mail'), SMTP_URL: server.url });
  });
  afterAll(async () => {
    await t.close();
    await server.stop();
  });

  it('tells the managers of a gym once how yesterday was', async () => {
    const make = async (timezone: string, isBusy: boolean) => {
      const gym = await t.make.gym();
      await t.db.pool.query('UPDATE gyms SET timezone = $2 WHERE id = $1', [gym.id, timezone]);
      const [manager, seller] = [await t.make.person('manager', gym.id), await t.make.person('reception', gym.id)];
      await t.db.pool.query(`UPDATE users SET language = 'es' WHERE id = $1`, [manager.id]);
      const product = await t.make.product(gym.id, { price: 1234.5 });
      const yesterday = new Date(Date.now() - 24 * 3600 * 1000).toISOString();
      if (isBusy) await t.make.sale(product, seller, yesterday);
      await t.make.sale(product, seller);
      return { gym, manager, seller };
    };
    const busy = await make(NOON, true);
    const quiet = await make(NOON, false);
    const night = await make(NOON.startsWith('Etc/GMT-') ? 'Etc/GMT-1' : 'Etc/GMT-14', true);
    const { rows } = await t.db.pool.query<{ hour: number }>(
      `SELECT extract(hour FROM now() AT TIME ZONE timezone)::int AS hour FROM gyms WHERE id = $1`,
      [night.gym.id],
    );
    const jobs = t.app.get(JobsService);
    await Promise.all([jobs.run('daily_numbers'), jobs.run('daily_numbers')]);
    await jobs.run('daily_numbers');
    await until(async () => (await t.db.pool.query('SELECT 1 FROM graphile_worker.jobs')).rowCount === 0);
    const [mail, ...more] = server.to(busy.manager.email);
    expect(more).toEqual([]);
    expect(mail!.subject).toMatch(new RegExp(`^${busy.gym.name}, \\d+ de \\w+ de \\d{4}: 1234,50$`));
    expect(mail!.text).toContain('Ingresos: 1234,50 (productos 1234,50, planes 0,00)');
    expect(server.to(busy.seller.email)).toEqual([]);
    expect(server.to(quiet.manager.email)).toEqual([]);
    expect(server.to(night.manager.email)).toHaveLength(rows[0]!.hour >= 6 ? 1 : 0);
  });
});

describe('a mail of the day that one manager cannot get', () => {
  it('is tried again for that one alone', async () => {
    const server = await MailServer.planned();
    await server.start();
    const t = await startApp({ DATABASE_URL: await ownDatabase('day_mail_refused'), SMTP_URL: server.url });
    const gym = await t.make.gym();
    await t.db.pool.query('UPDATE gyms SET timezone = $2 WHERE id = $1', [gym.id, NOON]);
    const [first, refused, last] = [
      await t.make.person('manager', gym.id),
      await t.make.person('manager', gym.id),
      await t.make.person('manager', gym.id),
    ];
    server.refused.add(refused.email);
    const product = await t.make.product(gym.id);
    await t.make.sale(product, first, new Date(Date.now() - 24 * 3600 * 1000).toISOString());
    await t.app.get(JobsService).run('daily_numbers');
    const triedTwice = 'SELECT 1 FROM graphile_worker.jobs WHERE attempts > 1 AND last_error IS NOT NULL';
    await until(async () => (await t.db.pool.query(triedTwice)).rowCount);
    for (const { email } of [first, last]) expect(server.to(email)).toHaveLength(1);
    expect(server.to(refused.email)).toEqual([]);
    await t.close();
    await server.stop();
  });
});

describe('without SMTP_URL', () => {
  it.each([
    ['development', true],
    ['production', false],
  ])('a mail is in the log in %s: %s', async (environment, isShown) => {
    const DATABASE_URL = await ownDatabase(`no_mail_${environment}`, { empty: true });
    const server = new ServerProcess({
      ...KEYS,
      NODE_ENV: environment,
      DATABASE_URL,
      ADMIN_PASSWORD: 'admin of the test',
    });
    const client = await server.ready();
    expect(await client.post('/auth/forgot-password', { email: 'admin@gym.com' })).toHaveStatus(204);
    const line = await until(() => server.log.find(({ context }) => context === 'Mail'));
    expect(line).toMatchObject({ level: 'warn', msg: 'A mail was not sent: set SMTP_URL.' });
    expect(String(line.text).includes('/reset-password#')).toBe(isShown);
    expect(line.to).toBe(isShown ? 'admin@gym.com' : undefined);
    await server.kill('SIGTERM');
  });
});
