import { describe, expect, it } from '@jest/globals';
import { until } from '../../test/support/until.js';
import { Together } from './together.js';

describe('what is looked up together', () => {
  it('is asked at once for one, and for those who come meanwhile by one query more', async () => {
    const queries: number[][] = [];
    const answers: (() => void)[] = [];
    const together = new Together<string>(async (ids) => {
      queries.push(ids);
      await new Promise<void>((resolve) => answers.push(resolve));
      return new Map(ids.filter((id) => id < 10).map((id) => [id, `found ${id}`]));
    });
    const first = together.get(1);
    const others = [2, 3, 2, 11].map((id) => together.get(id));
    expect(queries).toEqual([[1]]);
    answers[0]!();
    expect(await first).toBe('found 1');
    await until(() => queries.length > 1);
    expect(queries).toEqual([[1], [2, 3, 11]]);
    answers[1]!();
    expect(await Promise.all(others)).toEqual(['found 2', 'found 3', 'found 2', null]);
  });

  it('fails for those who asked in that query, and for no others', async () => {
    let isAway = true;
    const together = new Together<string>((ids) =>
      isAway ? Promise.reject(new Error('away')) : Promise.resolve(new Map(ids.map((id) => [id, 'found']))),
    );
    await expect(together.get(1)).rejects.toThrow('away');
    isAway = false;
    expect(await together.get(1)).toBe('found');
  });
});
