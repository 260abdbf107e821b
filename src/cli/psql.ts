import readline from 'node:readline/promises';
import type pg from 'pg';
import { connect } from '../database/connection.js';
import { runCommand } from './run.js';

/** What stands for psql's own commands, which most people's fingers know. */
const SHORTCUTS: Record<string, string> = {
  '\\dt': `SELECT relname AS table, reltuples::bigint AS rows FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1`,
  '\\d': `SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = $1 ORDER BY ordinal_position`,
};

/**
 * A prompt into the database, for developers: the embedded PostgreSQL brings no psql. `-- "SELECT 1"` runs one
 * statement.
 */
await runCommand(async ({ DATABASE_URL }) => {
  const client = await connect(DATABASE_URL, 'spotter psql');
  const given = process.argv.slice(2).join(' ');
  if (given) await show(client, given);
  else await prompt(client);
  await client.end();
});

async function prompt(client: pg.Client): Promise<void> {
  const terminal = readline.createInterface({ input: process.stdin, output: process.stdout });
  process.stdout.write('A statement ends with ; — \\dt lists the tables, \\d users describes one, \\q leaves.\n');
  let statement = '';
  terminal.setPrompt('spotter=> ');
  terminal.prompt();
  for await (const line of terminal) {
    if (line.trim() === '\\q') break;
    statement += `${line}\n`;
    if (statement.trim() === '' || /^\s*\\|;\s*$/.test(statement)) {
      if (statement.trim()) await show(client, statement.trim());
      statement = '';
    }
    terminal.setPrompt(statement ? 'spotter-> ' : 'spotter=> ');
    terminal.prompt();
  }
  terminal.close();
}

async function show(client: pg.Client, statement: string): Promise<void> {
  const [name = '', ...parameters] = statement.replace(/;$/, '').split(/\s+/);
  const shortcut = SHORTCUTS[name];
  try {
    const result = await (shortcut ? client.query(shortcut, parameters) : client.query(statement));
    for (const { rows, command, rowCount } of [result].flat()) {
      // oxlint-disable-next-line no-console -- the one place that draws a table
      if (rows.length > 0) console.table(rows);
      process.stdout.write(`${command} ${rowCount ?? ''}\n`);
    }
  } catch (error) {
    process.stdout.write(`${(error as Error).message}\n`);
  }
}
