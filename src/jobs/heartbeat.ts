import { Injectable, Logger } from '@nestjs/common';
import { Database } from '../database/database.js';
import { everyGym } from '../database/sql.js';

const BEAT_MS = 3_000;
/** A worker that was not seen for so long is gone, with its server. */
const GONE_SECONDS = 15;

/**
 * Gives the jobs of a killed server to the others. A worker keeps its job locked until it is done, and by itself
 * graphile-worker frees such a lock after four hours.
 */
@Injectable()
export class Heartbeat {
  private readonly logger = new Logger('Jobs');
  private readonly workers = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private beating: Promise<void> | undefined;
  /** Since when our own beats have arrived without a gap. */
  private since: number | null = null;

  constructor(private readonly db: Database) {}

  add(workerId: string): void {
    this.workers.add(workerId);
  }

  forgetWorkers(): void {
    this.workers.clear();
  }

  start(): void {
    this.timer = setInterval(() => {
      this.beating ??= this.beat().finally(() => (this.beating = undefined));
    }, BEAT_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.beating;
  }

  private async beat(): Promise<void> {
    try {
      await this.db.change(everyGym`
        INSERT INTO job_workers (id, seen_at) SELECT id, now() FROM unnest(${[...this.workers]}::text[]) id
        ON CONFLICT (id) DO UPDATE SET seen_at = now()`);
      this.since ??= Date.now();
      // After an outage of the database the others need a moment to be seen again.
      if (Date.now() - this.since > GONE_SECONDS * 1000) await this.takeOver();
    } catch {
      this.since = null;
    }
  }

  private async takeOver(): Promise<void> {
    const before = everyGym`now() - make_interval(secs => ${GONE_SECONDS})`;
    const gone = await this.db.query<{ id: string }>(everyGym`
      SELECT DISTINCT locked_by AS id FROM graphile_worker._private_jobs job
      WHERE locked_at < ${before}
        AND NOT EXISTS (SELECT FROM job_workers WHERE id = job.locked_by AND seen_at > ${before})`);
    if (gone.length > 0) {
      this.logger.warn(`What ${gone.length} workers of a lost server were doing is done again`);
      await this.db.change(everyGym`SELECT graphile_worker.force_unlock_workers(${gone.map(({ id }) => id)}::text[])`);
    }
    await this.db.change(everyGym`DELETE FROM job_workers WHERE seen_at < now() - interval '1 day'`);
  }
}
