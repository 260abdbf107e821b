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
import { PasswordResets } from '../auth/password-resets.service.js';
import { ViewerCookies } from '../auth/viewer-cookies.js';
import { MessagesService } from '../chat/messages.service.js';
import { Config } from '../config/config.js';
import { pool } from '../database/connection.js';
import { Database, DELIVER_EVENT, type StoredEvent } from '../database/database.js';
import { everyGym } from '../database/sql.js';
import { ClockTurned } from '../gyms/gyms.events.js';
import { MetricsService } from '../observability/metrics.service.js';
import type { JobRun } from './entities/job-run.entity.js';
import { Heartbeat } from './heartbeat.js';
import { MailService } from '../mail/mail.service.js';
import { tellOfTime } from '../plans/membership-news.js';
import { purgeEnrolments } from '../devices/enrolments.service.js';
import { purgeSocketMessages } from '../realtime/postgres-relay.js';
import { purgeIdempotencyKeys } from '../database/idempotency.js';

const AGAIN_MS = 2_000;
/** A job that has never run does what was due in this time. */
const FIRST_TIME_SECONDS = 3_600;
const WORTH_A_WARNING = new Set<string>(['error', 'warning']);

/** When each job runs, in UTC (crontab: minute hour day month weekday). */
export const SCHEDULE = {
  close_forgotten_visits: '7 * * * *',
  // It also ends the sockets of an expired session that only listen.
  purge_sessions: '*/5 * * * *',
  purge_idempotency_keys: '27 * * * *',
  purge_attempts: '37 * * * *',
  purge_enrolments: '47 * * * *',
  purge_chat: '57 * * * *',
  purge_socket_messages: '*/5 * * * *',
  turn_clock: '*/15 * * * *',
  send_reminders: '12 * * * *',
  tell_plans: '* * * * *',
  daily_numbers: '2 * * * *',
};
export type JobName = keyof typeof SCHEDULE;

/** How a job went the last time, on whichever server. */
export type LastRun = Pick<JobRun, 'name' | 'started_at' | 'finished_at' | 'is_ok' | 'succeeded_at'>;

/**
 * Runs what must happen exactly once, however many servers there are: jobs by the clock, and events that a transaction
 * left in the outbox. graphile-worker keeps both in PostgreSQL, retries what fails and hands each job to one server.
 */
