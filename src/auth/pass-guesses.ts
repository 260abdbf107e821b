import { Injectable } from '@nestjs/common';
import type { Actor } from '../common/actor/actor.js';
import { RECEPTION } from '../common/actor/roles.js';
import { TooManyRequests } from '../common/errors/common.errors.js';
import { Database } from '../database/database.js';
import { everyGym } from '../database/sql.js';
import { Attempts, type Budget, secondsUntilFree } from './attempts.js';

/** So many unknown codes a door may show in a minute: passes that were renewed, and not one who guesses. */
export const MOST_UNKNOWN_CODES = 10;
const MINUTE = 60;

/** What a device may ask, or an account that names none; good codes do not count. */
export function budgetsOf(deviceId: number | null, userId: number | null): { unknownCodes: Budget; alarms: Budget } {
  const who = deviceId === null ? `account ${userId}` : `device ${deviceId}`;
  return {
    unknownCodes: { key: `unknown_codes ${who}`, burst: MOST_UNKNOWN_CODES, seconds: MINUTE },
    // A second more, because a budget forgives a half.
    alarms: { key: `access_alarm ${who}`, burst: 1, seconds: MINUTE + 1 },
  };
}

export const tooManyUnknown = (seconds: number): TooManyRequests =>
  new TooManyRequests(seconds, `Too many unknown codes. Try again in ${seconds} s.`);

/** Staff who see no pass codes, and try them at the desk until one is right (decision 32). */
@Injectable()
export class PassGuesses {
  constructor(
    private readonly db: Database,
    private readonly attempts: Attempts,
  ) {}

  /**
   * Does what asks for a person by a pass code. While a trainer has no guess left, it does not even look; who may read
   * the codes of the gym need not guess them.
   * @param isUnknown whether it failed because no one has the code
   * @throws TooManyRequests, and what `act` throws
   */
  async limit<T>(actor: Actor, act: () => Promise<T>, isUnknown: (error: unknown) => boolean): Promise<T> {
    if (actor.is(...RECEPTION)) return act();
    const { unknownCodes } = budgetsOf(null, actor.user_id);
    const [limit] = await this.db.query<{ wait: number | null }>(
      everyGym`SELECT ${secondsUntilFree(unknownCodes)} AS wait`,
    );
    if (limit!.wait !== null) throw tooManyUnknown(limit!.wait);
    try {
      return await act();
    } catch (error) {
      if (isUnknown(error)) await this.attempts.take([unknownCodes]);
      throw error;
    }
  }
}
