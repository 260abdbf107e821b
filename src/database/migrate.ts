import { runMigrations as migrateJobQueue } from 'graphile-worker';
import pg from 'pg';
import { ConfigError } from '../config/config-error.js';
import { connect, connection } from './connection.js';
import { dataSource } from './data-source.js';

/** Held while the schema changes, so that servers that start together take turns. */
const MIGRATING = 0x5908;

/**
 * Brings the schema up to date and then runs `afterwards` (the first start's data) before any other server goes on.
 * @returns the names of the migrations that were applied
 * @throws ConfigError if the database cannot be reached, or lacks something
 */
export async function migrate(url: string, afterwards?: (client: pg.Client) => Promise<void>): Promise<string[]> {
  const client = await connect(url, 'spotter');
  try {
    await requireSuitable(client);
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATING]);
    const { connectionString } = connection(url, 'spotter', 'long');
    const source = await dataSource(connectionString!).initialize();
    try {
      const applied = await source.runMigrations();
      await migrateJobQueue({ connectionString, logger: undefined });
      await afterwards?.(client);
      return applied.map(({ name }) => name);
    } finally {
      await source.destroy();
    }
  } catch (error) {
    const { code = '', message } = error as pg.DatabaseError;
    if (code === NOT_PERMITTED) {
      throw new ConfigError(`The role of DATABASE_URL may not change the schema: ${message}.`);
    }
    if (code.startsWith(NO_RESOURCES)) throw new ConfigError(`The database has no room: ${message}.`);
    throw error;
  } finally {
    await client.end();
  }
}

const NOT_PERMITTED = '42501';
/** A full disk, no memory, too many connections. */
const NO_RESOURCES = '53';
const OLDEST_VERSION = 14;
/** What the migrations make, of PostgreSQL's own: a role that may create in the database may make them. */
const EXTENSIONS = ['pg_trgm', 'btree_gin', 'btree_gist', 'unaccent'];

interface Suitability {
  version: number;
  version_name: string;
  encoding: string;
  database: string;
  role: string;
  may_create_schemas: boolean;
  schema: string | null;
  may_create_tables: boolean | null;
  is_superuser: boolean;
  /** Extensions that are not there yet, and whether they could be made. */
  missing: { name: string; is_available: boolean; is_trusted: boolean }[];
}

/** All that the database lacks, at once. @throws ConfigError */
async function requireSuitable(client: pg.Client): Promise<void> {
  const { rows } = await client.query<Suitability>(
    `SELECT current_setting('server_version_num')::integer / 10000 AS version,
      current_setting('server_version') AS version_name, current_setting('server_encoding') AS encoding,
      current_database() AS database, current_user AS role,
      has_database_privilege(current_database(), 'CREATE') AS may_create_schemas, current_schema() AS schema,
      has_schema_privilege(current_schema(), 'CREATE') AS may_create_tables,
      current_setting('is_superuser') = 'on' AS is_superuser,
      coalesce((SELECT json_agg(json_build_object('name', name,
        'is_available', EXISTS (SELECT FROM pg_available_extensions a WHERE a.name = needed.name),
        'is_trusted', EXISTS (SELECT FROM pg_available_extension_versions v WHERE v.name = needed.name AND v.trusted)))
        FROM unnest($1::text[]) AS needed (name)
        WHERE NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = needed.name)), '[]') AS missing`,
    [EXTENSIONS],
  );
  const lacks = lacksOf(rows[0]!);
  if (lacks.length > 0) {
    throw new ConfigError(
      `The database in DATABASE_URL lacks what Spotter needs:\n${lacks.map((lack) => `  - ${lack}`).join('\n')}`,
    );
  }
}

function lacksOf(found: Suitability): string[] {
  const [database, role] = [found.database, found.role].map((name) => pg.escapeIdentifier(name));
  const uninstallable = found.missing.filter(({ is_available }) => !is_available).map(({ name }) => name);
  const bySuperuser = found.missing.filter(
    ({ is_available, is_trusted }) => is_available && !found.is_superuser && !(is_trusted && found.may_create_schemas),
  );
  return [
    found.version < OLDEST_VERSION && `PostgreSQL ${OLDEST_VERSION} or newer: it is ${found.version_name}.`,
    found.encoding !== 'UTF8' &&
      `the encoding UTF8: it has ${found.encoding}. CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0 makes one.`,
    !found.may_create_schemas &&
      `the right to create schemas and extensions: GRANT CREATE ON DATABASE ${database} TO ${role};`,
    found.schema === null && 'a schema: its search_path names none that exists and may be used.',
    found.may_create_tables === false &&
      `the right to create tables: GRANT CREATE ON SCHEMA ${pg.escapeIdentifier(found.schema!)} TO ${role};`,
    uninstallable.length > 0 &&
      `the extensions ${uninstallable.join(', ')}: install PostgreSQL's contrib package on its machine.`,
    found.may_create_schemas &&
      bySuperuser.length > 0 &&
      `extensions that a superuser must make: ${bySuperuser.map(({ name }) => `CREATE EXTENSION ${name};`).join(' ')}`,
  ].filter((lack) => lack !== false);
}
