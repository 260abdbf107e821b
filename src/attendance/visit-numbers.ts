import { Injectable } from '@nestjs/common';
import type { Actor, GymScope, ScopedGymId } from '../common/actor/actor.js';
import { Together } from '../common/together.js';
import { Database } from '../database/database.js';
import { everyGym, inGym, sql } from '../database/sql.js';
import { localDay, onDay, today } from '../gyms/local-time.js';
import { requirePerson } from '../people/people.js';
import { visibleTo } from '../people/people.sql.js';
import { STAY_MINUTES } from './attendance.sql.js';
import type { CheckInStatsDto } from './dto/checkin-messages.dto.js';
import type { VisitSummaryDto } from './dto/visit.dto.js';

/** Visits in numbers. */
@Injectable()
export class VisitNumbers {
  private readonly ofGyms = new Together<CheckInStatsDto>(async (gymIds) => {
    const ids = gymIds as ScopedGymId[];
    return new Map(await Promise.all(ids.map(async (id) => [id, await this.stats({ gym_id: id })] as const)));
  });

  constructor(private readonly db: Database) {}

  /** @throws UserNotFound */
  async summarize(actor: Actor, userId: number): Promise<VisitSummaryDto> {
    const scope = await requirePerson(this.db, actor, userId, 'attendance');
    // Days in a row, counted backwards, all have the same day + position.
    const [summary] = await this.db.query<VisitSummaryDto>(sql`
      WITH visits AS (
        SELECT v.check_in_time, v.check_out_time, v.is_auto_closed, ${STAY_MINUTES} AS minutes,
          ${localDay(scope, 'v.check_in_time')} AS day, ${today(scope).own} AS today
        FROM attendance v WHERE v.user_id = ${userId} AND ${visibleTo(actor, 'v')}
      ), runs AS (
        SELECT day, day + row_number() OVER (ORDER BY day DESC)::int AS run FROM visits GROUP BY day
      ), streak AS (
        SELECT count(*) AS days, max(day) AS last_day FROM runs WHERE run = (SELECT max(run) FROM runs)
      )
      SELECT ${userId}::int AS user_id, count(*) AS total_visits,
        count(*) FILTER (WHERE day >= date_trunc('month', today)) AS visits_this_month,
        round(avg(minutes) FILTER (WHERE NOT is_auto_closed)) AS average_stay_minutes,
        (SELECT CASE WHEN last_day >= ${today(scope).own} - 1 THEN days ELSE 0 END FROM streak) AS current_streak_days,
        max(check_in_time) AS last_visit_at, count(*) FILTER (WHERE check_out_time IS NULL) > 0 AS is_inside
      FROM visits`);
    return summary!;
  }

  /** Who is inside, and today in numbers: two ranges of two indexes. */
  async stats(scope: GymScope): Promise<CheckInStatsDto> {
    const [stats] = await this.db.query<Omit<CheckInStatsDto, 'timestamp'>>(sql`
      SELECT ${scope.gym_id}::int AS gym_id,
        (SELECT count(*) FROM attendance v
          WHERE ${inGym(scope, 'v.gym_id')} AND v.check_out_time IS NULL) AS currently_in,
        count(*) AS today_total,
        coalesce(round(avg(${STAY_MINUTES}) FILTER (WHERE NOT v.is_auto_closed)), 0) AS average_stay_minutes
      FROM attendance v JOIN gyms g ON g.id = v.gym_id
      WHERE ${inGym(scope, 'v.gym_id')} AND ${onDay(scope, 'v.check_in_time', today(scope))}`);
    return { ...stats!, timestamp: new Date().toISOString() };
  }

  /** The same of one gym, counted once for all who ask while others are counted. */
  async statsOf(gymId: ScopedGymId): Promise<CheckInStatsDto> {
    return (await this.ofGyms.get(gymId))!;
  }

  /** The gyms whose day began within this quarter of an hour, and that had a visit in the day before. */
  async gymsInNewDay(): Promise<number[]> {
    const gyms = await this.db.query<{ id: number }>(everyGym`
      SELECT g.id FROM gyms g
      CROSS JOIN LATERAL (SELECT day_start((now() AT TIME ZONE g.timezone)::date, g.timezone) AS began_at) d
      WHERE d.began_at >= date_bin('15 minutes', now(), timestamptz '2000-01-01Z') AND EXISTS (
        SELECT 1 FROM attendance v WHERE v.gym_id = g.id AND v.check_in_time >= d.began_at - interval '26 hours')`);
    return gyms.map(({ id }) => id);
  }
}
