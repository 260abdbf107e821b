// The statements of the hand-written server: by hand, for these routes and the indexes that are there. Columns are in
// the order in which hand-written-json.ts reads them.
import { Statement } from './hand-written-db.js';

const NOW = 'statement_timestamp()';

const USER = `u.id, u.email, u.username, u.full_name, u.document_id, u.phone_number, u.role, u.language, u.gym_id,
  g.name, u.is_active, u.created_at, u.updated_at`;
const ACTIVE_PLAN = `up.id, up.plan_id, p.name, p.price, p.kind, p.duration_days, p.session_count, p.gym_id,
  p.is_active, p.created_at, p.updated_at, up.purchased_price, up.purchased_at, up.remaining_sessions,
  up.starts_at, up.expires_at, up.replaced_by_id, up.created_by_id, up.created_at, up.updated_at`;
/**
 * A constraint says that no two plans of a person run at the same time in a gym: a join finds one at most. With
 * coalesce PostgreSQL cannot look into the index of that constraint (GiST), which costs more than the one over people.
 */
const WITH_ACTIVE_PLAN = `LEFT JOIN gyms g ON g.id = u.gym_id
  LEFT JOIN user_plans up ON up.user_id = u.id AND up.gym_id = u.gym_id AND up.ended_at IS NULL
    AND (up.frozen_at IS NULL OR up.frozen_until <= ${NOW}) AND coalesce(up.starts_at, 'infinity') <= ${NOW}
    AND (up.expires_at IS NULL OR up.expires_at > ${NOW})
  LEFT JOIN plans p ON p.id = up.plan_id`;

/** $1 the gym */
export const usersOfGym = (limit: number) =>
  new Statement(`SELECT ${USER}, ${ACTIVE_PLAN} FROM users u ${WITH_ACTIVE_PLAN}
    WHERE u.gym_id = $1 AND u.deleted_at IS NULL ORDER BY u.full_name, u.id LIMIT ${limit + 1}`);

/** $1 the document, folded; $2 the gym */
export const USER_BY_DOCUMENT = new Statement(`SELECT ${USER}, ${ACTIVE_PLAN} FROM users u ${WITH_ACTIVE_PLAN}
  WHERE fold(u.document_id) = $1 AND u.gym_id = $2 AND u.deleted_at IS NULL`);

/** What is not ASCII is folded, and made a form to search by, by the functions that the indexes use. */
export const FOLD = new Statement('SELECT fold($1)');
export const SEARCH_FORM = new Statement('SELECT search_form($1)');

/** $1 the gym; $2 the pattern */
export const USERS_BY_PHONE = new Statement(`
  WITH found AS MATERIALIZED (
    SELECT id, full_name FROM users WHERE gym_id = $1 AND deleted_at IS NULL AND phone_digits LIKE $2 LIMIT 200
  ), first AS MATERIALIZED (SELECT id FROM found ORDER BY full_name, id LIMIT 50)
  SELECT ${USER}, ${ACTIVE_PLAN} FROM first JOIN users u USING (id) ${WITH_ACTIVE_PLAN} ORDER BY u.full_name, u.id`);

/**
 * $1 the gym; $2 what was typed, folded; $3 its digits; $4 its words, as a form to search by; then the pattern of each
 * word; if it looks like a phone, $3 may stand anywhere as well. Ranks first, and looks for plans of those it shows.
 */
export function usersByText(words: number, looksLikePhone: boolean, limit: number): Statement {
  const every = Array.from({ length: words }, (_, n) => `search_text LIKE $${n + 5}`).join(' AND ');
  const match = looksLikePhone ? `((${every}) OR search_text LIKE '%' || $3 || '%')` : every;
  const isNamed = '(fold(document_id) = $2 OR fold(email) = $2 OR fold(username) = $2)';
  return new Statement(`
    WITH found AS MATERIALIZED (
      SELECT id FROM users WHERE gym_id = $1 AND deleted_at IS NULL AND ${isNamed}
      UNION
      (SELECT id FROM users WHERE gym_id = $1 AND deleted_at IS NULL AND ${match} LIMIT 200)
    ), best AS MATERIALIZED (
      SELECT id, CASE WHEN ${isNamed} THEN 0 WHEN phone_digits = $3 THEN 1
          WHEN search_text LIKE ' ' || $4 || '%' THEN 2
          WHEN search_text LIKE '% ' || $4 || '%' THEN 3 ELSE 4 END AS rank
      FROM found JOIN users USING (id) ORDER BY rank, full_name, id LIMIT ${limit}
    )
    SELECT ${USER}, ${ACTIVE_PLAN} FROM best JOIN users u USING (id) ${WITH_ACTIVE_PLAN}
    ORDER BY best.rank, u.full_name, u.id`);
}

