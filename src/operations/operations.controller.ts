import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { AccessFor, PUBLIC } from '../common/actor/access.js';
import { Unavailable } from '../common/errors/common.errors.js';
import { Drain } from '../common/http/drain.js';
import { Database } from '../database/database.js';
import { everyGym } from '../database/sql.js';
import { JobsService } from '../jobs/jobs.service.js';
import { Cluster } from '../realtime/cluster.js';
import { MetricsService } from '../observability/metrics.service.js';

/** For the machines that watch the server; outside /api/v1. */
@ApiExcludeController()
@Controller()
export class OperationsController {
  constructor(
    private readonly db: Database,
    private readonly metrics: MetricsService,
    private readonly cluster: Cluster,
    private readonly drain: Drain,
    private readonly jobs: JobsService,
  ) {}

  /** The process answers. */
  @Get('health/live')
  @AccessFor(PUBLIC)
  live() {
    return { status: 'ok' };
  }

  /**
   * It can do its work: the database answers and has this version's schema, and Redis, if there is to be one. 503
   * otherwise.
   */
  @Get('health/ready')
  @AccessFor(PUBLIC)
  async ready() {
    if (this.drain.isOn) throw reported('The server is stopping.');
    // Not as long as a request may wait: who asks this has a limit of their own.
    if (!(await this.db.isUp())) throw reported('The database does not answer.');
    const [schema] = await this.db.query<{ migrations: number }>(
      everyGym`SELECT count(*) AS migrations FROM migrations`,
    );
    if (!schema?.migrations) throw new Unavailable('The database has no schema yet.');
    const { isRedisReady } = this.cluster;
    if (isRedisReady === false) throw reported('Redis does not answer.');
    const redis = isRedisReady && { redis: 'ok' };
    // A job that fails is tried again, and is no reason to send people to another server.
    const jobs = await this.jobs.lastRuns();
    return { status: 'ok', database: 'ok', migrations: schema.migrations, ...redis, jobs };
  }

  @Get('metrics')
  @AccessFor(PUBLIC)
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  show(): Promise<string> {
    return this.metrics.registry.metrics();
  }
}

/** That it is lost stands in the log once; the machines ask every few seconds. */
const reported = (detail: string) => Object.assign(new Unavailable(detail), { isReported: true });
