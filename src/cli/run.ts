import { type Config, loadConfig } from '../config/config.js';
import { ConfigError } from '../config/config-error.js';
import { openDatabase } from '../database/open.js';

/** Runs a command on the configured database; what goes wrong is one sentence and exit code 1. */
export async function runCommand(command: (config: Config & { DATABASE_URL: string }) => Promise<void>): Promise<void> {
  try {
    const config = loadConfig();
    const database = await openDatabase(config);
    try {
      await command(config as Config & { DATABASE_URL: string });
    } finally {
      await database.release();
    }
  } catch (error) {
    process.stderr.write(`${error instanceof ConfigError ? error.message : (error as Error).stack}\n`);
    process.exitCode = 1;
  }
}
