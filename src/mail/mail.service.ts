import { Injectable } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import { EmailChanged, PasswordForgotten } from '../auth/auth.events.js';
import { PasswordResets } from '../auth/password-resets.service.js';
import { DomainEvent } from '../common/events/domain-event.js';
import { Actor } from '../common/actor/actor.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { everyGym, raw, type Sql, sql } from '../database/sql.js';
import type { Language } from '../people/dto/account.dto.js';
import { DashboardService } from '../dashboard/dashboard.service.js';
import { PLANS_WITH_STATUS, WITH_STATUS } from '../plans/user-plans.sql.js';
import { Mailer } from './mailer.js';
import { dayMail, expiryMail, formerMail, resetMail } from './templates.js';

/** Reminders that are noted in one transaction. */
const BATCH = 500;

/** A reminder that is to be sent. */
export class PlanExpiresSoon extends DomainEvent {
  readonly gym_id = null;

  constructor(
    readonly user_plan_id: number,
    readonly days: number,
  ) {
    super();
  }
}

/** A gym's day is over, and one of its managers is to be told how it was. */
export class DayIsOver extends DomainEvent {
  constructor(
    readonly gym_id: number,
    readonly manager_id: number,
    /** YYYY-MM-DD, by the clock of the gym. */
    readonly date: string,
  ) {
    super();
  }
}

/** The plans `up` with their members `u`, gyms `g` and plans `p`. */
const PLANS: Sql = everyGym`${PLANS_WITH_STATUS} JOIN users u ON u.id = up.user_id JOIN gyms g ON g.id = up.gym_id
  JOIN plans p ON p.id = up.plan_id`;
/** The last local day of the plan, and how far it is: 0 is today. */
const LAST_DAY = raw(`((up.expires_at - interval '1 microsecond') AT TIME ZONE g.timezone)::date`);
const DAYS_LEFT: Sql = everyGym`(${LAST_DAY} - (now() AT TIME ZONE g.timezone)::date)`;
/** It is active and ends within so many local days, its member can be written to, and nothing follows it. */
const ends = (days: Sql): Sql => everyGym`up.expires_at <= now() + make_interval(days => ${days} + 2)
  AND ${DAYS_LEFT} <= ${days} ${WITH_STATUS.active}
  AND u.email IS NOT NULL AND u.is_active AND u.deleted_at IS NULL AND g.is_active AND NOT EXISTS (
    SELECT 1 FROM user_plans next WHERE next.user_id = up.user_id AND next.gym_id = up.gym_id
      AND next.ended_at IS NULL AND (next.starts_at IS NULL OR next.starts_at >= up.expires_at))`;

/** The person `u` manages a gym. */
const IS_MANAGER = raw(`u.role = 'manager' AND u.is_active AND u.deleted_at IS NULL`);

/**
 * Writes to people, in their language. What is to be sent waits in the outbox: while the mail server is away no mail is
 * lost, and if it fails after it took a mail, that one is sent twice.
 */
@Injectable()
export class MailService {
  constructor(
    private readonly db: Database,
    private readonly mailer: Mailer,
    private readonly resets: PasswordResets,
    private readonly dashboard: DashboardService,
    private readonly config: Config,
  ) {}

  @OnEvent(PasswordForgotten.name, { suppressErrors: false })
  async sendReset({ user_id }: PasswordForgotten): Promise<void> {
    const issued = await this.resets.issue(user_id);
    const [person] = await this.db.query<{ full_name: string; language: Language }>(
      everyGym`SELECT full_name, language FROM users WHERE id = ${user_id}`,
    );
    if (!issued || !person) return;
    // After the # it is sent to no server and stands in no log.
    const url = `${this.config.public_url}/reset-password#${issued.token}`;
    await this.mailer.send(
      { name: person.full_name, address: issued.email },
      resetMail(person.language, person.full_name, url),
    );
  }

  /** To the address that the person had: the new one may be that of a thief. */
  @OnEvent(EmailChanged.name, { suppressErrors: false })
  async tellFormer({ former_email_id }: EmailChanged): Promise<void> {
    const [former] = await this.db.query<{ full_name: string; email: string; language: Language }>(everyGym`
      SELECT u.full_name, f.email, u.language FROM former_emails f JOIN users u ON u.id = f.user_id
      WHERE f.id = ${former_email_id}`);
    if (!former) return; // the person was deleted meanwhile
    const { full_name, email, language } = former;
    await this.mailer.send({ name: full_name, address: email }, formerMail(language, full_name));
  }

  /** Former addresses, told or not: for longer no mail is tried again. */
  async purge(): Promise<void> {
    await this.db.change(everyGym`DELETE FROM former_emails WHERE created_at < now() - interval '7 days'`);
  }

