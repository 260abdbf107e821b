import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { startApp, type TestApp } from '../support/app.js';
import { PASSWORD, type SignedIn, unique } from '../support/factory.js';
import { plansOf, sequentialScans } from '../support/plans.js';
import { inDays } from '../support/slots.js';
import { SocketClient } from '../support/socket-client.js';

let t: TestApp;
let gym: { id: number; name: string };
let desk: SignedIn;
let manager: SignedIn;
let admin: SignedIn;
beforeAll(async () => {
  t = await startApp();
  gym = await t.make.gym();
  desk = await t.make.signedIn('reception', gym.id);
  manager = await t.make.signedIn('manager', gym.id);
  admin = await t.make.signedIn('admin', gym.id);
});
afterAll(async () => {
  SocketClient.closeAll();
  await t.close();
});

/** Of other tables the database that the specs share has too few rows to say what it would do with many (see scale). */
const scansOfUsers = (plans: Awaited<ReturnType<typeof plansOf>>): string[] =>
  sequentialScans(plans).filter((scan) => scan.startsWith('Seq Scan on users'));

/** The same to people, and other characters: capitals, the two ways to write an accent, ß, the last sigma, blanks around. */
const ALIKE = [
  ['Café', ' CAFÉ '],
  ['Straße', 'STRASSE'],
  ['Γιώργος', 'ΓΙΏΡΓΟΣ'],
  ['Ñandú', 'ñANDÚ'.normalize('NFD')],
] as const;

describe('names are compared without regard to case, blanks and the way accents are written', () => {
  it.each(ALIKE)('%j is %j, of gyms, plans and products', async (one, other) => {
    const mark = unique('n');
    const [first, second] = [`${one} ${mark}`, `${other.trim()} ${mark.toUpperCase()} `];
    const resources = [
      ['/gyms', admin, {}, 'gym_name_taken'],
      ['/plans', manager, { price: 1, duration_days: 1 }, 'plan_name_taken'],
      ['/products', manager, { price: 1 }, 'product_name_taken'],
    ] as const;
    for (const [path, { client }, fields, code] of resources) {
      const added = await client.post(path, { ...fields, name: first });
      expect(added).toHaveStatus(201);
      expect(added.body.name).toEqualFor(path, first);
      expect(await client.post(path, { ...fields, name: second })).toBeRefused(409, code);
      const { body: another } = await client.post(path, { ...fields, name: unique('other') });
      expect(await client.put(`${path}/${another.id}`, { name: second })).toBeRefused(409, code);
      // One's own name may be written differently.
      expect(await client.put(`${path}/${added.body.id}`, { name: second })).toHaveStatus(200);
    }
    // Another gym may have plans and products of the same name.
    const { client } = await t.make.signedIn('manager', (await t.make.gym()).id);
    expect(await client.post('/products', { price: 1, name: first })).toHaveStatus(201);
  });

  it('emails, usernames and documents are kept as typed, are taken whatever the case, and sign in', async () => {
    const mark = unique('Maria').replace('-', '.');
    const person = { full_name: 'María', document_id: `Ab-${mark}`, phone_number: ' 12\n345' };
    const hire = (fields: object) =>
      manager.client.post('/users/admin-trainer', { ...person, role: 'trainer', password: PASSWORD, ...fields });
    const { body } = await hire({ email: `${mark}@Example.com`, username: mark });
    expect(body).toMatchObject({ email: `${mark}@Example.com`, username: mark, document_id: `Ab-${mark}` });
    expect(body.phone_number).toBe('12 345');
    const fresh = { email: `${unique('x')}@example.com`, document_id: unique('d') };
    expect(await hire({ ...fresh, email: `${mark.toUpperCase()}@EXAMPLE.COM` })).toBeRefused(409, 'email_taken');
    expect(await hire({ ...fresh, username: mark.toUpperCase() })).toBeRefused(409, 'username_taken');
    expect(await hire({ ...fresh, document_id: ` aB-${mark.toUpperCase()} ` })).toBeRefused(409, 'document_id_taken');
    for (const who of [{ email: `${mark.toLowerCase()}@EXAMPLE.com` }, { username: ` ${mark.toUpperCase()}` }]) {
      expect(await t.anonymous.post('/auth/login', { ...who, password: PASSWORD })).toHaveStatus(200);
    }
    const found = await desk.client.get(`/users/search/document/${encodeURIComponent(`AB-${mark.toUpperCase()}`)}`);
    expect(found.body.id).toBe(body.id);
    expect((await desk.client.get(`/users/search?q=${mark.toUpperCase()}@example.com`)).body[0].id).toBe(body.id);
  });

  it('every unique text is compared by fold(), or is no text that people type', async () => {
    const { rows } = await t.db.pool.query<{ index: string; definition: string }>(`
      SELECT c.relname AS index, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i
      JOIN pg_class c ON c.oid = i.indexrelid
      WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace AND EXISTS (
        SELECT FROM pg_attribute a WHERE a.attrelid = i.indexrelid AND a.atttypid = 'text'::regtype)`);
    const notTyped = [
      // made by programs
      ...[
        'attachments_storage_key_key',
        'attempt_budgets_pkey',
        'enrolments_pkey',
        'idempotency_keys_pkey',
        'job_runs_pkey',
        'job_workers_pkey',
        'key_checks_pkey',
        'socket_sessions_pkey',
      ],
      'users_qr_code_key', // made by us
      'profiles_account_id_profile_type_key', // of a list
    ];
    const others = rows.filter(({ definition }) => !definition.includes('fold('));
    expect(others.map(({ index }) => index).toSorted()).toEqual(notTyped.toSorted());
    expect(rows.length - others.length).toBeGreaterThanOrEqual(6);
  });

  it('through their indexes', async () => {
    await t.db.pool.query(
      `INSERT INTO users (email, username, full_name, document_id, password_hash, gym_id)
       SELECT 'Folded' || n || '@example.com', 'Folded' || n, 'Folded', 'Folded' || n, 'x', $1 FROM generate_series(1, 5000) n`,
      [(await t.make.gym()).id],
    );
    await t.db.pool.query('ANALYZE users');
    const plans = await plansOf(t, async () => {
      await t.anonymous.post('/auth/login', { email: 'Stranger@example.com', password: PASSWORD });
      await desk.client.get('/users/search/document/AB12');
    });
    const keys = plans.map(({ plan }) => plan).join('\n');
    for (const key of ['users_email_key', 'users_username_key', 'users_document_id_key']) expect(keys).toContain(key);
    expect(scansOfUsers(plans)).toEqual([]);
  });
});

