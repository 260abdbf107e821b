import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { KeyRing } from '../../../src/common/crypto/key-ring.js';
import { everyGym } from '../../../src/database/sql.js';
import { startApp, type TestApp } from '../../support/app.js';
import { ownDatabase } from '../../support/database.js';
import { makeDevice, newTemplate } from '../../support/device.js';
import { PASSWORD, type Person, type SignedIn } from '../../support/factory.js';
import { PlainClient } from '../../support/plain-client.js';
import { plain } from '../../support/plain-http.js';
import { SocketClient } from '../../support/socket-client.js';
import { until } from '../../support/until.js';

const WRONG_CREDENTIALS = { type: 'error', error: 'Correo electrónico o contraseña incorrectos' };
const NO_ACCESS = { type: 'error', error: 'Sin acceso a este gimnasio' };
const SIGN_IN_FIRST = { type: 'error', error: 'Inicie sesión primero' };
const NO_CONSOLE = { type: 'error', error: 'No se encontró la conexión del usuario' };
const NO_DEVICE = { type: 'error', error: 'No se encontró la conexión del gimnasio' };
const NO_SUCH_USER = { type: 'error', error: 'Usuario no encontrado' };
const NO_FINGER = { type: 'store_error', error: 'Datos de huella digital faltantes' };

interface Gym {
  id: number;
  manager: SignedIn;
  desk: SignedIn;
}