  @OnEvent(PlanExpiresSoon.name, { suppressErrors: false })
  async sendReminder({ user_plan_id, days }: PlanExpiresSoon): Promise<void> {
    const [plan] = await this.db.query<{
      full_name: string;
      email: string;
      language: Language;
      plan: string;
      gym: string;
      last_day: string;
      days_left: number;
    }>(everyGym`
      SELECT u.full_name, u.email, u.language, p.name AS plan, g.name AS gym,
        ${LAST_DAY} AS last_day, ${DAYS_LEFT} AS days_left
      FROM ${PLANS} WHERE up.id = ${user_plan_id} AND ${ends(sql`${days}`)}`);
    if (!plan) return; // renewed, frozen or cancelled meanwhile
    await this.mailer.send(
      { name: plan.full_name, address: plan.email },
      expiryMail(plan.language, {
        ...{ name: plan.full_name, plan: plan.plan, gym: plan.gym, daysLeft: plan.days_left },
        date: dateIn(plan.language, plan.last_day),
      }),
    );
  }

  /** What a manager would see of that day. Of a day of rest nothing. */
  @OnEvent(DayIsOver.name, { suppressErrors: false })
  async sendDay({ gym_id, manager_id, date }: DayIsOver): Promise<void> {
    const [manager] = await this.db.query<{ full_name: string; email: string; language: Language; gym: string }>(
      everyGym`
        SELECT u.full_name, u.email, u.language, g.name AS gym FROM users u JOIN gyms g ON g.id = u.gym_id
        WHERE u.id = ${manager_id} AND g.id = ${gym_id} AND ${IS_MANAGER}`,
    );
    if (!manager) return;
    const { full_name, email, language, gym } = manager;
    const scope = new Actor(manager_id, 'manager', gym_id, 0).scope();
    const period = { from: date, to: date };
    const [day] = await this.dashboard.figures(scope, period, 'day', ['sales', 'plans', 'visits', 'new_members']);
    const { revenue, sales_amount, plans_amount, visits, new_members } = day!;
    if (revenue + visits + new_members === 0) return;
    const money = new Intl.NumberFormat(language, { minimumFractionDigits: 2 });
    const facts = {
      ...{ name: full_name, gym, date: dateIn(language, date), revenue: money.format(revenue) },
      ...{ sales: money.format(sales_amount), plans: money.format(plans_amount), visits, newMembers: new_members },
    };
    await this.mailer.send({ name: full_name, address: email }, dayMail(language, facts));
  }

  /**
   * Has the managers of each gym told how yesterday was, from six in the morning on, once. Each mail is its own job:
   * an address that takes none does not have the others written to again.
   */
  async tellOfYesterday(): Promise<void> {
    await this.db.transaction(async (tx) => {
      const due = await tx.query<{ gym_id: number; manager_id: number; date: string }>(everyGym`
        WITH over AS (
          INSERT INTO day_mails (gym_id, date)
          SELECT g.id, l.clock::date - 1 FROM gyms g
          CROSS JOIN LATERAL (SELECT now() AT TIME ZONE g.timezone AS clock) l
          WHERE g.is_active AND extract(hour FROM l.clock) >= 6
          ON CONFLICT DO NOTHING RETURNING gym_id, date)
        SELECT over.gym_id, u.id AS manager_id, over.date::text FROM over
        JOIN users u ON u.gym_id = over.gym_id AND ${IS_MANAGER}`);
      for (const { gym_id, manager_id, date } of due) await tx.emitDurably(new DayIsOver(gym_id, manager_id, date));
      await tx.query(everyGym`DELETE FROM day_mails WHERE date < now() - interval '10 days'`);
    });
  }

  /**
   * Reminds members 7 days and 1 day before the last day of their plan, while it is day by the gym’s clock. A plan that
   * is shorter than that has just been sold. Each is noted in the transaction that has it sent, and so is sent once.
   */
  async remind(): Promise<void> {
    let count: number;
    do {
      count = await this.db.transaction(async (tx) => {
        const noted = await tx.query<{ user_plan_id: number; days: number }>(everyGym`
          INSERT INTO plan_reminders (user_plan_id, days, expires_at)
          SELECT up.id, d.days, up.expires_at
          FROM unnest(ARRAY[1, 7]) AS d (days) CROSS JOIN ${PLANS}
          WHERE ${ends(raw('d.days'))}
            AND (d.days = 1 OR ${DAYS_LEFT} > 1)
            AND up.starts_at < up.expires_at - make_interval(days => d.days)
            AND extract(hour FROM now() AT TIME ZONE g.timezone) BETWEEN 9 AND 19
            AND NOT EXISTS (SELECT 1 FROM plan_reminders r
              WHERE r.user_plan_id = up.id AND r.days = d.days AND r.expires_at = up.expires_at)
          LIMIT ${BATCH}
          ON CONFLICT DO NOTHING RETURNING user_plan_id, days`);
        for (const { user_plan_id, days } of noted) await tx.emitDurably(new PlanExpiresSoon(user_plan_id, days));
        return noted.length;
      });
    } while (count === BATCH);
  }
}

/** A day as people of that language write it. */
const dateIn = (language: Language, date: string): string =>
  new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(date));
