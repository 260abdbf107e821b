import { migrate } from '../database/migrate.js';
import { runCommand } from './run.js';

await runCommand(async ({ DATABASE_URL }) => {
  await migrate(DATABASE_URL);
  process.stdout.write('The schema is up to date.\n');
});