/** $1 to $7 the person, $8 the gym */
export const CREATE_USER = new Statement(`
  WITH u AS (
    INSERT INTO users (id, qr_code, email, username, full_name, document_id, phone_number, language, role, gym_id)
    SELECT n.id, new_pass_code(n.id, TRUE), $1, $2, $3, $4, $5, $6, $7, gyms.id
    FROM (SELECT nextval('users_id_seq')::int AS id) n, gyms WHERE gyms.id = $8 AND is_active RETURNING *)
  SELECT ${USER} FROM u JOIN gyms g ON g.id = u.gym_id`);
export const GYM_IS_ACTIVE = new Statement('SELECT is_active FROM gyms WHERE id = $1');

const FROZEN = `up.frozen_at IS NOT NULL AND (up.frozen_until IS NULL OR up.frozen_until > ${NOW})`;
const RUNS = `up.ended_at IS NULL AND (${FROZEN}
  OR (up.starts_at <= ${NOW} AND (up.expires_at IS NULL OR up.expires_at > ${NOW})))`;
/** The plan that counts: the one that runs or is frozen, or else the one that did last; none that never began. */
const MEMBERSHIP = `LEFT JOIN LATERAL (
    SELECT * FROM user_plans up
    WHERE up.user_id = v.user_id AND up.gym_id = v.gym_id AND up.starts_at <= coalesce(up.ended_at, ${NOW})
    ORDER BY ${RUNS} DESC, least(up.ended_at, up.expires_at) DESC, up.id DESC LIMIT 1) up ON TRUE`;
const VISIT = `v.id, v.user_id, v.gym_id, u.full_name, u.email, up.id, up.plan_id,
  (SELECT name FROM plans WHERE id = up.plan_id),
  CASE WHEN up.end_reason = 'cancelled' THEN 'cancelled' WHEN up.end_reason IS NOT NULL THEN 'expired'
    WHEN ${FROZEN} THEN 'frozen' WHEN up.expires_at <= ${NOW} THEN 'expired' ELSE 'active' END,
  up.expires_at, up.remaining_sessions`;
const VISIT_ITSELF = `v.check_in_time, v.check_out_time,
  round(extract(epoch FROM v.check_out_time - v.check_in_time) / 60), v.is_auto_closed, v.location, v.notes,
  v.user_plan_id, v.recorded_by_id, v.created_at, v.updated_at`;

/** A condition that the plan reads before the index: the moment at which a local day of the gym $1 begins. */
const begins = (day: string): string => `(SELECT day_start(${day}, timezone) FROM gyms WHERE id = $1)`;

/** $1 the gym; $2 the day, which all visits of the answer have begun on */
export const visitsOfDay = (limit: number) =>
  new Statement(`
    SELECT ${VISIT}, ${VISIT_ITSELF}
    FROM (
      SELECT * FROM attendance
      WHERE gym_id = $1 AND check_in_time >= ${begins('$2::date')} AND check_in_time < ${begins('$2::date + 1')}
      ORDER BY check_in_time DESC, id DESC LIMIT ${limit + 1}) v
    JOIN users u ON u.id = v.user_id ${MEMBERSHIP} ORDER BY v.check_in_time DESC, v.id DESC`);

/**
 * $1 the member; $2 who does it; $3 their gym, or NULL for all; $4, $5 place and notes. A person who leaves at this
 * moment waits for it, or is found to have left.
 */
export const CHECK_IN = new Statement(`
  WITH v AS (
    INSERT INTO attendance (user_id, gym_id, check_in_time, location, notes, recorded_by_id)
    SELECT u.id, u.gym_id, moment(), $4, $5, $2 FROM users u JOIN gyms g ON g.id = u.gym_id
    WHERE u.id = $1 AND u.role = 'user' AND u.is_active AND u.deleted_at IS NULL AND g.is_active
      AND ($3::int IS NULL OR u.gym_id = $3)
    FOR SHARE OF u RETURNING *)
  SELECT ${VISIT}, ${VISIT_ITSELF}, (v.check_in_time AT TIME ZONE g.timezone)::date
  FROM v JOIN users u ON u.id = v.user_id JOIN gyms g ON g.id = v.gym_id ${MEMBERSHIP}`);
/** $1 the member, who is inside */
export const NAME_OF_MEMBER = new Statement('SELECT full_name FROM users WHERE id = $1');
/** $1 the member; $2 the gym of who asked, or NULL for all */
export const MEMBER_IS_ACTIVE = new Statement(`
  SELECT is_active FROM users
  WHERE id = $1 AND role = 'user' AND deleted_at IS NULL AND ($2::int IS NULL OR gym_id = $2)`);

