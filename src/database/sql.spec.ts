import { describe, expect, it } from '@jest/globals';
import { Actor } from '../common/actor/actor.js';
import { OtherGym } from '../common/errors/common.errors.js';
import type { Queryable } from './database.js';
import { assignments, empty, everyGym, inGym, join, raw, type ScopedSql, sql } from './sql.js';

const trainer = new Actor(5, 'trainer', 7, 1);
const admin = new Actor(1, 'admin', null, 2);

describe('sql', () => {
  it('makes parameters of values and splices sql in', () => {
    const active = sql`AND is_active = ${true}`;
    const ours = inGym(trainer.scope(), 'gym_id');
    const query = sql`SELECT * FROM users WHERE ${ours} AND name = ${"x'; --"} ${active} ${empty}`;
    expect(query.text).toBe('SELECT * FROM users WHERE gym_id = $1 AND name = $2 AND is_active = $3 ');
    expect(query.values).toEqual([7, "x'; --", true]);
  });

  it('limits a gym to itself and an admin to nothing, unless they ask', () => {
    expect(inGym(admin.scope(), 'gym_id').text).toBe('TRUE');
    expect(inGym(admin.scope(3), 'gym_id').values).toEqual([3]);
    expect(inGym(trainer.scope(7), 'gym_id').values).toEqual([7]);
    expect(() => trainer.scope(3)).toThrow(OtherGym);
    expect(() => trainer.gym(3)).toThrow(OtherGym);
    expect(() => admin.gym()).toThrow('gym_id is required');
  });

  it('assigns only what is given, and only columns it was told', () => {
    const changes = { name: 'x', address: undefined, note: null, role: 'admin' };
    const set = assignments(changes, ['name', 'address', 'note']);
    expect([set.text, set.values]).toEqual(['name = $1, note = $2,', ['x', null]]);
    expect(assignments({}, []).text).toBe('');
  });

  it('has one form for one text, whatever its values', () => {
    const query = (given: { name?: string; ids?: number[]; word?: string; column?: string }) => {
      const { name, ids, word = 'x', column = 'gym_id' } = given;
      return sql`SELECT 1 WHERE ${inGym(trainer.scope(), column)}
        ${name === undefined ? empty : sql`AND name = ${name}`}
        ${ids ? sql`AND id IN (${join(ids)})` : empty} AND word = ${word}`;
    };
    const same = [
      [query({ name: 'a' }), query({ name: 'b', word: 'y' })],
      [query({ ids: [1, 2] }), query({ ids: [3, 4], word: 'y' })],
      [query({}), query({ word: 'y' })],
    ];
    for (const [one, other] of same) {
      expect(one!.text).toBe(other!.text);
      expect(one!.form).toBe(other!.form);
    }
    const others = [{}, { name: 'a' }, { ids: [1] }, { ids: [1, 2] }, { name: 'a', ids: [1] }, { column: 'home_id' }];
    const queries = others.map(query);
    expect(new Set(queries.map(({ form }) => form)).size).toBe(new Set(queries.map(({ text }) => text)).size);
  });

  /** Nothing here runs: tsc judges it, and fails if one of these lines were accepted. */
  it('cannot be run without a scope', () => {
    const accepts = (_query: ScopedSql): void => undefined;
    const judged = (db: Queryable) => {
      accepts(sql`SELECT 1 WHERE ${inGym(trainer.scope(), 'gym_id')}`);
      accepts(sql`INSERT INTO plans (gym_id) VALUES (${trainer.gym()})`);
      accepts(everyGym`SELECT 1`);
      // @ts-expect-error no scope at all
      accepts(sql`SELECT 1`);
      // @ts-expect-error a number is not a gym that an actor may act in
      accepts(sql`SELECT 1 WHERE gym_id = ${7}`);
      // @ts-expect-error nor is the actor's own number, unless asked for as a scope
      accepts(sql`SELECT 1 WHERE gym_id = ${trainer.gym_id}`);
      // @ts-expect-error raw text says nothing of gyms
      accepts(raw('SELECT 1'));
      // @ts-expect-error the database takes nothing else
      void db.query('SELECT 1');
    };
    expect(judged).toBeInstanceOf(Function);
  });
});
