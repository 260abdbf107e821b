import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { Database } from '../database/database.js';

/** Answers are counted so many together: one by one it takes several times as long. */
const TOGETHER = 100;

/** The requests of a route that were answered with a status. */
interface Series {
  readonly requests: Counter.Internal;
  readonly latency: Histogram.Internal<string>;
  /** How long those took that are not counted yet, in seconds. */
  readonly uncounted: number[];
}

function count({ requests, latency, uncounted }: Series): void {
  if (uncounted.length > 0) requests.inc(uncounted.length);
  for (const seconds of uncounted.splice(0)) latency.observe(seconds);
}

/** What /metrics shows, in the names Prometheus recommends. */
@Injectable()
export class MetricsService {
  readonly registry = new Registry();
  private readonly requests = new Counter({
    name: 'http_requests_total',
    help: 'Requests answered',
    labelNames: ['method', 'route', 'status'],
    registers: [this.registry],
    collect: () => this.countAll(),
  });
  private readonly latency = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the request line to the last byte of the answer',
    labelNames: ['method', 'route'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
    collect: () => this.countAll(),
  });

  /** Looked up once for each route and status. */
  private readonly series = new Map<string, Series>();

  private readonly messages = new Counter({
    name: 'socket_messages_total',
    help: 'Messages from sockets',
    labelNames: ['namespace', 'event', 'outcome'],
    registers: [this.registry],
  });

  constructor(private readonly db: Database) {
    collectDefaultMetrics({ register: this.registry });
    this.gauge('database_up', 'Whether the database answers', async () => Number(await db.isUp()));
    this.gauge(
      'database_pool_connections',
      'Open connections for transactions; those that are shared are not among them',
      () => db.pool.totalCount,
    );
    this.gauge('database_pool_idle', 'Connections that are not in use', () => db.pool.idleCount);
    this.gauge('database_pool_waiting', 'Queries that wait for a connection', () => db.pool.waitingCount);
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    this.gauge('event_loop_delay_p99_seconds', 'How late timers were, 99th percentile since the last look', () => {
      const p99 = delay.percentile(99) / 1e9;
      delay.reset();
      return p99;
    });
  }

  /** @param seconds how long it took */
  answered(method: string, route: string, status: number, seconds: number): void {
    const labels = `${status} ${method} ${route}`;
    let series = this.series.get(labels);
    if (!series) {
      series = {
        requests: this.requests.labels({ method, route, status }),
        latency: this.latency.labels({ method, route }),
        uncounted: [],
      };
      this.series.set(labels, series);
    }
    series.uncounted.push(seconds);
    if (series.uncounted.length === TOGETHER) count(series);
  }

  private countAll(): void {
    for (const series of this.series.values()) count(series);
  }

  /** @param outcome `ok`, or the code of the refusal */
  message(namespace: string, event: string, outcome: string): void {
    this.messages.inc({ namespace, event, outcome });
  }

  /** A number that is read for each request of /metrics. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void {
    const gauge: Gauge = new Gauge({ name, help, registers: [], collect: async () => gauge.set(await read()) });
    this.registry.registerMetric(gauge);
  }

  /** The same for several things of a kind, which the database knows; nothing while it is away. */
  gauges(name: string, help: string, label: string, read: () => Promise<(readonly [string, number])[]>): void {
    const collect = async () => {
      gauge.reset();
      if (!(await this.db.isUp())) return;
      for (const [value, number] of await read()) gauge.set({ [label]: value }, number);
    };
    const gauge: Gauge = new Gauge({ name, help, labelNames: [label], registers: [], collect });
    this.registry.registerMetric(gauge);
  }
}
