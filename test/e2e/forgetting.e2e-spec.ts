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

/** Texts that cannot be any word: of a list, or written by the server. */
const FIXED = new Set(['users.language', 'idempotency_keys.answer', 'profiles.profile_type']);
/** The column that says whose a row is. */
const WHOSE: Record<string, string> = { users: 'id', messages: 'sender_id', attachments: 'uploaded_by_id' };

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
    await t.make.userPlan({ id }, await t.make.plan(gym.id));
    await t.db.change(everyGym`INSERT INTO sessions (user_id) VALUES (${id})`);
    await t.db.change(everyGym`INSERT INTO fingerprints (user_id, finger, template) VALUES (${id}, 1, '')`);
    await t.db.change(everyGym`INSERT INTO former_emails (user_id, email) VALUES (${id}, '')`);
    await t.db.change(everyGym`
      INSERT INTO password_resets (token_hash, user_id, email, password_version, expires_at)
      VALUES (${Buffer.from(word)}, ${id}, '', 0, now())`);
    const talk = await t.make.conversation({ id }, desk, { by: { id }, content: word });
    await t.db.change(everyGym`
      INSERT INTO attachments (message_id, uploaded_by_id, storage_key, name, content_type, size)
      VALUES (${talk.message_ids[0]}, ${id}, ${unique('file')}, ${word}, 'image/png', 1)`);
    // Whatever text can be stored about them: also in columns that are new when you read this.
    const texts = columns.filter((column) => column.is_text && ruleOf(column) === 'erased');
    const free = texts.filter(({ name }) => !FIXED.has(name));
    await t.make.course(person, { title: word });
    for (const { table, column } of free) {
      const { of = WHOSE[table] ?? 'user_id', through } = FORGETTING[table]!;
      const whose = raw(through ? `(SELECT ${FORGETTING[through]!.of} FROM ${through} t WHERE t.id = ${of})` : of);
      await t.db.change(everyGym`UPDATE ${raw(table)} SET ${raw(column)} = ${word} WHERE ${whose} = ${id}`);
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

  it.each(['measurements', 'fingerprints', 'courses', 'course_enrolments'])(
    'leaves none of the %s that are being stored',
    async (table) => {
      const desk = await t.make.signedIn('trainer', (await t.make.gym()).id);
      const { id, client } = await t.make.signedIn('user', desk.gym_id);
      const { trainer_profile_id } = await t.make.course({ id });
      const course = await t.make.course(desk);
      const reader = new DeviceActor(null, desk.gym_id!, 'fingerprint', 1, desk.id);
      const store = {
        measurements: () => desk.client.post('/measurements', { user_id: id, weight: 80 }),
        fingerprints: () =>
          t.db.transaction((tx) => t.app.get(FingerprintsService).store(tx, reader, id, 1, newTemplate())),
        courses: () => client.post('/courses', { title: 'X', price: 1, trainer_profile_id }),
        course_enrolments: () => client.post(`/courses/${course.id}/enrol`),
      }[table]!;
      // The row takes its time: the deletion comes meanwhile.
      await t.db.change(everyGym`CREATE TRIGGER slow BEFORE INSERT ON ${raw(table)} FOR EACH ROW
      WHEN (pg_sleep(0.5) IS NULL) EXECUTE FUNCTION notify_device_changed()`);
      try {
        const stored = store();
        await until(
          async () => (await t.db.query(everyGym`SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'`))[0],
        );
        expect(await admin.client.delete(`/users/${id}`)).toHaveStatus(204);
        await stored;
      } finally {
        await t.db.change(everyGym`DROP TRIGGER slow ON ${raw(table)}`);
      }
      const { whose, person } =
        table === 'courses'
          ? { whose: 'trainer_profile_id', person: trainer_profile_id }
          : { whose: 'user_id', person: id };
      expect(await t.db.query(everyGym`SELECT FROM ${raw(table)} WHERE ${raw(whose)} = ${person}`)).toEqual([]);
    },
  );
});
