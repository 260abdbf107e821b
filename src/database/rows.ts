import pg from 'pg';
import { type Items, knowJson } from '../common/http/list.js';

// PostgreSQL sends texts. Of those, objects are made for our own work, and JSON for clients, in one pass and without
// the objects in between.

/** What is made of a row: each field is the value at an index, or an object of its own. */
export interface Shape {
  readonly fields: readonly (readonly [name: string, from: number | Shape])[];
  /** The whole is null where the value at this index is. */
  readonly nullWith: number | null;
}

type Values = readonly (string | null)[];

/** Makes an object, or JSON, of the values of a row. */
interface Maker {
  readonly object: (values: Values) => object;
  readonly json: (values: Values) => string;
}

/** The rows of a query. Their objects are as PostgreSQL sent them: frozen. */
export class Rows<Row> implements Items<Row> {
  constructor(
    private readonly rows: readonly Values[],
    private readonly maker: Maker,
  ) {}

  get length(): number {
    return this.rows.length;
  }

  at(index: number): Row {
    return Object.freeze(this.maker.object(this.rows[index]!)) as Row;
  }

  first(count: number): Rows<Row> {
    return new Rows(this.rows.slice(0, count), this.maker);
  }

  toArray(): Row[] {
    const made = this.rows.map((values) => this.maker.object(values));
    // A single row is often the answer of a request.
    if (made.length === 1) knowJson(made[0]!, () => this.maker.json(this.rows[0]!));
    return made.map((row) => Object.freeze(row)) as Row[];
  }

  toJson(): string {
    // Not by join(), which would copy each row once more.
    let json = '';
    for (const values of this.rows) json += json === '' ? this.maker.json(values) : `,${this.maker.json(values)}`;
    return `[${json}]`;
  }
}

/** A column of an answer, as PostgreSQL describes it. */
export interface Field {
  readonly name: string;
  /** Its type. */
  readonly dataTypeID: number;
}

/**
 * Knows what is made of the rows of one statement: of its shape, or else of its columns' names, and of their types,
 * which PostgreSQL tells with the first answer.
 */
export class RowMaker {
  private maker: Maker | undefined;

  constructor(private readonly shape?: Shape) {}

  /** Whether it has seen an answer. */
  get isReady(): boolean {
    return this.maker !== undefined;
  }

  /** @param fields what the rows have, if PostgreSQL was asked for it */
  rowsOf<Row>(rows: Values[], fields: readonly Field[] = []): Rows<Row> {
    if (!this.maker || fields.length > 0) {
      const types = fields.map(({ dataTypeID }) => dataTypeID);
      this.maker = makerOf(this.shape ?? flat(fields), types);
    }
    return new Rows(rows, this.maker);
  }
}

const flat = (fields: readonly Field[]): Shape => ({
  fields: fields.map(({ name }, index) => [name, index]),
  nullWith: null,
});

/**
 * Writes code that makes an object, or JSON, of the values of a row, as one would write it by hand for these columns:
 * loops over fields took three times as long. Nothing in it comes from a client.
 */
function makerOf(shape: Shape, types: readonly number[]): Maker {
  const kinds = types.map((type) => KINDS.get(type) ?? otherKind(type));
  const code = `return { object: (values) => ${objectOf(shape)}, json: (values) => ${jsonOf(shape)} }`;
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
  return new Function('kinds', code)(kinds) as Maker;
}

const unless = (index: number | null, otherwise: string, expression: string): string =>
  index === null ? expression : `(values[${index}] === null ? ${otherwise} : ${expression})`;

/** Code for an object of this shape. Those in it are frozen. */
function objectOf({ fields, nullWith }: Shape): string {
  const parts = fields.map(([name, from]) => {
    const isValue = typeof from === 'number';
    const value = isValue ? unless(from, 'null', `kinds[${from}].read(values[${from}])`) : objectOf(from);
    return `${JSON.stringify(name)}: ${isValue ? value : `Object.freeze(${value})`}`;
  });
  return unless(nullWith, 'null', `({ ${parts.join(', ')} })`);
}

/** Code for its JSON. */
function jsonOf({ fields, nullWith }: Shape): string {
  const parts = fields.map(([name, from], index) => {
    const before = `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`;
    const isValue = typeof from === 'number';
    const value = isValue ? unless(from, "'null'", `kinds[${from}].write(values[${from}])`) : jsonOf(from);
    return `${JSON.stringify(before)} + ${value}`;
  });
  return unless(nullWith, "'null'", [...parts, "'}'"].join(' + '));
}

interface Kind {
  readonly read: (text: string) => unknown;
  readonly write: (text: string) => string;
}

/** What JSON escapes, of what PostgreSQL stores. */
// oxlint-disable-next-line no-control-regex
const ESCAPED = /["\\\0-\x1f]/;
const quoted = (text: string) => (ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`);

/** `2026-03-01 18:30:00.123+00`, as all our connections get it, as toISOString() would write it. */
function isoOf(text: string): string {
  if (text.length === 26) return `${text.slice(0, 10)}T${text.slice(11, 23)}Z`;
  // PostgreSQL leaves zeros at the end out, and knows microseconds.
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20, -3).padEnd(3, '0').slice(0, 3)}Z`;
}

const { builtins } = pg.types;
const TEXT: Kind = { read: (text) => text, write: quoted };
const WHOLE: Kind = { read: Number, write: (text) => text };
/** Ids, counts and money (numeric(12,2)) are exact in a double. */
const NUMBER: Kind = { read: Number, write: (text) => JSON.stringify(Number(text)) };
const MONEY: Kind = { read: Number, write: (text) => (text.endsWith('.00') ? text.slice(0, -3) : NUMBER.write(text)) };
const BOOLEAN: Kind = { read: (text) => text === 't', write: (text) => (text === 't' ? 'true' : 'false') };
const MOMENT: Kind = { read: (text) => new Date(isoOf(text)), write: (text) => `"${isoOf(text)}"` };
const JSON_TEXT: Kind = { read: (text) => JSON.parse(text) as unknown, write: (text) => text };

const KINDS = new Map<number, Kind>([
  [builtins.TEXT, TEXT],
  [builtins.VARCHAR, TEXT],
  [builtins.DATE, TEXT],
  [builtins.INT2, WHOLE],
  [builtins.INT4, WHOLE],
  [builtins.INT8, WHOLE],
  [builtins.NUMERIC, MONEY],
  [builtins.FLOAT8, NUMBER],
  [builtins.BOOL, BOOLEAN],
  [builtins.TIMESTAMPTZ, MOMENT],
  [builtins.JSON, JSON_TEXT],
  [builtins.JSONB, JSON_TEXT],
]);

const DRIVERS_OWN = new pg.TypeOverrides();

function otherKind(type: number): Kind {
  const read = DRIVERS_OWN.getTypeParser(type, 'text') as unknown as Kind['read'];
  return { read, write: (text) => JSON.stringify(read(text)) };
}
