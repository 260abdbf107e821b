import pg from 'pg';
import { sendTogether } from './connection.js';
import { postgresError } from './postgres-errors.js';
import { type Field, RowMaker, type Rows, type Shape } from './rows.js';
import { shapeOf, type Sql } from './sql.js';

/** Sends a statement. @throws DomainError where a client can do something about what PostgreSQL says */
export function run<Row extends object>(client: pg.ClientBase, query: Sql): Promise<Rows<Row>> {
  const { text, values } = query;
  const statement = statementOf(text, shapeOf(query));
  sendTogether(client, 'tick');
  return new Promise((resolve, reject) => {
    client.query(
      new Asking(statement, text, values, (error, { found, columns }) => {
        if (error) reject(postgresError(error));
        else resolve(statement.maker.rowsOf<Row>(found, columns));
      }),
    );
  });
}

/** What is known of a text. */
interface Statement {
  /** PostgreSQL parses and plans a statement with a name once on each connection. */
  readonly name: string | undefined;
  readonly maker: RowMaker;
}

const statements = new Map<string, Statement>();
const MOST_STATEMENTS = 1000;

/** Texts without end (a list of values of any length) have no name. */
function statementOf(text: string, shape: Shape | undefined): Statement {
  const known = statements.get(text);
  if (known) return known;
  const maker = new RowMaker(shape);
  if (statements.size >= MOST_STATEMENTS) return { name: undefined, maker };
  const statement = { name: `s${statements.size}`, maker };
  statements.set(text, statement);
  return statement;
}

type Connection = pg.Connection & { parsedStatements: Record<string, string> };

/**
 * A query as pg knows it, which keeps values as PostgreSQL sends them. Of a statement that this connection has prepared
 * its columns are known: their description is not asked for again.
 */
class Asking extends pg.Query {
  readonly found: string[][] = [];
  columns: Field[] | undefined;
  declare name: string | undefined;

  constructor(
    private readonly statement: Statement,
    text: string,
    values: unknown[],
    done: (error: Error | null, asking: Asking) => void,
  ) {
    // Not as an object, of which pg would make a copy: that takes longer than all else that is done here.
    super(text, values);
    this.name = statement.name;
    Object.assign(this, { callback: (error: Error | null) => done(error, this) });
  }

  // pg's types make it a property, and its code a method.
  static {
    const submit = pg.Query.prototype.submit;
    Asking.prototype.submit = function (this: Asking, connection) {
      const { name, maker } = this.statement;
      const isPrepared = name !== undefined && name in (connection as Connection).parsedStatements;
      return submit.call(this, isPrepared && maker.isReady ? withoutDescription(connection) : connection);
    };
  }

  handleRowDescription({ fields }: { fields: Field[] }): void {
    this.columns = fields;
  }

  handleDataRow({ fields }: { fields: string[] }): void {
    this.found.push(fields);
  }
}

const silent = new WeakMap<pg.Connection, pg.Connection>();

/** The same connection, which sends no Describe. */
function withoutDescription(connection: pg.Connection): pg.Connection {
  const known = silent.get(connection);
  if (known) return known;
  const made = Object.create(connection, { describe: { value: () => undefined } }) as pg.Connection;
  silent.set(connection, made);
  return made;
}
