import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { startApp } from '../support/app.js';
import { ownDatabase } from '../support/database.js';
import { makeWorld } from '../support/world.js';

const FOLDER = path.resolve('migrations');

/** All that a migration can make, as PostgreSQL would write it. */
const SCHEMA = `
  SELECT table_name || '.' || column_name || ' ' || concat_ws(' ', data_type, is_nullable, column_default) AS definition
  FROM information_schema.columns WHERE table_schema = 'public'
  UNION ALL SELECT pg_get_constraintdef(oid) || conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
  UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
  WHERE pronamespace = 'public'::regnamespace AND lanname IN ('sql', 'plpgsql')
  ORDER BY 1`;

/** Zones that a gym could have, and what they have become. */
const ZONES = [
  ...[
    ['CET', 'Europe/Brussels'],
    ['EST5EDT', 'America/New_York'],
    ['IST', 'Asia/Kolkata'],
    ['Egypt', 'Africa/Cairo'],
  ],
  ...[
    ['asia/TOKYO', 'Asia/Tokyo'],
    ['Etc/GMT+5', 'Etc/GMT+5'],
    ['FOO3', 'UTC'],
  ],
];

/** What was different, and is the same name now; and what takes the name that the second one would get. */
const TWINS = `
  INSERT INTO gyms (id, name) VALUES (9001, 'Strasse'), (9002, 'Straße'), (9003, 'Strasse (9002)');
  INSERT INTO users (id, email, username, document_id, full_name, gym_id) VALUES
    (9001, 'strasse@example.com', 'josé', 'a', 'One', 9001),
    (9002, 'straße@example.com', 'jose\u0301', 'A', 'Two', 9001),
    (9003, 'straße+9002@example.com', NULL, 'A (9002)', 'Three', 9001)`;

it('every migration but the first goes down and up again, and people keep what they had before', async () => {
  const url = await ownDatabase('migrations');
  const t = await startApp({ DATABASE_URL: url });
  const { own } = await makeWorld(t);
  await own.people.admin.client.delete(`/users/${own.people.trainer.id}`);
  // A plan that is frozen for some days, with another one behind it.
  const later = { user_id: own.people.user.id, plan_id: own.plan.id, start: 'after_current' };
  expect(await own.people.admin.client.post('/user-plans', later)).toHaveStatus(201);
  expect(await own.people.admin.client.post(`/user-plans/${own.userPlan.id}/freeze`, { days: 14 })).toHaveStatus(200);
  await t.close();

  const files = await Promise.all(readdirSync(FOLDER).map((file) => import(path.join(FOLDER, file))));
  const migrations = files.flatMap((file) => Object.values<new () => never>(file));
  const source = new DataSource({ type: 'postgres', url, migrations, migrationsTransactionMode: 'each' });
  await source.initialize();
  try {
    const schema = () => source.query(SCHEMA);
    const people = () =>
      source.query(`SELECT to_jsonb(u) - '{qr_code,language,search_text,password_version,awaits_first_plan}'::text[] - CASE role WHEN 'admin' THEN 'gym_id' ELSE '' END AS person, (SELECT count(*) FROM sessions WHERE user_id = u.id) AS sessions
        FROM users u ORDER BY id`);
    const [before, peopleBefore] = [await schema(), await people()];
    // A member without an email, of whom there were none before.
    const [{ id: nameless }] = await source.query(
      `INSERT INTO users (full_name, gym_id) VALUES ('Nameless', $1) RETURNING id`,
      [own.gym.id],
    );
    for (let step = 1; step < migrations.length; step++) await source.undoLastMigration();
    const tables = await source.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`);
    expect(tables.map(({ tablename }: { tablename: string }) => tablename)).toEqual([
      'attempt_budgets',
      'gyms',
      'idempotency_keys',
      'migrations',
      'sessions',
      'users',
    ]);
    const given = await source.query('DELETE FROM users WHERE id = $1 RETURNING email', [nameless]);
    expect(given).toEqual([[{ email: `member.${nameless}@none.invalid` }], 1]);
    expect(await people()).toEqual(peopleBefore);
    for (const [zone] of ZONES) await source.query('INSERT INTO gyms (name, timezone) VALUES ($1, $1)', [zone]);
    await source.query(TWINS);
    expect(await source.runMigrations()).toHaveLength(migrations.length - 1);
    for (const [zone, now] of ZONES) {
      expect(await source.query('SELECT timezone FROM gyms WHERE name = $1', [zone])).toEqual([{ timezone: now }]);
    }
    expect(await source.query('SELECT name FROM gyms WHERE id > 9000 ORDER BY id')).toEqual(
      ['Strasse', 'Straße (9002)', 'Strasse (9002) (9003)'].map((name) => ({ name })),
    );
    const twins = await source.query('DELETE FROM users WHERE id > 9000 RETURNING email, username, document_id');
    expect(twins).toEqual([
      [
        { email: 'strasse@example.com', username: 'josé', document_id: 'a' },
        { email: 'straße+9002@example.com', username: 'jose\u0301 (9002)', document_id: 'A (9002)' },
        { email: 'straße+9002+9003@example.com', username: null, document_id: 'A (9002) (9003)' },
      ],
      3,
    ]);
    expect(await schema()).toEqual(before);
    expect(await people()).toEqual(peopleBefore);
    // People who were there before have a pass as well; those who have left have none.
    const passes = await source.query(
      `SELECT count(*) FILTER (WHERE qr_code ~ ('^GYM-' || id || '-[0-9a-f]{8}$') AND deleted_at IS NULL)::int AS given,
         count(*) FILTER (WHERE qr_code IS NOT NULL)::int AS all FROM users`,
    );
    expect(passes).toEqual([{ given: peopleBefore.length - 1, all: peopleBefore.length - 1 }]);
  } finally {
    await source.destroy();
  }
});