describe('a search', () => {
  const NAMES = [
    '王小明',
    'López María',
    'Γιώργος Παπαδόπουλος',
    "Sean O'Connor",
    'Anne-Marie Dubois',
    'สมชาย ใจดี',
    'İpek',
    '김민수',
    'Jörg Weiß',
  ];
  beforeAll(async () => {
    for (const name of NAMES) await t.make.person('user', gym.id, { full_name: name });
  });
  const find = async (q: string) =>
    (await desk.client.get(`/users/search?q=${encodeURIComponent(q)}`)).body.map(
      ({ full_name }: { full_name: string }) => full_name,
    );

  it.each([
    ['小明', '王小明'],
    ['王小', '王小明'],
    ['明', '王小明'],
    ['María, López', 'López María'],
    ['López, Maria', 'López María'],
    ['lopez.maria', 'López María'],
    ['ΓΙΩΡΓΟΣ', 'Γιώργος Παπαδόπουλος'],
    ['παπαδοπουλος', 'Γιώργος Παπαδόπουλος'],
    ["o'connor", "Sean O'Connor"],
    ['O’Connor', "Sean O'Connor"],
    ['oconnor', "Sean O'Connor"],
    ['connor', "Sean O'Connor"],
    ['anne marie', 'Anne-Marie Dubois'],
    ['Anne-Marie', 'Anne-Marie Dubois'],
    ['annemarie', 'Anne-Marie Dubois'],
    ['ชาย', 'สมชาย ใจดี'],
    ['ipek', 'İpek'],
    ['민수', '김민수'],
    ['수', '김민수'],
    ['WEISS', 'Jörg Weiß'],
    ['WEIẞ jörg', 'Jörg Weiß'],
  ])('for %j finds %j', async (q, name) => expect(await find(q)).toEqual([name]));

  it('reads the index in every script', async () => {
    await t.db.pool.query(
      `INSERT INTO users (email, full_name, gym_id) SELECT 'many' || n || '@example.com',
         (ARRAY['Γιώργος', '李', 'Иван', 'Jo'])[n % 4 + 1] || ' ' || chr(200 + n % 300) || md5(n::text), $1 FROM generate_series(1, 20000) n`,
      [gym.id],
    );
    await t.db.pool.query('ANALYZE users');
    for (const q of ['小明', 'Παπαδόπουλος', 'สมชาย', '민수', 'dubois']) {
      const plans = await plansOf(t, () => find(q));
      expect({ q, plan: plans[0]!.plan }).toMatchObject({ plan: expect.stringContaining('users_search_text_idx') });
      expect(scansOfUsers(plans)).toEqual([]);
    }
  });

  it.each(['明小', '王明', 'annmarie', '_', '%%', 'zggjrh'])('for %j finds no one', async (q) =>
    expect(await find(q)).toEqual([]),
  );
});

