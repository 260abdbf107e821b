import { describe, expect, it } from '@jest/globals';
import { budgetsOf } from './pass-guesses.js';

describe('guessing a pass code', () => {
  it('is counted for the device, or else for the account', () => {
    const { unknownCodes, alarms } = budgetsOf(5, 7);
    expect(unknownCodes).toEqual({ key: 'unknown_codes device 5', burst: 10, seconds: 60 });
    expect(alarms).toEqual({ key: 'access_alarm device 5', burst: 1, seconds: 61 });
    expect(budgetsOf(5, null)).toEqual(budgetsOf(5, 7));
    expect(budgetsOf(null, 7).unknownCodes.key).toBe('unknown_codes account 7');
  });
});
