import { EventEmitter2 } from '@nestjs/event-emitter';
import { Database } from '../database/database.js';
import { migrate } from '../database/migrate.js';
import { FingerprintKeys, FingerprintsService } from '../devices/fingerprints.service.js';
import { checkKeys } from '../key-checks.js';
import { ProgressBar } from './progress.js';
import { runCommand } from './run.js';

await runCommand(async (config) => {
  await migrate(config.DATABASE_URL, async (client) => {
    for (const hint of await checkKeys(client, config)) process.stderr.write(`${hint}\n`);
  });
  const db = new Database(config, new EventEmitter2());
  const keys = new FingerprintKeys(config.FINGERPRINT_KEYS);
  const bar = new ProgressBar();
  try {
    const { rotated, refused } = await new FingerprintsService(db, keys).rotate((done, of) =>
      bar.show('Fingerprints', done, of),
    );
    process.stdout.write(`${rotated} fingerprints were encrypted again, with key "${keys.newest}".\n`);
    if (refused > 0) {
      process.stderr.write(`${refused} do not open with any key; enrol them again.\n`);
      process.exitCode = 1;
    }
  } finally {
    bar.stop();
    await db.onApplicationShutdown();
  }
});
