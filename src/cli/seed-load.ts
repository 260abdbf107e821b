import { parseArgs } from 'node:util';
import type { Config } from '../config/config.js';
import { ConfigError } from '../config/config-error.js';
import { connect } from '../database/connection.js';
import { migrate } from '../database/migrate.js';
import { type Figures, seedLoad } from '../demo/seed-load.js';
import { firstStart } from '../first-start.js';
import { ProgressBar } from './progress.js';
import { runCommand } from './run.js';

const DEFAULTS: Figures = { gyms: 20, members: 100_000, visits: 1_000_000, sales: 500_000 };
const MOST = 100_000_000;

/** The figures of the command line. */
function prepare({ production }: Config): Figures {
  if (production) throw new ConfigError('seed:load adds made-up people: it does not run with NODE_ENV=production.');
  const options = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, { type: 'string' as const }]));
  let given: Partial<Record<string, string>>;
  try {
    given = parseArgs({ options }).values;
  } catch (error) {
    const [reason] = (error as Error).message.split(/[.\n]/);
    throw new ConfigError(`${reason}: seed:load takes --gyms, --members, --visits and --sales, each with a number.`);
  }
  for (const [name, value] of Object.entries(given)) {
    const least = name === 'gyms' || name === 'members' ? 1 : 0;
    if (/^\d{1,9}$/.test(value!) && Number(value) >= least && Number(value) <= MOST) continue;
    throw new ConfigError(
      `--${name} must be a whole number from ${least} to ${MOST}, but is ${JSON.stringify(value)}.`,
    );
  }
  return { ...DEFAULTS, ...Object.fromEntries(Object.entries(given).map(([name, value]) => [name, Number(value)])) };
}

await runCommand(async (config, figures) => {
  await migrate(config.DATABASE_URL, async (client) => void (await firstStart(client, config)));
  const client = await connect(config.DATABASE_URL, 'spotter seed:load');
  let isStopped = false;
  process.once('SIGINT', () => {
    isStopped = true;
    void client.end();
  });
  const bar = new ProgressBar();
  try {
    const signIn = await seedLoad(client, figures, bar.show.bind(bar));
    process.stdout.write(`Added. Sign in as the manager of the largest gym: ${signIn}\n`);
  } catch (error) {
    throw isStopped ? new ConfigError('Stopped; nothing was added.') : error;
  } finally {
    bar.stop();
    await client.end();
  }
}, prepare);
