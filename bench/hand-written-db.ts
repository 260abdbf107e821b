// How the hand-written server speaks to PostgreSQL: prepared statements on a few connections that all requests share.
// A connection does not wait for an answer before it sends the next statement (a pipeline), and a row arrives as the
// texts that PostgreSQL sent: nothing is made of them that the answer does not need.
import pg from 'pg';

/** A row: its columns as text. */
export type Row = string[];
type Value = string | number | boolean | null;

/** What PostgreSQL says when it refuses a statement. */
export interface Refused extends Error {
  code: string;
  constraint?: string;
}

const CONNECTIONS = 4;
/** Like the server that is measured: no compiling, times in UTC. A plan is made once, and not for each value. */
const OPTIONS = '-c timezone=UTC -c jit=off -c plan_cache_mode=force_generic_plan';

/** The part of pg's connection that sends; its types describe another version. */
interface Wire {
  stream: { cork(): void; uncork(): void };
  parse(message: { name: string; text: string }): void;
  bind(message: { statement: string; values: (string | null)[] }): void;
  execute(message: object): void;
  sync(): void;
}

/** A statement that is prepared under a name, once in each connection. */
export class Statement {
  private static count = 0;
  readonly name = `s${Statement.count++}`;
  private readonly preparedOn = new WeakSet<object>();

  constructor(readonly text: string) {}

  /** Whether the connection still has to prepare it. */
  isNewOn(wire: object): boolean {
    if (this.preparedOn.has(wire)) return false;
    this.preparedOn.add(wire);
    return true;
  }
}

/**
 * One execution: pg hands it the messages of PostgreSQL that belong to it. (A pipeline takes no class but pg's own and
 * those made of it.) It does not ask which columns there are, and makes no objects of the rows.
 */
class Execution extends (pg.Query as unknown as new (text: string) => object) {
  private readonly found: Row[] = [];

  constructor(
    private readonly statement: Statement,
    private readonly given: Value[],
    private readonly resolve: (rows: Row[]) => void,
    private readonly reject: (error: Error) => void,
  ) {
    super(statement.text);
  }

  submit(connection: unknown): void {
    const wire = connection as Wire;
    // What is asked in the same moment leaves in one packet.
    wire.stream.cork();
    process.nextTick(() => wire.stream.uncork());
    const { name, text } = this.statement;
    if (this.statement.isNewOn(wire)) wire.parse({ name, text });
    wire.bind({ statement: name, values: this.given.map((value) => (value === null ? null : String(value))) });
    wire.execute({});
    wire.sync();
  }

  handleDataRow({ fields }: { fields: Row }): void {
    this.found.push(fields);
  }

  handleReadyForQuery(): void {
    this.resolve(this.found);
  }

  handleError(error: Error): void {
    this.reject(error);
  }

  handleRowDescription(): void {}
  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}
}

const connect = async (pipeline: boolean): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL, options: OPTIONS, pipeline });
  await client.connect();
  return client;
};

const clients: pg.Client[] = [];
for (let n = 0; n < CONNECTIONS; n++) clients.push(await connect(true));
let turn = 0;
const next = (): pg.Client => clients[turn++ % CONNECTIONS]!;

const execute = (client: pg.Client, statement: Statement, values: Value[]): Promise<Row[]> =>
  new Promise((resolve, reject) => void client.query(new Execution(statement, values, resolve, reject) as never));

/** The rows of a statement, which is a transaction by itself. @throws Refused */
export const ask = (statement: Statement, ...values: Value[]): Promise<Row[]> => execute(next(), statement, values);

const BEGIN = new Statement('BEGIN');
const COMMIT = new Statement('COMMIT');

/**
 * Statements of one transaction, of which none needs the answer of the one before: they are sent together, so that no
 * other request comes between them. @throws Refused, and nothing is done
 */
export async function askTogether(...work: [Statement, ...Value[]][]): Promise<Row[][]> {
  const client = next();
  const begun = execute(client, BEGIN, []);
  const asked = Promise.allSettled(work.map(([statement, ...values]) => execute(client, statement, values)));
  const ended = execute(client, COMMIT, []); // After an error it takes back.
  await Promise.all([begun, ended]);
  return (await asked).map((one) => {
    if (one.status === 'rejected') throw one.reason as Error;
    return one.value;
  });
}

/** Calls `listener` with each notification of the channel. */
export async function listen(channel: string, listener: (payload: string) => void): Promise<void> {
  const client = await connect(false);
  client.on('notification', ({ payload = '' }) => listener(payload));
  await client.query(`LISTEN ${channel}`);
}
