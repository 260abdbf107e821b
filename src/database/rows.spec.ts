import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { RowMaker } from './rows.js';

const { TEXT, INT8, NUMERIC, FLOAT8, BOOL, DATE, TIMESTAMPTZ, JSONB } = pg.types.builtins;

describe('rows', () => {
  it.each([
    [TEXT, ['', 'Ann', '"', '\\', 'a\nb', '\u0001', '\u007f', 'é', '小明', '🏋️', '\u2028', "'}' + process.exit()"]],
    [INT8, ['0', '-1', '9007199254740991']],
    [NUMERIC, ['0', '0.00', '0.50', '49.90', '1000.00', '-5.00', '3.000', '0.3333333333333333']],
    [FLOAT8, ['0.1', '1e-07', 'NaN']],
    [BOOL, ['t', 'f']],
    [DATE, ['2026-03-01']],
    [
      TIMESTAMPTZ,
      [
        '2026-03-01 18:30:00+00',
        '2026-03-01 18:30:00.5+00',
        '2026-03-01 18:30:00.123+00',
        '2026-03-01 18:30:00.123456+00',
      ],
    ],
    [JSONB, ['{"a": [1, null]}', 'null']],
    [pg.types.builtins.BYTEA, ['\\x00ff']],
  ])('are the same as JSON as they are as objects: type %i', (type, values) => {
    const fields = [`the "value"`, 'again'].map((name) => ({ name, dataTypeID: type }));
    const rows = new RowMaker().rowsOf(
      [...values, null].map((value) => [value, value]),
      fields,
    );
    const objects = rows.toArray();
    expect(objects).toHaveLength(values.length + 1);
    expect(JSON.parse(rows.toJson())).toEqual(JSON.parse(JSON.stringify(objects)));
    expect(Object.isFrozen(objects[0])).toBe(true);
  });

  it('are an empty list', () => {
    expect(new RowMaker().rowsOf([], [{ name: 'id', dataTypeID: INT8 }]).toJson()).toBe('[]');
  });
});