/** $1 the gym: who is inside, and today in numbers, for the screens that watch it */
export const NUMBERS = new Statement(`
  SELECT (SELECT count(*) FROM attendance WHERE gym_id = $1 AND check_out_time IS NULL), count(*),
    coalesce(round(avg(extract(epoch FROM v.check_out_time - v.check_in_time) / 60)
      FILTER (WHERE NOT v.is_auto_closed)),
      0)
  FROM (
    SELECT day_start(today, timezone) AS first, day_start(today + 1, timezone) AS next
    FROM gyms, LATERAL (SELECT (now() AT TIME ZONE timezone)::date AS today) t WHERE id = $1) day
  JOIN attendance v ON v.gym_id = $1 AND v.check_in_time >= day.first AND v.check_in_time < day.next`);

/** $1 the messages, as JSON: what sockets of other servers must hear. The lock keeps them in order. */
export const PUBLISH = new Statement(`
  WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(7283002)), stored AS (
    INSERT INTO hand_written_messages (message) SELECT m FROM turn, json_array_elements($1::json) m RETURNING id)
  SELECT pg_notify('hand_written_messages', '') FROM (SELECT max(id) FROM stored) last`);

/**
 * $1 the product; $2 how many; $3 who sells; $4 their gym, or NULL for all. The stock goes down first: its row is the
 * lock, and without enough of it nothing is sold.
 */
export const SELL = new Statement(`
  WITH p AS (
    UPDATE products p SET quantity = p.quantity - $2::int, updated_at = now() FROM gyms g
    WHERE p.id = $1 AND ($4::int IS NULL OR p.gym_id = $4) AND p.is_active AND p.quantity >= $2::int
      AND g.id = p.gym_id AND g.is_active
    RETURNING p.id, p.gym_id, p.name, p.price, p.quantity
  ), s AS (
    INSERT INTO sales (gym_id, product_id, quantity, unit_price, total_amount, sold_by_id)
    SELECT gym_id, id, $2::int, price, price * $2::int, $3::int FROM p RETURNING *
  ), moved AS (
    INSERT INTO stock_movements (product_id, change, quantity_after, reason, sale_id, moved_by_id)
    SELECT p.id, -$2::int, p.quantity, 'sale', s.id, $3::int FROM p, s)
  SELECT s.id, s.gym_id, s.product_id, p.name, s.quantity, s.unit_price, s.total_amount, s.sold_by_id, v.full_name,
    s.sale_date, s.created_at, s.updated_at
  FROM s, p, users v WHERE v.id = $3::int`);
/** $1 the product; $2 the gym of who asked, or NULL for all */
export const PRODUCT = new Statement(`
  SELECT p.is_active, g.is_active, p.quantity FROM products p JOIN gyms g ON g.id = p.gym_id
  WHERE p.id = $1 AND ($2::int IS NULL OR p.gym_id = $2)`);

/**
 * $1 the gym; $2, $3 the first and the last day. Sums by product and seller, and by day, in one pass; those of
 * products, of sellers and of all are the sums of the first. The days are places between moments, which costs less than
 * to ask for the local day of each sale.
 * @param own only what $4 has sold
 */
export function salesSummary(own: boolean): Statement {
  const sums = 'coalesce(sum(sales), 0), coalesce(sum(quantity), 0), coalesce(sum(amount), 0) AS amount';
  const begun = `SELECT array_agg(day_start(day::date, timezone) ORDER BY day)
    FROM gyms, generate_series($2::timestamp, $3::timestamp, interval '1 day') day WHERE id = $1`;
  return new Statement(`
    WITH grouped AS MATERIALIZED (
      SELECT product_id, sold_by_id, place, count(*) AS sales, sum(quantity) AS quantity, sum(total_amount) AS amount
      FROM (
        SELECT product_id, sold_by_id, quantity, total_amount, width_bucket(sale_date, (${begun})) AS place
        FROM sales WHERE gym_id = $1 ${own ? 'AND sold_by_id = $4' : ''}
          AND sale_date >= ${begins('$2::date')} AND sale_date < ${begins('$3::date + 1')}) s
      GROUP BY GROUPING SETS ((product_id, sold_by_id), (place)))
    SELECT 'product', product_id AS id, (SELECT name FROM products WHERE id = product_id), NULL::date AS day, ${sums}
    FROM grouped WHERE place IS NULL GROUP BY product_id
    UNION ALL
    SELECT 'seller', sold_by_id, (SELECT full_name FROM users WHERE id = sold_by_id), NULL, ${sums}
    FROM grouped WHERE place IS NULL GROUP BY sold_by_id
    UNION ALL
    SELECT 'total', NULL, NULL, NULL, ${sums} FROM grouped WHERE place IS NULL
    UNION ALL
    SELECT 'day', NULL, NULL, $2::date + place - 1, sales, quantity, amount FROM grouped WHERE place IS NOT NULL
    ORDER BY day, amount DESC, id`);
}

