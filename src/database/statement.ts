import pg from 'pg';
import { sendTogether } from './connection.js';
import { postgresError } from './postgres-errors.js';
import { type Field, RowMaker, type Rows } from './rows.js';
import type { Form, Sql } from './sql.js';

/** Sends a statement. @throws DomainError where a client can do something about what PostgreSQL says */
export const run = <Row extends object>(client: pg.ClientBase, query: Sql): Promise<Rows<Row>> =>
  runAll(client, [query], ([answer]) => answer as Rows<Row>);

/**
 * Sends statements of which all are done or none, without BEGIN and COMMIT: what stands before one Sync is a
 * transaction. Each sees what those before it did, and what others had committed when it began.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 * @param read what to make of the answers @throws DomainError as above
 */
export function runAll<Result>(
  client: pg.ClientBase,
  queries: readonly Sql[],
  read: (answers: Rows<object>[]) => Result,
): Promise<Result> {
  sendTogether(client);
  return new Promise((resolve, reject) => {
    client.query(
      new Asking(queries.map(stepOf), (error, steps) => {
        if (error) return reject(postgresError(error));
        // pg would end the process with what is thrown here.
        try {
          resolve(read(steps.map(({ maker, found, columns }) => maker.rowsOf(found, columns))));
        } catch (fault) {
          reject(fault);
        }
      }),
    );
  });
}

/** What is known of a form. */
interface Statement {
  readonly text: string;
  /** PostgreSQL parses and plans a statement with a name once on each connection. */
  readonly name: string | undefined;
  readonly maker: RowMaker;
}

const statements = new Map<Form, Statement>();
const MOST_STATEMENTS = 1000;

function statementOf({ form, shape }: Sql): Statement {
  const known = statements.get(form);
  if (known) return known;
  const { text } = form;
  const maker = new RowMaker(shape);
  // Forms without end (a list of values of any length) have no name.
  if (statements.size >= MOST_STATEMENTS) return { text, name: undefined, maker };
  const statement = { text, name: `s${statements.size}`, maker };
  statements.set(form, statement);
  return statement;
}

/** A statement on its way. */
interface Step extends Statement {
  readonly values: unknown[];
  readonly found: string[][];
  columns: Field[] | undefined;
}

/** What pg's types leave out, or call otherwise. */
interface Wire {
  readonly parsedStatements: Record<string, string>;
  readonly submittedNamedStatements: Record<string, string>;
  parse(message: { name?: string; text: string }): void;
  bind(message: { statement?: string; values: unknown[] }): void;
  describe(message: { type: 'P' }): void;
  execute(message: object): void;
  sync(): void;
}
const { prepareValue } = (pg as unknown as { utils: { prepareValue: (value: unknown) => unknown } }).utils;

const stepOf = (query: Sql): Step => {
  const { name, text, maker } = statementOf(query);
  // Before anything is sent: of a step with a value that cannot be, the others must not be done.
  return { name, text, maker, values: query.values.map(prepareValue), found: [], columns: undefined };
};

/**
 * A query as pg knows it, of one statement or several, which keeps values as PostgreSQL sends them. Of a statement that
 * this connection has prepared its columns are known: their description is not asked for again.
 */
class Asking extends pg.Query {
  /** As pg knows the step that is answered: it notes what the connection has prepared. */
  declare name: string | undefined;
  declare text: string;
  private answered = 0;
  private fault: Error | null = null;
  private wire: Wire | undefined;

  constructor(
    private readonly steps: readonly Step[],
    done: (error: Error | null, steps: readonly Step[]) => void,
  ) {
    super(steps[0]!.text);
    this.name = steps[0]!.name;
    Object.assign(this, {
      callback: (error: Error | null) => {
        if (error) this.forget();
        done(error ?? this.fault, steps);
      },
    });
  }

  // pg's types make it a property, and its code a method.
  static {
    Asking.prototype.submit = function (this: Asking, connection) {
      const wire = connection as unknown as Wire;
      this.wire = wire;
      for (const { name, text, values, maker } of this.steps) {
        const isPrepared = name !== undefined && name in wire.parsedStatements;
        if (!isPrepared && !(name !== undefined && name in wire.submittedNamedStatements)) {
          wire.parse({ name, text });
          if (name !== undefined) wire.submittedNamedStatements[name] = text;
        }
        wire.bind({ statement: name, values });
        if (!isPrepared || !maker.isReady) wire.describe({ type: 'P' });
        wire.execute({});
      }
      wire.sync();
    };
  }

  /** Of the steps behind one that failed nothing was prepared; pg itself forgets the failed one alone. */
  private forget(): void {
    for (const { name } of this.steps) if (name !== undefined) delete this.wire?.submittedNamedStatements[name];
  }

  handleRowDescription({ fields }: { fields: Field[] }): void {
    this.steps[this.answered]!.columns = fields;
  }

  handleDataRow({ fields }: { fields: string[] }): void {
    this.steps[this.answered]!.found.push(fields);
  }

  handleCommandComplete({ text: done }: { text: string }): void {
    // So PostgreSQL ends what was to be committed, though one of its statements had failed: nothing is stored.
    if (this.text === 'COMMIT' && done === 'ROLLBACK') this.fault = new Error('COMMIT after a statement that failed');
    const next = this.steps[++this.answered];
    if (next) [this.name, this.text] = [next.name, next.text];
  }
}
