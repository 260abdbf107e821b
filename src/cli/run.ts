import { type Config, loadConfig } from '../config/config.js';
import { ConfigError } from '../config/config-error.js';
import { openDatabase } from '../database/open.js';

/**
 * Runs a command on the configured database; what goes wrong is one sentence and exit code 1.
 * @param prepare reads the command's options, or refuses, before a database is started for it
 */
export async function runCommand<Options = void>(
  command: (config: Config & { DATABASE_URL: string }, options: Options) => Promise<void>,
  prepare: (config: Config) => Options = () => undefined as Options,
): Promise<void> {
  try {
    const config = loadConfig();
    const options = prepare(config);
    const database = await openDatabase(config);
    try {
      await command(config as Config & { DATABASE_URL: string }, options);
    } finally {
      await database.release();
    }
  } catch (error) {
    process.stderr.write(`${error instanceof ConfigError ? error.message : (error as Error).stack}\n`);
    process.exitCode = 1;
  }
}