describe('another gym as a filter', () => {
  it('is refused by every list and every search that a one-gym role may use', async () => {
    const { body: document } = (await t.anonymous.get(`${t.url}/openapi.json`)) as { body: OpenAPIObject };
    const { id: otherId } = await t.make.gym();
    const values: Record<string, string> = { date: '2026-01-31', phone_number: '5550100', document_id: 'x' };
    const lists = Object.entries(document.paths).flatMap(([path, { get }]) =>
      get && (path.includes('/search') || 'Link' in ((get.responses['200'] as { headers?: object }).headers ?? {}))
        ? [{ path, get: get as typeof get & { 'x-roles': string[] } }]
        : [],
    );
    const ofAllGyms = new Set(['/api/v1/gyms', '/api/v1/gyms/active']);
    const staff = { manager, reception: desk };
    let tried = 0;
    for (const { path, get } of lists) {
      // A conversation is of two people, who may be of two gyms.
      if (ofAllGyms.has(path) || path.includes('/chat/')) continue;
      const parameters = (get.parameters ?? []) as { name: string; in: string }[];
      const filters = parameters.filter(({ in: place }) => place === 'query').map(({ name }) => name);
      expect(filters).toEqualFor(path, expect.arrayContaining(['gym_id']));
      const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '1');
      for (const [role, { client }] of Object.entries(staff)) {
        if (!get['x-roles'].includes(role)) continue;
        expect(await client.get(`${t.url}${filled}?gym_id=${otherId}&q=x`)).toBeRefused(403, 'other_gym');
        tried++;
      }
    }
    expect(tried).toBeGreaterThan(20);
  });

  it('is what an admin finds people by', async () => {
    const other = await t.make.gym();
    const person = await t.make.person('user', other.id, { phone_number: '+1 555 777 1234' });
    const found = async (path: string, gymId: number) => (await admin.client.get(`${path}?gym_id=${gymId}`)).body;
    expect(await found('/users/search/phone/7771234', gym.id)).toEqual([]);
    expect(await found('/users/search/phone/7771234', other.id)).toMatchObject([{ id: person.id }]);
    expect((await found(`/users/search/document/${person.document_id}`, gym.id)).code).toBe('user_not_found');
    expect((await found(`/users/search/document/${person.document_id}`, other.id)).id).toBe(person.id);
  });
});

describe('an admin with a home gym', () => {
  it('does there what needs one gym, and sees all', async () => {
    const date = inDays(2);
    const other = await t.make.gym();
    const { client } = admin;
    expect((await client.post('/plans', { name: unique('P'), price: 1, duration_days: 1 })).body.gym_id).toBe(gym.id);
    expect((await client.post('/devices', { name: unique('D'), kind: 'qr' })).body.gym_id).toBe(gym.id);
    expect((await client.get('/slots/settings')).body.gym_id).toBe(gym.id);
    expect((await client.put('/slots/settings', { days_ahead: 20 })).body.gym_id).toBe(gym.id);
    expect((await client.post('/slots/9/book', { date })).body.gym_id).toBe(gym.id);
    expect(await client.get('/slots')).toHaveStatus(200);
    const { id } = await t.make.person('user', other.id);
    expect(await client.get(`/users/${id}`)).toHaveStatus(200);
    expect((await client.get(`/users?gym_id=${other.id}`)).body).toHaveLength(1);
    const socket = await SocketClient.connect(t.url, '/slots', { token: admin.access_token });
    expect((await socket.next('slots_update')).data.gym_id).toBe(gym.id);
    // All gyms are told to them, not only the home.
    const screen = await SocketClient.connect(t.url, '/checkins', { token: admin.access_token });
    expect((await screen.next('initial_stats')).gym_id).toBeNull();
    const { client: otherDesk } = await t.make.signedIn('reception', other.id);
    await otherDesk.post('/attendance', { user_id: id });
    await screen.next('member_checked_in', ({ user_id }) => user_id === id);
  });

  it('is told what is missing, if there is none', async () => {
    const { client } = await t.make.signedIn('admin', null);
    for (const answer of [
      await client.post('/plans', { name: unique('P'), price: 1, duration_days: 1 }),
      await client.get('/slots'),
      await client.put('/slots/settings', { days_ahead: 3 }),
    ]) {
      expect(answer).toHaveWrongFields('gym_id');
    }
    const me = (await client.get('/auth/me')).body;
    expect((await client.put(`/users/${me.id}`, { ...me, full_name: 'The Admin' })).body.gym_id).toBeNull();
  });
});
