import { IsOptional } from 'class-validator';
import { GymTime, IsGymTime } from './gym-time.js';

/** A part of what PUT takes where others change the same while someone edits it. */
export class AsReadDto {
  /**
   * As it was read; it changes nothing. What has happened since then (a check-out, a session used, a freeze, another
   * end of a plan) is not set back: that is refused (`changed_since_read`).
   */
  @IsOptional()
  @IsGymTime(null)
  updated_at?: GymTime;
}

/** Whether it was read before its last change. @param updatedAt of that change */
export const isStale = ({ updated_at: read }: AsReadDto, updatedAt: Date): boolean =>
  read !== undefined && new Date(read.text).getTime() !== updatedAt.getTime();
