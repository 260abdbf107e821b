import pino from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { Config } from '../config/config.js';

/** Lines are written together, when there are so many bytes of them or a second has passed. */
const TOGETHER = 8_192;
const LATEST_MS = 1_000;
/** If the reader of the log has stopped, what comes on top is dropped. */
const LONGEST_WAIT = 16_777_216;

/** The log of this process: lines to read on a terminal, JSON for a machine that collects it. */
export const openLog = (config: Config) =>
  pino(
    {
      level: config.LOG_LEVEL,
      formatters: { level: (level) => ({ level }), bindings: () => ({}) },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
    },
    process.stdout.isTTY ? PinoPretty({ translateTime: 'SYS:HH:MM:ss', singleLine: true, sync: true }) : logStream(),
  );
export type Log = ReturnType<typeof openLog>;

/** The log on stdout. A warning, or worse, is written at once, with all before it; so is everything at the exit. */
function logStream() {
  const out = pino.destination({
    ...{ dest: 1, sync: false },
    ...{ minLength: TOGETHER, periodicFlush: LATEST_MS, maxLength: LONGEST_WAIT },
  });
  // A full disk must not end the process; there is no one to tell.
  out.on('error', () => undefined);
  return {
    // Pino then says the level of each line.
    [pino.symbols.needsMetadataGsym]: true as const,
    lastLevel: 0,
    write(line: string): void {
      out.write(line);
      if (this.lastLevel >= pino.levels.values.warn!) out.flush();
    },
    flush(done?: () => void): void {
      out.flushSync();
      done?.();
    },
  };
}
