import { setTimeout as sleep } from 'node:timers/promises';

/** Who comes right behind another may wait so long for the next query, so that many go together. */
const BREATH_MS = 5;

interface Waiting<Found> {
  resolve(found: Found | null): void;
  reject(error: unknown): void;
}

/**
 * Looks things up one query at a time: what is asked for while one is under way, or just after it, is found together by
 * the next. So those who come at once cost few queries, and one who comes alone does not wait.
 */
export class Together<Found> {
  private asked = new Map<number, Waiting<Found>[]>();
  private isAsking = false;

  /** @param find what there is of these ids, by id */
  constructor(private readonly find: (ids: number[]) => Promise<Map<number, Found>>) {}

  /** What has this id, or null. */
  get(id: number): Promise<Found | null> {
    return new Promise((resolve, reject) => {
      this.asked.set(id, [...(this.asked.get(id) ?? []), { resolve, reject }]);
      if (!this.isAsking) void this.ask();
    });
  }

  private async ask(): Promise<void> {
    this.isAsking = true;
    while (this.asked.size > 0) {
      const { asked } = this;
      this.asked = new Map();
      try {
        const found = await this.find([...asked.keys()]);
        for (const [id, all] of asked) for (const one of all) one.resolve(found.get(id) ?? null);
      } catch (error) {
        for (const one of [...asked.values()].flat()) one.reject(error);
      }
      await sleep(BREATH_MS);
    }
    this.isAsking = false;
  }
}
