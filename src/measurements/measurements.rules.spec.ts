import { expect, it } from '@jest/globals';
import { progressOf } from './measurements.rules.js';

it.each([
  [80, 76, { change: -4, change_percent: -5 }],
  [70, 70, { change: 0, change_percent: 0 }],
  // In binary numbers 70.35 - 70.25 is a little less than 0.1.
  [70.25, 70.35, { change: 0.1, change_percent: 0.14 }],
  [30, 40, { change: 10, change_percent: 33.33 }],
  // Exact halves: 0.125 and -0.005.
  [80, 80.1, { change: 0.1, change_percent: 0.13 }],
  [200, 199.99, { change: -0.01, change_percent: -0.01 }],
])('the progress of a size from %d to %d is %j', (start, current, expected) => {
  expect(progressOf(start, current)).toEqual({ start, current, ...expected });
});
