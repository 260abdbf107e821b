/**
 * What changed from one amount to another, of at most two decimals each, and by how many percent of the first. A half
 * is rounded away from zero.
 * @param decimals of the percent
 */
export function changeOf(before: number, now: number, decimals: 1 | 2): { change: number; percent: number } {
  // Whole hundredths: with fractions in binary, a half would be a little less, or more.
  const start = Math.round(before * 100);
  const change = Math.round(now * 100) - start;
  const scale = 10 ** decimals;
  const percent = (change * 100 * scale) / start;
  return { change: change / 100, percent: (Math.sign(percent) * Math.round(Math.abs(percent))) / scale };
}
