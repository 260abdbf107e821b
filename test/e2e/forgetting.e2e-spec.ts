import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeviceActor } from '../../src/common/actor/actor.js';
import { everyGym, raw } from '../../src/database/sql.js';
import { FingerprintsService } from '../../src/devices/fingerprints.service.js';
import { FORGETTING } from '../../src/members/forgetting.js';
import { startApp, type TestApp } from '../support/app.js';
import { newTemplate } from '../support/device.js';
import { type SignedIn, unique } from '../support/factory.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/until.js';

interface Column {
  /** `attendance.notes` */
  name: string;
  table: string;
  column: string;
  is_text: boolean;
}

const words = (columns: Record<string, string> = {}) => Object.keys(columns).join(' ').split(' ').filter(Boolean);
const erasedColumns = ({ becomes, goes, erasedBy }: (typeof FORGETTING)[string]) => [
  ...words(becomes),
  ...words(erasedBy),
  ...(goes?.split(' ') ?? []),
];

/** All that is stored, and what is left of a person who was deleted. */
describe('forgetting a person', () => {
  let t: TestApp;
  let admin: SignedIn;
  let columns: Column[];
  beforeAll(async () => {
    t = await startApp();
    admin = await t.make.signedIn('admin', null);
    columns = await t.db.query<Column>(everyGym`
      SELECT c.oid::regclass || '.' || attname AS name, c.oid::regclass::text AS table, attname AS column,
        typcategory = 'S' OR typname ~ 'json|text' AS is_text
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
      WHERE c.relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
        AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')`);
  });
  afterAll(async () => {
    SocketClient.closeAll();
    await t.close();
  });

  const ruleOf = ({ table, column }: Column): 'erased' | 'kept' | undefined => {
    const { [table]: rule = {} } = FORGETTING;
    if (erasedColumns(rule).includes(column)) return 'erased';
    return ['*', column].some((name) => words(rule.kept).includes(name)) ? 'kept' : undefined;
  };

  /** Whether a word is anywhere in the whole database, and in which columns. */
  async function columnsWith(word: string): Promise<string[]> {
    const found = await Promise.all(
      columns.map(async ({ name, table, column }) => {
        const rows = await t.db.query(
          everyGym`SELECT FROM ${raw(table)} WHERE strpos("${raw(column)}"::text, ${word}) > 0 LIMIT 1`,
        );
        return rows.length > 0 ? [name] : [];
      }),
    );
    return found.flat().toSorted();
  }

  it('says of every column of every table whether it is erased or kept', () => {
    expect(columns.filter((column) => !ruleOf(column)).map(({ name }) => name)).toEqual([]);
    const there = new Set(columns.flatMap(({ name, table }) => [name, `${table}.*`]));
    const listed = Object.entries(FORGETTING).flatMap(([table, rule]) =>
      [...erasedColumns(rule), ...words(rule.kept)].map((column) => `${table}.${column}`),
    );
    expect(listed.filter((name) => !there.has(name))).toEqual([]);
    expect(listed).toHaveLength(new Set(listed).size);
  });

  it('leaves no word of theirs in the whole database, and tells the screens none', async () => {
    // Digits, so that it is also found in a phone number.
    const word = String(Date.now() * 1000 + Math.floor(Math.random() * 1000));
    const gym = await t.make.gym();
    const desk = await t.make.signedIn('manager', gym.id);
    const key = { 'idempotency-key': unique('key') };
    const newcomer = { email: `${word}@example.com`, full_name: word, document_id: word, phone_number: word };
    const { body: person } = await admin.client.post('/users/regular', { ...newcomer, gym_id: gym.id }, key);
    const { id } = person;
    const notes = { location: word, notes: word };
    const { body: earlier } = await desk.client.post('/attendance', { user_id: id, ...notes });
    await desk.client.post(`/attendance/${earlier.id}/check-out`, { notes: word });
    await desk.client.post('/attendance', { user_id: id, ...notes });
    await t.make.measurement({ id, gym_id: gym.id }, { notes: word });
    await t.db.query(everyGym`INSERT INTO sessions (user_id) VALUES (${id})`);
    await t.db.query(everyGym`INSERT INTO fingerprints (user_id, finger, template) VALUES (${id}, 1, '')`);
    // Whatever text can be stored about them: also in columns that are new when you read this.
    const texts = columns.filter((column) => column.is_text && ruleOf(column) === 'erased');
    const free = texts.filter(({ name }) => name !== 'users.language' && name !== 'idempotency_keys.answer');
    for (const { table, column } of free) {
      const whose = raw(table === 'users' ? 'id' : 'user_id');
      await t.db.query(everyGym`UPDATE ${raw(table)} SET ${raw(column)} = ${word} WHERE ${whose} = ${id}`);
    }
    expect(await columnsWith(word)).toEqual(
      expect.arrayContaining([...free.map(({ name }) => name), 'idempotency_keys.answer']),
    );

    const screen = await SocketClient.connect(t.url, '/checkins', { token: desk.access_token });
    expect(await admin.client.delete(`/users/${id}`)).toHaveStatus(204);
    expect(JSON.stringify(await screen.next('member_checked_out'))).not.toContain(word);
    const found = new Set(await columnsWith(word));
    expect(columns.filter((column) => found.has(column.name) && ruleOf(column) !== 'kept')).toEqual([]);
    const visits = await desk.client.all('/attendance');
    expect(visits.map(({ member, notes: left }) => [member.full_name, left])).toEqual(
      Array.from({ length: 2 }, () => ['Deleted', null]),
    );
  });

  it.each(['measurements', 'fingerprints'])('leaves none of the %s that are being stored', async (table) => {
    const desk = await t.make.signedIn('trainer', (await t.make.gym()).id);
    const { id } = await t.make.person('user', desk.gym_id);
    const reader = new DeviceActor(null, desk.gym_id!, 'fingerprint', 1, desk.id);
    const store = {
      measurements: () => desk.client.post('/measurements', { user_id: id, weight: 80 }),
      fingerprints: () =>
        t.db.transaction((tx) => t.app.get(FingerprintsService).store(tx, reader, id, 1, newTemplate())),
    }[table]!;
    // The row takes its time: the deletion comes meanwhile.
    await t.db.query(everyGym`CREATE TRIGGER slow BEFORE INSERT ON ${raw(table)} FOR EACH ROW
      WHEN (pg_sleep(0.5) IS NULL) EXECUTE FUNCTION notify_device_changed()`);
    try {
      const stored = store();
      await until(
        async () => (await t.db.query(everyGym`SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'`))[0],
      );
      expect(await admin.client.delete(`/users/${id}`)).toHaveStatus(204);
      await stored;
    } finally {
      await t.db.query(everyGym`DROP TRIGGER slow ON ${raw(table)}`);
    }
    expect(await t.db.query(everyGym`SELECT FROM ${raw(table)} WHERE user_id = ${id}`)).toEqual([]);
  });
});
