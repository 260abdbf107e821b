import { changeOf } from '../common/change.js';
import type { SizeProgressDto } from './dto/measurement.dto.js';

/** From the first to the last value of a size: what changed, and by how many percent. */
export function progressOf(start: number, current: number): SizeProgressDto {
  const { change, percent } = changeOf(start, current, 2);
  return { start, current, change, change_percent: percent };
}
