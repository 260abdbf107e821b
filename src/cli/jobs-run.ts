import { ConfigError } from '../config/config-error.js';
import { migrate } from '../database/migrate.js';
import { type JobName, JobsService, SCHEDULE } from '../jobs/jobs.service.js';
import { createApp } from '../server.js';
import { runCommand } from './run.js';

/** The job of the command line. */
function prepare(): JobName {
  const [name = '', ...more] = process.argv.slice(2);
  if (more.length === 0 && Object.hasOwn(SCHEDULE, name)) return name as JobName;
  throw new ConfigError(`jobs:run takes the name of one job: ${Object.keys(SCHEDULE).join(', ')}.`);
}

await runCommand(async (config, name) => {
  await migrate(config.DATABASE_URL);
  // A whole server that no one can connect to: what the job does is told to the sockets of the others.
  const app = await createApp(config);
  try {
    await app.init();
    const began = performance.now();
    await app.get(JobsService).run(name);
    process.stdout.write(`${name} is done, after ${Math.ceil(performance.now() - began)} ms.\n`);
  } finally {
    await app.close();
  }
}, prepare);
