import { describe, expect, it } from '@jest/globals';
import { columns, computed, iso, json, optional, part, pick, row, table } from './columns.js';
import type { Database } from './database.js';
import { RowMaker } from './rows.js';
import { everyGym, sql } from './sql.js';

class Thing {
  id: number;
  name: string | null;
  made_at: Date;
}
class ThingDto {
  id: number;
  name: string | null;
}
const t = table<Thing>('t');
const COLUMNS = columns(ThingDto, pick(t, 'id', 'name'));

describe('the columns of a DTO', () => {
  it('are named as its fields', () => {
    expect(COLUMNS.text).toBe('t.id AS "id",t.name AS "name"');
    const shout = columns(ThingDto, { id: t.id, name: computed<string>(sql`${t.name} || ${'!'}`) });
    expect([shout.text, shout.values]).toEqual(['t.id AS "id",t.name || $1 AS "name"', ['!']]);
  });

  it('are an object inside a row, whose columns stand between the others', () => {
    const { text, shape } = row({ id: t.id, thing: optional(part(pick(t, 'id', 'made_at'))), name: t.name });
    expect(text).toBe('t.id AS "id",t.id AS "id",t.made_at AS "made_at",t.name AS "name"');
    const maker = new RowMaker(shape);
    const [whole, words, moment] = [23, 25, 1184];
    const fields = [whole, whole, moment, words].map((dataTypeID) => ({ name: '', dataTypeID }));
    const rows = [
      ['1', '2', '2026-03-01 18:30:00.5+00', 'Ann'],
      ['3', null, null, null],
    ];
    const made = maker.rowsOf(rows, fields);
    expect(made.toArray()).toEqual([
      { id: 1, thing: { id: 2, made_at: new Date('2026-03-01T18:30:00.500Z') }, name: 'Ann' },
      { id: 3, thing: null, name: null },
    ]);
    expect(made.toJson()).toBe(JSON.stringify(made.toArray()));
  });

  it('are JSON inside a row', () => {
    expect(json({ id: t.id, made_at: iso(t.made_at) }).text).toBe(
      `json_build_object('id',t.id,'made_at',iso(t.made_at))`,
    );
  });

  /** Nothing here runs: tsc judges it, and fails if one of the marked lines were accepted. */
  it('do not compile if one is misspelt, missing, superfluous or of another type', () => {
    const judged = (db: Database) => {
      // @ts-expect-error no such column
      pick(t, 'nmae');
      // @ts-expect-error one is missing
      columns(ThingDto, pick(t, 'id'));
      // @ts-expect-error the DTO has no such field: it would be told to clients
      columns(ThingDto, pick(t, 'id', 'name', 'made_at'));
      // @ts-expect-error a number is no name
      columns(ThingDto, { id: t.id, name: t.id });
      // @ts-expect-error inside JSON a moment is a text
      json({ made_at: t.made_at });
      const things: Promise<ThingDto[]> = db.query(everyGym`SELECT ${COLUMNS} FROM things t`);
      // @ts-expect-error these are other rows
      void db.query<{ id: string }>(everyGym`SELECT ${COLUMNS} FROM things t`);
      return things;
    };
    expect(judged).toBeDefined();
  });
});