describe('fastapi-gym', () => {
  let t: TestApp;
  let second: TestApp;
  let gym: Gym;

  beforeAll(async () => {
    const DATABASE_URL = await ownDatabase('fastapi_gym');
    t = await startApp({ DATABASE_URL, LEGACY_CLIENTS: 'fastapi-gym' });
    second = await startApp({ DATABASE_URL, LEGACY_CLIENTS: 'fastapi-gym' });
    gym = await newGym();
  });
  afterEach(() => {
    PlainClient.closeAll();
    SocketClient.closeAll();
  });
  afterAll(() => Promise.all([t.close(), second.close()]));

  async function newGym(): Promise<Gym> {
    const { id } = await t.make.gym();
    return { id, manager: await t.make.signedIn('manager', id), desk: await t.make.signedIn('reception', id) };
  }
  const member = (own: Gym, fields = {}) => t.make.person('user', own.id, fields);
  async function memberWithPlan(own: Gym): Promise<Person> {
    const person = await member(own);
    await t.make.userPlan(person, await t.make.plan(own.id));
    return person;
  }

  const openDevice = (gymId: number | string, app = t) => PlainClient.open(`${app.url}/ws/gym/${gymId}`);
  const login = (email: string, password = PASSWORD) => ({ type: 'login', login_data: { email, password } });
  async function newDevice({ id, desk }: Gym, app = t): Promise<PlainClient> {
    const device = await openDevice(id, app);
    expect(await device.ask(login(desk.email), () => true)).toEqual({ type: 'connected' });
    return device;
  }
  const openConsole = ({ id }: { id: number }, token?: string, app = t) =>
    PlainClient.open(`${app.url}/ws/user/${id}${token === undefined ? '' : `?token=${token}`}`);
  async function newConsole({ desk }: Gym, app = t): Promise<PlainClient> {
    const desktop = await openConsole(desk, desk.access_token, app);
    expect(await desktop.next(() => true)).toEqual({ type: 'connected' });
    return desktop;
  }
  /** The answer to one frame. */
  const answer = (client: PlainClient, frame: unknown) => client.ask(frame, () => true);
  /** All that came after what has been read, once an answer to one more frame is there. */
  async function isSilent(client: PlainClient): Promise<void> {
    const before = client.frames.length;
    await client.ask({ type: 'nothing' }, 'error');
    expect(client.frames.slice(before)).toEqual([{ type: 'error', error: 'Tipo de mensaje desconocido' }]);
  }

  describe('a device', () => {
    it('opens without a token, and is told to sign in for all else', async () => {
      const device = await openDevice(gym.id);
      const frames = [
        ...['user', 'store_fingerprint', 'finger1_captured', 'enrollment_completed', 'user_not_found'],
        ...['user_found', 'download_templates', 'disconnect', 'nothing', '__proto__', 'toString'],
      ];
      for (const type of frames) expect(await answer(device, { type, user_id: '7' })).toEqual(SIGN_IN_FIRST);
      expect(await answer(device, {})).toEqual(SIGN_IN_FIRST);
      expect(await answer(device, login(gym.desk.email.toUpperCase()))).toEqual({ type: 'connected' });
    });

    it('is signed in by staff of its gym, or an admin', async () => {
      for (const role of ['admin', 'manager', 'reception', 'trainer'] as const) {
        const person = await t.make.person(role, role === 'admin' ? null : gym.id);
        expect(await answer(await openDevice(`${gym.id}/`), login(person.email))).toEqual({ type: 'connected' });
      }
    });

    it('is refused in the words that it knows, and may try again', async () => {
      const device = await openDevice(gym.id);
      const wrong = [
        login(gym.desk.email, 'wrong'),
        login('nobody@example.com'),
        login('no email'),
        { type: 'login' },
        { type: 'login', login_data: 'x' },
        { type: 'login', login_data: { email: gym.desk.email } },
      ];
      for (const frame of wrong) expect(await answer(device, frame)).toEqual(WRONG_CREDENTIALS);
      const texts: [Person, string][] = [
        [await member(gym), 'Los usuarios no pueden iniciar sesión en el sistema'],
        [await t.make.person('trainer', gym.id, { is_active: false }), 'Usuario inactivo'],
        [await member(gym, { is_active: false }), 'Los usuarios no pueden iniciar sesión en el sistema'],
        [(await newGym()).desk, 'Sin acceso a este gimnasio'],
        [
          await t.make.person('trainer', gym.id, { must_change_password: true }),
          'Cambie primero su contraseña temporal',
        ],
      ];
      for (const [{ email }, error] of texts) {
        expect(await answer(device, login(email, 'wrong'))).toEqual(WRONG_CREDENTIALS);
        expect(await answer(device, login(email))).toEqual({ type: 'error', error });
      }
      expect(await answer(device, { type: 'download_templates' })).toEqual(SIGN_IN_FIRST);
      expect(await answer(device, login(gym.desk.email))).toEqual({ type: 'connected' });
    });

    it('finds no gym at an id that is none', async () => {
      for (const path of ['x', '-1', '', '1/2', '1.5']) {
        expect(await PlainClient.status(`${t.url}/ws/gym/${path}`)).toEqualFor(path, 404);
      }
      for (const id of ['0', '2147483648', '99999999999999999999']) {
        expect(await (await openDevice(id)).closed).toBe(4004);
      }
      const admin = await t.make.person('admin', null);
      expect(await answer(await openDevice(2_000_000_000), login(admin.email))).toEqual(NO_ACCESS);
      expect(await answer(await openDevice(2_000_000_000), login(gym.desk.email))).toEqual(NO_ACCESS);
    });

    it('starts no session, and ends with the password, the role and the account of the staff', async () => {
      const admin = await t.make.signedIn('admin', null);
      const changes = [{ password: 'another password' }, { role: 'accountant' }, { is_active: false }];
      for (const change of changes) {
        const person = await t.make.signedIn('trainer', gym.id);
        const device = await openDevice(gym.id);
        await device.ask(login(person.email), 'connected');
        expect((await person.client.get('/auth/sessions')).body).toHaveLength(1);
        expect(await admin.client.put(`/users/${person.id}`, change)).toHaveStatus(200);
        expect(await device.closed).toBe(4001);
      }
    });

    it('is closed with 4001 without a sign-in in ten seconds', async () => {
      const [device, desktop] = [await openDevice(gym.id), await openConsole(gym.desk)];
      expect(await device.closed).toBe(4001);
      expect(await desktop.closed).toBe(4001);
    }, 20_000);

    it('starts the enrolment of a member, which the consoles see', async () => {
      const [device, desktop] = [await newDevice(gym), await newConsole(gym)];
      const { id, email } = await member(gym, { full_name: 'Ana López' });
      for (const sent of [id, String(id)]) {
        expect(await answer(device, { type: 'user', user_id: sent })).toEqual({
          ...{ type: 'start_enrollment', user_id: String(id), full_name: 'Ana López', email },
        });
        expect(await desktop.next(() => true)).toEqual({
          ...{ type: 'user_established', user_id: String(id), full_name: 'Ana López' },
        });
      }
    });

    it('is told twice of a member that is none here', async () => {
      const [device, desktop] = [await newDevice(gym), await newConsole(gym)];
      const { id } = await member(gym);
      const finger = { type: 'store_fingerprint', fingerprint_data: newTemplate(), finger: 1 };
      for (const wrong of [2_000_000_000, (await member(await newGym())).id, gym.desk.id, 'x', null, {}, -1]) {
        await device.ask({ type: 'user', user_id: id }, 'start_enrollment');
        await desktop.next('user_established');
        expect(await answer(device, { type: 'user', user_id: wrong })).toEqual({
          ...{ type: 'user_error', error: 'Usuario no encontrado' },
        });
        expect(await device.next(() => true)).toEqual(NO_SUCH_USER);
        // The finger that comes now is not stored for the member before.
        expect(await answer(device, finger)).toEqual({ type: 'store_error', error: 'Seleccione primero un usuario' });
      }
      await isSilent(desktop);
    });

    it('stores two fingers of the member last started, and refuses what is no template', async () => {
      const device = await newDevice(gym);
      const [before, last] = [await member(gym), await member(gym)];
      for (const { id } of [before, last]) await device.ask({ type: 'user', user_id: id }, 'start_enrollment');
      for (const finger of [1, 2, '2']) {
        const frame = { type: 'store_fingerprint', fingerprint_data: newTemplate(), finger };
        expect(await answer(device, frame)).toEqual({
          ...{ type: 'fingerprint_stored', user_id: String(last.id) },
          message: 'Huella digital almacenada exitosamente',
        });
      }
      for (const data of [undefined, null, '', 'no base64!', 7, {}]) {
        expect(await answer(device, { type: 'store_fingerprint', fingerprint_data: data, finger: 1 })).toEqual(
          NO_FINGER,
        );
      }
      const short = Buffer.from('huella').toString('base64');
      const stored = await answer(device, { type: 'store_fingerprint', fingerprint_data: short, finger: 1 });
      expect(stored.user_id).toBe(String(last.id));
    });

    it('tells the consoles of its steps, and is told if there is none', async () => {
      const own = await newGym();
      const device = await newDevice(own);
      const { id } = await member(own);
      const steps = [
        { type: 'finger1_captured' },
        { type: 'enrollment_completed', user_id: String(id) },
        { type: 'user_not_found' },
      ];
      for (const step of steps) expect(await answer(device, step)).toEqual(NO_CONSOLE);
      const consoles = [await newConsole(own), await newConsole(own, second)];
      await until(async () => {
        device.send({ type: 'user_not_found' });
        await new Promise((resolve) => setTimeout(resolve, 100));
        return consoles.every(({ frames }) => frames.length > 1);
      });
      const stranger = await newConsole(await newGym());
      for (const desktop of consoles) while (desktop.frames.length < 2) await desktop.next('user_not_found');
      for (const step of steps) {
        device.send(step);
        for (const desktop of consoles) {
          expect(await desktop.next((frame) => frame.type === step.type)).toEqual(step);
        }
      }
      await isSilent(device);
      await isSilent(stranger);
    });

    it('asks for the door: a visit if it opens, and the consoles see who it is', async () => {
      const own = await newGym();
      const [device, desktop] = [await newDevice(own), await newConsole(own)];
      const [anna, bert, far] = [await memberWithPlan(own), await member(own), await member(await newGym())];
      const user = ({ id }: Person) => ({ id: String(id), full_name: expect.any(String) });
      const cases: [id: number, object][] = [
        [anna.id, { type: 'access', allowed: true, reason: null, user: user(anna) }],
        [bert.id, { type: 'access', allowed: false, reason: 'no_plan', user: user(bert) }],
        [far.id, { type: 'access', allowed: false, reason: 'wrong_gym', user: null }],
        [2_000_000_000, { type: 'access', allowed: false, reason: 'unknown', user: null }],
      ];
      for (const [id, expected] of cases) {
        expect(await answer(device, { type: 'user_found', user_id: String(id) })).toEqual(expected);
        expect(await desktop.next(() => true)).toEqual({ type: 'user_found', user_id: String(id) });
      }
      const { body: visits } = await own.desk.client.get(`/attendance?user_id=${anna.id}`);
      expect(visits).toMatchObject([{ status: 'checked_in' }]);
      expect((await own.desk.client.get(`/attendance?user_id=${bert.id}`)).body).toEqual([]);
      expect(await answer(device, { type: 'user_found', user_id: 'x' })).toEqual(NO_SUCH_USER);
    });

    it('gets the templates of its gym, 100 a request, and then the end', async () => {
      const own = await newGym();
      const device = await newDevice(own);
      expect(await answer(device, { type: 'download_templates' })).toEqual({ type: 'template_data_set', data: [] });
      expect(await device.next(() => true)).toEqual({ type: 'download_templates_completed' });
      const people = await Promise.all(Array.from({ length: 101 }, () => member(own)));
      const ring = new KeyRing(t.config.FINGERPRINT_KEYS);
      for (const { id } of people) {
        const sealed = ring.encrypt(Buffer.from(newTemplate(), 'base64'), `fingerprints ${id} 1`);
        await t.db.change(everyGym`INSERT INTO fingerprints (user_id, finger, template) VALUES (${id}, 1, ${sealed})`);
      }
      for (const round of [1, 2]) {
        const before = device.frames.length;
        const first = await answer(device, { type: 'download_templates' });
        const last = await answer(device, { type: 'download_templates' });
        await device.next('download_templates_completed');
        expect([first.data.length, last.data.length]).toEqualFor(round, [100, 1]);
        expect(device.types.slice(before)).toEqual([
          ...['template_data_set', 'template_data_set', 'download_templates_completed'],
        ]);
      }
    });

    it('says goodbye', async () => {
      const device = await newDevice(gym);
      device.send({ type: 'disconnect' });
      expect(await device.closed).toBe(1000);
    });

    it('is told of nonsense with the time, and lives', async () => {
      for (const client of [await newDevice(gym), await openDevice(gym.id), await newConsole(gym)]) {
        for (const frame of ['{', '', 'hello', '[]', 'null', '7', `{"type":"${'x'.repeat(300_000)}"}`]) {
          const { timestamp, ...rest } = await answer(client, frame);
          expect(rest).toEqual({ type: 'error', error: expect.any(String) });
          expect(new Date(timestamp).toISOString()).toBe(timestamp);
        }
      }
      const device = await newDevice(gym);
      for (const type of ['nothing', '__proto__', 'constructor', {}, { toString: 1 }, null, 7]) {
        expect(await answer(device, { type })).toEqual({ type: 'error', error: 'Tipo de mensaje desconocido' });
      }
      expect(await answer(device, login(gym.desk.email))).toEqual({
        type: 'error',
        error: 'La sesión ya está iniciada',
      });
      expect((await answer(device, { type: 'download_templates' })).type).toBe('template_data_set');
    });
  });

  describe('a console', () => {
    it('is of the staff whose token it shows, in the address or in its first frame', async () => {
      for (const role of ['admin', 'manager', 'reception', 'trainer'] as const) {
        const person = await t.make.signedIn(role, gym.id);
        expect(await (await openConsole(person, person.access_token)).next(() => true)).toEqual({ type: 'connected' });
        const later = await PlainClient.open(`${t.url}/ws/user/${person.id}/`);
        expect(await answer(later, { type: 'user', user_id: '7' })).toEqual(SIGN_IN_FIRST);
        expect(await answer(later, { type: 'authenticate', token: person.access_token })).toEqual({
          type: 'connected',
        });
      }
    });

    it('is closed with 4001 for a bad token, and with 4003 for that of another or of one who may not enrol', async () => {
      const { desk, manager } = gym;
      const [user, accountant] = [await t.make.signedIn('user', gym.id), await t.make.signedIn('accountant', gym.id)];
      const cases: [{ id: number }, unknown, number][] = [
        [desk, 'rubbish', 4001],
        [desk, '', 4001],
        [desk, desk.refresh_token, 4001],
        [desk, manager.access_token, 4003],
        [{ id: 2_000_000_000 }, desk.access_token, 4003],
        [user, user.access_token, 4003],
        [accountant, accountant.access_token, 4003],
      ];
      for (const [who, token, code] of cases) {
        const early = await openConsole(who, String(token));
        expect(await early.closed).toEqualFor(String(token), code);
        const later = await openConsole(who);
        later.send({ type: 'authenticate', token });
        expect(await later.closed).toBe(code);
        expect([...early.frames, ...later.frames]).toEqual([]);
      }
      const odd = await openConsole(desk);
      odd.send({ type: 'authenticate', token: { a: 1 } });
      expect(await odd.closed).toBe(4001);
      for (const id of ['0', '2147483648']) {
        expect(await (await PlainClient.open(`${t.url}/ws/user/${id}`)).closed).toBe(4004);
      }
      expect(await PlainClient.status(`${t.url}/ws/user/me`)).toBe(404);
    });

    it('is closed with 4003 if the password is temporary, and with 4001 when the session ends', async () => {
      const fresh = await t.make.signedIn('trainer', gym.id, { must_change_password: true });
      expect(await (await openConsole(fresh, fresh.access_token)).closed).toBe(4003);
      const person = await t.make.signedIn('trainer', gym.id);
      const desktop = await openConsole(person, person.access_token, second);
      await desktop.next('connected');
      await person.client.post('/auth/logout', {});
      expect(await desktop.closed).toBe(4001);
    });

    it('may show its token again, and hears all once', async () => {
      const [device, desktop] = [await newDevice(gym), await newConsole(gym)];
      const again = { type: 'authenticate', token: gym.desk.access_token };
      expect(await answer(desktop, again)).toEqual({ type: 'connected' });
      device.send({ type: 'user_not_found' });
      expect(await desktop.next(() => true)).toEqual({ type: 'user_not_found' });
      await isSilent(desktop);
      desktop.send({ type: 'authenticate', token: gym.manager.access_token });
      expect(await desktop.closed).toBe(4003);
    });

    it('asks for the device of a gym', async () => {
      const own = await newGym();
      const admin = await t.make.signedIn('admin', null);
      const [desktop, chief] = [await newConsole(own), await openConsole(admin, admin.access_token)];
      await chief.next('connected');
      const ask = (client: PlainClient, gymId?: unknown) =>
        answer(client, { type: 'fingerprint_connected', gym_id: gymId });
      expect(await ask(desktop, own.id)).toEqual(NO_DEVICE);
      // It has to be signed in.
      await openDevice(own.id);
      expect(await ask(desktop, own.id)).toEqual(NO_DEVICE);
      await newDevice(own);
      const found = { type: 'fingerprint_connection_stablished', gym_id: String(own.id) };
      expect(await ask(desktop, own.id)).toEqual(found);
      expect(await ask(desktop, String(own.id))).toEqual(found);
      expect(await ask(desktop)).toEqual(found);
      expect(await ask(chief, own.id)).toEqual(found);
      for (const gymId of [gym.id, 2_000_000_000, 'x', {}]) expect(await ask(desktop, gymId)).toEqual(NO_DEVICE);
      expect(await ask(chief)).toEqual(NO_DEVICE);
    });

    it('sends a member to a device, and is told if it cannot', async () => {
      const own = await newGym();
      const desktop = await newConsole(own);
      const { id } = await member(own);
      expect(await answer(desktop, { type: 'user', user_id: id })).toEqual(NO_DEVICE);
      const device = await newDevice(own);
      desktop.send({ type: 'user', user_id: id });
      expect(await device.next(() => true)).toEqual({ type: 'user', user_id: String(id) });
      const wrong = [2_000_000_000, (await member(gym)).id, 'x', null];
      for (const sent of wrong) expect(await answer(desktop, { type: 'user', user_id: sent })).toEqual(NO_SUCH_USER);
      const busy = { type: 'error', error: 'El lector está ocupado con otra consola' };
      expect(await answer(await newConsole(own), { type: 'user', user_id: id })).toEqual(busy);
      await isSilent(device);
      device.socket.terminate();
      expect(await desktop.next(() => true)).toEqual(NO_DEVICE);
    });
  });

  /** A device or a console, over a plain socket or Socket.IO. */
  interface Side {
    send(type: string, payload: object): void;
    next(type: string): Promise<any>;
    ask(type: string, payload: object, answers: string): Promise<any>;
    /** Whether a console finds a device of this gym. */
    finds(gymId: number): Promise<boolean>;
  }
  interface Pair {
    device: Side;
    console: Side;
  }
  const plainSide = (client: PlainClient): Side => ({
    ask: (type: string, payload: object, answers: string) => client.ask({ type, ...payload }, answers),
    send: (type: string, payload: object) => client.send({ type, ...payload }),
    next: (type: string) => client.next(type),
    finds: async (gymId) => (await answer(client, { type: 'fingerprint_connected', gym_id: gymId })).type !== 'error',
  });
  const socketIoSide = (client: SocketClient): Side => ({
    ask: async (type: string, payload: object, answers: string) => {
      client.send(type, payload);
      return client.next(answers);
    },
    send: (type: string, payload: object) => client.send(type, payload),
    next: (type: string) => client.next(type),
    finds: async (gymId) => (await client.ask('fingerprint_connected', { gym_id: gymId })).gym_id === gymId,
  });
  const pairs: Record<string, (own: Gym) => Promise<Pair>> = {
    'plain, on one server': async (own) => ({
      device: plainSide(await newDevice(own)),
      console: plainSide(await newConsole(own)),
    }),
    'plain, on two servers': async (own) => ({
      device: plainSide(await newDevice(own)),
      console: plainSide(await newConsole(own, second)),
    }),
    'an old device and a new console': async (own) => ({
      device: plainSide(await newDevice(own)),
      console: socketIoSide(await SocketClient.connect(second.url, '/devices', { token: own.desk.access_token })),
    }),
    'a new device and an old console': async (own) => {
      const { device_key } = await makeDevice(own.manager.client);
      const device = socketIoSide(await SocketClient.connect(second.url, '/devices', { device_key }));
      return { device, console: plainSide(await newConsole(own)) };
    },
  };

  it.each(Object.keys(pairs))('enrols a member from start to end: %s', async (how) => {
    const own = await newGym();
    const { device, console: desktop } = await pairs[how]!(own);
    const { id, email } = await member(own, { full_name: 'Ana López' });
    await until(() => desktop.finds(own.id));
    desktop.send('user', { user_id: id });
    const { user_id } = await device.next('user');
    expect(Number(user_id)).toBe(id);
    expect(await device.ask('user', { user_id }, 'start_enrollment')).toMatchObject({ full_name: 'Ana López', email });
    expect(Number((await desktop.next('user_established')).user_id)).toBe(id);
    const fingers = [newTemplate(), newTemplate()];
    await device.ask('store_fingerprint', { fingerprint_data: fingers[0], finger: 1 }, 'fingerprint_stored');
    device.send('finger1_captured', {});
    await desktop.next('finger1_captured');
    await device.ask('store_fingerprint', { fingerprint_data: fingers[1], finger: 2 }, 'fingerprint_stored');
    device.send('enrollment_completed', { user_id });
    expect(Number((await desktop.next('enrollment_completed')).user_id)).toBe(id);
    const { data } = await device.ask('download_templates', {}, 'template_data_set');
    expect(data).toMatchObject([{ full_name: 'Ana López', fingerprint1: fingers[0], fingerprint2: fingers[1] }]);
    expect(Number(data[0].id)).toBe(id);
    await device.next('download_templates_completed');
  });

  it('tells how many sockets there are, to all, those of Socket.IO too', async () => {
    const empty = await startApp({ DATABASE_URL: t.config.DATABASE_URL!, LEGACY_CLIENTS: 'fastapi-gym' });
    try {
      const health = async (path = '/ws/health') => plain('GET', empty.url + path);
      expect(await health()).toMatchObject({
        status: 200,
        body: { active_connections: 0, connected_users: [], gym_subscriptions: {}, status: 'healthy' },
      });
      await newDevice(gym, empty);
      await openDevice(gym.id, empty);
      await newConsole(gym, empty);
      await newConsole(gym, empty);
      const { device_key } = await makeDevice(gym.manager.client);
      const reader = await SocketClient.connect(empty.url, '/devices', { device_key });
      await reader.ask('download_templates');
      const { body } = await health('/ws/health/');
      expect(body).toEqual({
        active_connections: 5,
        connected_users: [String(gym.desk.id)],
        gym_subscriptions: { [gym.id]: 2 },
        status: 'healthy',
      });
    } finally {
      await empty.close();
    }
  });

  it('takes the id of a staff member for a token, where the operator has opened that', async () => {
    const settings = { LEGACY_CLIENTS: 'fastapi-gym', FASTAPI_GYM_OPEN_CONSOLES: 'true' };
    const open = await startApp({ DATABASE_URL: t.config.DATABASE_URL!, ...settings });
    try {
      const own = await newGym();
      const desktop = await openConsole(own.desk, undefined, open);
      expect(await desktop.next(() => true)).toEqual({ type: 'connected' });
      const device = await newDevice(own, open);
      const found = { type: 'fingerprint_connection_stablished', gym_id: String(own.id) };
      expect(await answer(desktop, { type: 'fingerprint_connected' })).toEqual(found);
      expect(await answer(desktop, { type: 'fingerprint_connected', gym_id: gym.id })).toEqual(NO_DEVICE);
      device.send({ type: 'user_not_found' });
      expect(await desktop.next(() => true)).toEqual({ type: 'user_not_found' });
      expect((await own.desk.client.get('/auth/sessions')).body).toHaveLength(1);

      const refused: [{ id: number }, number][] = [
        [await member(own), 4003],
        [await t.make.person('accountant', own.id), 4003],
        [await t.make.person('trainer', own.id, { must_change_password: true }), 4003],
        [await t.make.person('trainer', own.id, { is_active: false }), 4001],
        [{ id: 2_000_000_000 }, 4001],
      ];
      for (const [who, code] of refused) expect(await (await openConsole(who, undefined, open)).closed).toBe(code);
      // A token that is shown is looked at.
      expect(await (await openConsole(own.desk, own.manager.access_token, open)).closed).toBe(4003);
      expect(await (await openConsole(own.desk, 'rubbish', open)).closed).toBe(4001);

      const admin = await t.make.signedIn('admin', null);
      await admin.client.put(`/users/${own.desk.id}`, { is_active: false });
      expect(await desktop.closed).toBe(4001);
    } finally {
      await open.close();
    }
  });

  it('is not there where it is switched off', async () => {
    const without = await startApp({ DATABASE_URL: t.config.DATABASE_URL!, LEGACY_CLIENTS: 'gymgem' });
    try {
      for (const path of [`/ws/gym/${gym.id}`, `/ws/user/${gym.desk.id}`]) {
        expect(await PlainClient.status(without.url + path)).toBe(404);
      }
      expect((await plain('GET', `${without.url}/ws/health`)).status).toBe(404);
    } finally {
      await without.close();
    }
  });
});
