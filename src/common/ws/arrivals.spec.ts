import { expect, it } from '@jest/globals';
import { Arrivals } from './arrivals.js';

it('sockets that come at the same moment are welcomed together, by what they get', async () => {
  const welcomed: [string[], string][] = [];
  const arrivals = new Arrivals<string>((socketIds, what) => {
    welcomed.push([socketIds, what]);
    return what === 'broken' ? Promise.reject(new Error('away')) : Promise.resolve();
  });
  const all = ['a', 'b', 'c'].map((id) => arrivals.add(id, 'today', 'today'));
  const broken = arrivals.add('d', 'broken', 'broken');
  await Promise.all(all);
  await expect(broken).rejects.toThrow('away');
  await arrivals.add('e', 'today', 'today');
  expect(welcomed).toEqual([
    [['a', 'b', 'c'], 'today'],
    [['d'], 'broken'],
    [['e'], 'today'],
  ]);
});
