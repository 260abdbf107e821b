import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ScopedGymId } from '../common/actor/actor.js';
import type { Day } from './slots.rules.js';
import type { SlotsService } from './slots.service.js';
import { WatchedDays } from './watched-days.js';

describe('a day that is watched', () => {
  const today = { gym_id: 1 as ScopedGymId, date: 'today' };
  let days: WatchedDays;
  /** The reads that have begun, to be answered. */
  let reads: { resolve(day: Day): void; reject(error: Error): void }[];
  const answer = (index: number) => reads[index]!.resolve({ date: `read ${index}` } as Day);
  const turn = () => new Promise(setImmediate);

  beforeEach(() => {
    reads = [];
    const day = () => new Promise<Day>((resolve, reject) => reads.push({ resolve, reject }));
    days = new WatchedDays({ day } as unknown as SlotsService);
  });

  it('is read one time after the other, and once for all who ask meanwhile', async () => {
    const told: string[] = [];
    const ask = async (who: string) => told.push(`${who}: ${(await days.read(today)).date}`);
    const all = [ask('first'), ask('second'), ask('third')];
    await turn();
    expect(reads).toHaveLength(1);
    answer(0);
    await turn();
    expect([reads.length, told]).toEqual([2, ['first: read 0']]);
    answer(1);
    await Promise.all(all);
    expect(told).toEqual(['first: read 0', 'second: read 1', 'third: read 1']);
  });

  it('is read again after a failure', async () => {
    const failed = days.read(today);
    const next = days.read(today);
    reads[0]!.reject(new Error('away'));
    await expect(failed).rejects.toThrow('away');
    await turn();
    answer(1);
    expect((await next).date).toBe('read 1');
  });

  it('is known for a moment to those who come, until something changes', async () => {
    const first = days.readLately(today);
    const shared = days.readLately(today);
    answer(0);
    expect([await first, await shared, await days.readLately(today)].map(({ date }) => date)).toEqual([
      ...['read 0', 'read 0', 'read 0'],
    ]);
    expect(reads).toHaveLength(1);
    days.forget();
    const second = days.readLately(today);
    // What changes while it is read may not be in it.
    days.forget();
    const third = days.readLately(today);
    answer(1);
    await turn();
    answer(2);
    expect([(await second).date, (await third).date]).toEqual(['read 1', 'read 2']);
  });
});
