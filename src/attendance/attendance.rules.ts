import { ChangedSinceRead, FieldsInvalid } from '../common/errors/common.errors.js';
import type { DomainError } from '../common/errors/domain-error.js';
import { isStale } from '../common/http/as-read.dto.js';
import { GymInactive } from '../gyms/gyms.errors.js';
import { MemberLeft } from '../people/people.errors.js';
import { MemberInactive } from './attendance.errors.js';
import { MemberCheckedIn, MemberCheckedOut, VisitCorrected } from './attendance.events.js';
import type { CheckInDto, UpdateVisitDto, VisitDto } from './dto/visit.dto.js';

// Who may be checked in by staff, what is charged for it, and what others are told of a visit. (Who may come in by
// themselves is said by `judge`, in devices/access.rules.ts.)

/** A visit that was noted on paper is written down within so many local days. */
export const DAYS_ON_PAPER = 30;

/** @param earliest when the first of these days began @throws FieldsInvalid */
export function requireRecentPaper(checkIn: Date | undefined, earliest: Date): void {
  if (checkIn && checkIn < earliest) {
    throw FieldsInvalid.of('check_in_time', `is more than ${DAYS_ON_PAPER} days ago`);
  }
}

/** Why a member could not be checked in. @param found who was asked for, among the members of the actor's gyms */
export function refusalOfCheckIn(
  found: { is_active: boolean } | undefined,
  { user_id, qr_code }: Pick<CheckInDto, 'user_id' | 'qr_code'>,
): DomainError {
  if (found) return found.is_active ? new GymInactive() : new MemberInactive();
  if (user_id && qr_code) return FieldsInvalid.of('qr_code', 'is not the pass of the member with this user_id');
  return qr_code
    ? FieldsInvalid.of('qr_code', "is no member's of the gym; a pass that was renewed does not count any more")
    : FieldsInvalid.of('user_id', 'is not a member of the gym');
}

/** Whether a check-in was refused because the pass is not that of the member, or no one's. */
export const isUnknownPass = (error: unknown): boolean =>
  error instanceof FieldsInvalid && error.data.errors.some(({ field }) => field === 'qr_code');

/** Whose visit is corrected. */
export interface Visitor {
  is_deleted: boolean;
  /** Of the gym of the visit. */
  is_member: boolean;
  is_active: boolean;
  is_gym_active: boolean;
}

/**
 * A visit is opened again only where its member could be checked in: elsewhere they could not leave. Of a person who
 * was deleted no more is noted: nothing would erase it. One that was open when it was read, and has ended since, is
 * not opened again by chance.
 * @throws MemberLeft, MemberInactive, GymInactive, ChangedSinceRead
 */
export function requireMayCorrect(
  { is_deleted, is_member, is_active, is_gym_active }: Visitor,
  before: Pick<VisitDto, 'check_out_time' | 'updated_at'>,
  input: UpdateVisitDto,
): void {
  if (is_deleted && (input.location || input.notes)) throw new MemberLeft();
  if (input.check_out_time !== null || before.check_out_time === null) return;
  if (isStale(input, before.updated_at)) throw new ChangedSinceRead();
  if (!is_member) throw new MemberLeft();
  if (!is_active) throw new MemberInactive();
  if (!is_gym_active) throw new GymInactive();
}

/** Whether a check-in takes a session; one that was taken on paper is not taken again. @throws FieldsInvalid */
export function takesSession({ action, user_plan_id }: Pick<CheckInDto, 'action' | 'user_plan_id'>): boolean {
  const isDeducted = action === 'check_in_with_deduction';
  if (isDeducted && user_plan_id !== undefined) {
    throw FieldsInvalid.of('user_plan_id', 'has lost a session already: send it without check_in_with_deduction');
  }
  return isDeducted;
}

/** Whether a check-in is nothing but a visit that begins now. */
export const isOnlyVisit = (input: CheckInDto): boolean =>
  !takesSession(input) && input.user_plan_id === undefined && !input.check_in_time && !input.check_out_time;

/** What is told of a visit that staff has written down: after one that is over, the member is not inside. */
export const newsOfVisit = (visit: VisitDto) =>
  visit.check_out_time ? new VisitCorrected(visit.gym_id) : new MemberCheckedIn(visit);

/** What is told of a visit that staff has corrected: that a member is inside, or left, may be news. */
export function newsOfCorrection(before: Pick<VisitDto, 'status'>, after: VisitDto) {
  if (before.status === after.status) return new VisitCorrected(after.gym_id);
  return after.status === 'checked_in' ? new MemberCheckedIn(after) : new MemberCheckedOut(after);
}
