import { refuseDemo } from '../config/config.js';
import { migrate } from '../database/migrate.js';
import { seedDemo } from '../demo/seed-demo.js';
import { firstStart } from '../first-start.js';
import { checkKeys } from '../key-checks.js';
import { runCommand } from './run.js';

await runCommand(async (config) => {
  await migrate(config.DATABASE_URL, async (client) => {
    for (const hint of await checkKeys(client, config)) process.stderr.write(`${hint}\n`);
    await firstStart(client, config);
    process.stdout.write(`${await seedDemo(client, config)}\n`);
  });
}, refuseDemo);
