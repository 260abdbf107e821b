// What day it is, by the tables of Node and not by those of PostgreSQL.

const formats = new Map<string, Intl.DateTimeFormat>();

/** The local day and hour of a moment: `2026-03-01 18`. */
function clockOf(moment: number | string | Date, zone: string): string {
  let format = formats.get(zone);
  if (!format) {
    const parts = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', hourCycle: 'h23' } as const;
    formats.set(zone, (format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, ...parts })));
  }
  return format.format(new Date(moment));
}

export const localDate = (moment: number | string | Date, zone: string): string => clockOf(moment, zone).slice(0, 10);
export const localHour = (moment: number | string | Date, zone: string): number =>
  Number(clockOf(moment, zone).slice(11, 13));

/** The first moment of a local day. */
export function startOf(date: string, zone: string): number {
  let [before, at] = [Date.parse(date) - 48 * 3600_000, Date.parse(date) + 48 * 3600_000];
  while (at - before > 1) {
    const middle = Math.floor((before + at) / 2);
    if (localDate(middle, zone) < date) before = middle;
    else at = middle;
  }
  return at;
}

export const daysLater = (date: string, days: number): string =>
  new Date(Date.parse(date) + days * 24 * 3600_000).toISOString().slice(0, 10);
