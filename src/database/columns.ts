import { type Columns, join, raw, type Sql, sql } from './sql.js';

// The columns of a query, typed: a misspelt, missing or superfluous one does not compile. Nothing of it is left at run
// time but the text, which is made once.

declare const valueOf: unique symbol;

/** SQL for one value, of the type in which it arrives. */
export type Column<Value> = Sql & { readonly [valueOf]: Value };

/** The type of a column's value. */
export type ValueOf<Of> = Of extends Column<infer Value> ? Value : never;

/** What arrives of a value inside JSON: a moment as text. */
export type Json<Value> = Value extends Date
  ? string
  : Value extends object
    ? { [Field in keyof Value]: Json<Value[Field]> }
    : Value;

type Relations<Entity> = {
  [Field in keyof Entity]: NonNullable<Entity[Field]> extends { created_at: Date } ? Field : never;
}[keyof Entity];

/** The columns of an entity's table, which the query names `alias`: `table<User>('u').email` is `u.email`. */
export type Table<Entity> = { readonly [Field in Exclude<keyof Entity, Relations<Entity>>]: Column<Entity[Field]> };

export const table = <Entity extends object>(alias: string): Table<Entity> =>
  new Proxy({} as Table<Entity>, { get: (_, field) => raw(`${alias}.${String(field)}`) });

/** Several columns of a table, each under its own name. */
export const pick = <Source extends object, Field extends keyof Source>(
  source: Source,
  ...fields: Field[]
): Pick<Source, Field> => Object.fromEntries(fields.map((field) => [field, source[field]])) as Pick<Source, Field>;

/** A value that is computed. The caller says in which type it arrives. */
export const computed = <Value>(value: Sql): Column<Value> => value as Column<Value>;

/** A column that is NULL in no row which the query finds. */
export const present = <Value>(column: Column<Value>) => column as Column<NonNullable<Value>>;

/** Each of these columns, and no other. */
type Exactly<Row, Fields> = { [Field in keyof Row]: Column<Row[Field]> } & {
  [Field in Exclude<keyof Fields, keyof Row>]: never;
};

/** The columns of a DTO, each by its field. */
export function columns<Row extends object, Fields>(
  _row: abstract new (...parameters: never[]) => Row,
  fields: Fields & Exactly<Row, Fields>,
): Columns<Row> {
  const named = Object.entries<Sql>(fields).map(([field, value]) => sql`${value} AS ${raw(`"${field}"`)}`);
  return join(named) as unknown as Columns<Row>;
}

/** A moment as the clients read it, inside JSON. */
export const iso = <Value extends Date | null>(column: Column<Value>) =>
  sql`iso(${column})` as Column<Value extends Date ? string : null>;

type InJson = string | number | boolean | null | readonly unknown[] | { readonly [field: string]: unknown };

/** An object inside a row, of columns of its own. Moments need `iso`. */
export function json<Fields extends Record<string, Column<InJson>>>(
  fields: Fields,
): Column<{ [Field in keyof Fields]: ValueOf<Fields[Field]> }> {
  const parts = Object.entries(fields).flatMap(([field, value]) => [raw(`'${field}'`), value]);
  return sql`json_build_object(${join(parts)})` as never;
}
