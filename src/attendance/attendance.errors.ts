import { TooManyRequests } from '../common/errors/common.errors.js';
import { DomainError, FieldsError, Problem } from '../common/errors/domain-error.js';
import type { VisitDto } from './dto/visit.dto.js';
import { GymInactive } from '../gyms/gyms.errors.js';
import { NoSessionsLeft, PlanNotActive } from '../plans/plans.errors.js';

@Problem({ code: 'visit_not_found', status: 404, title: 'There is no such visit' })
export class VisitNotFound extends DomainError {}

@Problem({
  code: 'already_checked_in',
  status: 409,
  title: 'This member is checked in already',
  constraint: 'attendance_one_open_visit',
})
export class AlreadyCheckedIn extends DomainError {
  /** @param visit the one that has not ended, where it is known */
  constructor(readonly visit: VisitDto | null = null) {
    super(visit ? `${visit.member.full_name} is already checked in.` : undefined);
  }
}

@Problem({ code: 'already_checked_out', status: 409, title: 'This visit has ended already' })
export class AlreadyCheckedOut extends DomainError {}

@Problem({ code: 'member_inactive', status: 409, title: 'This member is deactivated' })
export class MemberInactive extends DomainError {}

@Problem({
  code: 'visit_times_wrong',
  status: 422,
  title: 'A visit cannot end before it begins',
  constraint: 'attendance_times_check',
})
export class VisitTimesWrong extends FieldsError {
  constructor() {
    super([{ field: 'check_out_time', message: 'must not be before check_in_time' }]);
  }
}

/** What a check-in may meet, by REST or on a socket. */
export const CHECK_IN_ERRORS = [
  ...[AlreadyCheckedIn, MemberInactive, GymInactive, PlanNotActive, NoSessionsLeft, VisitTimesWrong],
  TooManyRequests,
];
export const CHECK_OUT_ERRORS = [VisitNotFound, AlreadyCheckedOut];
