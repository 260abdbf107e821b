import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import {
  Logger as WorkerLogger,
  parseCronItems,
  run,
  type Runner,
  type TaskList,
  type WorkerEvents,
} from 'graphile-worker';
import type pg from 'pg';
import { AttendanceService } from '../attendance/attendance.service.js';
import { SessionsService } from '../auth/sessions.service.js';
import { Attempts } from '../auth/attempts.js';
import { Config } from '../config/config.js';
import { pool } from '../database/connection.js';
import { Database, DELIVER_EVENT, type StoredEvent } from '../database/database.js';
import { ClockTurned } from '../gyms/gyms.events.js';
import { Heartbeat } from './heartbeat.js';
import { purgeEnrolments } from '../devices/enrolments.service.js';
import { purgeSocketMessages } from '../realtime/postgres-adapter.js';
import { purgeIdempotencyKeys } from '../database/idempotency.js';

const AGAIN_MS = 2_000;
const WORTH_A_WARNING = new Set<string>(['error', 'warning']);

/** When each job runs, in UTC (crontab: minute hour day month weekday). */
const SCHEDULE: Record<string, string> = {
  close_forgotten_visits: '7 * * * *',
  purge_sessions: '17 * * * *',
  purge_idempotency_keys: '27 * * * *',
  purge_attempts: '37 * * * *',
  purge_enrolments: '47 * * * *',
  purge_socket_messages: '*/5 * * * *',
  turn_clock: '*/15 * * * *',
};

/**
 * Runs what must happen exactly once, however many servers there are: jobs by the clock, and events that a transaction
 * left in the outbox. graphile-worker keeps both in PostgreSQL, retries what fails and hands each job to one server.
 */
@Injectable()
export class JobsService implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger('Jobs');
  private readonly pool: pg.Pool;
  private runner: Runner | undefined;
  private isStopping = false;

  constructor(
    config: Config,
    private readonly db: Database,
    private readonly events: EventEmitter2,
    private readonly attendance: AttendanceService,
    private readonly sessions: SessionsService,
    private readonly attempts: Attempts,
    private readonly heartbeat: Heartbeat,
  ) {
    // Its own connections: a job may run longer than a request, and it listens on one.
    this.pool = pool(config.DATABASE_URL!, 'spotter jobs', { max: 4 });
  }

  private readonly tasks: TaskList = {
    [DELIVER_EVENT]: async (payload) => {
      const { name, event } = payload as StoredEvent;
      // A listener that fails makes the job fail, and the event is delivered again later.
      await this.events.emitAsync(name, event);
    },
    close_forgotten_visits: () => this.attendance.closeForgotten(),
    purge_sessions: () => this.sessions.purge(),
    purge_idempotency_keys: () => purgeIdempotencyKeys(this.db),
    purge_attempts: () => this.attempts.purge(),
    purge_enrolments: () => purgeEnrolments(this.db),
    purge_socket_messages: () => purgeSocketMessages(this.db),
    turn_clock: async () => void (await this.events.emitAsync(ClockTurned.name, new ClockTurned())),
  };

  async onApplicationBootstrap(): Promise<void> {
    await this.start();
    this.heartbeat.start();
  }

  private async start(): Promise<void> {
    const events: WorkerEvents = new EventEmitter();
    this.heartbeat.forgetWorkers();
    events.on('worker:create', ({ worker }) => this.heartbeat.add(worker.workerId));
    this.runner = await run({
      events,
      pgPool: this.pool,
      taskList: this.tasks,
      parsedCronItems: parseCronItems(Object.entries(SCHEDULE).map(([task, match]) => ({ task, match }))),
      concurrency: 2,
      noHandleSignals: true,
      logger: new WorkerLogger(() => (level, message) => {
        if (WORTH_A_WARNING.has(level) && !this.db.isAway) this.logger.warn(message);
        else this.logger.debug?.(message);
      }),
    });
    // Workers give up when they cannot even say that their job is done; it is done again by those that follow.
    void this.runner.promise.catch((error: Error) => this.logger.error(error)).then(() => this.startAgain());
  }

  private async startAgain(): Promise<void> {
    while (!this.isStopping) {
      await sleep(AGAIN_MS, undefined, { ref: false });
      if (this.isStopping || !(await this.db.isUp())) continue;
      try {
        return await this.start();
      } catch (error) {
        this.logger.error(error);
      }
    }
  }

  /** While there are sockets: what a job delivers is told to them. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    await this.runner?.stop().catch(() => undefined);
    await this.heartbeat.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }
}
