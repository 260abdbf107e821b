import type { SizeProgressDto } from './dto/measurement.dto.js';

const toHundredths = (value: number): number => Math.round(value * 100) / 100;

/** From the first to the last value of a size: what changed, and by how many percent. */
export const progressOf = (start: number, current: number): SizeProgressDto => ({
  start,
  current,
  change: toHundredths(current - start),
  change_percent: toHundredths(((current - start) / start) * 100),
});
