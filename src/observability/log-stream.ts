import { writeSync } from 'node:fs';
import pino from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { Config } from '../config/config.js';

/** Lines are written together, when they are as long as this or a second has passed. */
const TOGETHER = 16_384;
const LATEST_MS = 1_000;
/** If the reader of the log has stopped, what comes on top is dropped. */
const LONGEST_WAIT = 16_777_216;
/** So long a reader that is slow is waited for, at the exit. */
const LAST_MS = 1_000;

/** The log of this process: lines to read on a terminal, JSON for a machine that collects it. */
export const openLog = (config: Config) =>
  pino(
    {
      level: config.LOG_LEVEL,
      formatters: { level: (level) => ({ level }), bindings: () => ({}) },
      timestamp,
    },
    process.stdout.isTTY ? PinoPretty({ translateTime: 'SYS:HH:MM:ss', singleLine: true, sync: true }) : logStream(),
  );
export type Log = ReturnType<typeof openLog>;

let [writtenAt, written] = [0, ''];

/** The time of a line. Many have the same: it is written once for each millisecond. */
function timestamp(): string {
  const now = Date.now();
  if (now !== writtenAt) [writtenAt, written] = [now, `,"time":"${new Date(now).toISOString()}"`];
  return written;
}

/** The log on stdout. A warning, or worse, is written at once, with all before it; so is everything at the exit. */
function logStream() {
  const out = pino.destination({ dest: 1, sync: false, maxLength: LONGEST_WAIT });
  // A full disk must not end the process; there is no one to tell.
  out.on('error', () => undefined);
  // Not held by sonic-boom, which with each line counts the bytes of all that it holds.
  let held = '';
  const passOn = () => {
    if (held !== '') out.write(held);
    held = '';
  };
  setInterval(passOn, LATEST_MS).unref();
  const writeAll = () => {
    const last = held;
    held = '';
    writeNow(out as unknown as Unwritten, last);
  };
  out.flushSync = writeAll;
  return {
    // Pino then says the level of each line.
    [pino.symbols.needsMetadataGsym]: true as const,
    lastLevel: 0,
    write(line: string): void {
      held += line;
      if (held.length >= TOGETHER || this.lastLevel >= pino.levels.values.warn!) passOn();
    },
    flush(done?: () => void): void {
      writeAll();
      done?.();
    },
  };
}

/** What sonic-boom, which writes for pino, has inside. */
type Unwritten = Record<'fd' | '_len', number> &
  Record<'_writing', boolean> &
  Record<'_writingBuf', string> &
  Record<'_bufs', string[]>;

/**
 * In place of sonic-boom's own, which tries again for ever where the disk is full or the reader has gone: nothing would
 * be answered any more, and the process could not end.
 * @param last what was not given to it yet
 */
function writeNow(out: Unwritten, last: string): void {
  const { _writing: isUnderWay, _writingBuf: begun, _bufs: others } = out;
  let rest = Buffer.from((isUnderWay ? '' : begun) + others.join('') + last);
  Object.assign(out, { _writingBuf: isUnderWay ? begun : '', _bufs: [], _len: 0 });
  for (const deadline = Date.now() + LAST_MS; rest.length > 0 && Date.now() < deadline;) {
    try {
      rest = rest.subarray(writeSync(out.fd, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
    }
  }
}
