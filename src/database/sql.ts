import sqlTag, { empty, join, raw, Sql } from 'sql-template-tag';
import type { GymScope, ScopedGymId } from '../common/actor/actor.js';
import type { Shape } from './rows.js';

declare const scoped: unique symbol;
declare const rowOf: unique symbol;
declare const returned: unique symbol;

/** SQL that says which gym's rows it touches. Only this can be run. */
export type ScopedSql = Sql & { readonly [scoped]: true };

type Scoping = ScopedSql | ScopedGymId;
type HasScope<Values extends readonly unknown[]> = Values extends readonly [infer First, ...infer Rest]
  ? [First] extends [Scoping]
    ? true
    : HasScope<Rest>
  : false;

/** What follows SELECT or RETURNING, for rows of this type. */
export type Columns<Row> = Sql & { readonly shape: Shape; readonly [rowOf]: Row };

/** Of a query: the rows that its `Columns` make. */
export interface Returning<Row> {
  readonly [returned]?: Row;
}

type Rows<Values extends readonly unknown[]> = Values extends readonly [infer First, ...infer Rest]
  ? First extends Columns<infer Row>
    ? Returning<Row>
    : Rows<Rest>
  : unknown;

/**
 * SQL with its parameters: sql`SELECT ... WHERE id = ${id} AND ${inGym(scope, 'gym_id')}`. A value becomes a parameter,
 * an `sql` inside is spliced in. The result can be run if a part of it is a scope: a ScopedGymId or inGym().
 */
export function sql<const Values extends readonly unknown[]>(
  text: TemplateStringsArray,
  ...values: Values
): (HasScope<Values> extends true ? ScopedSql : Sql) & Rows<Values> {
  return tag(text, values) as never;
}

/** The first columns in it are those of its rows. */
function tag(text: TemplateStringsArray, values: readonly unknown[]): Sql {
  let form = nextForm(NO_PARTS, text);
  let shape: Shape | undefined;
  for (const value of values) {
    form = nextForm(form, value instanceof Sql ? (formOf(value) ?? value.text) : PARAMETER);
    if (value instanceof Sql) shape ??= shapeOf(value);
  }
  return Object.assign(sqlTag(text, ...values), { form, shape });
}

/** What is made of the rows of a query; undefined if that follows from their names alone. */
export const shapeOf = (query: Sql): Shape | undefined => (query as { shape?: Shape }).shape;

/**
 * Which parts a query was put together from. Queries of one form have one text, which need not be written and compared
 * to know that: with some kilobytes it took 5 µs for each query.
 */
export interface Form {
  /** The forms that have one part more. */
  readonly next: Map<unknown, Form>;
}

/** The form of a query; undefined if it is not known, for raw() and join(), or after too many forms. */
export const formOf = (query: Sql): Form | undefined => (query as { form?: Form }).form;

const NO_PARTS: Form = { next: new Map() };
const PARAMETER = Symbol('a parameter');
const MOST_FORMS = 10_000;
let forms = 0;

function nextForm(form: Form | undefined, part: unknown): Form | undefined {
  const known = form?.next.get(part);
  if (known || !form || forms === MOST_FORMS) return known;
  const made: Form = { next: new Map() };
  form.next.set(part, made);
  forms++;
  return made;
}

/** Only rows whose `column` is a gym of the scope. */
export function inGym(scope: GymScope, column: string): ScopedSql {
  return (scope.gym_id === null ? raw('TRUE') : sqlTag`${raw(column)} = ${scope.gym_id}`) as ScopedSql;
}

/** The same as sql``, for what belongs to no single gym: signing in, jobs, and what the whole chain shares. */
export function everyGym<const Values extends readonly unknown[]>(
  text: TemplateStringsArray,
  ...values: Values
): ScopedSql & Rows<Values> {
  return tag(text, values) as never;
}

/** `a = $1, b = $2,` (with the last comma) for the fields that are given; the others stay as they are. */
export function assignments<Row extends object>(changes: Row, columns: readonly (keyof Row & string)[]): Sql {
  const given = columns.filter((column) => changes[column] !== undefined);
  return given.length === 0
    ? empty
    : join(
        given.map((column) => sqlTag`${raw(column)} = ${changes[column]}`),
        ', ',
        '',
        ',',
      );
}

export { empty, join, raw, Sql };
