import type { Transaction } from '../database/database.js';
import { forgetAnswersAbout } from '../database/idempotency.js';
import { everyGym, raw } from '../database/sql.js';
import { SIZE_NAMES } from '../measurements/dto/measurement.dto.js';

/**
 * What becomes of a table when a person is deleted. Columns that share a reason stand in one text, with blanks between.
 */
interface Rule {
  /** The column that says whose a row is. */
  of?: string;
  /** That column names a row of this table, and only that row the person. */
  through?: string;
  /** What is written into the rows of the person, as SQL. */
  becomes?: Record<string, string>;
  /** The rows of the person go, and with them these columns. */
  goes?: string;
  /** Erased too, and by what. */
  erasedBy?: Record<string, string>;
  /** What stays, and why. '*': all columns of a library's table. */
  kept?: Record<string, string>;
}

const NUMBERS = 'the numbers of the gym stay, under no name';
const BY_STAFF = 'who of the staff did it: after deletion a number without a name';
const OF_THE_GYM = 'about the gym, not about a person';
const TECHNICAL = 'about servers and the schema, not about a person';

/**
 * Forgetting a person: all columns of all tables, whether they are erased when a person is deleted, or kept and why.
 * test/e2e/forgetting reads the catalog of PostgreSQL and fails for a column that is not here. What else follows when a
 * person leaves is in leaving.ts.
 */
