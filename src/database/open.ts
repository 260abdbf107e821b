import type { Config } from '../config/config.js';
import { startEmbeddedPostgres } from './embedded/embedded-postgres.js';

/**
 * Makes sure that there is a database: DATABASE_URL, or the embedded one, whose address is then in `config`.
 * @param isOver whether it is not wanted any more
 */
export async function openDatabase(
  config: Config,
  isOver?: () => boolean,
): Promise<{ place: string; release(): Promise<void> }> {
  if (config.DATABASE_URL) return { place: 'DATABASE_URL', release: async () => undefined };
  const postgres = await startEmbeddedPostgres(`${config.data_dir}/postgres`, 'spotter', [], isOver);
  config.DATABASE_URL = postgres.url;
  return { place: `embedded PostgreSQL in ${postgres.home}`, release: () => postgres.release() };
}
