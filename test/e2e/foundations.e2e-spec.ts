import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { DiscoveryModule, NestFactory } from '@nestjs/core';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { RouteTable } from '../../src/common/actor/route-table.js';
import { DomainEvent } from '../../src/common/events/domain-event.js';
import { Conflict, Unavailable } from '../../src/common/errors/common.errors.js';
import { errorOfConstraint } from '../../src/common/errors/domain-error.js';
import { Database } from '../../src/database/database.js';
import { everyGym } from '../../src/database/sql.js';
import { startApp, testConfig, type TestApp } from '../support/app.js';
import { ownDatabase } from '../support/database.js';
import { type SignedIn, unique } from '../support/factory.js';

class SomethingHappened extends DomainEvent {
  readonly gym_id = null;
  constructor(readonly what: string) {
    super();
  }
}

@Controller('forgotten')
class Forgotten {
  @Get('look')
  look() {
    return 'open to all';
  }
}

@Module({ imports: [DiscoveryModule], controllers: [Forgotten], providers: [RouteTable] })
class Careless {}

const waitFor = async (condition: () => boolean | Promise<boolean>) => {
  const deadline = Date.now() + 5000;
  while (!(await condition()) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  return condition();
};

describe('what every feature stands on', () => {
  let t: TestApp;
  let db: Database;
  let events: EventEmitter2;
  let admin: SignedIn;
  beforeAll(async () => {
    t = await startApp();
    db = t.db;
    events = t.app.get(EventEmitter2);
    admin = await t.make.signedIn('admin', null);
  });
  afterAll(() => t.close());

  describe('a transaction', () => {
    it('publishes what it emitted after the commit, and nothing if it is rolled back', async () => {
      const heard: string[] = [];
      const hear = ({ what }: SomethingHappened) => void heard.push(what);
      events.on(SomethingHappened.name, hear);
      const name = unique('Committed');
      await db.transaction(async (tx) => {
        tx.emit(new SomethingHappened('committed'));
        await tx.query(everyGym`INSERT INTO gyms (name) VALUES (${name})`);
        expect(heard).toEqual([]);
      });
      expect(heard).toEqual(['committed']);
      const failing = db.transaction(async (tx) => {
        tx.emit(new SomethingHappened('rolled back'));
        await tx.query(everyGym`INSERT INTO gyms (name) VALUES (${name})`);
      });
      await expect(failing).rejects.toMatchObject({ kind: { code: 'gym_name_taken' } });
      expect(heard).toEqual(['committed']);
      events.off(SomethingHappened.name, hear);
    });

    it('runs again when PostgreSQL ends it in favour of another, and emits once', async () => {
      const [one, two] = [await t.make.gym(), await t.make.gym()];
      const heard: string[] = [];
      const hear = ({ what }: SomethingHappened) => void heard.push(what);
      events.on(SomethingHappened.name, hear);
      const cross = (first: number, second: number) =>
        db.transaction(async (tx) => {
          tx.emit(new SomethingHappened('crossed'));
          await tx.query(everyGym`UPDATE gyms SET address = 'x' WHERE id = ${first}`);
          await new Promise((resolve) => setTimeout(resolve, 100));
          await tx.query(everyGym`UPDATE gyms SET address = 'y' WHERE id = ${second}`);
        });
      await Promise.all([cross(one.id, two.id), cross(two.id, one.id)]);
      expect(heard).toEqual(['crossed', 'crossed']);
      events.off(SomethingHappened.name, hear);
    });

    it('is not said to be done if one of its statements failed and no one looked', async () => {
      const name = unique('Half');
      const half = db.transaction(async (tx) => {
        await tx.query(everyGym`INSERT INTO gyms (name) VALUES (${name})`);
        await tx.query(everyGym`SELECT 1 / 0`).catch(() => undefined);
      });
      await expect(half).rejects.toThrow('COMMIT after a statement that failed');
      expect(await db.query(everyGym`SELECT 1 FROM gyms WHERE name = ${name}`)).toEqual([]);
    });

    it('gives its connection back, whatever happens', async () => {
      const before = db.pool.totalCount - db.pool.idleCount;
      await Promise.allSettled(
        Array.from({ length: 40 }, (_, index) =>
          db.transaction(async (tx) => {
            if (index % 3 === 0) await tx.query(everyGym`SELECT 1 / 0`);
            if (index % 3 === 1) throw new Conflict();
          }),
        ),
      );
      expect(db.pool.totalCount - db.pool.idleCount).toBe(before);
    });

    it('survives that its connection is cut, and the server goes on', async () => {
      const cut = db.transaction(async (tx) => {
        const [{ pid }] = (await tx.query<{ pid: number }>(everyGym`SELECT pg_backend_pid() AS pid`)) as [
          { pid: number },
        ];
        await db.change(everyGym`SELECT pg_terminate_backend(${pid})`);
        await new Promise((resolve) => setTimeout(resolve, 50));
        await tx.query(everyGym`SELECT 1`);
      });
      await expect(cut).rejects.toBeInstanceOf(Unavailable);
      expect(await admin.client.get('/gyms')).toHaveStatus(200);
    });
  });

  it('makes of rows the same objects and the same JSON, of all types', async () => {
    const text = '"quoted" \\ \u2028 \n \x7f 小明 😀';
    const rows = await db.rows(everyGym`
      SELECT 1::int2 AS a, 2::int4 AS b, 9007199254740991::int8 AS c, 40.00::numeric(12,2) AS d, 0.1::float8 AS e,
        TRUE AS f, FALSE AS g, NULL::text AS h, date '2026-02-28' AS i, '{"x": [1, null]}'::jsonb AS j,
        ${text}::text AS k, ARRAY[1, 2] AS l, ARRAY['a', NULL] AS m,
        timestamptz '2026-02-28 23:59:59.999999+00' AS n, timestamptz '2026-02-28 12:00:00.12+05:30' AS o,
        timestamptz '1999-12-31 00:00:00+00' AS p`);
    const [object] = rows.toArray();
    expect(object).toEqual({
      ...{ a: 1, b: 2, c: Number.MAX_SAFE_INTEGER, d: 40, e: 0.1, f: true, g: false, h: null, i: '2026-02-28' },
      ...{ j: { x: [1, null] }, k: text, l: [1, 2], m: ['a', null] },
      ...{ n: new Date('2026-02-28T23:59:59.999Z'), o: new Date('2026-02-28T06:30:00.120Z') },
      p: new Date('1999-12-31T00:00:00.000Z'),
    });
    expect(rows.toJson().replace('{"x": [1, null]}', '{"x":[1,null]}')).toBe(JSON.stringify([object]));
  });

  it('opens no connection any more once it is closed', async () => {
    const own = await ownDatabase('closed');
    const closed = new Database(testConfig({ DATABASE_URL: own }), new EventEmitter2());
    const work: Record<string, () => Promise<unknown>> = {
      reads: () => closed.query(everyGym`SELECT 1`),
      'one statement': () => closed.statement((unit) => unit.query(everyGym`SELECT 1`)),
      'a transaction': () => closed.transaction((tx) => tx.query(everyGym`SELECT 1`)),
      'a change': () => closed.change(everyGym`SELECT 1`),
    };
    await Promise.all(Object.values(work).map((one) => one()));
    // While it closes, too: a job of the background may be about to ask again.
    const closing = closed.onApplicationShutdown();
    for (const one of Object.values(work)) await expect(one()).rejects.toThrow(Unavailable);
    await closing;
    for (const one of Object.values(work)) await expect(one()).rejects.toThrow(Unavailable);
    const open = async () =>
      (await db.pool.query('SELECT FROM pg_stat_activity WHERE datname = $1', [new URL(own).pathname.slice(1)]))
        .rowCount;
    expect(await waitFor(async () => (await open()) === 0)).toBe(true);
  });

  it('refuses to write where it only reads', async () => {
    const write = db.query(everyGym`UPDATE gyms SET name = name`);
    await expect(write).rejects.toMatchObject({ cause: { code: '25006' } });
  });

  describe('a prepared statement', () => {
    const query = everyGym`SELECT * FROM probe`;
    afterAll(() => db.pool.query('DROP TABLE probe'));

    it('goes on when a migration changes what it reads, alone and in a transaction', async () => {
      await db.pool.query('CREATE TABLE probe AS SELECT 1 AS before');
      const all = () => Promise.all(Array.from({ length: 5 }, () => db.query(query)));
      expect((await all()).flat()).toEqual(Array.from({ length: 5 }, () => ({ before: 1 })));
      await db.pool.query('ALTER TABLE probe ADD COLUMN later int DEFAULT 2');
      expect(await db.transaction((tx) => tx.query(query))).toEqual([{ before: 1, later: 2 }]);
      expect(await db.query(query)).toEqual([{ before: 1, later: 2 }]);
    });

    it('is not prepared again for ever, and not for what PostgreSQL cannot do', async () => {
      let attempts = 0;
      const stale = db.transaction(async () => {
        attempts++;
        throw Object.assign(new Unavailable(), { cause: { routine: 'RevalidateCachedQuery' } });
      });
      await expect(stale).rejects.toBeInstanceOf(Unavailable);
      expect(attempts).toBe(t.db.pool.options.max + 1);
      await expect(db.change(everyGym`SELECT DISTINCT id FROM users FOR UPDATE`)).rejects.toMatchObject({
        code: '0A000',
      });
    });
  });

  it('adds the options of DATABASE_URL to its own', async () => {
    const options = encodeURIComponent('-c timezone=Asia/Tokyo -c work_mem=17MB -c search_path=public,pg_temp');
    const server = await startApp({ DATABASE_URL: `${t.config.DATABASE_URL}?options=${options}` });
    const settings = await server.db.query(everyGym`
      SELECT current_setting('timezone') AS timezone, current_setting('work_mem') AS work_mem,
        current_setting('search_path') AS search_path, current_setting('statement_timeout') AS statement_timeout`);
    await server.close();
    // Ours are defaults, but for what our SQL relies on.
    expect(settings).toEqual([
      { timezone: 'UTC', work_mem: '17MB', search_path: 'public,pg_temp', statement_timeout: '15s' },
    ]);
  });

  describe('a refusal of the database', () => {
    it('names the field of a foreign key, and of a number that is too large', async () => {
      const { id } = await t.make.gym();
      const offer = (gymId: number, price: string) =>
        db.change(everyGym`
          INSERT INTO plans (gym_id, name, price, kind, duration_days) VALUES (${gymId}, 'X', ${price}, 'time', 1)`);
      const refusal = (field: string) => ({ kind: { code: 'fields_invalid' }, data: { errors: [{ field }] } });
      await expect(offer(2_000_000_000, '1')).rejects.toMatchObject(refusal('gym_id'));
      await expect(offer(id, '1e10')).rejects.toMatchObject(refusal('body'));
    });

    it('is an error of its own, but for what a DTO or a trigger keeps from it', async () => {
      const { rows } = await db.pool.query<{ name: string }>(
        `SELECT conname AS name FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'u', 'x') AND conrelid <> 0
         UNION SELECT relname FROM pg_index JOIN pg_class ON oid = indexrelid
         WHERE relnamespace = 'public'::regnamespace AND indisunique AND NOT indisprimary ORDER BY 1`,
      );
      const kept = [
        ...['gyms_timezone_check', 'users_email_check', 'users_gym_check', 'users_role_check'],
        ...['users_language_check', 'attachments_described_check', 'attachments_message_id_key'],
        ...['attachments_storage_key_key', 'conversations_pair_check', 'conversations_user1_id_user2_id_key'],
        ...['participants_unread_check'],
        ...['users_qr_code_key', 'plans_amounts_check', 'plans_kind_check', 'user_plans_amounts_check'],
        ...[
          'user_plans_end_check',
          'user_plans_freeze_check',
          'products_price_check',
          'sales_quantity_check',
          'stock_movements_reason_check',
        ],
        ...['access_events_reason_check', 'devices_key_hash_key', 'devices_kind_check', 'fingerprints_finger_check'],
        ...['fingerprints_finger_key', 'slot_bookings_cancel_check', 'slot_bookings_slot_check'],
        ...['slot_settings_amounts_check', 'slot_settings_hours_check', 'courses_price_check', 'profiles_type_check'],
        // Of these the second is no error: it is found, or was locked out.
        ...['profiles_account_id_profile_type_key', 'profiles_current_key'],
        ...['course_enrolments_course_id_user_id_key'],
      ];
      const unknown = rows.map(({ name }) => name).filter((name) => errorOfConstraint(name) === null);
      expect(unknown.toSorted()).toEqual(kept.toSorted());
    });
  });

  describe('the outbox', () => {
    it('delivers what was committed, again until its listener succeeds, and nothing of a rollback', async () => {
      const heard: string[] = [];
      let failures = 1;
      const hear = ({ what }: SomethingHappened) => {
        heard.push(what);
        if (failures-- > 0) throw new Error('not now');
      };
      events.on(SomethingHappened.name, hear);
      const rolledBack = db.transaction(async (tx) => {
        await tx.emitDurably(new SomethingHappened('lost'));
        throw new Conflict();
      });
      await expect(rolledBack).rejects.toBeInstanceOf(Conflict);
      await db.transaction((tx) => tx.emitDurably(new SomethingHappened('kept')));
      await waitFor(() => heard.length >= 1);
      // The queue waits longer after each failure; the test does not.
      await waitFor(async () => {
        await db.change(
          everyGym`SELECT graphile_worker.reschedule_jobs(ARRAY(SELECT id FROM graphile_worker.jobs WHERE attempts > 0), run_at => now())`,
        );
        return heard.length >= 2;
      });
      expect(heard).toEqual(['kept', 'kept']);
      events.off(SomethingHappened.name, hear);
    });

    it('is delivered by one of several servers', async () => {
      const second = await startApp();
      const heard: string[] = [];
      const hear = ({ what }: SomethingHappened) => void heard.push(what);
      const buses = [events, second.app.get(EventEmitter2)];
      for (const bus of buses) bus.on(SomethingHappened.name, hear);
      await db.transaction(async (tx) => {
        for (let number = 0; number < 20; number++) await tx.emitDurably(new SomethingHappened(`event ${number}`));
      });
      await waitFor(() => heard.length >= 20);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(heard.toSorted()).toEqual(Array.from({ length: 20 }, (_, number) => `event ${number}`).toSorted());
      for (const bus of buses) bus.off(SomethingHappened.name, hear);
      await second.close();
    });
  });

  describe('an Idempotency-Key', () => {
    const open = (name: string, key: string, client = admin.client) =>
      client.post('/gyms', { name }, { 'idempotency-key': key });

    it('sent again gets the first answer, also 20 times at once', async () => {
      const [name, key] = [unique('Once'), unique('key')];
      const answers = await Promise.all(Array.from({ length: 20 }, () => open(name, key)));
      expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
      expect(answers[0]).toMatchObject({ status: 201, body: { name } });
      const later = await open(name, key);
      expect(later.body).toEqual(answers[0]!.body);
    });

    it('with another body is refused', async () => {
      const key = unique('key');
      await open(unique('One'), key);
      expect(await open(unique('Two'), key)).toBeRefused(422, 'idempotency_key_reused');
    });

    it('belongs to its account and its route', async () => {
      const [name, key] = [unique('Mine'), unique('key')];
      const other = await t.make.signedIn('admin', null);
      expect(await open(name, key)).toHaveStatus(201);
      expect(await open(name, key, other.client)).toBeRefused(409, 'gym_name_taken');
      const staff = {
        email: `${unique('x')}@example.com`,
        full_name: 'X',
        document_id: unique('x'),
        phone_number: '12345',
      };
      const hired = await admin.client.post(
        '/users/admin-trainer',
        { ...staff, role: 'admin', password: 'long enough' },
        { 'idempotency-key': key },
      );
      expect(hired).toHaveStatus(201);
    });

    it('is not used up by a refusal', async () => {
      const [name, key] = [unique('Taken'), unique('key')];
      const gym = await t.make.gym({ name });
      expect(await open(name, key)).toHaveStatus(409);
      await admin.client.delete(`/gyms/${gym.id}`);
      expect(await open(name, key)).toHaveStatus(201);
    });

    it('is forgotten after a day', async () => {
      const [name, key] = [unique('Day'), unique('key')];
      expect(await open(name, key)).toHaveStatus(201);
      await db.change(
        everyGym`UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = ${key}`,
      );
      expect(await open(name, key)).toBeRefused(409, 'gym_name_taken');
      expect(await open(unique('Fresh'), key)).toHaveStatus(201);
    });

    it('must be a word', async () => {
      for (const key of ['', ' ', 'two words', 'x'.repeat(256)]) {
        expect(await open(unique('G'), key)).toHaveStatus(422);
      }
    });
  });

  it('does not start with a route that does not say who may use it', async () => {
    const starting = NestFactory.createApplicationContext(Careless, { logger: false, abortOnError: false });
    await expect(starting).rejects.toThrow('Forgotten.look is a route that does not say who may use it');
  });
});
