import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { everyGym } from '../../src/database/sql.js';
import { tally, times } from '../support/answers.js';
import { startApp, type TestApp } from '../support/app.js';
import { ownDatabase } from '../support/database.js';
import { makeDevice, type TestDevice } from '../support/device.js';
import { type SignedIn, unique } from '../support/factory.js';
import { plansOf } from '../support/plans.js';
import { SocketClient } from '../support/socket-client.js';

describe('unknown codes at a door', () => {
  let t: TestApp;
  /** Another server of the same database. */
  let second: TestApp;
  let admin: SignedIn;

  beforeAll(async () => {
    const DATABASE_URL = await ownDatabase('door_guesses');
    t = await startApp({ DATABASE_URL });
    second = await startApp({ DATABASE_URL });
    admin = await t.make.signedIn('admin', null);
  });
  afterEach(() => SocketClient.closeAll());
  afterAll(() => Promise.all([t.close(), second.close()]));

  interface Gym {
    id: number;
    desk: SignedIn;
    device: TestDevice;
    /** A member with a plan, who may come in. */
    guest: { id: number; qr_code: string };
  }

  async function newGym(): Promise<Gym> {
    const { id } = await t.make.gym();
    const manager = await t.make.signedIn('manager', id);
    const guest = await newGuest(id);
    return { id, desk: await t.make.signedIn('reception', id), device: await makeDevice(manager.client, 'qr'), guest };
  }
  async function newGuest(gymId: number) {
    const { id } = await t.make.person('user', gymId);
    await t.make.userPlan({ id }, await t.make.plan(gymId));
    const [pass] = await t.db.query<{ qr_code: string }>(everyGym`SELECT qr_code FROM users WHERE id = ${id}`);
    return { id, qr_code: pass!.qr_code };
  }
  const console = (token: string, server = t) => SocketClient.connect(server.url, '/devices', { token });
  const door = ({ device }: Gym, server = t) =>
    SocketClient.connect(server.url, '/devices', { device_key: device.device_key });
  const code = () => unique('GYM-7').slice(0, 50);
  const ask = ({ desk, device }: Gym, body: object, client = desk.client) =>
    client.post('/devices/access', { device_id: device.id, ...body });
  const events = (gymId: number) =>
    t.db.query<{ reason: string | null }>(everyGym`SELECT reason FROM access_events WHERE gym_id = ${gymId}`);
  const budgets = () => t.db.query(everyGym`SELECT key, drained_at FROM attempt_budgets WHERE key ~ 'unknown|alarm'`);
  const later = (seconds: number) =>
    t.db.change(everyGym`UPDATE attempt_budgets SET drained_at = drained_at - make_interval(secs => ${seconds})`);
  /** As if no time had passed since the budget was drained: a busy machine is slow. */
  const asJustDrained = () =>
    t.db.change(everyGym`
      UPDATE attempt_budgets SET drained_at = now() + interval '1 minute'
      WHERE key ~ 'unknown_codes' AND drained_at > now() + interval '40 seconds'`);
  /** All that was broadcast before has arrived. */
  async function settled(screen: SocketClient, gym: Gym): Promise<void> {
    const reader = await door(gym);
    await reader.ask('user_not_found');
    await screen.next('user_not_found');
  }

  it('at once on two servers: ten are answered, and one alarm is told', async () => {
    const own = await newGym();
    const screens = [await console(own.desk.access_token), await console(admin.access_token, second)];
    const onSecond = second.anonymous.withToken(own.desk.access_token);
    const answers = await times(50, (n) => ask(own, { qr_code: code() }, n % 2 ? onSecond : own.desk.client));
    expect(tally(answers)).toEqual({ 200: 10, 429: 40 });
    for (const answer of answers) {
      if (answer.status === 200) expect(answer.body).toMatchObject({ allowed: false, reason: 'unknown', user: null });
      else expect(answer).toBeRefused(429, 'too_many_requests');
      if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(await events(own.id)).toHaveLength(10);
    for (const screen of screens) {
      await settled(screen, own);
      expect(screen.all('access_alarm')).toEqual([
        {
          ...{ gym_id: own.id, device_id: own.device.id, device_name: own.device.name, unknown_codes: 10 },
          timestamp: expect.stringMatching(/Z$/),
        },
      ]);
    }
  });

  it('of a turnstile are counted with those that staff show at it', async () => {
    const own = await newGym();
    const [screen, turnstile] = [await console(own.desk.access_token), await door(own)];
    for (let n = 0; n < 5; n++) expect(await ask(own, { user_id: 2_000_000_000 + n })).toHaveStatus(200);
    for (let n = 0; n < 5; n++) {
      expect(await turnstile.ask('user_found', { qr_code: code() })).toMatchObject({ reason: 'unknown' });
    }
    const refused = await turnstile.ask('user_found', { qr_code: code() });
    expect(refused).toMatchObject({
      code: 'too_many_requests',
      error: expect.stringMatching(/^Too many unknown codes. Try again in [456] s.$/),
    });
    expect(await turnstile.next('error')).toEqual(refused);
    expect(await screen.next('access_alarm')).toMatchObject({ device_id: own.device.id });
    expect(await ask(own, { user_id: 1_999_999_999 })).toBeRefused(429, 'too_many_requests');
    // Another door, and staff without one, go on.
    const manager = await t.make.signedIn('manager', own.id);
    const elsewhere = await makeDevice(manager.client, 'qr');
    expect(await ask(own, { qr_code: code(), device_id: elsewhere.id })).toHaveStatus(200);
    expect(await own.desk.client.post('/devices/access', { qr_code: code() })).toHaveStatus(200);
  });

  it('of a trainer at the desk are counted with those that the account shows at a door', async () => {
    const own = await newGym();
    const { client } = await t.make.signedIn('trainer', own.id);
    const asks = [
      (pass: string) => client.get(`/members/by-qr/${pass}`),
      (pass: string) => client.post('/attendance', { qr_code: pass }),
      (pass: string) => client.post('/attendance', { qr_code: pass, user_id: own.guest.id }),
      (pass: string) => client.post('/devices/access', { qr_code: pass }),
    ];
    for (const look of asks) expect(await look(own.guest.qr_code)).not.toHaveStatus(429);
    const answers = await times(20, (n) => asks[n % 3]!(code()));
    expect(tally(answers)[429]).toBe(10);
    expect(await asks[3]!(code())).toBeRefused(429, 'too_many_requests');
    await asJustDrained();
    for (const look of asks) expect(await look(own.guest.qr_code)).toBeRefused(429, 'too_many_requests');
    // What names no code goes on, and so do others of the gym.
    expect(await client.get(`/users/${own.guest.id}`)).toHaveStatus(200);
    expect(await ask(own, { qr_code: own.guest.qr_code })).toHaveStatus(200);
    await later(60);
    expect(await asks[0]!(own.guest.qr_code)).toHaveStatus(200);
    // Who may read them need not guess.
    const wrong = await times(20, () => own.desk.client.get(`/members/by-qr/${code()}`));
    expect(tally(wrong)).toEqual({ 404: 20 });
  });

  it('keep good ones out as well, without a look at them, until the budget has refilled', async () => {
    const own = await newGym();
    await times(10, () => ask(own, { qr_code: code() }));
    await asJustDrained();
    const { rows: locked } = await t.db.pool.query('SELECT xmin FROM users WHERE id = $1', [own.guest.id]);
    let good = await ask(own, { qr_code: own.guest.qr_code });
    const bad = await ask(own, { qr_code: code() });
    for (const refused of [good, bad]) {
      expect(refused).toBeRefused(429, 'too_many_requests');
      expect(refused.headers.get('retry-after')).toMatch(/^[1-6]$/);
    }
    expect({ ...good.body, instance: '', detail: '' }).toEqual({ ...bad.body, instance: '', detail: '' });
    const plans = await plansOf(t, () => ask(own, { user_id: own.guest.id }));
    expect(plans.filter(({ sql }) => /FROM users u|access_events/.test(sql))).toEqual([]);
    expect((await t.db.pool.query('SELECT xmin FROM users WHERE id = $1', [own.guest.id])).rows).toEqual(locked);
    expect(await events(own.id)).toHaveLength(10);
    // A finger that the reader does not know names no code.
    expect(await (await door(own)).ask('user_not_found')).toSucceed();
    await later(6);
    good = await ask(own, { qr_code: own.guest.qr_code });
    expect(good.body).toMatchObject({ allowed: true, user: { id: own.guest.id } });
    expect(await ask(own, { qr_code: code() })).toHaveStatus(200);
    expect(await ask(own, { qr_code: code() })).toBeRefused(429, 'too_many_requests');
    await later(60);
    expect(tally(await times(12, () => ask(own, { qr_code: code() })))).toEqual({ 200: 10, 429: 2 });
  });

  it('are told again after a minute, and not before', async () => {
    const own = await newGym();
    const screen = await console(own.desk.access_token);
    await times(30, () => ask(own, { qr_code: code() }));
    // Some seconds pass by themselves.
    await later(30);
    await times(30, () => ask(own, { qr_code: code() }));
    await settled(screen, own);
    expect(screen.all('access_alarm')).toHaveLength(1);
    await later(31);
    await times(30, () => ask(own, { qr_code: code() }));
    await settled(screen, own);
    expect(screen.all('access_alarm')).toHaveLength(2);
  });

  it('count once for a code that is held in front of the door, and not for good ones and known people', async () => {
    const own = await newGym();
    const [reader, stranger] = [await door(own), await newGuest((await newGym()).id)];
    const held = code();
    for (let n = 0; n < 15; n++) {
      // The same scan is the same question for some seconds, which are not over.
      await t.db.change(everyGym`UPDATE access_events SET created_at = now() WHERE gym_id = ${own.id}`);
      expect(await reader.ask('user_found', { qr_code: held })).toMatchObject({ reason: 'unknown' });
      expect(await reader.ask('user_found', { qr_code: own.guest.qr_code })).toMatchObject({ allowed: true });
      expect(await reader.ask('user_found', { user_id: stranger.id })).toMatchObject({ reason: 'wrong_gym' });
      expect(await reader.ask('user_not_found')).toSucceed();
    }
    const counted = async () => (await events(own.id)).filter(({ reason }) => reason === 'unknown').length;
    // The code, and the finger that the reader does not know.
    expect(await counted()).toBe(2);
    for (let n = 0; n < 3; n++) {
      expect(await reader.ask('user_found', { qr_code: code() })).toMatchObject({ reason: 'unknown' });
    }
    expect(await counted()).toBe(5);
  });

  it('of staff without a device count for the account', async () => {
    const own = await newGym();
    const other = await t.make.signedIn('reception', own.id);
    const screen = await console(own.desk.access_token);
    const alone = (who: SignedIn) => who.client.post('/devices/access', { qr_code: code() });
    expect(tally(await times(25, () => alone(own.desk)))).toEqual({ 200: 10, 429: 15 });
    expect(await alone(other)).toHaveStatus(200);
    expect(await ask(own, { qr_code: code() })).toHaveStatus(200);
    expect(await screen.next('access_alarm')).toMatchObject({ gym_id: own.id, device_id: null, device_name: null });
    // A reader that staff sign in is no device of its own.
    const reader = await SocketClient.connect(t.url, '/devices');
    const login = { email: other.email, password: 'correct horse' };
    await reader.ask('login', { login_data: login });
    for (let n = 0; n < 9; n++) await reader.ask('user_found', { qr_code: code() });
    expect(await reader.ask('user_found', { qr_code: code() })).toBeRefused('too_many_requests');
    expect(await alone(other)).toBeRefused(429, 'too_many_requests');
  });

  it('alarm the consoles of the gym, not its devices and members, nor another gym', async () => {
    const [own, next] = [await newGym(), await newGym()];
    const hears = [await console(own.desk.access_token), await console(admin.access_token)];
    const member = await t.make.signedIn('user', own.id);
    const deaf = [await console(next.desk.access_token), await console(member.access_token), await door(own)];
    await times(11, () => ask(own, { qr_code: code() }));
    for (const screen of hears) await screen.next('access_alarm', ({ gym_id }) => gym_id === own.id);
    await settled(deaf[0]!, next);
    for (const socket of deaf) expect(socket.all('access_alarm')).toEqual([]);
  });

  it('sent again with a key get the first answer, and a refusal uses no key up', async () => {
    const own = await newGym();
    const key = { 'idempotency-key': unique('key') };
    const body = { device_id: own.device.id, qr_code: code() };
    const first = await own.desk.client.post('/devices/access', body, key);
    await times(20, () => ask(own, { qr_code: code() }));
    expect((await own.desk.client.post('/devices/access', body, key)).body).toEqual(first.body);
    const good = { device_id: own.device.id, qr_code: own.guest.qr_code };
    const again = { 'idempotency-key': unique('key') };
    expect(await own.desk.client.post('/devices/access', good, again)).toBeRefused(429, 'too_many_requests');
    await later(6);
    expect((await own.desk.client.post('/devices/access', good, again)).body).toMatchObject({ allowed: true });
  });

  it('cost a good scan no query and no write', async () => {
    const own = await newGym();
    await ask(own, { qr_code: code() });
    const before = await budgets();
    const plans = await plansOf(t, async () => {
      expect((await ask(own, { qr_code: own.guest.qr_code })).body).toMatchObject({ allowed: true });
    });
    expect(await budgets()).toEqual(before);
    expect(plans.filter(({ sql }) => sql.includes('attempt_budgets')).map(({ sql }) => sql)).toEqual([
      expect.stringContaining('pg_advisory_xact_lock'),
    ]);
    expect(plans.length).toBe(9);
  });
});
