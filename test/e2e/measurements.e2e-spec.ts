import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Role } from '../../src/common/actor/roles.js';
import { SIZE_NAMES, SIZES } from '../../src/measurements/dto/measurement.dto.js';
import { times } from '../support/answers.js';
import { startApp, type TestApp } from '../support/app.js';
import { type Person, type SignedIn, unique } from '../support/factory.js';
import { CLOCK_CHANGES, NEW_YORK } from '../support/new-york.js';
import { type GymWorld, makeWorld } from '../support/world.js';

describe('measurements', () => {
  let t: TestApp;
  let own: GymWorld;
  let other: GymWorld;
  let as: Record<Role, SignedIn>;
  let member: Person;
  beforeAll(async () => {
    t = await startApp();
    ({ own, other } = await makeWorld(t));
    as = own.people;
    member = await t.make.person('user', own.gym.id);
  });
  afterAll(() => t.close());

  const record = (body: object, headers?: Record<string, string>) =>
    as.trainer.client.post('/measurements', { user_id: member.id, ...body }, headers);
  const correct = (id: number, body: object) => as.trainer.client.put(`/measurements/${id}`, body);
  const of = ({ id }: { id: number }, path = '') => `/measurements/user/${id}${path}`;

  it('hold each size to the hundredth, from the least to the most that is believable', async () => {
    for (const end of ['min', 'max'] as const) {
      const sizes = Object.fromEntries(SIZE_NAMES.map((size) => [size, SIZES[size][end]]));
      const recorded = await record({ ...sizes, notes: ' After the holidays ' });
      expect(recorded).toHaveStatus(201);
      expect(recorded.body).toMatchObject({
        ...sizes,
        user_id: member.id,
        gym_id: own.gym.id,
        notes: 'After the holidays',
        recorded_by_id: as.trainer.id,
      });
      const beyond = SIZE_NAMES.map((size) => [size, SIZES[size][end] + (end === 'min' ? -0.01 : 0.01)]);
      expect(await record(Object.fromEntries(beyond))).toHaveWrongFields(...SIZE_NAMES);
    }
    expect((await record({ weight: '71.55', height: 172.1 })).body).toMatchObject({ weight: 71.55, height: 172.1 });
    for (const weight of [0, -80, 80.001, 1e-7, 'heavy', '8e1', true, [80]]) {
      expect(await record({ weight })).toHaveWrongFields('weight');
    }
  });

  it('need at least one number, also after a correction', async () => {
    for (const nothing of [{}, { notes: 'Was ill' }, { weight: null, height: null }]) {
      const answer = await record(nothing);
      expect(answer).toBeRefused(422, 'nothing_measured');
      expect(answer).toHaveWrongFields('weight');
    }
    const { body } = await record({ weight: 80, chest: 100 });
    expect((await correct(body.id, { chest: null })).body).toMatchObject({ weight: 80, chest: null });
    expect(await correct(body.id, { weight: null })).toBeRefused(422, 'nothing_measured');
    expect((await correct(body.id, { hips: 99.5, weight: null })).body).toMatchObject({ weight: null, hips: 99.5 });
    expect(await correct(body.id, { hips: 9, measurement_date: 'never' })).toHaveWrongFields(
      'hips',
      'measurement_date',
    );
  });

  it('were made in the past', async () => {
    const { body } = await record({ weight: 80, measurement_date: '2026-01-31T18:30:00+05:30' });
    expect(body.measurement_date).toBe('2026-01-31T13:00:00.000Z');
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    for (const time of [
      soon,
      '2026-02-30T10:00:00Z',
      '2026-02-30',
      '2026-02-30T10:00:00',
      '2026-01-31 10:00:00',
      '2020-01-01T00:00:00+23:00',
    ]) {
      expect(await record({ weight: 80, measurement_date: time })).toHaveWrongFields('measurement_date');
    }
    expect(await correct(body.id, { measurement_date: soon })).toHaveWrongFields('measurement_date');
  });

  it('are of a person of the gym', async () => {
    for (const id of [other.people.user.id, 2_000_000_000, 'me']) {
      expect(await record({ user_id: id, weight: 80 })).toHaveWrongFields('user_id');
    }
  });

  it('are recorded once under an Idempotency-Key, also 20 times at once', async () => {
    const { id } = await t.make.person('user', own.gym.id);
    const key = { 'idempotency-key': unique('key') };
    const answers = await times(20, () => record({ user_id: id, weight: 80 }, key));
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
    expect(await as.trainer.client.all(of({ id }))).toEqual([answers[0]!.body]);
  });

  it('are listed the newest first, page by page, each once', async () => {
    const person = await t.make.person('user', own.gym.id);
    const days = ['2026-03-01', '2026-01-01', '2026-02-01', '2026-02-01', '2026-02-01'];
    for (const day of days) await t.make.measurement(person, { measurement_date: `${day}T10:00:00.000Z` });
    const { client } = as.reception;
    for (const path of [`${of(person)}?limit=2`, `/measurements?user_id=${person.id}&limit=2`]) {
      const all = await client.all(path);
      expect(all.map(({ measurement_date }) => measurement_date.slice(0, 10))).toEqual(days.toSorted().toReversed());
      expect(new Set(all.map(({ id }) => id)).size).toBe(5);
    }
    expect((await client.get(of(person, '/latest'))).body.measurement_date).toBe('2026-03-01T10:00:00.000Z');
  });

  it('can be deleted, and the one before is the latest again', async () => {
    const person = await t.make.person('user', own.gym.id);
    const first = await t.make.measurement(person, { measurement_date: '2026-01-01T00:00:00Z' });
    const second = await t.make.measurement(person);
    const { client } = as.trainer;
    for (const { id } of [second, first]) {
      expect((await client.get(of(person, '/latest'))).body.id).toBe(id);
      expect(await client.delete(`/measurements/${id}`)).toHaveStatus(204);
      expect(await client.delete(`/measurements/${id}`)).toBeRefused(404, 'measurement_not_found');
    }
    expect(await client.get(of(person, '/latest'))).toBeRefused(404, 'measurement_not_found');
    expect(await client.all(of(person))).toEqual([]);
  });

  it('of others are nothing to a member', async () => {
    const { id } = await t.make.measurement(member);
    const { client } = as.user;
    expect((await client.all('/measurements')).map(({ user_id }) => user_id)).toEqual([as.user.id]);
    expect(await client.all(`/measurements?user_id=${member.id}`)).toEqual([]);
    for (const path of [
      `/measurements/${id}`,
      of(member),
      of(member, '/latest'),
      of(member, '/progress'),
      of(member, '/progress.svg'),
    ]) {
      expect(await client.get(path)).toHaveStatus(404);
    }
  });

  it('are gone with the person', async () => {
    const person = await t.make.person('user', own.gym.id);
    const { id } = await t.make.measurement(person, { notes: 'Private' });
    expect(await as.admin.client.delete(`/users/${person.id}`)).toHaveStatus(204);
    expect(await as.admin.client.get(`/measurements/${id}`)).toBeRefused(404, 'measurement_not_found');
  });

  describe('progress', () => {
    it('goes from the first to the last value of each size', async () => {
      const { id } = await t.make.person('user', own.gym.id);
      await record({ user_id: id, measurement_date: '2026-01-05T10:00:00Z', weight: 84, chest: 100 });
      await record({ user_id: id, measurement_date: '2026-02-05T10:00:00Z', weight: 90, height: 172 });
      await record({ user_id: id, measurement_date: '2026-03-05T10:00:00Z', weight: 79.5, chest: null });
      expect((await as.reception.client.get(of({ id }, '/progress'))).body).toEqual({
        user_id: id,
        start_date: '2026-01-05',
        end_date: '2026-03-05',
        measurement_count: 3,
        fields: {
          weight: { start: 84, current: 79.5, change: -4.5, change_percent: -5.36 },
          chest: { start: 100, current: 100, change: 0, change_percent: 0 },
          height: { start: 172, current: 172, change: 0, change_percent: 0 },
        },
      });
      const from = await as.reception.client.get(of({ id }, '/progress?start_date=2026-01-06'));
      expect(from.body).toMatchObject({ start_date: '2026-01-06', measurement_count: 2 });
      expect(from.body.fields.weight).toEqual({ start: 90, current: 79.5, change: -10.5, change_percent: -11.67 });
    });

    it('of nothing is nothing', async () => {
      const { id } = await t.make.person('user', own.gym.id);
      expect((await as.trainer.client.get(of({ id }, '/progress'))).body).toEqual({
        user_id: id,
        start_date: null,
        end_date: null,
        measurement_count: 0,
        fields: {},
      });
      expect(await as.trainer.client.get(of({ id: 2_000_000_000 }, '/progress'))).toBeRefused(404, 'user_not_found');
      expect(await as.trainer.client.get(of({ id }, '/progress?end_date=2026-13-01'))).toHaveWrongFields('end_date');
    });

    it.each(CLOCK_CHANGES)('counts the $hours hours of $date in New York', async ({ date, moments }) => {
      const gym = await t.make.gym({ timezone: NEW_YORK });
      const person = await t.make.person('user', gym.id);
      for (const [index, moment] of moments.entries()) {
        await t.make.measurement(person, { measurement_date: moment, weight: 80 + index });
      }
      const manager = await t.make.signedIn('manager', gym.id);
      for (const { client } of [manager, as.admin]) {
        const { body } = await client.get(of(person, `/progress?start_date=${date}&end_date=${date}`));
        expect(body).toMatchObject({ measurement_count: 2, fields: { weight: { start: 81, current: 82 } } });
      }
    });
  });

  describe('the chart', () => {
    const chart = async ({ id }: { id: number }, query = '') => {
      const { status, body, headers } = await as.trainer.client.get(of({ id }, `/progress.svg${query}`));
      expect([status, headers.get('content-type')]).toEqual([200, 'image/svg+xml; charset=utf-8']);
      expect(headers.get('cache-control')).toBe('no-store');
      // PostgreSQL reads XML strictly, as a browser does with a picture.
      const { rows } = await t.db.pool.query('SELECT xml_is_well_formed_document($1) AS is_xml', [body]);
      expect(rows[0].is_xml).toBe(true);
      return body as string;
    };

    it('is a picture, whatever the name and however many sizes', async () => {
      const name = `O'Neil & "Søn" <b> \u0001${'💪'.repeat(40)}`;
      const { id } = await t.make.person('user', own.gym.id, { full_name: name });
      expect(await chart({ id })).toContain('No measurements');
      const middle = Object.fromEntries(SIZE_NAMES.map((size) => [size, (SIZES[size].min + SIZES[size].max) / 2]));
      await record({ user_id: id, ...middle, measurement_date: '2026-01-01T10:00:00Z' });
      await record({ user_id: id, weight: 200, measurement_date: '2026-02-01T10:00:00Z' });
      const drawn = await chart({ id });
      expect(drawn).toMatch(/^<svg /);
      expect(drawn).toContain('O&#39;Neil &amp; &quot;Søn&quot; &lt;b&gt;');
      expect(drawn).not.toContain('\ufffd');
      for (const text of [
        '2026-01-01 to 2026-02-01',
        'Weight',
        'Biceps left',
        '200 kg',
        '-10 kg (-4.8 %)',
        'from 155 cm',
      ]) {
        expect(drawn).toContain(`>${text}<`);
      }
      const few = await chart({ id }, '?fields=weight,abdomen&start_date=2026-01-02');
      expect([few.includes('>Weight<'), few.includes('>Abdomen<'), few.includes('>Biceps left<')]).toEqual([
        true,
        false,
        false,
      ]);
      expect(await as.trainer.client.get(of({ id }, '/progress.svg?fields=weight,soul'))).toHaveWrongFields('fields');
    });

    it('is light or dark as its reader is', async () => {
      await t.make.measurement(member);
      const drawn = await chart(member);
      const palettes = [...drawn.matchAll(/:root\{([^}]*)\}/g)].map(
        ([, colours]) => new Map(colours!.split(';').map((colour) => colour.split(':') as [string, string])),
      );
      const [light, dark] = palettes as [Map<string, string>, Map<string, string>];
      expect(drawn).toMatch(/@media\(prefers-color-scheme:dark\)\{:root/);
      const used = new Set([...drawn.matchAll(/="var\((--\w+)\)"/g)].map(([, name]) => name!));
      expect(used.size).toBeGreaterThanOrEqual(5);
      for (const name of used) {
        expect([light.has(name), dark.has(name)]).toEqualFor(name, [true, true]);
        expect(dark.get(name)).not.toBe(light.get(name));
      }
      const inks = [...drawn.matchAll(/<text[^>]* fill="([^"]*)"/g)].map(([, ink]) => ink);
      expect(new Set(inks)).toEqual(new Set(['var(--ink)', 'var(--muted)']));
    });
  });
});
