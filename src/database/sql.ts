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

/**
 * The text of a query, in the pieces between which its parameters stand. What is put together in the same way has the
 * same form, so that a text is written once, and found again without being compared.
 */
export class Form {
  private static count = 0;
  private readonly next = new Map<unknown, Form>();

  constructor(private readonly pieces: readonly string[]) {}

  /** With one part more: a form, a parameter, or what only makes it another form; and a text behind that. */
  with(part: unknown, text: string): Form {
    const known = this.next.get(part);
    if (known) return known;
    const more = part instanceof Form ? part.pieces : part === PARAMETER ? ['', ''] : [''];
    const pieces = [...this.pieces.slice(0, -1), this.pieces.at(-1)! + more[0]!, ...more.slice(1)];
    pieces.push(pieces.pop()! + text);
    const made = new Form(pieces);
    if (Form.count < MOST_FORMS) {
      Form.count++;
      this.next.set(part, made);
    }
    return made;
  }

  get text(): string {
    return this.pieces.reduce((text, piece, index) => `${text}$${index}${piece}`);
  }
}

/** A list of values can have any length, and each has a form of its own. */
const MOST_FORMS = 10_000;
const PARAMETER = Symbol('a parameter');
const NOTHING = new Form(['']);
const JOINED = new Form(['']);

/** SQL with the values of its parameters. */
export class Sql {
  constructor(
    readonly form: Form,
    readonly values: readonly unknown[],
    /** What is made of its rows; undefined if that follows from their names alone. */
    readonly shape?: Shape,
  ) {}

  get text(): string {
    return this.form.text;
  }
}

/** The first columns in it are those of its rows. @param form of the first text */
function put(form: Form, texts: readonly string[], parts: readonly unknown[]): Sql {
  const values: unknown[] = [];
  let shape: Shape | undefined;
  // Not with entries() and spreading: this is done for each query, and takes several times as long with them.
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index];
    const text = texts[index + 1]!;
    if (part instanceof Sql) {
      form = form.with(part.form, text);
      shape ??= part.shape;
      for (const value of part.values) values.push(value);
    } else {
      form = form.with(PARAMETER, text);
      values.push(part);
    }
  }
  return new Sql(form, values, shape);
}

const tag = (texts: readonly string[], parts: readonly unknown[]): Sql =>
  put(NOTHING.with(texts, texts[0]!), texts, parts);

/** SQL that is only a text. */
export const raw = (text: string): Sql => new Sql(NOTHING.with(text, text), []);

export const empty = raw('');

/** Parts or parameters, at least one, with the same text between them. */
export function join(parts: readonly unknown[], separator = ','): Sql {
  const texts = ['', ...Array<string>(parts.length - 1).fill(separator), ''];
  return put(JOINED.with(`${parts.length} ${separator}`, ''), texts, parts);
}

/** Only rows whose `column` is a gym of the scope. */
export function inGym(scope: GymScope, column: string): ScopedSql {
  return (scope.gym_id === null ? raw('TRUE') : sql`${raw(column)} = ${scope.gym_id}`) as ScopedSql;
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
    : sql`${join(
        given.map((column) => sql`${raw(column)} = ${changes[column]}`),
        ', ',
      )},`;
}