/**
 * $1 the gym; $2 the hour; $3 the day, or NULL for today; $4 who gets it; $5 who books; $6 whether $4 is locked, which
 * a limit of hours a day needs. One row says how the hour stands and, if it could be booked, with which booking: the
 * index over seats and that over people, and no counting, prevent a second one. Most days have 24 hours: only for the
 * others the function that knows them is asked.
 */
export const BOOK = new Statement(`
  WITH hour AS MATERIALIZED (
    SELECT g.id AS gym_id, d.day, h.starts_at, h.ends_at, coalesce(s.max_per_day, 24) AS max_per_day,
      CASE WHEN h.starts_at IS NULL THEN 'slot_not_found' WHEN NOT g.is_active THEN 'gym_inactive'
        WHEN h.ends_at <= ${NOW} THEN 'slot_over' WHEN d.day > d.today + coalesce(s.days_ahead, 14) THEN 'too_far_ahead'
        WHEN c.capacity = 0 THEN 'slot_closed' WHEN own.has_it THEN 'already_booked'
        WHEN taken.seats >= c.capacity THEN 'slot_taken'
        WHEN own.count >= coalesce(s.max_per_day, 24) THEN 'too_many_bookings' END AS refusal,
      CASE WHEN taken.seats = 0 THEN 1 WHEN taken.seats < c.capacity THEN (
        SELECT min(n) FROM generate_series(1, c.capacity) n WHERE NOT EXISTS (SELECT FROM slot_bookings b
          WHERE b.gym_id = $1 AND b.starts_at >= h.starts_at AND b.starts_at < h.ends_at AND b.seat = n
            AND b.cancelled_at IS NULL)) END AS seat
    FROM gyms g LEFT JOIN slot_settings s ON s.gym_id = g.id
    CROSS JOIN LATERAL (SELECT (${NOW} AT TIME ZONE g.timezone)::date AS today, coalesce($3::date,
      (${NOW} AT TIME ZONE g.timezone)::date) AS day) d
    CROSS JOIN LATERAL (SELECT day_start(d.day, g.timezone) AS first, day_start(d.day + 1, g.timezone) AS next
      OFFSET 0) whole
    LEFT JOIN LATERAL (
      SELECT whole.first + $2::int * interval '1 hour' AS starts_at,
        whole.first + ($2::int + 1) * interval '1 hour' AS ends_at
      WHERE whole.next - whole.first = interval '24 hours'
      UNION ALL
      SELECT starts_at, ends_at FROM slot_hours(d.day, g.timezone)
      WHERE whole.next - whole.first <> interval '24 hours' AND slot_id = $2) h ON TRUE
    CROSS JOIN LATERAL (SELECT CASE WHEN $2::int BETWEEN coalesce(s.opening_slot, 0) AND coalesce(s.closing_slot, 23)
      THEN coalesce((s.capacities ->> $2::int::text)::int, s.default_capacity, 1) ELSE 0 END AS capacity) c
    CROSS JOIN LATERAL (SELECT count(*) AS seats FROM slot_bookings b
      WHERE b.gym_id = $1 AND b.starts_at >= h.starts_at AND b.starts_at < h.ends_at AND b.cancelled_at IS NULL) taken
    CROSS JOIN LATERAL (SELECT count(*) AS count, bool_or(b.starts_at >= h.starts_at AND b.starts_at < h.ends_at) AS has_it
      FROM slot_bookings b WHERE b.user_id = $4 AND b.gym_id = $1 AND b.starts_at >= whole.first
        AND b.starts_at < whole.next AND b.cancelled_at IS NULL) own
    WHERE g.id = $1
  ), person AS MATERIALIZED (
    SELECT id FROM users WHERE id = $4 AND (gym_id = $1 OR id = $5) AND is_active AND deleted_at IS NULL
  ), b AS (
    INSERT INTO slot_bookings (gym_id, date, slot_id, seat, user_id, starts_at, ends_at, booked_at, booked_by_id)
    SELECT hour.gym_id, day, $2, seat, u.id, starts_at, ends_at, moment(), $5 FROM hour, users u
    WHERE refusal IS NULL AND (max_per_day >= 24 OR $6) AND u.id = (SELECT id FROM person) AND u.is_active
    FOR SHARE OF u ON CONFLICT DO NOTHING RETURNING *)
  SELECT (SELECT id FROM person), hour.refusal, hour.max_per_day, b.id, b.slot_id, b.date, b.gym_id, b.user_id,
    b.starts_at, b.ends_at, b.booked_at
  FROM hour LEFT JOIN b ON TRUE`);
