// Prints the SQL that would bring a migrated database to the entities: the draft of a migration, or with --check the
// drift that must not be. `npm run build` first.
import pg from 'pg';
import { startEmbeddedPostgres } from '../dist/src/database/embedded/embedded-postgres.js';
import { dataSource } from '../dist/src/database/data-source.js';
import { migrate } from '../dist/src/database/migrate.js';

const check = process.argv.includes('--check');
const database = `drift_${process.pid}`;
const postgres = await startEmbeddedPostgres('.data/test-postgres', database);
let drift;
try {
  await migrate(postgres.url);
  const source = await dataSource(postgres.url, true).initialize();
  drift = (await source.driver.createSchemaBuilder().log()).upQueries;
  await source.destroy();
} finally {
  const client = new pg.Client({ connectionString: postgres.url.replace(/[^/]+$/, 'postgres') });
  await client.connect();
  await client.query(`DROP DATABASE ${database} WITH (FORCE)`);
  await client.end();
  await postgres.release();
}
for (const { query } of drift) console.log(`${query};`);
if (check && drift.length > 0) {
  console.error('The entities and the migrations differ: write a migration that does the above.');
  process.exit(1);
}
