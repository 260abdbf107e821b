import { DomainError, FieldsError, Problem } from '../common/errors/domain-error.js';
import type { PlanKind } from './entities/plan.entity.js';

@Problem({ code: 'plan_not_found', status: 404, title: 'There is no such plan' })
export class PlanNotFound extends DomainError {}

@Problem({
  code: 'plan_incomplete',
  status: 422,
  title: 'A plan by time needs duration_days, one by sessions or coins needs session_count',
  constraint: 'plans_content_check',
})
export class PlanIncomplete extends FieldsError {
  constructor(kind: PlanKind = 'time') {
    super([
      kind === 'time'
        ? { field: 'duration_days', message: 'is required for a plan by time' }
        : { field: 'session_count', message: `is required for a plan by ${kind}` },
    ]);
  }
}

@Problem({
  code: 'plan_name_taken',
  status: 409,
  title: 'A plan of the gym has this name already',
  constraint: 'plans_name_key',
})
export class PlanNameTaken extends DomainError {}

@Problem({ code: 'plan_inactive', status: 409, title: 'This plan is not sold any more' })
export class PlanInactive extends DomainError {}

@Problem({ code: 'user_plan_not_found', status: 404, title: 'There is no such assigned plan' })
export class UserPlanNotFound extends DomainError {}

@Problem({ code: 'no_active_plan', status: 404, title: 'This member has no active plan' })
export class NoActivePlan extends DomainError {}

@Problem({
  code: 'not_an_upgrade',
  status: 409,
  title: 'Beside an active plan only one that is longer or costs more; or start it after_current',
})
export class NotAnUpgrade extends DomainError {}

@Problem({ code: 'plan_replaced', status: 409, title: 'Another plan was sold instead of this one already' })
export class PlanReplaced extends DomainError {
  constructor(byId: number) {
    super(`User plan ${byId} was sold instead of this one. To sell another, change that one.`);
  }
}

@Problem({ code: 'already_scheduled', status: 409, title: 'Another plan waits for the current one to end already' })
export class AlreadyScheduled extends DomainError {}

@Problem({
  code: 'plans_overlap',
  status: 409,
  title: 'The member has another plan in that time',
  constraint: 'user_plans_one_at_a_time',
})
export class PlansOverlap extends DomainError {
  constructor(
    detail = "Look at the member's plans: cancel or delete the one in that time, or sell this one again after it.",
  ) {
    super(detail);
  }
}

@Problem({
  code: 'plan_times_wrong',
  status: 422,
  title: 'A plan cannot expire before it starts',
  constraint: 'user_plans_times_check',
})
export class PlanTimesWrong extends FieldsError {
  constructor() {
    super([{ field: 'expires_at', message: 'must be after starts_at' }]);
  }
}

@Problem({ code: 'plan_not_active', status: 409, title: 'This needs an active plan' })
export class PlanNotActive extends DomainError {}

@Problem({ code: 'already_frozen', status: 409, title: 'This plan is frozen for another time already' })
export class AlreadyFrozen extends DomainError {
  constructor(until: Date | null) {
    const end = until ? `until ${until.toISOString()}` : 'until it is unfrozen';
    super(`This plan is frozen ${end}. Unfreeze it first, and then freeze it again.`);
  }
}

@Problem({ code: 'no_sessions_left', status: 409, title: 'No sessions remaining' })
export class NoSessionsLeft extends DomainError {}

@Problem({ code: 'sessions_not_counted', status: 409, title: 'This plan is by time: there are no sessions to deduct' })
export class SessionsNotCounted extends DomainError {}

@Problem({ code: 'correction_not_allowed', status: 403, title: 'You may only sell a plan, not correct one' })
export class CorrectionNotAllowed extends DomainError {}
