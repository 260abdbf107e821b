import type { Shape } from './rows.js';
import { type Columns, join, raw, Sql, sql } from './sql.js';

// The columns of a query, typed: a misspelt, missing or superfluous one does not compile. Nothing of it is left at run
// time but the text, which is made once.

declare const valueOf: unique symbol;

/** SQL for one value, of the type in which it arrives. */
export type Column<Value> = Sql & { readonly [valueOf]: Value };

/** An object inside a row, of columns of its own. */
export interface Part<Value> {
  readonly fields: Readonly<Record<string, Column<unknown> | Part<unknown>>>;
  /** It is null where its first column is. */
  readonly isOptional: boolean;
  readonly [valueOf]: Value;
}

/** The type of the value of a column or part. */
export type ValueOf<Of> = Of extends { readonly [valueOf]: infer Value } ? Value : never;

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

type Fields = Record<string, Column<unknown> | Part<unknown>>;

/** An object inside a row. */
export const part = <Of extends Fields>(fields: Of) =>
  ({ fields, isOptional: false }) as unknown as Part<{ [Field in keyof Of]: ValueOf<Of[Field]> }>;

/** The same, if it may be missing (LEFT JOIN): then it is null. The first of its columns is never NULL otherwise. */
export const optional = <Value>({ fields }: Part<Value>) =>
  ({ fields, isOptional: true }) as unknown as Part<Value | null>;

/** Each of these columns, and no other. */
type Exactly<Row, Of> = { [Field in keyof Row]: { readonly [valueOf]: Row[Field] } } & {
  [Field in Exclude<keyof Of, keyof Row>]: never;
};

/** The columns of a DTO, each by its field. */
export function columns<Row extends object, Of>(
  _row: abstract new (...parameters: never[]) => Row,
  fields: Of & Exactly<Row, Of>,
): Columns<Row> {
  return row(fields as unknown as Fields) as Columns<Row>;
}

/** Columns of which no DTO says what they are. */
export function row<Of extends Fields>(fields: Of): Columns<{ [Field in keyof Of]: ValueOf<Of[Field]> }> {
  const list: Sql[] = [];
  const shape = place(part(fields), list);
  const { form, values } = join(list);
  // The same text is another form where other rows are made of it.
  return new Sql(form.with(shape, ''), values, shape) as never;
}

/** Adds the columns of a part to the list, and tells where they are. */
function place({ fields, isOptional }: Part<unknown>, list: Sql[]): Shape {
  const nullWith = isOptional ? list.length : null;
  const placed = Object.entries(fields).map(([name, value]): [string, number | Shape] => [
    name,
    value instanceof Sql ? list.push(sql`${value} AS ${raw(`"${name}"`)}`) - 1 : place(value, list),
  ]);
  return { fields: placed, nullWith };
}

/** A moment as the clients read it, inside JSON. */
export const iso = <Value extends Date | null>(column: Column<Value>) =>
  sql`iso(${column})` as Column<Value extends Date ? string : null>;

type InJson = string | number | boolean | null | readonly unknown[] | { readonly [field: string]: unknown };

/** JSON of columns, for what no join can give: a list inside a row. Moments need `iso`. */
export function json<Of extends Record<string, Column<InJson>>>(
  fields: Of,
): Column<{ [Field in keyof Of]: ValueOf<Of[Field]> }> {
  const parts = Object.entries(fields).flatMap(([field, value]) => [raw(`'${field}'`), value]);
  return sql`json_build_object(${join(parts)})` as never;
}
