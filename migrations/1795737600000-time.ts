import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Zones that have no region, and what they are called where they have one (IANA's own links, but for BST and IST). */
const WITH_REGION: Record<string, string> = {
  BST: 'Europe/London',
  CET: 'Europe/Brussels',
  CST6CDT: 'America/Chicago',
  Cuba: 'America/Havana',
  EET: 'Europe/Athens',
  EST: 'America/Panama',
  EST5EDT: 'America/New_York',
  Egypt: 'Africa/Cairo',
  Eire: 'Europe/Dublin',
  GB: 'Europe/London',
  HST: 'Pacific/Honolulu',
  Hongkong: 'Asia/Hong_Kong',
  IST: 'Asia/Kolkata',
  Iceland: 'Atlantic/Reykjavik',
  Iran: 'Asia/Tehran',
  Israel: 'Asia/Jerusalem',
  Jamaica: 'America/Jamaica',
  Japan: 'Asia/Tokyo',
  Kwajalein: 'Pacific/Kwajalein',
  Libya: 'Africa/Tripoli',
  MET: 'Europe/Brussels',
  MST: 'America/Phoenix',
  MST7MDT: 'America/Denver',
  NZ: 'Pacific/Auckland',
  Navajo: 'America/Denver',
  PRC: 'Asia/Shanghai',
  PST8PDT: 'America/Los_Angeles',
  Poland: 'Europe/Warsaw',
  Portugal: 'Europe/Lisbon',
  ROC: 'Asia/Taipei',
  ROK: 'Asia/Seoul',
  Singapore: 'Asia/Singapore',
  Turkey: 'Europe/Istanbul',
  WET: 'Europe/Lisbon',
};

/** Zones have a region; a local day begins at its first moment; the hours of a day follow each other; devices count from 0. */
export class Time1795737600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const gyms = (await runner.query(`SELECT id, timezone FROM gyms WHERE timezone <> 'UTC'`)) as {
      id: number;
      timezone: string;
    }[];
    if (gyms.length > 0) {
      const names = (await runner.query('SELECT name FROM pg_timezone_names')) as { name: string }[];
      const canonical = new Map(names.map(({ name }) => [name.toLowerCase(), name]));
      const regions = new Map(Object.entries(WITH_REGION).map(([name, region]) => [name.toLowerCase(), region]));
      for (const { id, timezone } of gyms) {
        const name = timezone.toLowerCase().replace(/^(posix|right)\//, '');
        const known = canonical.get(name);
        const zone = regions.get(name) ?? (known?.includes('/') ? known : 'UTC');
        if (zone !== timezone) await runner.query('UPDATE gyms SET timezone = $1 WHERE id = $2', [zone, id]);
      }
    }
    await runner.query(`
      ALTER TABLE gyms DROP CONSTRAINT gyms_timezone_check, ADD CONSTRAINT gyms_timezone_check CHECK (
        timestamptz '2000-01-01Z' AT TIME ZONE timezone IS NOT NULL AND (timezone = 'UTC' OR timezone ~ '^[A-Z][A-Za-z]*/')
      );

      -- The first moment of a local day. Where clocks go back over midnight PostgreSQL takes the second one; the first is as much
      -- earlier as the day before, counted from it, is longer than 24 hours. Where midnight is skipped it takes the first moment
      -- after it.
      CREATE FUNCTION day_start(day date, timezone text) RETURNS timestamptz STABLE LANGUAGE sql AS $$
        SELECT CASE WHEN first < midnight AND (first AT TIME ZONE $2)::date = $1 THEN first ELSE midnight END
        FROM (SELECT $1::timestamp AT TIME ZONE $2 AS midnight) m
        CROSS JOIN LATERAL (
          SELECT midnight - ((midnight - interval '24 hours') AT TIME ZONE $2 - ($1 - 1)::timestamp) AS first) f
      $$;

      -- The hours of a local day that exist, one behind the other: a moment belongs to the latest hour that the clock has shown on
      -- that day. So an hour that clocks skip is missing, and one in which they go back is as much longer. Quarters, because
      -- some zones shift by half an hour, or at a quarter to.
      CREATE OR REPLACE FUNCTION slot_hours(day date, timezone text)
      RETURNS TABLE (slot_id integer, starts_at timestamptz, ends_at timestamptz) STABLE LANGUAGE sql AS $$
        SELECT hour, min(t), coalesce(lead(min(t)) OVER (ORDER BY hour), day_start($1 + 1, $2))
        FROM (
          SELECT t, max(extract(hour FROM t AT TIME ZONE $2)::integer) OVER (ORDER BY t) AS hour
          FROM generate_series(day_start($1, $2), day_start($1 + 1, $2) - interval '15 minutes', interval '15 minutes') t
        ) quarters
        GROUP BY hour
      $$;

      UPDATE slot_bookings b SET starts_at = n.starts_at, ends_at = n.ends_at
      FROM (
        SELECT b.id, h.* FROM slot_bookings b JOIN gyms g ON g.id = b.gym_id
        JOIN LATERAL slot_hours(b.date, g.timezone) h ON h.slot_id = b.slot_id
        WHERE b.cancelled_at IS NULL AND b.date >= current_date - 1 AND b.starts_at > now()
      ) n
      WHERE n.id = b.id AND (b.starts_at, b.ends_at) <> (n.starts_at, n.ends_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE OR REPLACE FUNCTION slot_hours(day date, timezone text)
      RETURNS TABLE (slot_id integer, starts_at timestamptz, ends_at timestamptz) STABLE LANGUAGE sql AS $$
        SELECT extract(hour FROM t AT TIME ZONE $2)::integer, min(t), max(t) + interval '15 minutes'
        FROM generate_series($1::timestamp AT TIME ZONE $2 - interval '3 hours', ($1 + 1)::timestamp AT TIME ZONE $2,
          interval '15 minutes') t
        WHERE (t AT TIME ZONE $2)::date = $1
        GROUP BY 1
      $$;
      DROP FUNCTION day_start;
      ALTER TABLE gyms DROP CONSTRAINT gyms_timezone_check, ADD CONSTRAINT gyms_timezone_check CHECK (
        timestamptz '2000-01-01Z' AT TIME ZONE timezone IS NOT NULL
      );
    `);
  }
}
