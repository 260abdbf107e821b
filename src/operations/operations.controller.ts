import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { AccessFor, PUBLIC } from '../common/actor/access.js';
import { Unavailable } from '../common/errors/common.errors.js';
import { Database } from '../database/database.js';
import { everyGym } from '../database/sql.js';
import { Cluster } from '../realtime/cluster.js';
import { MetricsService } from './metrics.service.js';

/** For the machines that watch the server; outside /api/v1. */
@ApiExcludeController()
@Controller()
export class OperationsController {
  constructor(
    private readonly db: Database,
    private readonly metrics: MetricsService,
    private readonly cluster: Cluster,
  ) {}

  /** The process answers. */
  @Get('health/live')
  @AccessFor(PUBLIC)
  live() {
    return { status: 'ok' };
  }

  /** It can do its work: the database answers and has this version's schema, and Redis, if there is to be one. 503 otherwise. */
  @Get('health/ready')
  @AccessFor(PUBLIC)
  async ready() {
    const [schema] = await this.db.query<{ migrations: number }>(
      everyGym`SELECT count(*) AS migrations FROM migrations`,
    );
    if (!schema?.migrations) throw new Unavailable('The database has no schema yet.');
    const { isRedisReady } = this.cluster;
    if (isRedisReady === false) throw new Unavailable('Redis does not answer.');
    return { status: 'ok', database: 'ok', migrations: schema.migrations, ...(isRedisReady && { redis: 'ok' }) };
  }

  @Get('metrics')
  @AccessFor(PUBLIC)
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  show(): Promise<string> {
    return this.metrics.registry.metrics();
  }
}
