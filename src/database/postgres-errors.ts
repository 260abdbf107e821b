import pg from 'pg';
import { Conflict, FieldsInvalid, Unavailable } from '../common/errors/common.errors.js';
import { DomainError, errorOfConstraint } from '../common/errors/domain-error.js';

/** SQLSTATEs: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const UNIQUE_VIOLATION = '23505';
const EXCLUSION_VIOLATION = '23P01';
const FOREIGN_KEY_VIOLATION = '23503';
const NOT_NULL_VIOLATION = '23502';
const CHECK_VIOLATION = '23514';
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';
const STATEMENT_TIMEOUT = '57014';
const LOCK_NOT_AVAILABLE = '55P03';
/** Where PostgreSQL finds that `cached plan must not change result type`; the message is in its language. */
const STALE_PLAN = 'RevalidateCachedQuery';
/** A statement was sent behind its own preparation, which failed. */
const NOT_PREPARED = '26000';
/** A standby, or a disk that is full at a host which stops writing then. */
const READ_ONLY = '25006';
const DISK_FULL = '53100';
const OUT_OF_RANGE = '22003';
/**
 * Too long, out of range, not a date, a NUL, an unknown time zone: what a DTO should have caught, still the client's
 * fault.
 */
const BAD_VALUE = new Set(['22001', '22007', '22008', '22009', '22021', '22023', '22P02', '22P05']);
/** Classes: connection, resources, operator intervention, disk full and the like. */
const UNAVAILABLE = /^(08|53|57|58)/;
/** Of these: the connection is gone, or was not to be had. */
const GONE = /^(08|53300|57P)/;

/** PostgreSQL ended the transaction in favour of another: the same work may succeed now. */
export function isWorthRetrying(error: unknown): boolean {
  const code = (error as { cause?: pg.DatabaseError }).cause?.code;
  return code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED;
}

/** A migration has changed what a prepared statement reads, or it was not prepared: another connection will do it. */
export function isStalePlan(error: unknown): boolean {
  const { cause } = error as { cause?: pg.DatabaseError };
  return cause !== undefined && isNotPrepared(cause);
}

const isNotPrepared = ({ code, routine }: pg.DatabaseError) => routine === STALE_PLAN || code === NOT_PREPARED;

/** The connection cannot be used any more, or there is none; not a statement that took too long for the database. */
export const isAway = (error: unknown): error is Unavailable => {
  const cause = error instanceof Unavailable && (error.cause as pg.DatabaseError | undefined);
  return !!cause && (isOfDriver(cause) || GONE.test(cause.code ?? ''));
};

/** It answers, and takes no changes. */
export const isUnwritable = (error: unknown): error is Unavailable => {
  const { code = '' } = (error as { cause?: pg.DatabaseError }).cause ?? {};
  return error instanceof Unavailable && (code === READ_ONLY || code === DISK_FULL);
};

/** It would have waited for a lock, on a connection where it may not. Nothing was done. */
export const isLocked = (error: unknown): boolean => (error as Partial<pg.DatabaseError>).code === LOCK_NOT_AVAILABLE;

/** A number became too large to be stored. */
export const isTooLarge = (error: unknown): boolean =>
  (error as { cause?: pg.DatabaseError }).cause?.code === OUT_OF_RANGE;

/** Another row still names what was to be deleted. */
export const isStillNamed = (error: unknown): boolean =>
  (error as { cause?: pg.DatabaseError }).cause?.code === FOREIGN_KEY_VIOLATION;

/** What an error of PostgreSQL or its driver means to a client; bugs (a wrong SQL) stay as they are. */
export function postgresError(error: Error): Error {
  const known = translate(error as pg.DatabaseError);
  if (known) known.cause = error;
  return known ?? error;
}

function translate(error: pg.DatabaseError): DomainError | null {
  const { code, table, constraint, column } = error;
  if (isNotPrepared(error)) return new Unavailable();
  // Our constraints are called table_column_fkey and table_column_check.
  const field = constraint?.replace(`${table}_`, '').replace(/_(fkey|check)$/, '') ?? 'body';
  switch (code) {
    case UNIQUE_VIOLATION:
    case EXCLUSION_VIOLATION:
      return errorOfConstraint(constraint ?? '') ?? new Conflict();
    case FOREIGN_KEY_VIOLATION:
      return errorOfConstraint(constraint ?? '') ?? FieldsInvalid.of(field, 'names what is not there');
    case CHECK_VIOLATION:
      return errorOfConstraint(constraint ?? '') ?? FieldsInvalid.of(field, 'is not allowed');
    case NOT_NULL_VIOLATION:
      return FieldsInvalid.of(column ?? 'body', 'must not be null');
    case OUT_OF_RANGE:
      return FieldsInvalid.of('body', 'leads to a number that is too large');
    case SERIALIZATION_FAILURE:
    case DEADLOCK_DETECTED:
      return new Unavailable('Others changed the same at this moment. Try again.');
    case READ_ONLY:
      return new Unavailable('The database takes no changes at the moment. Try again later.');
    case STATEMENT_TIMEOUT:
      return new Unavailable('This took too long. Ask for less, or try again later.');
  }
  if (BAD_VALUE.has(code ?? '')) return FieldsInvalid.of('body', 'holds a value that cannot be stored');
  return isOfDriver(error) || UNAVAILABLE.test(code ?? '') ? new Unavailable() : null;
}

/** The driver's own errors have no SQLSTATE: refused or broken connections, a pool with nothing free, no answer. */
function isOfDriver({ code, message }: pg.DatabaseError): boolean {
  const isDriverError = code === undefined && /connect|terminated|timeout|closed/i.test(message ?? '');
  return isDriverError || /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENETUNREACH|ENOTFOUND|EAI_)/.test(code ?? '');
}
