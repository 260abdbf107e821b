// CPU time of processes, as Linux counts it in /proc. Elsewhere nothing is known, and the answer is null.
import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second, whatever the processor. */
const TICK = 10_000;

interface Stat {
  parent: number;
  /** Microseconds that the process has used: all its threads, also those that have ended. */
  own: number;
  /** The same of its children that have ended. */
  ended: number;
}

function stat(pid: number | string): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the program stands in parentheses, and may hold blanks and parentheses.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    return {
      parent: fields[1]!,
      own: (fields[11]! + fields[12]!) * TICK,
      ended: (fields[13]! + fields[14]!) * TICK,
    };
  } catch {
    return null; // It has ended, or there is no /proc.
  }
}

/** What a process has used until now, in µs. */
export const cpuMicroseconds = (pid: number): number | null => stat(pid)?.own ?? null;

/** The process that started this one: of one of PostgreSQL's backends (`pg_backend_pid()`) its postmaster. */
export const parentOf = (pid: number): number | null => stat(pid)?.parent ?? null;

/**
 * What PostgreSQL has used until now, in µs: the postmaster, its children that live, and those that have ended (the
 * postmaster waits for each, and Linux then adds its time to the postmaster's). It never goes down.
 */
export function postgresMicroseconds(postmaster: number): number | null {
  // A child that ends between the two is missing in this sum, and is there in the next: so the postmaster comes last.
  const living = processes().reduce((sum, pid) => {
    const child = stat(pid);
    return child?.parent === postmaster ? sum + child.own : sum;
  }, 0);
  const own = stat(postmaster);
  return own && own.own + own.ended + living;
}

function processes(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}