@Injectable()
export class JobsService implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger('Jobs');
  private readonly pool: pg.Pool;
  private runner: Promise<Runner> | undefined;
  private isStopping = false;

  /** In tests a job runs only when it is called, or they would depend on the minute. */
  private readonly schedule: { task: string; match: string }[];

  constructor(
    config: Config,
    private readonly db: Database,
    private readonly events: EventEmitter2,
    private readonly attendance: AttendanceService,
    private readonly sessions: SessionsService,
    private readonly attempts: Attempts,
    private readonly resets: PasswordResets,
    private readonly viewerCookies: ViewerCookies,
    private readonly mail: MailService,
    private readonly messages: MessagesService,
    private readonly heartbeat: Heartbeat,
    metrics: MetricsService,
  ) {
    const all = Object.entries(SCHEDULE).map(([task, match]) => ({ task, match }));
    this.schedule = config.NODE_ENV === 'test' ? [] : all;
    // Its own connections: a job may run longer than a request, and it listens on one.
    this.pool = pool(config.DATABASE_URL!, 'spotter jobs', { max: 4 });
    metrics.gauges('job_last_success_timestamp_seconds', 'When each job was last done', 'job', async () => {
      const runs = await this.lastRuns();
      return runs.flatMap(({ name, succeeded_at }) => (succeeded_at ? [[name, +succeeded_at / 1000] as const] : []));
    });
  }

  /** Each may be run at any time, and twice. @param since when it was last done */
  private readonly jobs: Record<JobName, (since: Date) => Promise<void>> = {
    close_forgotten_visits: () => this.attendance.closeForgotten(),
    purge_sessions: async () => {
      await this.sessions.purge();
      await this.resets.purge();
      await this.viewerCookies.purge();
      await this.mail.purge();
    },
    send_reminders: () => this.mail.remind(),
    daily_numbers: () => this.mail.tellOfYesterday(),
    tell_plans: (since) => tellOfTime(this.db, since),
    purge_idempotency_keys: () => purgeIdempotencyKeys(this.db),
    purge_attempts: () => this.attempts.purge(),
    purge_enrolments: () => purgeEnrolments(this.db),
    purge_chat: () => this.messages.purge(),
    purge_socket_messages: () => purgeSocketMessages(this.db),
    turn_clock: async () => void (await this.events.emitAsync(ClockTurned.name, new ClockTurned())),
  };

  private readonly tasks: TaskList = {
    [DELIVER_EVENT]: async (payload) => {
      const { name, event } = payload as StoredEvent;
      // A listener that fails makes the job fail, and the event is delivered again later.
      await this.events.emitAsync(name, event);
    },
    ...Object.fromEntries((Object.keys(SCHEDULE) as JobName[]).map((name) => [name, () => this.run(name)])),
  };

  /** Does a job now, and notes how it went. @throws what it fails with */
  async run(name: JobName): Promise<void> {
    const [last] = await this.db.query<{ now: Date; since: Date }>(everyGym`
      SELECT moment() AS now, coalesce((SELECT succeeded_at FROM job_runs WHERE name = ${name}),
        now() - make_interval(secs => ${FIRST_TIME_SECONDS})) AS since`);
    const { now, since } = last!;
    const note = (isOk: boolean) =>
      this.db.change(everyGym`
        INSERT INTO job_runs AS run (name, started_at, finished_at, is_ok, succeeded_at)
        VALUES (${name}, ${now}, now(), ${isOk}, CASE WHEN ${isOk} THEN ${now}::timestamptz END)
        ON CONFLICT (name) DO UPDATE SET started_at = excluded.started_at, finished_at = excluded.finished_at,
          is_ok = excluded.is_ok, succeeded_at = greatest(excluded.succeeded_at, run.succeeded_at)`);
    try {
      await this.jobs[name](since);
    } catch (error) {
      await note(false).catch(() => undefined);
      throw error;
    }
    await note(true);
  }

  /** How each job went the last time; one that has never run is not among them. */
  lastRuns(): Promise<LastRun[]> {
    return this.db.query<LastRun>(everyGym`
      SELECT name, started_at, finished_at, is_ok, succeeded_at FROM job_runs
      WHERE name = ANY(${Object.keys(SCHEDULE)}) ORDER BY name`);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.start();
    this.heartbeat.start();
  }

  private async start(): Promise<void> {
    const events: WorkerEvents = new EventEmitter();
    this.heartbeat.forgetWorkers();
    events.on('worker:create', ({ worker }) => this.heartbeat.add(worker.workerId));
    this.runner = run({
      events,
      pgPool: this.pool,
      taskList: this.tasks,
      parsedCronItems: parseCronItems(this.schedule),
      concurrency: 2,
      noHandleSignals: true,
      logger: new WorkerLogger(() => (level, message) => {
        if (WORTH_A_WARNING.has(level) && !this.db.isAway) this.logger.warn(message);
        else this.logger.debug?.(message);
      }),
    });
    // Workers give up when they cannot even say that their job is done; it is done again by those that follow.
    const { promise } = await this.runner;
    void promise.catch((error: Error) => this.logger.error(error)).then(() => this.startAgain());
  }

  private async startAgain(): Promise<void> {
    while (!this.isStopping) {
      await sleep(AGAIN_MS, undefined, { ref: false });
      if (!(await this.db.isUp()) || this.isStopping) continue;
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
    await this.runner?.then((runner) => runner.stop()).catch(() => undefined);
    await this.heartbeat.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }
}