export const LOCK_PERSON = new Statement('SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE');

/** $1 the session */
export const SESSION = new Statement(`
  SELECT s.user_id, u.role, u.gym_id, u.must_change_password FROM sessions s JOIN users u ON u.id = s.user_id
  WHERE s.id = $1 AND s.ended_at IS NULL AND u.is_active AND u.deleted_at IS NULL`);

/**
 * $1 the email or username, folded; $2 the network. Finds the person and counts the attempt: from a network that they
 * have signed in from, failures there count, else those on the account from everywhere. A bucket holds 900 s.
 */
export const TRY_SIGN_IN = new Statement(`
  WITH person AS MATERIALIZED (
    SELECT id, password_hash, EXISTS (SELECT FROM sessions s WHERE s.user_id = u.id AND s.network = $2) AS is_known
    FROM users u WHERE (fold(email) = $1 OR fold(username) = $1) AND password_hash IS NOT NULL AND is_active
      AND deleted_at IS NULL ORDER BY id LIMIT 1
  ), budget AS (
    SELECT * FROM (
      SELECT 'sign_in ' || coalesce((SELECT id::text FROM person), md5($1))
          || CASE WHEN is_known THEN ' from ' || $2 ELSE '' END
        AS key, 90.0 AS seconds FROM (SELECT coalesce((SELECT is_known FROM person), FALSE) AS is_known) k
      UNION ALL
      SELECT CASE WHEN is_known THEN 'sign_in of known from ' ELSE 'sign_in from ' END || $2,
        CASE WHEN is_known THEN 4.5 ELSE 18.0 END
      FROM (SELECT coalesce((SELECT is_known FROM person), FALSE) AS is_known) k
    ) b ORDER BY key
  ), taken AS (
    INSERT INTO attempt_budgets AS known (key, drained_at)
    SELECT key, now() + make_interval(secs => seconds) FROM budget
    ON CONFLICT (key) DO UPDATE SET drained_at = greatest(known.drained_at, now()) + (excluded.drained_at - now())
      WHERE greatest(known.drained_at, now()) + (excluded.drained_at - now()) < now() + interval '900.5 seconds'
    RETURNING key)
  SELECT (SELECT count(*) FROM taken), (SELECT array_agg(key) FROM budget), (SELECT array_agg(seconds) FROM budget), id,
    password_hash
  FROM (SELECT) one LEFT JOIN person ON TRUE`);
/** $1 the keys; $2 their seconds; $3 which of them begins again */
export const GIVE_BACK = new Statement(`
  WITH begun_again AS (DELETE FROM attempt_budgets WHERE key = $3)
  UPDATE attempt_budgets b SET drained_at = drained_at - make_interval(secs => other.seconds)
  FROM unnest($1::text[], $2::float8[]) other (key, seconds) WHERE b.key = other.key AND b.key <> $3`);
/** $1 the person; $2 the hash of the password that they have proved: sign-ins of one person take turns */
export const LOCK_PROVED = new Statement(
  'SELECT FROM users WHERE id = $1 AND password_hash = $2 AND is_active FOR NO KEY UPDATE',
);
/** $1, $2 as above; $3 the address and network; $4 the browser */
export const START_SESSION = new Statement(`
  WITH s AS (
    INSERT INTO sessions (user_id, user_agent, ip_address, network, expires_at)
    SELECT id, $4, $3, $3, now() + interval '2 days' FROM users WHERE id = $1 AND password_hash = $2 AND is_active
    RETURNING id, user_id)
  SELECT s.id, u.id, u.email, u.username, u.full_name, u.phone_number, u.role, u.language, u.gym_id, u.is_active,
    u.created_at, g.id, g.name, u.must_change_password
  FROM s JOIN users u ON u.id = s.user_id LEFT JOIN gyms g ON g.id = u.gym_id`);
/** $1 the person: of more than five sessions the oldest end */
export const END_OLD_SESSIONS = new Statement(`
  UPDATE sessions SET ended_at = now(), end_reason = 'replaced' WHERE id IN (
    SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > now())
    ORDER BY id DESC OFFSET 5)`);
