import type pg from 'pg';
import { clock } from './demo-clock.js';

/** Something that will be a row, and has its id once it is one. */
export interface Row {
  id?: number;
  [field: string]: unknown;
}

/** Gives the rows their ids, ascending, before they are inserted. */
export async function number(client: pg.Client, table: string, rows: Row[]): Promise<void> {
  const { rows: taken } = await client.query<{ id: number }>(
    `SELECT nextval(pg_get_serial_sequence($1, 'id'))::int AS id FROM generate_series(1, $2)`,
    [table, rows.length],
  );
  for (const [index, row] of rows.entries()) row.id = taken[index]!.id;
}

/**
 * Inserts the rows in one statement. All have the fields of the first. A time is the gym's clock; what a row refers to
 * (`product_id: product`) is the row itself, inserted before.
 */
export async function insert(client: pg.Client, table: string, rows: Row[]): Promise<void> {
  if (!rows[0]) return;
  if (rows[0].id === undefined) await number(client, table, rows);
  const columns = Object.keys(rows[0]).join(', ');
  await client.query(
    `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM json_populate_recordset(NULL::${table}, $1)`,
    [JSON.stringify(rows, written)],
  );
}

function written(field: string, value: unknown): unknown {
  if (field.endsWith('_id')) return (value as Row | null)?.id ?? value;
  return typeof value === 'number' && /_(at|time|date)$/.test(field) ? clock(value) : value;
}
