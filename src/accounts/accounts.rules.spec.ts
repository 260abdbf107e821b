import { describe, expect, it } from '@jest/globals';
import { Actor } from '../common/actor/actor.js';
import { ROLES } from '../common/actor/roles.js';
import { type Holder, requireMayChangeProfiles } from './accounts.rules.js';

describe('the profiles', () => {
  const whoMay = (holder: Holder) =>
    ROLES.filter((role) => {
      try {
        requireMayChangeProfiles(new Actor(1, role, 2, 1), holder);
        return true;
      } catch {
        return false;
      }
    });

  it.each([
    ['of oneself are changed by each role', { id: 1, gym_id: 2 }, ROLES],
    ['of a person of the gym, by its manager and an admin', { id: 9, gym_id: 2 }, ['admin', 'manager']],
    ['of a person of another gym, by an admin', { id: 9, gym_id: 3 }, ['admin']],
    ['of an admin without a gym, by an admin', { id: 9, gym_id: null }, ['admin']],
  ])('%s', (_, holder, expected) => {
    expect(whoMay(holder)).toEqual(expected);
  });
});