export const FORGETTING: Record<string, Rule> = {
  users: {
    of: 'id',
    becomes: {
      ...{ email: 'NULL', username: 'NULL', full_name: `'Deleted'`, document_id: 'NULL', phone_number: 'NULL' },
      ...{ language: 'DEFAULT', password_hash: 'NULL', temporary_password: 'NULL', qr_code: 'NULL' },
      ...{ is_active: 'FALSE', awaits_first_plan: 'FALSE', deleted_at: 'now()', updated_at: 'now()' },
    },
    erasedBy: { 'phone_digits search_text': 'trigger users_search_columns' },
    kept: {
      'id role gym_id created_at': 'sales, visits and plans name the row; new members are counted by gym and day',
      'password_version must_change_password': 'says nothing without a password',
    },
  },
  viewer_cookies: { of: 'session_id', through: 'sessions', goes: 'token_hash session_id expires_at' },
  sessions: {
    of: 'user_id',
    goes: `id user_id generation user_agent ip_address network created_at last_used_at expires_at ended_at end_reason`,
  },
  password_resets: { of: 'user_id', goes: 'token_hash user_id email password_version expires_at' },
  former_emails: { of: 'user_id', goes: 'id user_id email created_at' },
  day_mails: { kept: { 'gym_id date': OF_THE_GYM } },
  plan_reminders: {
    kept: { 'user_plan_id days expires_at': 'the mail was sent; the plan it was about is a number of the gym' },
  },
  course_enrolments: { of: 'user_id', goes: 'id course_id user_id created_at' },
  // With the enrolments of others: without its trainer a course is none.
  courses: {
    of: 'trainer_profile_id',
    through: 'profiles',
    goes: 'id trainer_profile_id title description price is_archived search_text created_at updated_at',
  },
  profiles: { of: 'account_id', goes: 'id account_id profile_type is_current created_at' },
  fingerprints: {
    erasedBy: { 'id user_id finger template created_at updated_at': 'trigger users_fingerprints, with the row' },
  },
  measurements: {
    of: 'user_id',
    goes: `id user_id gym_id measurement_date ${SIZE_NAMES.join(' ')} notes created_at updated_at`,
    kept: { recorded_by_id: BY_STAFF },
  },
  attendance: {
    of: 'user_id',
    // Both are free text, and nothing is counted by them.
    becomes: { location: 'NULL', notes: 'NULL' },
    kept: {
      'id user_id gym_id check_in_time check_out_time is_auto_closed user_plan_id created_at updated_at': NUMBERS,
      recorded_by_id: BY_STAFF,
    },
  },
  idempotency_keys: {
    erasedBy: { 'answer people': 'forgetAnswersAbout; of the keys of the person, the rows' },
    kept: { 'owner route key fingerprint role gym_id created_at': 'keys of others, for a day: nothing is done twice' },
  },
  user_plans: {
    of: 'user_id',
    becomes: { cancel_reason: 'NULL' },
    kept: {
      'id user_id gym_id plan_id purchased_price purchased_at duration_days remaining_sessions': NUMBERS,
      'starts_at expires_at frozen_at frozen_until ended_at end_reason replaced_by_id created_at updated_at': NUMBERS,
      created_by_id: BY_STAFF,
    },
  },
  sales: {
    kept: {
      'id gym_id product_id quantity unit_price total_amount sale_date created_at updated_at': NUMBERS,
      sold_by_id: BY_STAFF,
    },
  },
  stock_movements: {
    kept: {
      'id product_id change quantity_after reason sale_id created_at': NUMBERS,
      note: 'about goods: it explains the stock',
      moved_by_id: BY_STAFF,
    },
  },
  slot_bookings: {
    kept: {
      'id gym_id date slot_id seat user_id starts_at ends_at moved_at booked_at cancelled_at': NUMBERS,
      'booked_by_id cancelled_by_id': BY_STAFF,
    },
  },
  access_events: {
    kept: {
      'id gym_id device_id user_id reason attendance_id created_at': NUMBERS,
      scan: 'a hash of a pass that opens nothing any more, or of a number',
      staff_id: BY_STAFF,
    },
  },
  enrolments: {
    kept: {
      'reader reader_socket console_socket is_started held_until': 'about devices',
      user_id: 'a number, until the reader turns to another member; no finger is stored for it',
    },
  },
  messages: {
    erasedBy: { content: 'ConversationsService.forgetPerson; the message counts as deleted, and is purged in a week' },
    kept: {
      'id conversation_id sender_id timestamp read_at edited_at deleted_at':
        'the place of a message, until it is purged',
    },
  },
  attachments: {
    erasedBy: { 'message_id name content_type size': 'ConversationsService.forgetPerson' },
    kept: { 'id created_at uploaded_by_id storage_key': 'until the next purge has deleted the bytes' },
  },
  participants: {
    erasedBy: { title: 'ConversationsService.forgetPerson, for both: it may name the one who is deleted' },
    kept: {
      'conversation_id user_id other_id': 'the other keeps the conversation; when both have left, it goes',
      'unread_count last_read_id last_read_at cleared_up_to_id left_at last_active_at': 'says nothing without words',
    },
  },
  conversations: {
    kept: {
      'id created_at user1_id user2_id told_up_to_id': 'the other keeps the conversation, with a nameless person',
    },
  },
  attempt_budgets: {
    kept: { 'key drained_at': 'an id, a hash or a network, for two hours at most: it slows guessers down' },
  },
  socket_messages: {
    kept: {
      'id namespace rooms message created_at':
        'what screens were told, for ten minutes: sockets that were away ask for it',
    },
  },
  socket_sessions: { kept: { 'pid session disconnected_at': 'ids of a lost connection, for ten minutes' } },

  gyms: {
    kept: { 'id name address phone_number timezone allow_reentry is_active created_at updated_at': OF_THE_GYM },
  },
  plans: {
    kept: { 'id gym_id name price kind duration_days session_count is_active created_at updated_at': OF_THE_GYM },
  },
  products: { kept: { 'id gym_id name description price quantity is_active created_at updated_at': OF_THE_GYM } },
  devices: {
    kept: {
      'id gym_id name kind device_number key_hash key_version is_active': OF_THE_GYM,
      'last_seen_at online_until online_on created_at updated_at': OF_THE_GYM,
    },
  },
  board_outputs: {
    kept: { 'device_id output updated_at': 'what a board said last; it does not say whose program it ran' },
  },
  slot_settings: {
    kept: { 'gym_id opening_slot closing_slot default_capacity capacities days_ahead max_per_day': OF_THE_GYM },
  },
  stats_broadcasts: { kept: { 'gym_id sent_at': OF_THE_GYM } },

  key_checks: { kept: { 'ring key_id sealed': TECHNICAL } },
  job_workers: { kept: { 'id seen_at': TECHNICAL } },
  job_runs: { kept: { 'name started_at finished_at is_ok succeeded_at': TECHNICAL } },
  migrations: { kept: { 'id timestamp name': TECHNICAL } },
  'graphile_worker._private_jobs': {
    kept: { '*': 'work to be done soon; an event that is stored has the id of a person and nothing more' },
  },
  'graphile_worker._private_job_queues': { kept: { '*': TECHNICAL } },
  'graphile_worker._private_known_crontabs': { kept: { '*': TECHNICAL } },
  'graphile_worker._private_tasks': { kept: { '*': TECHNICAL } },
  'graphile_worker.migrations': { kept: { '*': TECHNICAL } },
};

const STATEMENTS = Object.entries(FORGETTING)
  .filter(([, { of }]) => of)
  .map(([table, { of, through, becomes }]) => {
    const written = Object.entries(becomes ?? {}).map(([column, value]) => `${column} = ${value}`);
    const what = becomes ? `UPDATE ${table} SET ${written.join(', ')}` : `DELETE FROM ${table}`;
    const whose = through ? `IN (SELECT id FROM ${through} WHERE ${FORGETTING[through]!.of} =` : '=';
    return (userId: number) => everyGym`${raw(`${what} WHERE ${of} ${whose}`)} ${userId}${raw(through ? ')' : '')}`;
  });

/** Erases what the table above says. The person is locked. */
export async function forget(tx: Transaction, userId: number): Promise<void> {
  for (const statementOf of STATEMENTS) await tx.query(statementOf(userId));
  await forgetAnswersAbout(tx, userId);
}
