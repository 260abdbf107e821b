// From the texts of a row to the JSON of the answer, by hand, in the order of the columns of hand-written-sql.ts.
import type { Row } from './hand-written-db.js';

/** A column of a LEFT JOIN that found nothing, or NULL. */
type Column = string | null;

/** What JSON escapes; most texts have nothing of it. */
// oxlint-disable-next-line no-control-regex
const ESCAPED = /["\\\u0000-\u001f]/;

const text = (value: Column): string =>
  value === null ? 'null' : ESCAPED.test(value) ? JSON.stringify(value) : `"${value}"`;

/** true or false, of PostgreSQL's t or f. */
const flag = (value: Column): string => (value === 't' ? 'true' : 'false');

/** A sum of money, without zeros at its end. */
const money = (value: Column): string => {
  if (value === null) return 'null';
  if (!value.endsWith('0')) return value;
  return value.endsWith('.00') ? value.slice(0, -3) : String(Number(value));
};

const MILLISECONDS = new Map([
  [22, '.000Z"'],
  [24, '00Z"'],
  [25, '0Z"'],
  [26, 'Z"'],
]);

/** `2026-01-31 10:00:00.5+00` as "2026-01-31T10:00:00.500Z". */
const time = (value: Column): string =>
  value === null ? 'null' : `"${value.slice(0, 10)}T${value.slice(11, -3)}${MILLISECONDS.get(value.length)}`;

/** The same without the quotes: for a cursor. */
export const timeOf = (value: string): string => time(value).slice(1, -1);

/** A person, with or without the columns of an active plan. */
export function user(c: Row): string {
  const gym = c[8] === null ? 'null' : `{"id":${c[8]},"name":${text(c[9]!)}}`;
  return (
    `{"id":${c[0]},"email":${text(c[1]!)},"username":${text(c[2]!)},"full_name":${text(c[3]!)},` +
    `"document_id":${text(c[4]!)},"phone_number":${text(c[5]!)},"role":"${c[6]}","language":"${c[7]}",` +
    `"gym_id":${c[8]},"gym":${gym},"is_active":${flag(c[10]!)},"created_at":${time(c[11]!)},` +
    `"updated_at":${time(c[12]!)},` +
    `"active_plan":${c.length > 13 && c[13] !== null ? activePlan(c) : 'null'}}`
  );
}

/** It is of the person's gym, and not frozen: otherwise it would not be active. */
const activePlan = (c: Row): string =>
  `{"id":${c[13]},"user_id":${c[0]},"gym_id":${c[8]},"plan_id":${c[14]},` +
  `"plan":{"id":${c[14]},"name":${text(c[15]!)},"price":${money(c[16]!)},` +
  `"kind":"${c[17]}","duration_days":${c[18]},"session_count":${c[19]},"gym_id":${c[20]},"is_active":${flag(c[21]!)},` +
  `"created_at":${time(c[22]!)},"updated_at":${time(c[23]!)}},"purchased_price":${money(c[24]!)},` +
  `"purchased_at":${time(c[25]!)},"status":"active","is_active":true,"remaining_sessions":${c[26]},` +
  `"starts_at":${time(c[27]!)},"expires_at":${time(c[28]!)},"frozen_at":null,"frozen_until":null,` +
  `"replaced_by_id":${c[29]},"created_by_id":${c[30]},"created_at":${time(c[31]!)},"updated_at":${time(c[32]!)}}`;

/** A visit of a local day. */
export function visit(c: Row, day: string): string {
  const membership =
    c[5] === null
      ? 'null'
      : `{"user_plan_id":${c[5]},"plan_id":${c[6]},"plan_name":${text(c[7]!)},"status":"${c[8]}",` +
        `"expires_at":${time(c[9]!)},"remaining_sessions":${c[10]}}`;
  return (
    `{"id":${c[0]},"user_id":${c[1]},"gym_id":${c[2]},"member":{"id":${c[1]},"full_name":${text(c[3]!)},` +
    `"email":${text(c[4]!)},"membership":${membership}},"attendance_date":"${day}","check_in_time":${time(c[11]!)},` +
    `"check_out_time":${time(c[12]!)},"stay_minutes":${c[13]},"is_auto_closed":${flag(c[14]!)},` +
    `"location":${text(c[15]!)},"notes":${text(c[16]!)},"status":"${c[12] === null ? 'checked_in' : 'checked_out'}",` +
    `"user_plan_id":${c[17]},"recorded_by_id":${c[18]},"created_at":${time(c[19]!)},"updated_at":${time(c[20]!)}}`
  );
}

export const sale = (c: Row): string =>
  `{"id":${c[0]},"gym_id":${c[1]},"product_id":${c[2]},"product":{"id":${c[2]},"name":${text(c[3]!)}},` +
  `"quantity":${c[4]},"unit_price":${money(c[5]!)},"total_amount":${money(c[6]!)},"sold_by_id":${c[7]},` +
  `"sold_by":{"id":${c[7]},"full_name":${text(c[8]!)}},"sale_date":${time(c[9]!)},"created_at":${time(c[10]!)},` +
  `"updated_at":${time(c[11]!)}}`;

const sums = (c: Row): string => `"sale_count":${c[4]},"total_quantity":${c[5]},"total_amount":${money(c[6]!)}`;

/** The sums of a time: of rows that say what they are about. */
export function summary(rows: Row[], first: string, last: string): string {
  let [total, products, sellers, days] = ['', '', '', ''];
  for (const c of rows) {
    if (c[0] === 'total') total = sums(c);
    else if (c[0] === 'product') products += `,{"product_id":${c[1]},"name":${text(c[2]!)},${sums(c)}}`;
    else if (c[0] === 'seller') sellers += `,{"sold_by_id":${c[1]},"full_name":${text(c[2]!)},${sums(c)}}`;
    else days += `,{"date":"${c[3]}",${sums(c)}}`;
  }
  const all = (items: string) => `[${items.slice(1)}]`;
  return (
    `{"start_date":"${first}","end_date":"${last}",${total},"by_product":${all(products)},` +
    `"by_seller":${all(sellers)},"by_day":${all(days)}}`
  );
}

const clock = (hour: number): string => `"${String(hour % 24).padStart(2, '0')}:00"`;

/** A booking that was just made, of the columns from `at` on. */
export function booking(c: Row, at: number): string {
  const hour = Number(c[at + 1]);
  return (
    `{"id":${c[at]},"slot_id":${hour},"date":"${c[at + 2]}","gym_id":${c[at + 3]},"user_id":${c[at + 4]},` +
    `"start_time":${clock(hour)},"end_time":${clock(hour + 1)},"starts_at":${time(c[at + 5]!)},` +
    `"ends_at":${time(c[at + 6]!)},"booked_at":${time(c[at + 7]!)},"cancelled_at":null}`
  );
}

/** What a sign-in answers: the tokens, and the account as the session started. */
export function signedIn(c: Row, accessToken: string, refreshToken: string, lifetime: number): string {
  const gym = c[11] === null ? 'null' : `{"id":${c[11]},"name":${text(c[12]!)}}`;
  const account =
    `{"id":${c[1]},"email":${text(c[2]!)},"username":${text(c[3]!)},"full_name":${text(c[4]!)},` +
    `"phone_number":${text(c[5]!)},"role":"${c[6]}","language":"${c[7]}","gym_id":${c[8]},"is_active":${flag(c[9]!)},` +
    `"created_at":${time(c[10]!)},"gym":${gym},"must_change_password":${flag(c[13]!)}}`;
  return (
    `{"access_token":"${accessToken}","refresh_token":"${refreshToken}","token_type":"bearer",` +
    `"expires_in":${lifetime},"role":"${c[6]}","must_change_password":${flag(c[13]!)},"account":${account}}`
  );
}

/** A list, without copying it more than once. */
export function list(rows: Row[], limit: number, item: (row: Row) => string): string {
  let json = '[';
  for (let n = 0; n < rows.length && n < limit; n++) json += n === 0 ? item(rows[n]!) : `,${item(rows[n]!)}`;
  return `${json}]`;
}
